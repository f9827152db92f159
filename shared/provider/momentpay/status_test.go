package momentpay_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"momoproxy/infra/standin/core"
	momentstand "momoproxy/infra/standin/momentpay"
	"momoproxy/shared/payment"
	"momoproxy/shared/provider/momentpay"
)

// known is a payment whose id was learned.
func known() payment.Payment {
	p := fixed(momentpay.MethodLink)
	p.Accepted, p.Phase = true, payment.PhaseAwaitingPayer
	p.IDs = map[string]string{"id": "pr_6phg74i4jG9wbzZbFDUQB"}
	return p
}

// shown is the answer to a status question, changed by pairs of texts.
func shown(changes ...string) string {
	return strings.NewReplacer(changes...).Replace("200" + accepted[3:])
}

func TestStatusAnswers(t *testing.T) {
	t.Parallel()
	type evidence struct {
		Verdict                    payment.Verdict
		Code, Amount, Currency, ID string
	}
	const money, rand = "150.00", "ZAR"
	paid := []string{`"active"`, `"paid"`}
	with := func(more ...string) string { return shown(append(more, paid...)...) }
	for _, c := range []struct {
		name, answer string
		want         evidence
	}{
		{"active", shown(), evidence{payment.SaysPending, "active", money, rand, ""}},
		{"paid", with(), evidence{payment.SaysSuccessful, "paid", money, rand, "p_42432fdsjdklfjh4523987"}},
		{"paid, pay_ id", with("p_42432fdsjdklfjh4523987", "pay_1"), evidence{payment.SaysSuccessful, "paid", money, rand, "pay_1"}},
		{"paid without a payment's id", with("payment_id", "x"), evidence{payment.SaysSuccessful, "paid", money, rand, ""}},
		{"paid another amount", with("15000", "14999"), evidence{payment.SaysSuccessful, "paid", "149.99", rand, "p_42432fdsjdklfjh4523987"}},
		{"paid nothing", with("15000", "0"), evidence{payment.SaysSuccessful, "paid", "0.00", rand, "p_42432fdsjdklfjh4523987"}},
		{"paid the most there is", with("15000", "123456789012345"), evidence{payment.SaysSuccessful, "paid", "1234567890123.45", rand, "p_42432fdsjdklfjh4523987"}},
		{"paid, amount as text", with("15000", `"15000"`), evidence{payment.SaysSuccessful, "paid", money, rand, "p_42432fdsjdklfjh4523987"}},
		{"paid in dollars", with("ZAR", "USD"), evidence{payment.SaysSuccessful, "paid", money, "USD", "p_42432fdsjdklfjh4523987"}},
		{"paid in nothing known", with("ZAR", "XXX"), evidence{payment.SaysUnrecognised, momentpay.CodeIncomplete, "", "XXX", "p_42432fdsjdklfjh4523987"}},
		{"paid without amount", with(`"amount"`, `"x"`), evidence{payment.SaysUnrecognised, momentpay.CodeIncomplete, "", rand, "p_42432fdsjdklfjh4523987"}},
		{"paid without currency", with(`"currency"`, `"x"`), evidence{payment.SaysUnrecognised, momentpay.CodeIncomplete, "", "", "p_42432fdsjdklfjh4523987"}},
		{"paid without reference", with("external_reference", "x"), evidence{payment.SaysUnrecognised, momentpay.CodeIncomplete, money, rand, "p_42432fdsjdklfjh4523987"}},
		{"paid in rands with cents", with("15000", "150.00"), evidence{payment.SaysUnrecognised, momentpay.CodeIncomplete, "", rand, "p_42432fdsjdklfjh4523987"}},
		{"paid, amount in powers", with("15000", "1.5e4"), evidence{payment.SaysUnrecognised, momentpay.CodeIncomplete, "", rand, "p_42432fdsjdklfjh4523987"}},
		{"paid, a sign and a zero", with("15000", `"+015000"`), evidence{payment.SaysUnrecognised, momentpay.CodeIncomplete, "", rand, "p_42432fdsjdklfjh4523987"}},
		{"paid a negative amount", with("15000", "-15000"), evidence{payment.SaysUnrecognised, momentpay.CodeIncomplete, "", rand, "p_42432fdsjdklfjh4523987"}},
		{"paid more than there is", with("15000", "1234567890123456"), evidence{payment.SaysUnrecognised, momentpay.CodeIncomplete, "", rand, "p_42432fdsjdklfjh4523987"}},
		{"expired", shown("active", "expired"), evidence{payment.SaysCancelled, "expired", money, rand, ""}},
		{"failed", shown("active", "failed"), evidence{payment.SaysFailed, "failed", money, rand, ""}},
		{"failed, with why", shown("active", "failed", `"type":`, `"last_payment_error":{"error_code":"card_declined","decline_code":"51","message":"No funds"},"type":`),
			evidence{payment.SaysFailed, "card_declined", money, rand, ""}},
		{"an error that is past", shown(`"type":`, `"last_payment_error":{"error_code":"card_declined"},"type":`), evidence{payment.SaysPending, "active", money, rand, ""}},
		{"new word", shown("active", "processing"), evidence{payment.SaysUnrecognised, "processing", money, rand, ""}},
		{"other case", shown("active", "PAID"), evidence{payment.SaysUnrecognised, "PAID", money, rand, ""}},
		{"no status", shown("status", "x"), evidence{payment.SaysNothing, "HTTP_200", "", "", ""}},
		{"another request", with("pr_6phg74i4jG9wbzZbFDUQB", "pr_another"), evidence{payment.SaysNothing, momentpay.CodeWrongReference, "", "", ""}},
		{"another payment", with(reference, "11111111-1111-4111-8111-111111111111"), evidence{payment.SaysNothing, momentpay.CodeWrongReference, "", "", ""}},
		{"status twice", shown(`"type"`, `"status":"paid","type"`), evidence{payment.SaysNothing, "HTTP_200", "", "", ""}},
		{"link's id twice", shown(`"link_url"`, `"url":"x","url":"y","link_url"`), evidence{payment.SaysNothing, "HTTP_200", "", "", ""}},
		{"a list", "200 |[]", evidence{payment.SaysNothing, "HTTP_200", "", "", ""}},
		{"a web page", "200 |<html>", evidence{payment.SaysNothing, "HTTP_200", "", "", ""}},
		{"gone", `404 |{"error":{"code":"not_found"}}`, evidence{payment.SaysNotFound, "not_found", "", "", ""}},
		{"no such page", `404 |<html>`, evidence{payment.SaysNothing, "HTTP_404", "", "", ""}},
		{"unauthorised", `401 |{}`, evidence{payment.SaysNothing, momentpay.CodeCredentials, "", "", ""}},
		{"too many", `429 |{}`, evidence{payment.SaysNothing, "HTTP_429", "", "", ""}},
		{"5xx", `502 |<html>`, evidence{payment.SaysNothing, "HTTP_502", "", "", ""}},
	} {
		p, s := scripted(t, created.Add(time.Minute), c.answer)
		a := p.Status(t.Context(), known())
		e := a.Evidence
		got := evidence{e.Verdict, e.Code, e.Amount, e.Currency, e.FinancialTransactionID}
		if c.want.Verdict == payment.SaysUnrecognised && c.want.Code == momentpay.CodeIncomplete {
			c.want.ID = got.ID // of no consequence
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s:\n%s", c.name, diff)
		}
		if len(s.requests) != 1 || s.requests[0].Method != "GET" || s.requests[0].URL.Path != "/collect/payment_request/pr_6phg74i4jG9wbzZbFDUQB" {
			t.Errorf("%s: asked %+v", c.name, s.requests)
		}
		d := payment.Decide(known(), e, momentpay.Registration.Offline().Capabilities().Method("link").Policy)
		if (d.Payment.Status == payment.Successful) != (e.Verdict == payment.SaysSuccessful && e.Amount == money && e.Currency == rand) {
			t.Errorf("%s: decided %s %s", c.name, d.Payment.Status, d.Payment.Phase)
		}
	}
}

// TestStatusWithoutID: what the repeat of a request tells, by when it is made.
func TestStatusWithoutID(t *testing.T) {
	t.Parallel()
	const (
		kept    = `400 Idempotent-Replayed:true|{"code":"invalid_request"}`
		refused = `400 |{"code":"invalid_request"}`
	)
	ended := func(p *payment.Payment) { p.Status = payment.Failed }
	submitting := func(p *payment.Payment) { p.Phase = payment.PhaseSubmitting }
	for _, c := range []struct {
		name, method string
		age          time.Duration
		change       func(*payment.Payment)
		answer       string
		want         payment.Verdict
		asked        int
	}{
		{"kept answer", "link", time.Hour, nil, accepted, payment.SaysPending, 1},
		{"kept answer of what is long paid", "link", time.Hour, nil, replaced("active", "paid"), payment.SaysPending, 1},
		{"near the end of the key", "link", 23*time.Hour - time.Second, nil, accepted, payment.SaysPending, 1},
		{"past the key", "link", 23 * time.Hour, nil, accepted, payment.SaysNothing, 0},
		{"past the key, push", "push", 23 * time.Hour, nil, accepted, payment.SaysUnanswerable, 0},
		{"ended", "link", time.Hour, ended, accepted, payment.SaysNothing, 0},
		{"submit under way", "link", time.Second, submitting, accepted, payment.SaysNothing, 0},
		{"submit without an answer", "link", 10 * time.Second, nil, accepted, payment.SaysPending, 1},
		{"submit died", "link", time.Minute, submitting, accepted, payment.SaysPending, 1},
		{"refused in time", "link", time.Hour, nil, refused, payment.SaysNotFound, 1},
		{"refused in time, push", "push", time.Minute, nil, refused, payment.SaysNotFound, 1},
		{"refused too late, push", "push", 3 * time.Minute, nil, refused, payment.SaysNothing, 1},
		{"refused from the first, push", "push", 3 * time.Minute, nil, kept, payment.SaysNotFound, 1},
		{"another body, it says", "push", time.Minute, nil, `409 |{}`, payment.SaysNothing, 1},
		{"account closed meanwhile", "link", time.Hour, nil, `403 |{"code":"suspended"}`, payment.SaysNothing, 1},
		{"key of the account exchanged", "link", time.Hour, nil, `401 |{}`, payment.SaysNothing, 1},
		{"no such page", "link", time.Hour, nil, `404 |{"code":"not_found"}`, payment.SaysNothing, 1},
		{"kept 5xx", "link", time.Hour, nil, `500 Idempotent-Replayed:true|{}`, payment.SaysNothing, 1},
	} {
		pay := fixed(c.method)
		pay.Phase = payment.PhaseInReconciliation
		if c.change != nil {
			c.change(&pay)
		}
		p, s := scripted(t, created.Add(c.age), c.answer)
		a := p.Status(t.Context(), pay)
		if a.Evidence.Verdict != c.want || len(s.requests) != c.asked || a.Attempted != (c.asked > 0) {
			t.Errorf("%s: %q after %d requests: %+v", c.name, a.Evidence.Verdict, len(s.requests), a.Evidence)
		}
		if a.Evidence.FinancialTransactionID != "" || a.Evidence.Source != payment.FromStatus {
			t.Errorf("%s: %+v", c.name, a.Evidence)
		}
	}
}

// TestLostAnswers plays payments whose every answer was lost to their end, at
// a MomentPay that looks at the key first and at one that does not.
func TestLostAnswers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		options momentstand.Options
		method  string
		fault   core.Fault
		outcome string // set once the request is there
		checks  []time.Duration
		want    payment.Status
		reason  string
		charges int
	}{
		{"link, made and paid", momentstand.Options{}, "link", core.ResetAfter, "paid", minutes(1, 2), payment.Successful, "", 1},
		{"link, made and unpaid", momentstand.Options{}, "link", core.ResetAfter, "", minutes(1, 2, 24*60+1), payment.Cancelled, "expired", 0},
		{"link, never arrived, then made", momentstand.Options{}, "link", core.ResetBefore, "paid", minutes(1, 2, 3), payment.Successful, "", 1},
		{"push, made and paid", momentstand.Options{}, "push", core.ResetAfter, "paid", minutes(1, 2), payment.Successful, "", 1},
		{"push, made and unpaid", momentstand.Options{}, "push", core.ResetAfter, "", minutes(3, 4), payment.Cancelled, "expired", 0},
		{"push, never arrived", momentstand.Options{}, "push", core.ResetBefore, "", minutes(3, 4, 5, 6), payment.Failed, payment.ReasonNotReceived, 0},
		{"push, never arrived, made when expired", momentstand.Options{PastExpiry: true}, "push", core.ResetBefore, "", minutes(3, 4), payment.Cancelled, "expired", 0},
		{"push, made and paid, expiry first", momentstand.Options{ExpiryFirst: true}, "push", core.ResetAfter, "paid", minutes(3, 4, 5, 23*60), payment.Pending, "", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			now := created
			c.options.Now = func() time.Time { return now }
			s := newSandbox(t, c.options)
			p := newProvider(t, config("http://127.0.0.1:1"), &http.Client{Transport: s.RoundTripper()}, c.options.Now)
			pol := p.Capabilities().Method(c.method).Policy
			pay := fixed(c.method)
			pay.Phase = payment.PhaseSubmitting
			if err := s.AddRule(core.Rule{Fault: c.fault}); err != nil {
				t.Fatal(err)
			}
			told := func(e payment.Evidence) { pay = payment.Decide(pay, e, pol).Payment }
			told(p.Submit(t.Context(), pay, "").Evidence)
			s.ClearRules()
			for _, at := range c.checks {
				now = created.Add(at)
				if e, _ := s.Payment(pay.Reference); e.Accepted > 0 && c.outcome != "" && e.Charges == 0 {
					if err := s.SetOutcome(pay.Reference, c.outcome, "", false); err != nil {
						t.Fatal(err)
					}
				}
				told(p.Status(t.Context(), pay).Evidence)
			}
			e, _ := s.Payment(pay.Reference)
			if pay.Status != c.want || pay.Reason != c.reason || e.Accepted > 1 || e.Charges != c.charges {
				t.Errorf("%s %q, %d requests, %d charges", pay.Status, pay.Reason, e.Accepted, e.Charges)
			}
			if pay.Status == payment.Pending && !pay.Unanswerable {
				t.Error("open, and no operator is told")
			}
		})
	}
}

func minutes(all ...int) (d []time.Duration) {
	for _, m := range all {
		d = append(d, time.Duration(m)*time.Minute)
	}
	return d
}
