package gateway

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

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
// answer must not tell a forger anything. Only a signature that does not
// verify is told, as an error of its own.
const CallbackAnswer = `{"received":true}`

// Receive takes a callback to its end: stored as it came, matched to its
// payments, and, being only a hint, checked with the provider (or believed,
// under CALLBACK_POLICY=trust); one that the provider has signed is evidence.
// provider.ErrSignature: it is not signed as it has to be; nothing is kept of
// it, nor of one that finds ErrUnconfigured. Every other error is for the log alone, and the answer is the same.
func (g *Gateway) Receive(ctx context.Context, c Callback) error {
	prov, ok := g.provider(c.Provider)
	if !ok {
		return fmt.Errorf("%w: %s", ErrUnconfigured, c.Provider)
	}
	claim, parseErr := prov.ParseCallback(provider.Inbound{Token: c.Token, Header: c.Header, Body: c.Body, At: g.now()})
	if errors.Is(parseErr, provider.ErrSignature) {
		return parseErr
	}
	anonymous := c.Reference == "" && claim.Standing == provider.Anonymous
	matched, sure, why, err := g.match(ctx, c, claim)
	if err != nil {
		return errors.Join(err, g.Ledger.Audit(ctx, g.callbackRecord(c, anonymous, "", "", "not matched: table unavailable")))
	}
	if len(matched) == 0 {
		g.Log.WarnContext(ctx, "callback.unmatched", "provider", c.Provider, "reason", why)
		return g.Ledger.Audit(ctx, g.callbackRecord(c, anonymous, "", "", "unmatched: "+why))
	}
	if !sure && claim.Standing == provider.Signed {
		claim.Standing = provider.Known
	}
	var faults []error
	for _, p := range matched {
		faults = append(faults, g.receiveFor(ctx, p, c, claim, parseErr))
	}
	return errors.Join(faults...)
}

func (g *Gateway) receiveFor(ctx context.Context, p ledger.Payment, c Callback, claim provider.Callback, parseErr error) error {
	evidence := claim.Evidence
	evidence.At = g.now()
	evidence.Source = payment.FromCallback
	switch {
	case claim.Standing == provider.Signed:
		evidence.Source = payment.FromSignedWebhook
	case g.TrustCallbacks && parseErr == nil:
		evidence.Source = payment.FromTrustedCallback
	}
	who, raw := byAnybody, []byte(nil)
	if c.Reference != "" || claim.Standing != provider.Anonymous {
		who, raw = byProvider, c.Body
	}
	prov, _ := g.provider(p.Provider)
	d := payment.Decide(p.Payment, evidence, prov.Capabilities().Method(p.Method).Policy)
	record := g.callbackRecord(c, who == byAnybody, p.Reference, p.ClientID, string(d.Anomaly))
	if evidence.Source != payment.FromCallback && !d.Confirm {
		_, err := g.settle(ctx, p, news{
			evidence: evidence, raw: raw,
			audit: func(payment.Payment, payment.Anomaly) []ledger.AuditRecord { return []ledger.AuditRecord{record} },
		})
		return err
	}
	if parseErr != nil && record.Note == "" {
		record.Note = "unreadable"
	}
	if d.Anomaly != "" {
		g.Log.WarnContext(ctx, "payment.anomaly", "reference", p.Reference, "anomaly", d.Anomaly,
			"status", p.Status, "source", evidence.Source, "verdict", evidence.Verdict, "code", evidence.Code)
	}
	// It is stored as it came before anything is made of it; if that fails,
	// its news is still worth asking about.
	stored := g.Ledger.Audit(ctx, record)
	// The provider's own callback about an open payment is asked about at
	// once, others in their time.
	if !d.Confirm || (who == byAnybody && !g.mayPoll(p)) {
		return stored
	}
	claimed, _ := evidence.Verdict.Ending()
	if who == byAnybody {
		claimed = "" // only the provider's own news makes later questions come sooner
	}
	_, err := g.poll(ctx, p, occasion{who: who, claimed: claimed, raw: raw})
	if errors.Is(err, errPutOff) || errors.Is(err, errUnanswered) {
		err = nil // not dropped: the schedule asks again
	}
	return errors.Join(stored, err)
}

// bareBodyKept is how much of a callback from anybody is kept, in bytes;
// the provider's own are a third of it.
const bareBodyKept = 1 << 10

func (g *Gateway) callbackRecord(c Callback, anonymous bool, reference, clientID, note string) ledger.AuditRecord {
	body := c.Body
	if c.Token != "" { // wherever it stands
		body = bytes.ReplaceAll(body, []byte(c.Token), []byte("***"))
	}
	if anonymous {
		// Anybody can send one, and each may be kept for several payments.
		body = body[:min(len(body), bareBodyKept)]
	}
	return ledger.AuditRecord{
		At: c.Started, Direction: ledger.InboundFromMTN, Reference: reference, ClientID: clientID,
		Method: c.Method, URL: c.Path, RequestBody: string(body),
		ResponseCode: 200, ResponseBody: CallbackAnswer, Duration: g.now().Sub(c.Started), Note: note,
	}
}
