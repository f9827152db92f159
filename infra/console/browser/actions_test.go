package browser

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"
)

// One plays the payer of a payment that one has started.
func TestNewPayment(t *testing.T) {
	s := start(t)
	for control, want := range map[string]string{
		"Approve":                    "Paid. MTN confirmed E150.00",
		"Decline":                    "APPROVAL_REJECTED. The payer said no",
		"Let it expire":              "EXPIRED. Nobody approved or paid",
		"Approve, lose the callback": "Paid. MTN confirmed E150.00",
	} {
		p := s.open("#/try", desktop)
		p.press("Start the payment")
		p.until("Waiting for the payer since")
		p.press(control)
		p.until(want, "Demo app answered 200 on attempt 1.")
	}
}

// A forged callback changes nothing, a repeated one neither.
func TestForgeAndRepeat(t *testing.T) {
	s := start(t)
	p := s.open("#/payments/"+s.pay(order("ORDER-1"))["referenceId"].(string), desktop)
	p.press("Forge a callback")
	p.until("Somebody else has posted SUCCESSFUL.", "Callback, a hint: SUCCESSFUL", "Waiting for the payer since")
	p.press("Decline")
	p.until("The payer said no")
	p.press("Repeat the callback")
	p.until("The callback was sent again.")
	p.press("Forge a callback")
	p.until("Somebody else has posted SUCCESSFUL.", "Not paid.")
}

// The page of the payer serves a link and a reference as well.
func TestPayersPage(t *testing.T) {
	s := start(t)
	instructions := map[string]string{
		order("ORDER-1"): "", `{"provider":"momentpay","method":"link","amount":"150.51","externalId":"ORDER-2"}`: "link",
		`{"provider":"mom-factura","method":"reference","amount":"15000.10","externalId":"ORDER-3"}`: "referenceNumber",
	}
	for body := range instructions {
		p := s.open("#/payments/"+s.pay(body)["referenceId"].(string), view{width: 390, height: 844, phone: true})
		if instruction := instructions[body]; instruction == "" {
			p.press("Open the payer’s page")
		} else { // what the payer got opens it as well
			p.do(chromedp.Click(fmt.Sprintf(`//dt[.=%q]/following-sibling::dd[1]/a`, "To pay: "+instruction), chromedp.BySearch))
		}
		p.until("a stand-in")
		p.press("Approve")
		p.until("Paid.")
		p.press("What the proxy sees")
		p.until("Tell the customer")
	}
}

func TestTriggers(t *testing.T) {
	s := start(t)
	for event, want := range map[string]string{
		"payment.timeout": "No answer in time.", "payment.held": "Held. What MTN says does not match", "answer.lost": "Paid.",
		"callback.forged": "Not paid.", "callback.repeated": "Paid.", "invoice.created": "invoice.created",
	} {
		p := s.open("#/try", desktop)
		p.press(event)
		p.until("Tell the customer", want)
	}
}

// An app that is down: its callback fails, the reason is shown, and it is
// sent again once the app is back.
func TestAppDown(t *testing.T) {
	s := start(t)
	p := s.open("#/try", desktop)
	p.do(chromedp.Click(`//label[contains(., "Demo app")]/input`, chromedp.BySearch))
	p.until("Demo app is down.")
	p.press("payment.successful")
	p.until("Demo app does not know yet: it answered 500")
	p.do(chromedp.Navigate(s.console + "#/deliveries?state=going"))
	p.until("payment.successful", "500")
	s.post("local/app", `{"on":false}`)
	p.press("Send again")
	p.until("One attempt is due now")
	p.do(chromedp.Navigate(s.console + "#/deliveries?state=delivered"))
	p.until("delivered", "200")
}

func TestProviderDown(t *testing.T) {
	s := start(t)
	p := s.open("#/try", desktop)
	p.do(chromedp.Click(`//label[contains(., "MTN")]/input`, chromedp.BySearch))
	p.until("MTN is down.")
	p.do(chromedp.Navigate(s.console + "#/"))
	p.until("down (switched here)")
	p.do(chromedp.Navigate(s.console + "#/try"))
	p.do(chromedp.Click(`//label[contains(., "MTN")]/input`, chromedp.BySearch))
	p.until("MTN answers again.")
}

// What an operator does, with its questions.
func TestOperator(t *testing.T) {
	s := start(t)
	held := s.trigger("payment.held")
	p := s.open("#/payments/"+held, desktop)
	p.until("Held.")
	p.press("Show") // the number
	p.until("26876997003", "The audit log has it.")
	p.press("Ask MTN now")
	p.do(chromedp.WaitVisible(".toast:not(:first-child)", chromedp.ByQuery))
	p.press("Settle…")
	p.do(chromedp.SetValue("select[name=status]", "SUCCESSFUL", chromedp.ByQuery), chromedp.SendKeys("input[name=reason]", "on the statement of today", chromedp.ByQuery))
	p.press("Settle")
	p.until("Settled. The app is being told.", "Paid. An operator recorded E150.00")

	// FAILED while the payer can still pay: not without that word.
	p.do(chromedp.Navigate(s.console + "#/payments/" + s.pay(order("ORDER-1"))["referenceId"].(string)))
	p.until("Waiting for the payer")
	p.press("Settle…")
	p.do(chromedp.SetValue("select[name=status]", "FAILED", chromedp.ByQuery), chromedp.SendKeys("input[name=reason]", "the customer left", chromedp.ByQuery))
	p.allowed = []string{"log: Failed to load resource"}
	p.press("Settle")
	p.until("Confirm that a double payment is accepted.")
	p.do(chromedp.Click("input[name=double]", chromedp.ByQuery))
	p.press("Settle")
	p.until("Not paid. An operator ended it")

	p.do(chromedp.Navigate(s.console + "#/endpoints"))
	p.press("Disable")
	p.until("Its callbacks are held until you enable it.")
	p.do(chromedp.Click(`dialog button[type=submit]`, chromedp.ByQuery))
	p.until("Disabled since")
	p.press("Enable")
	p.do(chromedp.Click(`dialog button[type=submit]`, chromedp.ByQuery))
	p.until("catching up")

	p.do(chromedp.Navigate(s.console + "#/apps"))
	p.press("Disable")
	p.do(chromedp.Click(`dialog button[type=submit]`, chromedp.ByQuery))
	p.do(chromedp.WaitVisible(`//article[contains(., "disabled")]`, chromedp.BySearch))
	p.press("Enable")
	p.do(chromedp.Click(`dialog button[type=submit]`, chromedp.ByQuery))
	p.do(chromedp.WaitVisible(`//article[contains(., "active")]`, chromedp.BySearch))
}

// An operator tries the accounts' credentials and sets a share.
func TestAccounts(t *testing.T) {
	s := start(t)
	s.pay(order("ORDER-1"))
	p := s.open("#/accounts", desktop)
	p.until("Mom Factura", "1 open payment", "All new payments: no other account of its market", "Credentials not checked here yet")
	p.press("Check the credentials")
	p.until("All accounts with tokens got one.", "They gave a token at", "Nothing to check: the key goes with each request")
	s.post("local/provider", `{"provider":"mtn","on":true}`)
	p.press("Check the credentials")
	p.until("1 account got no token.", "No token at")
	p.do(chromedp.Click(`//article[contains(., "mtn")]//button`, chromedp.BySearch))
	p.until("New payments of mtn")
	p.do(chromedp.SendKeys("input[name=percent]", "40", chromedp.ByQuery))
	p.press("Set the share")
	p.until("mtn gets 40 % of its market’s new payments.", "the share of 40 % counts when there is one")
}

func TestClock(t *testing.T) {
	s := start(t)
	reference := s.pay(order("ORDER-1"))["referenceId"].(string)
	p := s.open("#/try", desktop)
	p.press("+25 h")
	p.until("ahead of this machine’s")
	p.do(chromedp.Navigate(s.console + "#/payments/" + reference))
	p.until("No answer in time.", "Demo app answered 200 on attempt 1.")
}
