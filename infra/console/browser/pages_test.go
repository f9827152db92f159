package browser

import (
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// Each page opens from the navigation and says what it is for; check fails
// if anything goes wrong in it or anything foreign is loaded.
func TestPages(t *testing.T) {
	s := start(t)
	s.trigger("payment.successful")
	p := s.open("", desktop)
	p.until("started today", "Providers", "MTN", "All payments")
	for name, text := range map[string]string{
		"Payments": "These are all.", "Callbacks": "Given up", "Endpoints": "An endpoint is the scheme, host and port", "Accounts": "An account is one set of credentials", "Apps": "cli_demo", "Try it": "New payment",
	} {
		p.press(name)
		p.until(text)
		p.check()
	}
	p.do(chromedp.Navigate(s.console + "#/nothing"))
	p.until("There is no such page.")
	p.do(chromedp.Navigate(s.console + "#/payments/11111111-1111-4111-8111-111111111111"))
	p.until("There is no such record.")
}

// The whole way of a payment, by keys alone.
func TestKeyboard(t *testing.T) {
	s := start(t)
	reference := s.pay(order("ORDER-KEYS"))["referenceId"].(string)
	p := s.open("", desktop)
	p.until("ORDER-KEYS")
	p.do(chromedp.KeyEvent("j"), chromedp.KeyEvent(kb.Enter))
	p.until("Waiting for the payer", "Tell the customer")
	p.do(chromedp.Evaluate(`document.querySelector("summary").focus()`, nil), chromedp.KeyEvent(kb.Enter))
	p.until("POST /request-to-pay → accepted")
	var focused string
	p.do(chromedp.KeyEvent("/"), chromedp.Evaluate(`document.activeElement.id`, &focused))
	if focused != "q" {
		t.Fatalf("the slash leads to %q", focused)
	}
	p.do(chromedp.Evaluate(`document.activeElement.value = ""`, nil), chromedp.SendKeys("#q", "ORDER-KEYS"+kb.Enter, chromedp.ByQuery))
	// The only one that is found is opened.
	p.until(reference)
}

// A request under another name, or from another site, is refused; the page
// of another site can neither read nor act.
func TestForgedRequests(t *testing.T) {
	s := start(t)
	for name, change := range map[string]func(*http.Request){
		"host":   func(r *http.Request) { r.Host = "evil.example.com" },
		"origin": func(r *http.Request) { r.Header.Set("Origin", "https://evil.example.com") },
		"token":  func(r *http.Request) { r.Header.Set("X-Console-Token", "guess") },
	} {
		r, err := http.NewRequest(http.MethodPost, s.console+"api/local/app", strings.NewReader(`{"on":true}`))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-Console-Token", s.token)
		change(r)
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusForbidden {
			t.Errorf("a forged %s: %d", name, resp.StatusCode)
		}
	}
	// The other site is another console: the same machine, another port.
	other := start(t)
	p := other.open("", desktop)
	p.allowed = []string{"foreign request: " + s.console, "log: ", "console: "}
	var outcome string
	p.do(chromedp.Evaluate(`fetch(`+quoted(s.console+"api/overview")+`).then(() => 'read', () => 'refused')`, &outcome, awaited))
	if outcome != "refused" {
		t.Errorf("another site's page: %s", outcome)
	}
	if strings.Contains(s.read("api/local"), `"appDown":true`) {
		t.Error("the app is down")
	}
}

// Whatever text a page is given, in whichever field, it shows as text: here
// every text of every view has markup in front of it.
func TestEveryFieldIsText(t *testing.T) {
	s := start(t)
	s.post("local/app", `{"on":true}`)
	paid := s.trigger("payment.successful")
	held := s.trigger("payment.held")
	waiting := s.pay(order("ORDER-1"))["referenceId"].(string)
	s.open("#/payments/"+paid, desktop).until("answered 500")
	// Words that choose how a page looks, ids and times stay what they are.
	const rewrite = `(() => {
		const parse = JSON.parse, fixed = /^(reference|status|phase|state|kind|link|id|from|to|tone|statuses|eventId|.*(At|Since)|at|until|since)$/;
		const hostile = '<img src=x onerror="window.ran=1"><script>window.ran=1<\/script>';
		JSON.parse = (text) => parse(text, (key, value) => {
			if (/^(bodies|triggers)$/.test(key)) return value.map((text) => hostile + text);
			return typeof value === 'string' && !fixed.test(key) && key !== '' && isNaN(key) ? hostile + value : value;
		});
	})()`
	for _, hash := range []string{
		"#/", "#/payments", "#/payments/" + paid, "#/payments/" + held, "#/payments/" + waiting, "#/pay/" + waiting, "#/deliveries", "#/deliveries?state=failed",
		"#/endpoints", "#/accounts", "#/apps", "#/search?q=trigger", "#/try",
	} {
		p := s.openWith(rewrite, hash, desktop)
		p.do(chromedp.Evaluate(`document.querySelectorAll('details').forEach((d) => { d.open = true; })`, nil))
		p.until("<img src=x onerror")
		var found struct {
			Ran      bool
			Elements int
		}
		p.do(chromedp.Evaluate(`({ Ran: window.ran === 1, Elements: document.querySelectorAll('main img, main script, #nav img, #toasts img').length })`, &found))
		if found.Ran || found.Elements != 0 {
			t.Errorf("%s: %+v", hash, found)
		}
	}
	// Questions and what a page says of an action, too.
	p := s.openWith(rewrite, "#/payments/"+held, desktop)
	p.press("Settle…")
	p.until("Settle <img src=x")
	p.allowed = []string{"log: Failed to load resource"}
	p.press("Settle")
	p.do(chromedp.SetValue("select[name=status]", "FAILED", chromedp.ByQuery), chromedp.SendKeys("input[name=reason]", "called off", chromedp.ByQuery))
	s.post("payments/"+held+"/settle", `{"status":"SUCCESSFUL","reason":"on the statement"}`)
	p.press("Settle")
	p.do(chromedp.Poll(`document.querySelector('.fault') && document.querySelector('.fault').innerText.includes('<img src=x')`, nil, chromedp.WithPollingTimeout(patience)))
	var images int
	p.do(chromedp.Evaluate(`document.querySelectorAll('dialog img, dialog script').length`, &images))
	if images != 0 {
		t.Errorf("%d elements in the question", images)
	}
}

// Markup and script in each text that somebody else writes is shown as text.
func TestTextIsText(t *testing.T) {
	s := start(t)
	const markup = `<img src=x onerror="document.title='RUN'"><script>document.title='RUN'</script>`
	answer := s.pay(`{"amount":"150.00","externalId":` + quoted(markup) + `,"payerMessage":` + quoted(markup) + `,"payeeNote":` + quoted(markup) +
		`,"metadata":{"` + "note" + `":` + quoted(markup) + `},"payer":{"partyIdType":"MSISDN","partyId":"26876123456"}}`)
	reference, _ := answer["referenceId"].(string)
	if reference == "" {
		t.Fatal(answer)
	}
	p := s.open("#/payments/"+reference, desktop)
	p.until("Paid. MTN confirmed E150.00", "answered 200 on attempt 1")
	p.do(chromedp.Evaluate(`document.querySelectorAll('details').forEach((d) => { d.open = true; })`, nil))
	p.until(markup)
	for _, hash := range []string{"#/", "#/payments", "#/deliveries", "#/search?q=" + strings.ReplaceAll(encoded(markup), "+", "%20"), "#/pay/" + reference} {
		p.do(chromedp.Navigate(s.console + hash))
		p.until("<img src=x")
	}
	var title string
	var images int
	p.do(chromedp.Title(&title), chromedp.Evaluate(`document.querySelectorAll('main img, main script').length`, &images))
	if title == "RUN" || images != 0 {
		t.Errorf("title %q, %d elements", title, images)
	}
	// Nor can the page's own code make markup of it.
	var refused bool
	p.allowed = []string{"log: ", "console: ", "exception: "}
	p.do(chromedp.Evaluate(`(() => { try { document.body.innerHTML = '<b>x</b>'; return false; } catch { return true; } })()`, &refused))
	if !refused {
		t.Error("the policy lets text become markup")
	}
}
