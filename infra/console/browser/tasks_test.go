package browser

import (
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// task does what somebody wants to get done on a first visit and tells how
// many clicks it took, and how long the machine.
func task(t *testing.T, name string, s *system, clicks func(p *tab) int) {
	t.Helper()
	p := s.open("", desktop)
	began := time.Now()
	n := clicks(p)
	t.Logf("%s: %d clicks, %d ms", name, n, time.Since(began).Milliseconds())
}

func TestTasks(t *testing.T) {
	s := start(t)
	task(t, "decline a payment and find the reason", s, func(p *tab) int {
		p.press("Start a payment")
		p.press("Start the payment")
		p.press("Decline")
		p.until("MTN said at", "APPROVAL_REJECTED. The payer said no")
		return 3
	})
	s.post("local/app", `{"on":true}`)
	s.trigger("payment.successful")
	task(t, "find out why a callback did not come, and send it again", s, func(p *tab) int {
		p.until("Demo app did not take a callback: it answered 500")
		p.press("Why")
		p.until("Demo app does not know yet: it answered 500", "down, by the switch of the console")
		s.post("local/app", `{"on":false}`) // its developer has mended it
		p.press("Send again")
		p.until("Demo app answered 200 on attempt")
		return 2
	})
	s.pay(`{"amount":"90.00","externalId":"ORDER-SEVEN","payer":{"partyIdType":"MSISDN","partyId":"26876996001"}}`)
	task(t, "explain one payment to a customer, who knows a part of the order", s, func(p *tab) int {
		p.do(chromedp.SendKeys("#q", "der-sev\r", chromedp.ByQuery))
		p.until("Tell the customer", "There is not enough money in your wallet.")
		return 1
	})
	task(t, "find the callbacks that failed, from the pages alone", s, func(p *tab) int {
		s.post("local/app", `{"on":true}`)
		failed := s.trigger("payment.successful")
		s.open("#/payments/"+failed, desktop).until("it answered 500")
		p.press("Callbacks")
		p.press("Failed")
		p.until("tried again", "500")
		s.post("local/app", `{"on":false}`)
		return 2
	})
	task(t, "explain one payment to a customer", s, func(p *tab) int {
		p.do(chromedp.SendKeys("#q", "ORDER-SEVEN\r", chromedp.ByQuery))
		p.until("Tell the customer", "There is not enough money in your wallet.")
		p.do(chromedp.WaitVisible(`//section[contains(., "Tell the customer")]//button[.="Copy"]`, chromedp.BySearch))
		return 1
	})
}
