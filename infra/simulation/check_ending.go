package simulation

import (
	"slices"
	"time"

	"momoproxy/infra/standin/core"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
)

// absent is the lie that a payment is not known.
const absent = string(core.Error404Before)

// checkTruth: no ending but on what the provider really said, an operator's
// word, or our clock where it may speak.
func (w *world) checkTruth(before, p ledger.Payment) {
	t := w.truth(p.Reference)
	// Its age counts from a moment before the write that made it.
	age := time.Since(w.books.created[p.Reference])
	switch p.EndedBy {
	case payment.FromSubmit:
		switch {
		case w.way(p).decided && p.Status == payment.Successful && t.status == payment.Successful:
		case p.Status != payment.Failed || t.made:
			w.violate(Evidence, "%s is %s by the answer to its request; the provider's books say %q", p.Reference, p.Status, t.status)
		}
	case payment.FromStatus:
		w.checkAnswer(p, t)
	case payment.FromSignedWebhook:
		if of := w.party(p.Provider); of == nil || !of.signs || t.status != p.Status && !w.books.saw[saying{p.Reference, p.Status}] {
			w.violate(Evidence, "%s is %s by a signed webhook; the provider's books say %q", p.Reference, p.Status, t.status)
		}
	case payment.FromOperator:
		if p.Status != w.books.word[p.Reference] {
			w.violate(Evidence, "%s is %s by an operator, who said %q", p.Reference, p.Status, w.books.word[p.Reference])
		}
	case payment.FromClock:
		window := w.way(p).window
		if p.Status != payment.Timeout || window == 0 || age < window-time.Minute-2*w.skewEver() {
			w.violate(Evidence, "%s (%s) is %s by the clock at age %s", p.Reference, p.Method, p.Status, age)
		}
		if w.unanswerable(p) {
			w.violate(Evidence, "%s (%s) is %s by the clock; nobody was ever able to ask what became of it", p.Reference, p.Method, p.Status)
		}
	case payment.FromAbsence:
		// Clocks that are minutes apart shorten the grace that a request on
		// its way has; the correction mends it.
		young := w.skewEver() > 0 && age < 5*time.Minute+2*w.skewEver()
		if t.made && !young && !w.lied(p.Reference, absent) {
			w.violate(Evidence, "%s is %s though the provider has it", p.Reference, p.Status)
		}
		if p.Status != payment.Failed || age < 90*time.Second-2*w.skewEver() {
			w.violate(Evidence, "%s is %s by absence at age %s", p.Reference, p.Status, age)
		}
	default:
		w.violate(Evidence, "%s was ended by %q", p.Reference, p.EndedBy)
	}
	w.checkSuccess(p, t)
	if w.calm && (p.EndedBy == payment.FromStatus || p.EndedBy == payment.FromSignedWebhook) {
		w.noteLateness(before, p, t)
	}
}

// unanswerable says whether a payment's outcome can be asked about by nobody:
// its method has no status, or the answer that held its id never came.
func (w *world) unanswerable(p ledger.Payment) bool {
	of := w.way(p)
	return of.decided || of.id != "" && p.IDs[of.id] == ""
}

// checkSuccess: a success is the provider's own word, or an operator's, about
// this money.
func (w *world) checkSuccess(p ledger.Payment, t truth) {
	if p.Status != payment.Successful {
		return
	}
	sources := []payment.Source{payment.FromStatus, payment.FromOperator}
	switch {
	case w.way(p).decided:
		sources[0] = payment.FromSubmit
	case w.party(p.Provider) != nil && w.party(p.Provider).signs:
		sources = append(sources, payment.FromSignedWebhook)
	}
	switch {
	case !slices.Contains(sources, p.EndedBy):
		w.violate(NoForgery, "%s is SUCCESSFUL by %s", p.Reference, p.EndedBy)
	case t.status != payment.Successful:
		w.violate(NoForgery, "%s is SUCCESSFUL; the provider's books say %q", p.Reference, t.status)
	case !sameMoney(p, t):
		w.violate(NoForgery, "%s over %s is SUCCESSFUL; the provider moved %s %s of %s", p.Reference, p.Amount, t.amount, t.currency, t.payer)
	}
}

// checkAnswer: a status answer said so, at some time until now.
func (w *world) checkAnswer(p ledger.Payment, t truth) {
	now := time.Now()
	if l := w.running.lie; w.running.about == p.Reference && l != "" && (l != withoutAmount || p.Status == payment.Successful) {
		w.violate(NoForgery, "%s is %s by an answer that had %s", p.Reference, p.Status, w.running.lie)
	}
	switch {
	case p.Status == payment.Successful:
		return // held against the books apart
	case p.Status != payment.Failed && p.Status != payment.Cancelled:
		w.violate(Evidence, "%s is %s by a status answer", p.Reference, p.Status)
		return
	case p.Provider == nameMTN:
		for _, s := range w.books.plans[p.Reference].Steps {
			if s.Status == "FAILED" && t.made && !t.created.Add(s.After).After(now) {
				return
			}
		}
	case w.books.saw[saying{p.Reference, p.Status}]:
		return
	}
	w.violate(Evidence, "%s is %s; the provider never said so", p.Reference, p.Status)
}

func (w *world) lied(reference, about string) bool {
	return slices.Contains(w.books.lies[reference], about)
}

// noteLateness remembers how long after its true end, and after the last
// fault, a payment was ended.
func (w *world) noteLateness(before, p ledger.Payment, t truth) {
	if before.Status.Ended() {
		return
	}
	since := t.since
	if since.Before(w.books.calmAt) {
		since = w.books.calmAt
	}
	// Nobody pays by a link that nobody was given.
	if told := w.books.told[p.Reference]; w.way(p).link && since.Before(told) {
		since = told
	}
	// A repeated request may be refused after its expiry, or get the error again
	// that was its answer. Of a payment whose id was lost with the first answer
	// a signed webhook is then the first word that can be had.
	if of := w.way(p); of.id != "" && before.IDs[of.id] == "" && p.EndedBy == payment.FromSignedWebhook && !w.books.untold[p.Reference].Before(since) {
		return
	}
	w.books.late = append(w.books.late, lateness{p.Reference, time.Since(since), time.Since(w.books.created[p.Reference])})
}

// checkSent: what certainly never left is known to have failed, and not left
// to be found out.
func (w *world) checkSent(p ledger.Payment) {
	inv := w.current
	if inv == nil || inv.role != requestToPay || !slices.Contains(inv.asked, p.Reference) || w.books.sent[p.Reference] || !p.Open() || p.Phase == payment.PhaseSubmitting {
		return
	}
	w.violate(Evidence, "%s is %s: no request for it has ever left", p.Reference, p.Phase)
}

// checkInvoice: an invoice is the provider's own, of a payment that was made.
func (w *world) checkInvoice(p ledger.Payment) {
	if t := w.truth(p.Reference); p.Status != payment.Successful || p.InvoiceURL != t.invoice {
		w.violate(NoForgery, "%s (%s) has the invoice %q; the provider's is %q", p.Reference, p.Status, p.InvoiceURL, t.invoice)
	}
}
