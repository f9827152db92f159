package momfactura

import (
	"fmt"
	"strings"
	"time"

	"momoproxy/infra/standin/core"
)

// States of a payment, in the skill's words and the integrators'.
const (
	Pending   = "pending"
	Paid      = "paid"
	Cancelled = "cancelled"
	Expired   = "expired"
	Failed    = "failed"
	Rejected  = "rejected"
	Errored   = "error"
)

// DefaultTimes: an E-kwanza code is good for 180 s, as the provider's example
// says. The rest is published nowhere and chosen for people to watch.
func DefaultTimes() core.Times {
	return core.Times{
		Approve: time.Second, Invoice: time.Second, Slow: 30 * time.Second, Late: 2 * time.Minute, Repeat: time.Minute,
		Lag: 15 * time.Second, Expire: 3 * time.Minute, Due: 72 * time.Hour, Long: 30 * time.Hour,
	}
}

// Names of scripts that code asks for by name.
const (
	ScriptPaid    = "paid"
	ScriptPending = "pending"
)

// operation is the operationStatus of a state.
var operation = map[string]string{Paid: "1", Cancelled: "3", Expired: "3", Failed: "4", Rejected: "4", Errored: "5"}

// Events of the webhook. EventNone leaves it out, as for endings other than
// paid.
const (
	EventConfirmed = "payment.confirmed"
	EventInvoice   = "invoice.created"
	EventNone      = "none"
)

// Stranger is the one forgery there is: nothing is signed.
const Stranger = "stranger"

// ends is the ordinary way to an end: its webhooks are sent, for a payment
// made the two in sequence.
func ends(t core.Times, status string) core.Script {
	sc := core.Script{Steps: []core.Step{{After: t.Approve, Status: status}}, Callbacks: []core.Notice{{After: t.Approve, Kind: EventNone, Status: status}}}
	if status == Paid {
		sc.Invoice = t.Approve + t.Invoice
		sc.Callbacks = []core.Notice{{After: t.Approve, Kind: EventConfirmed, Status: Paid}, {After: sc.Invoice, Kind: EventInvoice, Status: Paid}}
	}
	return sc
}

func with(sc core.Script, n ...core.Notice) core.Script {
	sc.Callbacks = n
	return sc
}

// catalogue lists every script.
func catalogue(t core.Times) []core.Script {
	paid, expired := ends(t, Paid), ends(t, Expired)
	confirmed := core.Notice{After: t.Approve, Kind: EventConfirmed, Status: Paid}
	invoice := core.Notice{After: t.Approve + t.Invoice, Kind: EventInvoice, Status: Paid}
	forged := core.Notice{Kind: EventConfirmed, Status: Paid, Forged: Stranger}
	at := func(n core.Notice, after time.Duration) core.Notice { n.After = after; return n }

	var all []core.Script
	add := func(cents int, name, meaning string, sc core.Script) {
		sc.For, sc.Name, sc.Meaning = []string{fmt.Sprintf(".%02d", cents)}, name, meaning
		all = append(all, sc)
	}
	add(0, ScriptPaid, "paid after Approve, the invoice follows after Invoice, with both webhooks; also every amount not listed", paid)

	add(1, "webhooks_lost", "paid; no webhook ever", with(paid))
	add(2, "webhooks_late", "paid; both webhooks come Late", with(paid, at(confirmed, t.Approve+t.Late), at(invoice, t.Approve+t.Late+t.Invoice)))
	add(3, "webhooks_doubled", "paid; each webhook comes twice, Repeat apart", with(paid, confirmed, invoice, at(confirmed, t.Approve+t.Repeat), at(invoice, t.Approve+t.Invoice+t.Repeat)))
	add(4, "webhooks_reversed", "paid; invoice.created comes before payment.confirmed", with(paid, at(invoice, t.Approve+t.Invoice), at(confirmed, t.Approve+2*t.Invoice)))
	add(5, "forged", "somebody else posts payment.confirmed at once; the truth is expired, with its webhook", with(expired, append([]core.Notice{forged}, expired.Callbacks...)...))
	add(6, "forged_pending", "somebody else posts payment.confirmed at once; the payment stays pending", core.Script{Callbacks: []core.Notice{forged}})
	add(7, "forged_failure", "somebody else posts operationStatus 4 at once; paid after Approve, with both webhooks", with(paid, core.Notice{Status: Failed, Forged: Stranger}, confirmed, invoice))
	add(8, "without_event", "paid; its webhook says operationStatus 1 without an event, as before 2026-02, and comes once", with(paid, core.Notice{After: t.Approve, Kind: EventNone, Status: Paid}))
	add(9, "invoice_never", "paid; the invoice is never made", core.Script{Steps: paid.Steps, Callbacks: []core.Notice{confirmed}})
	add(10, ScriptPending, "stays pending", core.Script{})
	add(11, "slow", "paid after Slow", core.Script{Steps: []core.Step{{After: t.Slow, Status: Paid}}, Invoice: t.Slow + t.Invoice, Callbacks: []core.Notice{at(confirmed, t.Slow), at(invoice, t.Slow+t.Invoice)}})
	add(12, "cancelled", "cancelled after Approve", ends(t, Cancelled))
	add(13, "expired", "expired after Approve", expired)
	failed, rejected := ends(t, Failed), ends(t, Rejected)
	failed.Immediate, rejected.Immediate = insufficient, refused
	add(14, "failed", "failed after Approve; by MCX without funds", failed)
	add(15, "rejected", "rejected after Approve; by MCX refused by the payer", rejected)
	add(16, "error", "error after Approve, with operationStatus 5; paid after Slow, with both webhooks", core.Script{
		Steps: []core.Step{{After: t.Approve, Status: Errored}, {After: t.Slow, Status: Paid}}, Invoice: t.Slow + t.Invoice,
		Callbacks: []core.Notice{{After: t.Approve, Kind: EventNone, Status: Errored}, at(confirmed, t.Slow), at(invoice, t.Slow+t.Invoice)},
	})
	add(17, "unknown_word", "ON_HOLD from Approve to Slow, with operationStatus 2; then paid", core.Script{
		Steps: []core.Step{{After: t.Approve, Status: "ON_HOLD"}, {After: t.Slow, Status: Paid}}, Invoice: t.Slow + t.Invoice,
		Callbacks: []core.Notice{{After: t.Approve, Kind: EventNone, Status: "2"}, at(confirmed, t.Slow), at(invoice, t.Slow+t.Invoice)},
	})
	lagging := paid
	lagging.Lag = t.Lag
	add(18, "webhooks_first", "paid; the webhooks come while the status still says pending, for Lag", lagging)
	add(19, "late_success", "expired after Approve; Long later paid after all", core.Script{
		Steps: []core.Step{{After: t.Approve, Status: Expired}, {After: t.Long, Status: Paid}}, Invoice: t.Long + t.Invoice,
		Callbacks: append([]core.Notice{at(confirmed, t.Long), at(invoice, t.Long+t.Invoice)}, expired.Callbacks...),
	})

	submit := func(cents int, name, meaning string, f core.Fault) {
		sc := paid
		sc.Submit = f
		add(cents, name, meaning, sc)
	}
	submit(31, "timeout_before", "the request is swallowed, nothing made", core.TimeoutBefore)
	submit(32, "timeout_after", "the answer is lost, paid", core.TimeoutAfter)
	submit(33, "reset_before", "connection reset, nothing made", core.ResetBefore)
	submit(34, "reset_after", "connection reset, paid", core.ResetAfter)
	submit(35, "error500", "500 INTERNAL_ERROR, nothing made", core.Error500Before)
	submit(36, "error500_after", "500 INTERNAL_ERROR, though paid", core.Error500After)
	submit(37, "html200", "200 with an HTML page, nothing made", core.HTML200Before)
	submit(38, "html200_after", "200 with an HTML page, though paid", core.HTML200After)
	submit(39, "truncated", "the answer breaks off, paid", core.Truncated)
	submit(40, "error504_after", "504 from a gateway, though paid", core.HTML504After)
	submit(41, "error429", "429 PAYMENT_RATE_LIMIT_EXCEEDED, nothing made", core.Error429Before)
	submit(42, "credentials", "401 INVALID_API_KEY, nothing made", core.Error401Before)
	submit(43, "incomplete", "success without ids, though paid", Incomplete)
	submit(44, "domain", "403 DOMAIN_NOT_ALLOWED, nothing made", core.Error403Before)

	status := func(cents int, name, meaning string, f core.Fault, times int) {
		sc := with(paid)
		sc.Status, sc.StatusTimes = f, times
		add(cents, name, meaning, sc)
	}
	status(61, "status_truncated", "the first two status answers break off; no webhooks", core.Truncated, 2)
	status(62, "status_html", "the first two status answers are a 200 HTML page; no webhooks", core.HTML200Before, 2)
	status(63, "status_error500", "the first two status answers are 500 INTERNAL_ERROR; no webhooks", core.Error500Before, 2)
	status(64, "status_timeout", "the first two status questions are swallowed; no webhooks", core.TimeoutBefore, 2)
	status(65, "status_404", "the first two status answers are 404; no webhooks", core.Error404Before, 2)
	return all
}

// byCents is the script that an amount asks for; nil: none.
func byCents(c *core.Catalogue, amount string) *core.Script {
	_, cents, _ := strings.Cut(amount, ".")
	return c.For("." + (cents + "00")[:2])
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
