// Package gateway holds the use cases: initiate a payment, answer for its
// status, receive a provider's callback, reconcile. It moves evidence from a
// provider to payment.Decide and the decision to the ledger; it knows no
// provider by name and nothing of how requests arrive.
package gateway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"time"

	"momoproxy/shared/delivery"
	"momoproxy/shared/guard"
	"momoproxy/shared/host"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
)

// Ringer tells the forwarder that deliveries are due. It is a hint: an error
// loses nothing, the sweeper rings again.
type Ringer interface {
	Ring(ctx context.Context, deliveries ...delivery.Delivery) error
}

// Gateway holds the parts of the use cases. Set every field; then it is safe
// for concurrent use. What it keeps from one request to the next are hints.
type Gateway struct {
	Ledger    *ledger.Ledger
	Providers []*guard.Guard // the first is the default
	Doorbell  Ringer
	// PublicBaseURL is where providers reach us, without a trailing slash.
	PublicBaseURL string
	// TrustCallbacks is CALLBACK_POLICY=trust: unsigned callbacks are
	// believed. For local work with hand-made callbacks only; config refuses
	// it for a production environment.
	TrustCallbacks bool
	// CheckURL refuses callback URLs that must not be called, with a
	// sentence for the app's developer.
	CheckURL func(url string) error
	Now      func() time.Time
	Random   io.Reader
	Log      *slog.Logger
	// Parallel runs the checks of a reconcile run.
	Parallel host.Executor

	backlogMinute int64 // of the clock, when the backlog was logged last; atomic
}

// Times of a request to pay.
const (
	// submitBudget bounds the provider call of one request, repeats
	// included: API Gateway cuts a request off at 30 s.
	submitBudget = 20 * time.Second
	// submitLease is how long a stored payment may be in the hands of the
	// request that made it.
	submitLease = 30 * time.Second
	// answerReserve is left of a function's time, behind the provider call,
	// to store the result and to answer; statusReserve where the answer is
	// less urgent.
	answerReserve = 7 * time.Second
	statusReserve = 6 * time.Second
	// callbackBudget bounds the question that a callback leads to: the
	// provider waits two seconds for our answer to its callback (MTN's
	// callback page). A question that takes longer is asked again by the
	// schedule, soon, since a callback was there.
	callbackBudget = 1700 * time.Millisecond
	// afterwards bounds the writes that follow a provider call. They go on
	// when the caller has hung up.
	afterwards = 5 * time.Second
	// maxRounds bounds how often a change is decided anew because the
	// payment moved meanwhile. Each round, somebody else made progress.
	maxRounds = 8
)

// ErrUnconfigured: the provider is not configured here.
var ErrUnconfigured = errors.New("provider is not configured")

// ErrForbidden: the payment belongs to another app.
var ErrForbidden = errors.New("payment of another client")

// within bounds a provider call: by most, and so that reserve is left of the
// function's own time. It goes by the machine's clock, as deadlines do.
func within(ctx context.Context, most, reserve time.Duration) (context.Context, context.CancelFunc) {
	if deadline, ok := ctx.Deadline(); ok {
		most = min(most, time.Until(deadline)-reserve)
	}
	return context.WithTimeout(ctx, most)
}

func (g *Gateway) now() time.Time { return ledger.Clock(g.Now()) }

func (g *Gateway) providerNames() string {
	var names []string
	for _, p := range g.Providers {
		names = append(names, p.Capabilities().Name)
	}
	slices.Sort(names)
	names = slices.Compact(names)
	return strings.Join(names, ", ")
}

// update is one piece of evidence on its way to the ledger, with what is
// written in the same transaction.
type update struct {
	evidence  payment.Evidence
	exchanges []provider.Exchange  // with the provider, that led to it
	records   []ledger.AuditRecord // what else is audited with it
	// request is the audit record of the request to pay that it answers. The
	// kind of the answer is written into it, and kept for replays.
	request *ledger.AuditRecord
	// raw is the provider's own callback that led to it, if it is certain
	// that the provider sent it; nil otherwise.
	raw []byte
	// claimed is the ending that a callback claimed, empty for none: ask
	// again soon if the provider does not say so yet.
	claimed payment.Status
}

// applyEvidence takes evidence to its end: decide, write, and decide again on fresh
// data when the payment moved in between. It returns the payment as it now
// stands. On an error the evidence is not in the ledger; it can be had again
// from the provider.
func (g *Gateway) applyEvidence(ctx context.Context, p ledger.Payment, n update) (ledger.Payment, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), afterwards)
	defer cancel()
	prov, ok := g.account(p.Payment)
	if !ok {
		return p, fmt.Errorf("%w: account %s", ErrUnconfigured, p.AccountID())
	}
	policy := prov.Capabilities().Method(p.Method).Policy
	for range maxRounds {
		d := payment.Decide(p.Payment, n.evidence, policy)
		if n.claimed != "" {
			if hinted, changed := payment.Hinted(d.Payment, n.claimed, n.evidence.At, policy); changed {
				d.Payment, d.Changed = hinted, true
			}
		}
		if d.Anomaly != "" {
			g.logAnomaly(ctx, p, n.evidence, d.Anomaly)
		}
		change := g.changeOf(prov, p, d, n)
		if !d.Changed && change.AnswerKind == "" {
			return p, g.Ledger.AuditUnchanged(ctx, p, change.Audit...)
		}
		after, deliveries, err := g.Ledger.Apply(ctx, change)
		if err == nil {
			g.announce(ctx, p, after, deliveries)
			return after, nil
		}
		// ErrStale: decide on what it is now. Else the outcome is unknown, or
		// the table is down. Look once: if our write took effect, deciding
		// again finds nothing left to change.
		fresh, readErr := g.Ledger.Payment(ctx, p.Reference)
		if readErr != nil {
			return p, err
		}
		p = fresh
	}
	return p, errors.New("payment " + p.Reference + " kept moving")
}

// changeOf is what a decision writes.
func (g *Gateway) changeOf(prov *guard.Guard, p ledger.Payment, d payment.Decision, n update) ledger.Change {
	c := ledger.Change{Before: p, Decision: d}
	if p.NativeCallbacks {
		for _, e := range d.Events {
			c.Bodies = append(c.Bodies, prov.Native(d.Payment, e, n.raw))
		}
	}
	c.Audit = append(slices.Clone(n.records), exchangeRecords(p.Payment, n.exchanges, string(d.Anomaly))...)
	if n.request == nil {
		return c
	}
	p.Payment = d.Payment
	answer := answerTo(p, n.evidence)
	if p.AnswerKind == "" {
		c.AnswerKind, c.AnswerDetail = string(answer.Kind), answer.detail()
	}
	record := *n.request
	record.Reference, record.Duration = p.Reference, g.now().Sub(record.At)
	record.Answer = strings.TrimSpace(string(answer.Kind) + " " + answer.detail())
	c.Audit = append(c.Audit, record)
	return c
}

func (g *Gateway) logAnomaly(ctx context.Context, p ledger.Payment, e payment.Evidence, anomaly payment.Anomaly) {
	g.Log.WarnContext(ctx, "payment.anomaly", "reference", p.Reference, "anomaly", anomaly,
		"status", p.Status, "source", e.Source, "verdict", e.Verdict, "code", e.Code)
}

// announce logs an ending and rings the doorbell for its events.
func (g *Gateway) announce(ctx context.Context, before, p ledger.Payment, deliveries []delivery.Delivery) {
	if len(deliveries) == 0 {
		return
	}
	if before.Status != p.Status {
		g.logEnding(ctx, p)
		g.reportPaidTwice(ctx, p)
	}
	if err := g.Doorbell.Ring(ctx, deliveries...); err != nil {
		g.Log.WarnContext(ctx, "doorbell.lost", "reference", p.Reference, "error", err.Error())
	}
}

func (g *Gateway) logEnding(ctx context.Context, p ledger.Payment) {
	g.Log.InfoContext(ctx, "payment.ended", "reference", p.Reference, "client", p.ClientID, "provider", p.Provider,
		"status", p.Status, "by", p.EndedBy, "reason", p.Reason, "sequence", p.Sequence, "age_ms", p.EndedAt.Sub(p.CreatedAt).Milliseconds())
}

// reportPaidTwice writes the line of the OrderPaidTwice alarm: one of the two
// payments is to be given back. Best effort: momoctl payment paid-twice lists
// what this misses.
func (g *Gateway) reportPaidTwice(ctx context.Context, p ledger.Payment) {
	if p.Status != payment.Successful {
		return
	}
	other, err := g.Ledger.PaidBeside(ctx, p)
	switch {
	case err == nil:
		g.Log.ErrorContext(ctx, "order.paid_twice", "reference", p.Reference, "other", other.Reference, "client", p.ClientID)
	case !errors.Is(err, ledger.ErrNotFound):
		g.Log.WarnContext(ctx, "order.not_read", "reference", p.Reference, "error", err.Error())
	}
}

// logAsked writes one line about what was asked of a provider.
func (g *Gateway) logAsked(ctx context.Context, p ledger.Payment, operation string, result provider.Answer) {
	var took time.Duration
	for _, x := range result.Exchanges {
		took += x.Duration
	}
	class := lastError(result)
	g.Log.InfoContext(ctx, "provider.asked", "provider", p.Provider, "method", p.Method, "operation", operation, "reference", p.Reference,
		"verdict", result.Evidence.Verdict, "code", result.Evidence.Code, "error", class,
		"exchanges", len(result.Exchanges), "duration_ms", took.Milliseconds())
}

// NoteRepeated marks the audit record of an answer that, as the provider said,
// repeats an earlier one.
const NoteRepeated = "repeated answer"

// exchangeRecords turns a provider's exchanges into audit records.
func exchangeRecords(p payment.Payment, exchanges []provider.Exchange, note string) []ledger.AuditRecord {
	records := make([]ledger.AuditRecord, 0, len(exchanges)+1) // one more for the caller's own
	for _, x := range exchanges {
		r := ledger.AuditRecord{
			At: ledger.Clock(x.Started), Direction: ledger.OutboundToProvider, Reference: p.Reference, ClientID: p.ClientID,
			Method: x.Method, URL: x.URL, RequestBody: x.RequestBody,
			ResponseCode: x.Code, ResponseBody: x.ResponseBody, Duration: x.Duration, Note: x.Err,
		}
		switch {
		case r.Note != "":
		case x.Repeated && note != "":
			r.Note = NoteRepeated + "; " + note
		case x.Repeated:
			r.Note = NoteRepeated
		default:
			r.Note = note
		}
		records = append(records, r)
	}
	return records
}
