package momfactura

import (
	"fmt"
	"strings"
	"time"
)

// Times are the waits of the scripts.
type Times struct {
	Approve time.Duration // the payer pays, or whatever else ends the payment; MCX answers so late
	Invoice time.Duration // the invoice is ready, after the payment
	Slow    time.Duration // a payer who takes long
	Late    time.Duration // a late webhook, after its time
	Repeat  time.Duration // between a webhook and its repetition
	Lag     time.Duration // status answers behind the truth
	Expire  time.Duration // an E-kwanza code, as its answer says
	Due     time.Duration // a reference, to its due date
	Long    time.Duration // longer than anybody waits
}

// DefaultTimes: an E-kwanza code is good for 180 s, as the provider's example
// says. The rest is published nowhere and chosen for people to watch.
func DefaultTimes() Times {
	return Times{
		Approve: time.Second, Invoice: time.Second, Slow: 30 * time.Second, Late: 2 * time.Minute, Repeat: time.Minute,
		Lag: 15 * time.Second, Expire: 3 * time.Minute, Due: 72 * time.Hour, Long: 30 * time.Hour,
	}
}

// step is a state reached so long after the payment was made.
type step struct {
	after  time.Duration
	status string
}

// notice is a webhook sent so long after the payment was made.
type notice struct {
	after  time.Duration
	event  string // empty: none, as for endings other than paid
	status string // operationStatus
	forged bool   // somebody else sends it
}

// script is what becomes of a payment.
type script struct {
	name, meaning string
	cents         int // the amount's cents that ask for it
	steps         []step
	webhooks      []notice
	invoice       time.Duration // after the payment is made; 0: none is ever made
	lag           time.Duration // status answers are so far behind the truth
	submit        Fault         // what becomes of the request itself
	mcx           string        // outcome of an MCX payment; empty: success
	status        Fault         // what becomes of the first statusTimes status answers (0: all)
	statusTimes   int
}

// Names of scripts that code asks for by name.
const (
	ScriptPaid    = "paid"
	ScriptPending = "pending"
)

// operation is the operationStatus of a state.
var operation = map[string]string{Paid: "1", Cancelled: "3", Expired: "3", Failed: "4", Rejected: "4", Errored: "5"}

// Events of the webhook.
const (
	EventConfirmed = "payment.confirmed"
	EventInvoice   = "invoice.created"
)

// ends is the ordinary way to an end: its webhooks are sent, for a payment
// made the two in sequence.
func ends(t Times, status string) script {
	sc := script{steps: []step{{t.Approve, status}}, webhooks: []notice{{after: t.Approve, status: operation[status]}}}
	if status == Paid {
		sc.invoice = t.Approve + t.Invoice
		sc.webhooks = []notice{{after: t.Approve, event: EventConfirmed, status: "1"}, {after: sc.invoice, event: EventInvoice, status: "1"}}
	}
	return sc
}

// ordinary is ends for a payment that is there already.
func ordinary(status string, t Times) script {
	t.Approve = 0
	return ends(t, status)
}

func (sc script) told(n ...notice) script {
	sc.webhooks = n
	return sc
}

// catalogue lists every script.
func catalogue(t Times) []script {
	paid, expired := ends(t, Paid), ends(t, Expired)
	confirmed := notice{after: t.Approve, event: EventConfirmed, status: "1"}
	invoice := notice{after: t.Approve + t.Invoice, event: EventInvoice, status: "1"}
	forged := notice{event: EventConfirmed, status: "1", forged: true}
	at := func(n notice, after time.Duration) notice { n.after = after; return n }

	var all []script
	add := func(cents int, name, meaning string, sc script) {
		sc.cents, sc.name, sc.meaning = cents, name, meaning
		all = append(all, sc)
	}
	add(0, ScriptPaid, "paid after Approve, the invoice follows after Invoice, with both webhooks; also every amount not listed", paid)

	add(1, "webhooks_lost", "paid; no webhook ever", paid.told())
	add(2, "webhooks_late", "paid; both webhooks come Late", paid.told(at(confirmed, t.Approve+t.Late), at(invoice, t.Approve+t.Late+t.Invoice)))
	add(3, "webhooks_doubled", "paid; each webhook comes twice, Repeat apart", paid.told(confirmed, invoice, at(confirmed, t.Approve+t.Repeat), at(invoice, t.Approve+t.Invoice+t.Repeat)))
	add(4, "webhooks_reversed", "paid; invoice.created comes before payment.confirmed", paid.told(at(invoice, t.Approve+t.Invoice), at(confirmed, t.Approve+2*t.Invoice)))
	add(5, "forged", "somebody else posts payment.confirmed at once; the truth is expired, with its webhook", expired.told(append([]notice{forged}, expired.webhooks...)...))
	add(6, "forged_pending", "somebody else posts payment.confirmed at once; the payment stays pending for ever", script{webhooks: []notice{forged}})
	add(7, "forged_failure", "somebody else posts operationStatus 4 at once; paid after Approve, with both webhooks", paid.told(notice{status: "4", forged: true}, confirmed, invoice))
	add(8, "without_event", "paid; its webhook says operationStatus 1 without an event, as before 2026-02, and comes once", paid.told(notice{after: t.Approve, status: "1"}))
	add(9, "invoice_never", "paid; the invoice is never made", script{steps: paid.steps, webhooks: []notice{confirmed}})
	add(10, ScriptPending, "pending for ever", script{})
	add(11, "slow", "paid after Slow", script{steps: []step{{t.Slow, Paid}}, invoice: t.Slow + t.Invoice, webhooks: []notice{at(confirmed, t.Slow), at(invoice, t.Slow+t.Invoice)}})
	add(12, "cancelled", "cancelled after Approve", ends(t, Cancelled))
	add(13, "expired", "expired after Approve", expired)
	failed, rejected := ends(t, Failed), ends(t, Rejected)
	failed.mcx, rejected.mcx = insufficient, refused
	add(14, "failed", "failed after Approve; by MCX without funds", failed)
	add(15, "rejected", "rejected after Approve; by MCX refused by the payer", rejected)
	add(16, "error", "error after Approve, with operationStatus 5; paid after Slow, with both webhooks", script{
		steps: []step{{t.Approve, Errored}, {t.Slow, Paid}}, invoice: t.Slow + t.Invoice,
		webhooks: []notice{{after: t.Approve, status: "5"}, at(confirmed, t.Slow), at(invoice, t.Slow+t.Invoice)},
	})
	add(17, "unknown_word", "ON_HOLD from Approve to Slow, with operationStatus 2; then paid", script{
		steps: []step{{t.Approve, "ON_HOLD"}, {t.Slow, Paid}}, invoice: t.Slow + t.Invoice,
		webhooks: []notice{{after: t.Approve, status: "2"}, at(confirmed, t.Slow), at(invoice, t.Slow+t.Invoice)},
	})
	lagging := paid
	lagging.lag = t.Lag
	add(18, "webhooks_first", "paid; the webhooks come while the status still says pending, for Lag", lagging)
	add(19, "late_success", "expired after Approve; Long later paid after all", script{
		steps: []step{{t.Approve, Expired}, {t.Long, Paid}}, invoice: t.Long + t.Invoice,
		webhooks: append([]notice{at(confirmed, t.Long), at(invoice, t.Long+t.Invoice)}, expired.webhooks...),
	})

	submit := func(cents int, name, meaning string, f Fault) {
		sc := paid
		sc.submit = f
		add(cents, name, meaning, sc)
	}
	submit(31, "timeout_before", "the request is swallowed, nothing made", TimeoutBefore)
	submit(32, "timeout_after", "the answer is lost, paid", TimeoutAfter)
	submit(33, "reset_before", "connection reset, nothing made", ResetBefore)
	submit(34, "reset_after", "connection reset, paid", ResetAfter)
	submit(35, "error500", "500 INTERNAL_ERROR, nothing made", Error500Before)
	submit(36, "error500_after", "500 INTERNAL_ERROR, though paid", Error500After)
	submit(37, "html200", "200 with an HTML page, nothing made", HTMLBefore)
	submit(38, "html200_after", "200 with an HTML page, though paid", HTMLAfter)
	submit(39, "truncated", "the answer breaks off, paid", Truncated)
	submit(40, "error504_after", "504 from a gateway, though paid", GatewayTimeoutAfter)
	submit(41, "error429", "429 PAYMENT_RATE_LIMIT_EXCEEDED, nothing made", TooMany)
	submit(42, "credentials", "401 INVALID_API_KEY, nothing made", BadKey)
	submit(43, "incomplete", "success without ids, though paid", Incomplete)
	submit(44, "domain", "403 DOMAIN_NOT_ALLOWED, nothing made", BadDomain)

	status := func(cents int, name, meaning string, f Fault, times int) {
		sc := paid.told()
		sc.status, sc.statusTimes = f, times
		add(cents, name, meaning, sc)
	}
	status(61, "status_truncated", "the first two status answers break off; no webhooks", Truncated, 2)
	status(62, "status_html", "the first two status answers are a 200 HTML page; no webhooks", HTMLBefore, 2)
	status(63, "status_error500", "the first two status answers are 500 INTERNAL_ERROR; no webhooks", Error500Before, 2)
	status(64, "status_timeout", "the first two status questions are swallowed; no webhooks", TimeoutBefore, 2)
	status(65, "status_404", "the first two status answers are 404; no webhooks", NotFound, 2)
	return all
}

// Script is one line of the table in README.md.
type Script struct {
	Name    string `json:"name"`
	Cents   string `json:"cents"` // ".01"
	Meaning string `json:"meaning"`
}

// Scripts lists every script there is.
func Scripts() []Script {
	var all []Script
	for _, sc := range catalogue(DefaultTimes()) {
		all = append(all, Script{sc.name, fmt.Sprintf(".%02d", sc.cents), sc.meaning})
	}
	return all
}

// scriptFor picks a payment's script: by name if it has one, else by the
// cents of its amount, else the first.
func (s *Sandbox) scriptFor(name, amount string) script {
	_, cents, _ := strings.Cut(amount, ".")
	cents = "." + (cents + "00")[:2]
	all := catalogue(s.opts.Times)
	for _, sc := range all {
		if sc.name == name || name == "" && fmt.Sprintf(".%02d", sc.cents) == cents {
			return sc
		}
	}
	return all[0]
}

// Outcomes of an MCX payment: those of simulateResult.
const (
	success      = "success"
	insufficient = "insufficient_balance"
	timedOut     = "timeout"
	refused      = "rejected"
	badNumber    = "invalid_number"
)

// testNumbers are the provider's own, under x-env-qa.
var testNumbers = map[string]string{
	"244900000000": success, "244900000001": insufficient, "244900000002": timedOut, "244900000003": refused, "244999999999": badNumber,
}
