// Package replay asks what a payment's stored evidence makes of it today: each
// answer that its audit trail holds is read by today's adapter and decided on by
// today's payment.Decide. Nothing is asked and nothing is written.
package replay

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"momoproxy/shared/assembly/providers"
	"momoproxy/shared/gateway"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
	"momoproxy/shared/webhook"
)

// Result is a payment as its evidence has it.
type Result struct {
	payment payment.Payment
	// Unread counts the exchanges that today's code would not have made.
	Unread int
}

// subject is the payment whose trail is read.
type subject struct {
	registration provider.Registration
	stored       ledger.Payment
	asked        bool // an exchange of the request that made it is on record
}

// Payment takes a payment from its beginning through its audit trail. stored
// tells what the trail does not: what the app asked for, and when.
func Payment(ctx context.Context, stored ledger.Payment, trail []ledger.AuditRecord) (Result, error) {
	i := slices.IndexFunc(providers.All(), func(r provider.Registration) bool { return r.Name == stored.Provider })
	if i < 0 {
		return Result{}, fmt.Errorf("provider %q is not known", stored.Provider)
	}
	of := subject{registration: providers.All()[i], stored: stored}
	policy := of.registration.Known.Method(stored.Method).Policy
	r := Result{payment: begun(stored.Payment)}
	all := writes(trail)
	of.asked = slices.ContainsFunc(all, func(w []ledger.AuditRecord) bool { return submission(w) && slices.ContainsFunc(w, isExchange) })
	for _, together := range all {
		e, unread, err := of.evidence(ctx, r.payment, together)
		if err != nil {
			return Result{}, err
		}
		r.Unread += unread
		if e.Verdict != "" {
			r.payment.Checks = 0
			if of.refusedLate(together, e) {
				r.payment.Checks = 1 // its question is on record later, or never
			}
			e.At = ledger.Clock(end(together))
			r.payment = payment.Decide(r.payment, e, policy).Payment
		}
	}
	return r, nil
}

// refusedLate says whether the request was refused after somebody had asked about
// the payment. What never left has the error for its note.
func (s subject) refusedLate(together []ledger.AuditRecord, e payment.Evidence) bool {
	noted := func(a ledger.AuditRecord) bool { return strings.HasSuffix(a.Note, string(payment.AnomalyRefusedLate)) }
	return slices.ContainsFunc(together, noted) ||
		e.Source == payment.FromSubmit && e.Code == payment.ReasonNotSent && s.stored.AnswerKind == string(gateway.Accepted)
}

// writes are the records that were written together, in the order of the
// payment's versions: what changed it to a version, and then what was decided on
// that one. Nothing was decided on what has no version.
func writes(trail []ledger.AuditRecord) [][]ledger.AuditRecord {
	items := map[string][]ledger.AuditRecord{}
	for _, a := range trail {
		if a.Version > 0 {
			items[a.Item] = append(items[a.Item], a)
		}
	}
	return slices.SortedFunc(maps.Values(items), func(a, b []ledger.AuditRecord) int {
		last := func(together []ledger.AuditRecord) int {
			if together[0].Unchanged {
				return 1
			}
			return 0
		}
		return cmp.Or(
			cmp.Compare(a[0].Version, b[0].Version), cmp.Compare(last(a), last(b)),
			end(a).Compare(end(b)), strings.Compare(a[0].Item, b[0].Item),
		)
	})
}

// end is when the last exchange with the provider ended, or else the last record.
func end(together []ledger.AuditRecord) time.Time {
	asked := slices.ContainsFunc(together, isExchange)
	var last time.Time
	for i := range together {
		a := &together[i]
		if at := a.At.Add(a.Duration); at.After(last) && (!asked || isExchange(*a)) {
			last = at
		}
	}
	return last
}

// evidence is what one write proves about the payment p; without a verdict:
// nothing.
// unread counts the exchanges that today's adapter would not have made.
func (s subject) evidence(ctx context.Context, p payment.Payment, together []ledger.AuditRecord) (e payment.Evidence, unread int, err error) {
	first := together[0]
	asked := exchanges(together)
	answer := s.stored.AnswerKind
	record := &recording{records: asked, at: end(together), refused: answer == string(gateway.AccountRefused)}
	adapter, err := record.adapter(s.registration, s.stored)
	if err != nil {
		return payment.Evidence{}, 0, err
	}
	switch {
	case first.Method == gateway.OperatorMethod && first.URL == "settle":
		return operatorsWord(first), 0, nil
	case submission(together) && len(asked) > 0:
		e = gateway.SubmitEvidence(adapter.Submit(ctx, p, ""))
	case submission(together) && !s.asked && (answer == string(gateway.NotStarted) || answer == string(gateway.AccountRefused)):
		// No slot or no token could be had: there is no exchange.
		return gateway.SubmitEvidence(provider.Answer{Evidence: payment.Evidence{AccountFault: record.refused}}), 0, nil
	case len(asked) > 0 && strings.HasPrefix(asked[0].Note, gateway.NoteNotAsked):
		record.records = nil
		return adapter.Status(ctx, p).Evidence, 0, nil
	case len(asked) > 0:
		e = record.status(ctx, adapter, p)
		if record.taken == 0 { // it was asked before another write gave the payment its ids
			p.IDs = nil
			e = record.status(ctx, adapter, p)
		}
	case first.Direction == ledger.InboundFromProvider && !first.Unproven:
		return signedAgain(adapter, first), 0, nil
	}
	return e, len(asked) - record.taken, nil
}

// submission says whether an app asked for the payment.
func submission(together []ledger.AuditRecord) bool {
	return slices.ContainsFunc(together, func(a ledger.AuditRecord) bool {
		return a.Direction == ledger.InboundFromApp && a.Method == http.MethodPost
	})
}

func exchanges(together []ledger.AuditRecord) []ledger.AuditRecord {
	var asked []ledger.AuditRecord
	for i := range together {
		if isExchange(together[i]) {
			asked = append(asked, together[i])
		}
	}
	return asked
}

func isExchange(a ledger.AuditRecord) bool { return a.Direction == ledger.OutboundToProvider }

// signedAgain reads a provider's callback. Its signature was verified before it
// was stored, and is not kept: it is signed anew with the made-up secret. One
// that no signature makes evidence says nothing here either.
func signedAgain(adapter provider.Provider, a ledger.AuditRecord) payment.Evidence {
	body := []byte(a.RequestBody)
	secret, err := webhook.ParseSecret(madeUpSecret)
	if err != nil {
		return payment.Evidence{}
	}
	header, err := webhook.Headers("replay", a.At, body, secret)
	if err != nil {
		return payment.Evidence{}
	}
	c, err := adapter.ParseCallback(provider.Inbound{Header: header.Get, Body: body, At: a.At})
	if err != nil || c.Standing != provider.Signed {
		return payment.Evidence{}
	}
	return c.Evidence
}

// madeUpSecret has 32 bytes of nothing.
var madeUpSecret = "whsec_" + base64.StdEncoding.EncodeToString(make([]byte, 32))

// begun is a payment as it was before its provider was asked.
func begun(p payment.Payment) payment.Payment {
	p.Status, p.Phase = payment.Pending, payment.PhaseSubmitting
	p.Particulars, p.FinancialTransactionID, p.Reason, p.FailureCode, p.Sequence = payment.Particulars{}, "", "", "", 0
	p.EndedAt, p.EndedBy, p.Accepted, p.Unanswerable = time.Time{}, "", false, false
	p.NotFoundCount, p.NotFoundAt, p.HintedAt = 0, time.Time{}, time.Time{}
	return p
}

// verdicts are the endings that an operator can name.
var verdicts = map[string]payment.Verdict{
	string(payment.Successful): payment.SaysSuccessful,
	string(payment.Failed):     payment.SaysFailed,
	string(payment.Cancelled):  payment.SaysCancelled,
}

func operatorsWord(a ledger.AuditRecord) payment.Evidence {
	var said struct{ Status, Reason, FinancialTransactionID string }
	if json.Unmarshal([]byte(a.RequestBody), &said) != nil {
		return payment.Evidence{}
	}
	return payment.Evidence{Source: payment.FromOperator, Verdict: verdicts[said.Status], Reason: said.Reason, FinancialTransactionID: said.FinancialTransactionID}
}

// Differs says in what the payment as stored does not follow from what was
// replayed; empty: it follows.
func (r Result) Differs(stored payment.Payment) string {
	var all []string
	compare := func(what string, stored, replayed any) {
		if stored != replayed {
			all = append(all, fmt.Sprintf("%s is %q, by the evidence %q", what, stored, replayed))
		}
	}
	compare("status", stored.Status, r.payment.Status)
	compare("reason", stored.Reason, r.payment.Reason)
	compare("failure code", stored.FailureCode, r.payment.FailureCode)
	compare("transaction", stored.FinancialTransactionID, r.payment.FinancialTransactionID)
	if stored.Phase == payment.PhaseHeld || r.payment.Phase == payment.PhaseHeld {
		compare("phase", stored.Phase, r.payment.Phase)
	}
	return strings.Join(all, "; ")
}
