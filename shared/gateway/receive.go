package gateway

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"momoproxy/shared/guard"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
)

// Callback is a provider's callback as it arrived.
type Callback struct {
	Provider string // which provider's route it came in by
	// Reference and Token are of the path that a payment's own callback URL
	// has. A route with a secret but no reference leaves Reference empty.
	Reference string
	Token     string
	Header    func(name string) string // any case; nil: none
	Method    string
	Path      string // with the token masked
	Body      []byte
	Started   time.Time
}

// CallbackAnswer is what every callback is answered, whatever it was: the
// answer must not inform a forger. Only a signature that does not verify is
// reported, as an error of its own.
const CallbackAnswer = `{"received":true}`

// Receive takes a callback to its end: stored as it came, matched to its
// payments, and, being only a hint, checked with the provider (or believed,
// under CALLBACK_POLICY=trust); one that the provider has signed is evidence.
// What anybody may have sent is checked by the schedule, later.
// provider.ErrSignature: it is not signed as it has to be; nothing is kept of
// it, nor of one that finds ErrUnconfigured. Every other error is for the log
// alone, and the answer is the same.
func (g *Gateway) Receive(ctx context.Context, c Callback) error {
	from, claim, parseErr := g.sender(c)
	if errors.Is(parseErr, provider.ErrSignature) || errors.Is(parseErr, ErrUnconfigured) {
		return parseErr
	}
	matched, sure, why, err := g.match(ctx, c, claim, from)
	proven := claim.Standing != provider.Anonymous || c.Reference != "" && len(matched) > 0
	if err != nil {
		return errors.Join(err, g.keepUnread(ctx, c, claim))
	}
	evidence := claim.Evidence
	evidence.At = g.now()
	evidence.Source = payment.FromCallback
	switch {
	case len(matched) == 0 && proven:
		g.Log.WarnContext(ctx, "callback.unmatched", "provider", c.Provider, "reason", why)
		return g.Ledger.Audit(ctx, g.shortRecord(c, "unmatched: "+why))
	case !proven && !(g.TrustCallbacks && parseErr == nil && len(matched) > 0):
		return g.receiveHint(ctx, c, matched, evidence, why)
	case sure && claim.Standing == provider.Signed:
		evidence.Source = payment.FromSignedWebhook
	case g.TrustCallbacks && parseErr == nil:
		evidence.Source = payment.FromTrustedCallback
	}
	var faults []error
	for _, p := range matched {
		faults = append(faults, g.receiveFor(ctx, p, c, evidence, proven, parseErr))
	}
	return errors.Join(faults...)
}

// sender reads a callback as the account that can have sent it: the one whose
// secret it carries, else the first.
func (g *Gateway) sender(c Callback) (from *guard.Guard, best provider.Callback, err error) {
	err = fmt.Errorf("%w: %s", ErrUnconfigured, c.Provider)
	for _, prov := range g.accounts(c.Provider) {
		claim, parseErr := prov.ParseCallback(provider.Inbound{Token: c.Token, Header: c.Header, Body: c.Body, At: g.now()})
		if from == nil || errors.Is(err, provider.ErrSignature) || claim.Standing > best.Standing {
			from, best, err = prov, claim, parseErr
		}
	}
	return from, best, err
}

// keepUnread keeps a callback whose payments could not be read, within the
// bounds of a hint unless its sender is known. The schedule asks in its time.
func (g *Gateway) keepUnread(ctx context.Context, c Callback, claim provider.Callback) error {
	const note = "not matched: table unavailable"
	if claim.Standing != provider.Anonymous {
		return g.Ledger.Audit(ctx, g.callbackRecord(c, ledger.Payment{}, note))
	}
	_, err := g.Ledger.KeepHint(ctx, ledger.Hint{Audit: g.shortRecord(c, note)})
	return err
}

// receiveFor takes a callback that is proven or believed to the end of one of
// its payments.
func (g *Gateway) receiveFor(ctx context.Context, p ledger.Payment, c Callback, evidence payment.Evidence, proven bool, parseErr error) error {
	prov, ok := g.account(p.Payment)
	if !ok {
		return errors.Join(g.missingAccount(ctx, p), g.Ledger.Audit(ctx, g.callbackRecord(c, p, "its account is not configured")))
	}
	d := payment.Decide(p.Payment, evidence, prov.Capabilities().Method(p.Method).Policy)
	record := g.callbackRecord(c, p, string(d.Anomaly))
	var raw []byte
	if proven {
		raw = c.Body
	}
	if evidence.Source != payment.FromCallback && !d.Confirm {
		_, err := g.applyEvidence(ctx, p, update{evidence: evidence, raw: raw, records: []ledger.AuditRecord{record}})
		return err
	}
	if !proven {
		return g.receiveHint(ctx, c, []ledger.Payment{p}, evidence, "")
	}
	if parseErr != nil && record.Note == "" {
		record.Note = "unreadable"
	}
	if d.Anomaly != "" {
		g.logAnomaly(ctx, p, evidence, d.Anomaly)
	}
	if !d.Confirm {
		return g.Ledger.Audit(ctx, record)
	}
	claimed, _ := evidence.Verdict.Ending()
	_, asked, err := g.poll(ctx, p, trigger{who: guard.ByProvider, claimed: claimed, raw: raw, records: []ledger.AuditRecord{record}})
	if errors.Is(err, ErrPostponed) || errors.Is(err, ErrUnanswered) {
		err = nil // not dropped: the schedule asks again
	}
	if !asked {
		err = errors.Join(err, g.Ledger.Audit(ctx, record))
	}
	return err
}

// unprovenKept is how much is kept of a callback that is unproven or matches
// nothing, in bytes; the provider's own are a third of it.
const unprovenKept = 1 << 10

// shortRecord is the record of a callback that is unproven or matches nothing.
func (g *Gateway) shortRecord(c Callback, note string) ledger.AuditRecord {
	a := g.callbackRecord(c, ledger.Payment{}, note)
	a.RequestBody = a.RequestBody[:min(len(a.RequestBody), unprovenKept)]
	return a
}

func (g *Gateway) callbackRecord(c Callback, p ledger.Payment, note string) ledger.AuditRecord {
	body := c.Body
	if c.Token != "" { // wherever it stands
		body = bytes.ReplaceAll(body, []byte(c.Token), []byte("***"))
	}
	return ledger.AuditRecord{
		At: c.Started, Direction: ledger.InboundFromProvider, Reference: p.Reference, ClientID: p.ClientID,
		Method: c.Method, URL: c.Path, RequestBody: string(body),
		ResponseCode: 200, ResponseBody: CallbackAnswer, Duration: g.now().Sub(c.Started), Note: note,
	}
}
