package console

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	mtnstand "momoproxy/infra/standin/mtn"
)

// Each life of a payment has its sentence, and what to tell the customer.
func TestSentence(t *testing.T) {
	for plan, want := range map[string]struct{ sentence, tell string }{
		"success":                  {"Paid. MTN confirmed E150.00 at 2", "We have your payment of E150.00 for order ORDER-1."},
		"failed_approval_rejected": {"Not paid. MTN said at 2", "confirm it on your phone."},
		"failed_not_enough_funds":  {": NOT_ENOUGH_FUNDS. The payer's wallet or account has too little money. Shop answered 200 on attempt 1.", "Top up and try again."},
		"failed_something_new":     {": SOMETHING_NEW. Shop", "The payment failed."},
		"pending_forever":          {"Waiting for the payer since 2", "Enter your PIN there."},
		"status_wrong_amount":      {"Held. What MTN says does not match what was asked for", "Please do not pay again"},
		"timeout_before":           {"Unknown. The answer of MTN was lost; the proxy asks again at 2", "Please do not pay again"},
		"refused_payer_not_found":  {"PAYER_NOT_FOUND. The provider knows no wallet of this number.", "Check the number"},
	} {
		t.Run(plan, func(t *testing.T) {
			bubble(t, nil, func(t *testing.T, d *desk) {
				v := get[paymentPage](d, "payments/"+d.pay("ORDER-1", plan))
				if !strings.Contains(v.Sentence, want.sentence) {
					t.Errorf("sentence: %s", v.Sentence)
				}
				if !strings.Contains(v.Tell, want.tell) {
					t.Errorf("tell: %s", v.Tell)
				}
				for _, s := range v.Steps {
					if s.ID == "" || s.Text == "" || s.At.IsZero() {
						t.Errorf("step %+v", s)
					}
				}
			})
		})
	}
}

func TestTimeoutSentence(t *testing.T) {
	bubble(t, nil, func(t *testing.T, d *desk) {
		reference := d.pay("ORDER-1", "pending_forever")
		d.Pass(25 * time.Hour)
		v := get[paymentPage](d, "payments/"+reference)
		if !strings.HasPrefix(v.Sentence, "No answer in time. MTN named no ending") {
			t.Error(v.Sentence)
		}
		polls, times := 0, 0
		for _, s := range v.Steps {
			if s.Text == "What is its status?" {
				polls++
				times += max(s.Times, 1)
			}
		}
		if polls != 1 || times < 10 {
			t.Errorf("%d polls stand in %d lines", times, polls)
		}
	})
}

// The picture has every exchange once: each attempt too, though the audit log
// has it as well.
func TestLanes(t *testing.T) {
	bubble(t, nil, func(t *testing.T, d *desk) {
		v := get[paymentPage](d, "payments/"+d.pay("ORDER-1", "callback_forged"))
		var said []string
		for _, s := range v.Steps {
			said = append(said, s.From+">"+s.To+" "+s.Text+" "+s.Result)
		}
		got := strings.Join(said, "\n")
		for _, want := range []string{
			"app>proxy Shop asks for E150.00 accepted", "proxy>provider MTN is asked for E150.00 202", "provider>payer MTN asks the payer",
			"provider>proxy Callback, a hint: SUCCESSFUL, not believed 200", "provider>proxy Callback, a hint: FAILED 200", "proxy>provider What is its status? FAILED",
			"payer>provider The payer declined", "proxy>proxy Ended by the provider's own status: APPROVAL_REJECTED FAILED",
			"proxy>app Callback payment.failed, attempt 1 200",
		} {
			if strings.Count(got, want) != 1 {
				t.Errorf("%q stands there %d times", want, strings.Count(got, want))
			}
		}
		if t.Failed() {
			t.Log(got)
		}
		if curl := v.Steps[0].Curl; !strings.HasPrefix(curl, `curl -X POST -H "X-Proxy-Api-Key: $MOMO_PROXY_KEY"`) || !strings.HasSuffix(curl, " 'https://momopay.example.com/request-to-pay'") {
			t.Errorf("curl: %s", curl)
		}
	})
}

// No view has a payer's number until somebody asks for it, and that is
// written down.
func TestNumbersAreMasked(t *testing.T) {
	bubble(t, nil, func(t *testing.T, d *desk) {
		number := mtnstand.Payer("status_wrong_payer")
		reference := d.pay("ORDER-1", "status_wrong_payer")
		other := number[:len(number)-1]
		for _, view := range []string{"overview", "payments", "payments/" + reference, "deliveries", "search?q=" + number} {
			text := d.send("GET", "/api/"+view, "").Body.String()
			text = strings.ReplaceAll(text, `"query":"`+number, "")
			if strings.Contains(text, other) {
				t.Errorf("%s shows the number: %s", view, text)
			}
			if !strings.Contains(text, reference) && view != "deliveries" {
				t.Errorf("%s does not have the payment", view)
			}
		}
		code, answer := d.post("payments/"+reference+"/reveal", "")
		var v paymentPage
		if err := json.Unmarshal([]byte(answer), &v); err != nil || code != http.StatusOK || v.Number != number || !strings.Contains(v.Steps[0].Request, number) {
			t.Errorf("%d %s", code, answer)
		}
		shown := 0
		for _, a := range d.Trail(reference) {
			if a.Method == "OPERATOR" && strings.Contains(a.Note, "operator thandi: the payer's number was shown") {
				shown++
			}
		}
		if shown != 1 {
			t.Errorf("it is written down %d times", shown)
		}
	})
}

func TestSearch(t *testing.T) {
	bubble(t, nil, func(t *testing.T, d *desk) {
		reference := d.pay("ORDER-7", "success")
		d.pay("ORDER-8", "failed_expired")
		p := d.Payment(reference)
		for _, text := range []string{reference, "ORDER-7", p.FinancialTransactionID, string(p.Payer), "+" + string(p.Payer), "0" + string(p.Payer)[3:]} {
			v := get[searchResult](d, "search?q="+strings.ReplaceAll(text, "+", "%2B"))
			if len(v.Payments) != 1 || v.Payments[0].Reference != reference {
				t.Errorf("%s: %+v", text, v)
			}
		}
		for _, text := range []string{"", "1", "56", "RD", "ORDER-9", reference[:30]} {
			if v := get[searchResult](d, "search?q="+text); len(v.Payments) != 0 {
				t.Errorf("%q finds %d", text, len(v.Payments))
			}
		}
		if v := get[searchResult](d, "search?q=order"); len(v.Payments) != 2 || !v.Part {
			t.Errorf("a part of an order: %+v", v)
		}
		if v := get[searchResult](d, "search?q=ORDER-8"); len(v.Payments) != 1 {
			t.Errorf("an order that is free again: %+v", v)
		}
	})
}

// What an app, a payer or a provider wrote is passed on as it is: the page
// shows it as text.
func TestTextStaysText(t *testing.T) {
	bubble(t, nil, func(t *testing.T, d *desk) {
		const markup = `<img src=x onerror=alert(1)>`
		a := d.World.Pay(`{"amount":"150.00","externalId":"` + markup + `","payerMessage":"` + markup + `","payer":{"partyIdType":"MSISDN","partyId":"26876123456"}}`)
		if a.StatusCode != 202 {
			t.Fatal(a.Body)
		}
		d.Pass(time.Minute)
		w := d.send("GET", "/api/payments/"+a.Reference(), "")
		if w.Header().Get("Content-Type") != "application/json" || strings.Contains(w.Body.String(), "<img") {
			t.Errorf("%v %s", w.Header(), w.Body)
		}
		if v := get[paymentPage](d, "payments/"+a.Reference()); v.Payment.Order != markup {
			t.Errorf("order %q", v.Payment.Order)
		}
	})
}

func TestUnknownPayment(t *testing.T) {
	bubble(t, nil, func(t *testing.T, d *desk) {
		for _, path := range []string{"payments/11111111-1111-4111-8111-111111111111", "payments/x", "nothing", "local"} {
			if w := d.send("GET", "/api/"+path, ""); w.Code != http.StatusNotFound {
				t.Errorf("%s: %d %s", path, w.Code, w.Body)
			}
		}
	})
}
