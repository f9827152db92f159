package momentpay

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
	"momoproxy/shared/provider/wire"
	"momoproxy/shared/webhook"
)

// tolerance is how far a webhook's time may be from ours: MomentPay tells its
// receivers to refuse what is older than three minutes (docs, verification).
// It signs a retry afresh, so a late one passes.
const tolerance = 3 * time.Minute

// eventPaid is the event of a success.
const eventPaid = "payment_request.paid"

// events are those about payment requests: the docs' names and the
// contract's. Where the payment stands is read from its status and not from
// the name, but for eventPaid. No event is documented for a request that has
// expired or failed; one sent under another name leaves the payment to its
// next check.
var events = map[string]bool{
	"payment_request.created": true,
	"payment_request.updated": true,
	eventPaid:                 true,
	"payment_link.created":    true,
	"payment_link.updated":    true,
}

// ParseCallback implements provider.Provider. The signature is Standard
// Webhooks' (docs): HMAC-SHA256 over id, time and the body's bytes, under
// either of the secrets, any of several signatures in the header.
//
// A webhook may come twice, and a retry has a new time and signature; whether
// webhook-id is the body's id is not confirmed, and the docs' own examples of
// the latter break the docs' pattern. So neither is checked or remembered. It
// is not needed: the same evidence about a payment changes nothing the second
// time.
//
// An event that is none of a payment request's is read for its ids and says
// nothing. What is signed and yet not proof, such as a success that does not
// say how much, has standing Known: a hint, to be asked about.
func (p *Provider) ParseCallback(in provider.Inbound) (provider.Callback, error) {
	at := in.At
	if at.IsZero() {
		at = p.now()
	}
	if err := p.verify(in, at); err != nil {
		return provider.Callback{}, fmt.Errorf("%w: %w", provider.ErrSignature, err)
	}
	unreadable := provider.Callback{Standing: provider.Signed}
	if len(in.Body) > wire.MaxAnswer {
		return unreadable, fmt.Errorf("%w: over %d bytes", provider.ErrCallback, wire.MaxAnswer)
	}
	body, err := wire.ReadObject(in.Body)
	if err != nil {
		return unreadable, fmt.Errorf("%w: %w", provider.ErrCallback, err)
	}
	event, _ := body.Text("type")
	data, ok, err := body.Child("data")
	c := provider.Callback{Standing: provider.Signed, Type: wire.Clean(event, longestCode)}
	switch {
	case event == "":
		return unreadable, fmt.Errorf("%w: no type", provider.ErrCallback)
	case !events[event]:
		c.Evidence = payment.Evidence{Verdict: payment.SaysNothing, Code: c.Type}
		name(&c, data)
	case err != nil || !ok:
		return unreadable, fmt.Errorf("%w: no readable data", provider.ErrCallback)
	default:
		t, err := readRequest(data)
		if err != nil {
			return unreadable, fmt.Errorf("%w: %w", provider.ErrCallback, err)
		}
		name(&c, data)
		c.Evidence = t.evidence
		if c.Evidence.ExpiresAt.Sub(at) > longestLife {
			c.Evidence.ExpiresAt = time.Time{}
		}
		if !proves(event, t) {
			c.Standing = provider.Known
		}
		if event == eventPaid && t.status == "" {
			c.Evidence.Verdict = payment.SaysSuccessful
		}
	}
	c.Evidence.Source, c.Evidence.At = payment.FromSignedWebhook, at
	if len(c.IDs) > 0 { // as we write it: the case of a UUID means nothing
		c.Evidence.Reference = c.IDs[0]
	}
	if c.Standing != provider.Signed {
		c.Evidence.Source = payment.FromCallback
	}
	return c, nil
}

// verify checks the signature over the body as it came; nothing of it is
// parsed before.
func (p *Provider) verify(in provider.Inbound, at time.Time) error {
	header := http.Header{}
	for _, name := range []string{webhook.HeaderID, webhook.HeaderTimestamp, webhook.HeaderSignature} {
		if in.Header == nil {
			break
		}
		if value := in.Header(name); value != "" {
			header.Set(name, value)
		}
	}
	_, err := webhook.Verify(header, in.Body, at, tolerance, p.secrets...)
	return err
}

// proves says whether a signed event is evidence: it names a payment of ours
// by its reference, does not contradict itself, and a success says how much.
func proves(event string, t report) bool {
	switch {
	case !payment.IsReference(t.reference):
		return false
	case event == eventPaid && t.evidence.Verdict != payment.SaysSuccessful:
		return false
	}
	return t.evidence.Verdict != payment.SaysSuccessful || t.complete()
}

// name fills in by which ids the callback's payment can be found. Another
// integration may share the account: only what has a reference's form can be
// ours, and an app's order id must not be met by chance.
func name(c *provider.Callback, data wire.Object) {
	if reference, _ := data.Text("external_reference"); payment.IsReference(reference) {
		c.IDs = []string{strings.ToLower(reference)}
	}
	for _, field := range []string{"id", "payment_id"} {
		if id, _ := data.Text(field); safeID(id) {
			c.ProviderIDs = append(c.ProviderIDs, id)
		}
	}
}
