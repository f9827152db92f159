package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"momoproxy/shared/delivery"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
	"momoproxy/shared/refund"
)

// Refunds holds the parts of the use cases of refunds. Set every field; then it
// is safe for concurrent use.
type Refunds struct {
	Ledger *ledger.Ledger
	// Refunders are what gives money back, by the id of the account that made a
	// payment. Who only asks for refunds and settles them needs none.
	Refunders map[string]provider.Refunder
	Doorbell  Ringer
	Now       func() time.Time
	Log       *slog.Logger
}

// Sentinels of refunds, to be tested with errors.Is.
var (
	// ErrRefundID: the refund's id is no UUID.
	ErrRefundID = errors.New("a refund's id is a UUID")
	// ErrRefundKind: an app asked for what only an operator may choose.
	ErrRefundKind = errors.New("only an operator chooses how the money goes back")
	// ErrRefundIDTaken: the payment has another refund of this id.
	ErrRefundIDTaken = errors.New("the payment has another refund of this id")
	// ErrNoRefunder: the account has no refund call, or no credentials for it
	// here.
	ErrNoRefunder = errors.New("no refund call is configured for the account")
)

// RefundOrder is a refund that an app or an operator asks for.
type RefundOrder struct {
	Reference string        // of the payment
	ClientID  string        // the app that asks; empty: an operator
	Operator  string        // who asks, of an operator
	ID        string        // the caller's UUID, in either case
	Amount    payment.Money // zero: all that is left
	Kind      refund.Kind
	Reason    string
	PerDay    payment.Money // as ledger.RefundRequest
}

// MaxRefundReason bounds why a refund is asked for, in characters.
const MaxRefundReason = MaxText

// RefundFaults lists what is wrong with the id and the reason of an order, but
// for fields that are known to be at fault.
func RefundFaults(o RefundOrder, known []Fault) (faults []Fault) {
	fault := func(field, message string) {
		if message != "" && !slices.ContainsFunc(known, func(f Fault) bool { return f.Field == field }) {
			faults = append(faults, Fault{field, message})
		}
	}
	switch {
	case o.ID == "":
		fault("refundId", "is required: a UUID of your own")
	case !payment.IsReference(o.ID):
		fault("refundId", "must be a UUID")
	}
	if utf8.RuneCountInString(o.Reason) > MaxRefundReason {
		fault("reason", fmt.Sprintf("must be at most %d characters", MaxRefundReason))
	} else {
		fault("reason", textFault(o.Reason, 1, 4*MaxRefundReason))
	}
	return faults
}

// ReadAmount reads an amount in a currency; fault says what is wrong with it.
func ReadAmount(amount, currency string) (m payment.Money, fault string) {
	m, err := payment.ParseMoney(amount, currency)
	if err != nil {
		return m, sentence(err, payment.ErrAmount)
	}
	return m, ""
}

func (g *Refunds) now() time.Time { return ledger.Clock(g.Now()) }

// Request stores a refund and asks nobody. Asked again under the same id, it
// returns what is stored. Its errors are those of ledger.RequestRefund, except
// that ErrRefundIDTaken stands for a stored one that is another; ErrRefundID;
// ErrRefundKind; ledger.ErrNotFound; ErrForbidden; of an app's, ErrNoRefunder:
// a person has to give the money back.
func (g *Refunds) Request(ctx context.Context, o RefundOrder) (ledger.Payment, ledger.Refund, error) {
	switch {
	case !payment.IsReference(o.ID):
		return ledger.Payment{}, ledger.Refund{}, ErrRefundID
	case o.Operator == "" && o.Kind != refund.ByRefund:
		return ledger.Payment{}, ledger.Refund{}, ErrRefundKind
	}
	o.ID = strings.ToLower(o.ID)
	said, _ := json.Marshal(map[string]string{ // a map of strings always marshals
		"refundId": o.ID, "amount": amountText(o.Amount), "kind": string(o.Kind), "reason": o.Reason,
	})
	hash := tokenHash(string(said))
	for range maxRounds {
		p, err := g.Ledger.Payment(ctx, o.Reference)
		switch {
		case err != nil:
			return p, ledger.Refund{}, err
		case o.ClientID != "" && o.ClientID != p.ClientID:
			return ledger.Payment{}, ledger.Refund{}, ErrForbidden
		case o.Operator == "" && g.refunder(p) == nil:
			return p, ledger.Refund{}, fmt.Errorf("%w: %s", ErrNoRefunder, p.AccountID())
		}
		now := g.now()
		record := ledger.AuditRecord{
			At: now, Direction: ledger.InboundFromApp, Reference: p.Reference, ClientID: p.ClientID,
			Method: "POST", URL: "refunds", RequestBody: string(said),
		}
		if o.Operator != "" {
			record.Method, record.Note = OperatorMethod, "operator "+o.Operator+": "+o.Reason
		}
		after, f, made, err := g.Ledger.RequestRefund(ctx, ledger.RefundRequest{
			Payment: p, RequestHash: hash, PerDay: o.PerDay, Audit: record,
			Ask: refund.Ask{ID: o.ID, Amount: o.Amount, Kind: o.Kind, Reason: o.Reason, Operator: o.Operator, At: now},
		})
		var exists *ledger.RefundExistsError
		switch {
		case err == nil:
			g.announce(ctx, f, made)
			return after, f, nil
		case errors.As(err, &exists) && exists.Refund.RequestHash == hash:
			return p, exists.Refund, nil
		case errors.As(err, &exists):
			return p, exists.Refund, ErrRefundIDTaken
		case !errors.Is(err, ledger.ErrStale):
			return p, ledger.Refund{}, err
		}
	}
	return ledger.Payment{}, ledger.Refund{}, fmt.Errorf("%w: payment %s kept moving", ledger.ErrStale, o.Reference)
}

func amountText(m payment.Money) string {
	if m == (payment.Money{}) {
		return ""
	}
	return m.String()
}

// refunder gives back what the payment's account collected; nil: nothing does. One
// of another currency is another market's, or the sandbox's beside real money.
func (g *Refunds) refunder(p ledger.Payment) provider.Refunder {
	r, ok := g.Refunders[p.AccountID()]
	if !ok || r.Capabilities().Currency != p.Amount.Currency {
		return nil
	}
	return r
}

// Work does what is next for a refund: it sends one that was never sent, and
// asks about one that was. What has ended is left as it is. ledger.ErrStale:
// somebody else is at work on it. ErrNoRefunder: it is looked at again later.
func (g *Refunds) Work(ctx context.Context, reference, id string) (ledger.Refund, error) {
	f, err := g.Ledger.Refund(ctx, reference, id)
	if err != nil || !f.Open() {
		return f, err
	}
	p, err := g.Ledger.Payment(ctx, reference)
	if err != nil {
		return f, err
	}
	refunder := g.refunder(p)
	if refunder == nil {
		g.Log.ErrorContext(ctx, "refund.account_missing", "reference", p.Reference, "refund", f.ID, "account", p.AccountID())
		if f, err = g.Ledger.ClaimRefund(ctx, f, refund.Checked(f.Refund, g.now())); err != nil {
			return f, err
		}
		return f, fmt.Errorf("%w: %s", ErrNoRefunder, p.AccountID())
	}
	ctx, cancel := within(ctx, submitBudget, answerReserve)
	defer cancel()
	_ = refunder.Ready(ctx) // a token that is slow comes before the claim; without one nothing is sent
	if err := ctx.Err(); err != nil {
		return f, err
	}
	if f.Status == refund.Pending {
		return g.send(ctx, refunder, p, f)
	}
	return g.check(ctx, refunder, p, f)
}

// send sends a refund once. The claim is stored first: a process that dies after
// it leaves a refund that is asked about, and never one that is sent again.
func (g *Refunds) send(ctx context.Context, refunder provider.Refunder, p ledger.Payment, f ledger.Refund) (ledger.Refund, error) {
	claimed, ok := refund.Claim(f.Refund, g.now())
	if !ok {
		return f, nil
	}
	f, err := g.Ledger.ClaimRefund(ctx, f, claimed)
	if err != nil {
		return f, err
	}
	answer := refunder.Refund(ctx, p.Payment, f.Refund)
	answer.Evidence.Source, answer.Evidence.At = payment.FromSubmit, g.now()
	g.logAsked(ctx, p, f, "refund", answer)
	send := f.Sends
	return g.apply(ctx, p, f, asked("POST", answer), nil, func(p payment.Payment, r refund.Refund) refund.Decision {
		if !answer.Attempted {
			return refund.Unsent(p, r, send, answer.Evidence.Code, answer.Evidence.At)
		}
		return refund.Decide(p, r, answer.Evidence)
	})
}

// check asks the provider about a refund.
func (g *Refunds) check(ctx context.Context, refunder provider.Refunder, p ledger.Payment, f ledger.Refund) (ledger.Refund, error) {
	f, err := g.Ledger.ClaimRefund(ctx, f, refund.Checked(f.Refund, g.now()))
	if err != nil {
		return f, err
	}
	answer := refunder.RefundStatus(ctx, f.Refund)
	answer.Evidence.Source, answer.Evidence.At = payment.FromStatus, g.now()
	g.logAsked(ctx, p, f, "refund status", answer)
	return g.apply(ctx, p, f, asked("GET", answer), nil, func(p payment.Payment, r refund.Refund) refund.Decision {
		return refund.Decide(p, r, answer.Evidence)
	})
}

// asked are the exchanges behind an answer. Without any, one says why nobody was
// asked: no change is without a record.
func asked(method string, a provider.Answer) []provider.Exchange {
	if len(a.Exchanges) > 0 {
		return a.Exchanges
	}
	return []provider.Exchange{{Method: method, Started: a.Evidence.At, Err: NoteNotAsked + ": " + a.Evidence.Reason}}
}

// apply writes what decide makes of a refund and its payment, and decides again
// where one of them has moved. On an error the evidence is not stored. Of a
// status it can be had again; of the answer to a request the status tells.
func (g *Refunds) apply(ctx context.Context, p ledger.Payment, f ledger.Refund, exchanges []provider.Exchange, records []ledger.AuditRecord, decide func(payment.Payment, refund.Refund) refund.Decision) (ledger.Refund, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), afterwards)
	defer cancel()
	for range maxRounds {
		d := decide(p.Payment, f.Refund)
		if d.Anomaly != "" {
			g.Log.WarnContext(ctx, "refund.anomaly", "reference", p.Reference, "refund", f.ID, "anomaly", d.Anomaly, "status", d.Refund.Status)
		}
		audit := append(exchangeRecords(p.Payment, exchanges, string(d.Anomaly)), records...)
		if !d.Changed {
			return f, g.Ledger.Audit(ctx, audit...)
		}
		_, after, made, err := g.Ledger.ApplyRefund(ctx, ledger.RefundChange{Payment: p, Refund: f, Decision: d, Audit: audit})
		if err == nil {
			if after.Status == refund.Unknown && f.Status != refund.Unknown {
				g.Log.WarnContext(ctx, "refund.unknown", "reference", p.Reference, "refund", after.ID, "code", after.Code, "held", after.Held)
			}
			g.announce(ctx, after, made)
			return after, nil
		}
		// Changed meanwhile, or of unknown outcome: what is stored says which.
		fresh, readErr := g.Ledger.Payment(ctx, p.Reference)
		if readErr != nil {
			return f, err
		}
		freshRefund, readErr := g.Ledger.Refund(ctx, p.Reference, f.ID)
		if readErr != nil {
			return f, err
		}
		p, f = fresh, freshRefund
	}
	return f, fmt.Errorf("%w: refund %s kept moving", ledger.ErrStale, f.ID)
}

// announce logs an ending and rings for its event.
func (g *Refunds) announce(ctx context.Context, f ledger.Refund, made []delivery.Delivery) {
	if len(made) == 0 {
		return
	}
	g.Log.InfoContext(ctx, "refund.ended", "reference", f.Payment, "refund", f.ID, "status", f.Status, "by", f.EndedBy, "code", f.Code)
	if err := g.Doorbell.Ring(ctx, made...); err != nil {
		g.Log.WarnContext(ctx, "doorbell.lost", "reference", f.Payment, "error", err.Error())
	}
}

func (g *Refunds) logAsked(ctx context.Context, p ledger.Payment, f ledger.Refund, operation string, a provider.Answer) {
	g.Log.InfoContext(ctx, "refund.asked", "provider", p.Provider, "account", p.AccountID(), "operation", operation, "reference", p.Reference, "refund", f.ID,
		"verdict", a.Evidence.Verdict, "code", a.Evidence.Code, "account_fault", a.Evidence.AccountFault, "exchanges", len(a.Exchanges))
}

// RefundSettlement is an operator's word about how a refund ended.
type RefundSettlement struct {
	Status   refund.Status // Successful or Failed
	Operator string
	Reason   string // for the audit log; what the provider's portal shows
}

// Settle ends a refund by an operator's word. refund.ErrEnded, ErrUnderway;
// ledger.ErrNotFound.
func (g *Refunds) Settle(ctx context.Context, reference, id string, s RefundSettlement) (ledger.Refund, error) {
	verdict, ok := map[refund.Status]payment.Verdict{refund.Successful: payment.SaysSuccessful, refund.Failed: payment.SaysFailed}[s.Status]
	if !ok {
		return ledger.Refund{}, fmt.Errorf("settle refund: %q is no ending", s.Status)
	}
	f, err := g.Ledger.Refund(ctx, reference, id)
	if err != nil {
		return f, err
	}
	p, err := g.Ledger.Payment(ctx, reference)
	if err != nil {
		return f, err
	}
	now := g.now()
	if err := refund.MaySettle(f.Refund, s.Status, now); err != nil {
		return f, err
	}
	said, _ := json.Marshal(map[string]string{"refundId": id, "status": string(s.Status), "reason": s.Reason})
	record := ledger.AuditRecord{
		At: now, Direction: ledger.InboundFromApp, Reference: p.Reference, ClientID: p.ClientID,
		Method: OperatorMethod, URL: "settle refund", RequestBody: string(said), Note: "operator " + s.Operator + ": " + s.Reason,
	}
	e := payment.Evidence{Source: payment.FromOperator, Verdict: verdict, Reason: s.Reason, At: now}
	after, err := g.apply(ctx, p, f, nil, []ledger.AuditRecord{record}, func(p payment.Payment, r refund.Refund) refund.Decision {
		return refund.Decide(p, r, e)
	})
	if err == nil && after.Status != s.Status {
		err = refund.MaySettle(after.Refund, s.Status, now)
	}
	return after, err
}

// OnSchedule works off the refunds that are due. Running out of time is no
// error: the next run goes on.
func (g *Refunds) OnSchedule(ctx context.Context) error {
	err := g.Reconcile(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		return nil
	}
	if err != nil {
		g.Log.WarnContext(ctx, "refund.reconcile_failed", "error", err.Error())
	}
	return err
}

// Maintain lets what gives money back do ahead of time what a refund cannot wait
// for: on MTN's new platform a token takes 20 seconds. One after the other.
func (g *Refunds) Maintain(ctx context.Context) {
	ctx, cancel := scheduled(ctx)
	defer cancel()
	for _, id := range slices.Sorted(maps.Keys(g.Refunders)) {
		if err := g.Refunders[id].Maintain(ctx); err != nil {
			g.Log.WarnContext(ctx, "refund.not_ready", "account", id, "error", err.Error())
		}
	}
}

// refundPage is how many due refunds are read at a time.
const refundPage = 200

// Reconcile sends the refunds that were never sent and asks about those that
// were, as far as they are due, one after the other. One that fails stays due,
// and the others follow. It stops before ctx ends.
func (g *Refunds) Reconcile(ctx context.Context) error {
	now := g.now()
	for after := ""; ; {
		due, err := g.Ledger.DueRefunds(ctx, now.Add(time.Millisecond), ledger.Paging{Limit: refundPage, Cursor: after})
		if err != nil {
			return err
		}
		for _, d := range due.Items {
			if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < answerReserve+checkTakes {
				return context.DeadlineExceeded // what is begun now could not be asked
			}
			if ctx.Err() != nil {
				return ctx.Err()
			}
			f, err := g.Ledger.Refund(ctx, d.Reference, d.ID)
			if err == nil && f.Open() && !f.NextCheckAt.After(now) { // else the index lagged
				_, err = g.Work(ctx, d.Reference, d.ID)
			}
			if err != nil && !errors.Is(err, ledger.ErrStale) && !errors.Is(err, ErrNoRefunder) {
				g.Log.ErrorContext(ctx, "refund.work_failed", "reference", d.Reference, "refund", d.ID, "error", err.Error())
			}
		}
		if due.Next == "" {
			return nil
		}
		after = due.Next
	}
}
