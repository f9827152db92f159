package momfactura

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"slices"

	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
	"momoproxy/shared/provider/wire"
)

// Events of the webhook, and operationStatus in one without (contract).
const (
	eventConfirmed = "payment.confirmed"
	eventInvoice   = "invoice.created"
	// eventPaid is in an older README of the SDK, for payment.confirmed.
	eventPaid = "payment.paid"

	operationPaid      = "1"
	operationCancelled = "3" // or expired
	operationFailed    = "4" // or refused
	operationError     = "5"
)

// ParseCallback implements provider.Provider. It takes the two events of a
// payment, and the endings without event; every field is optional, text or
// number, others are ignored. A body is refused that has neither event,
// status nor id, a key twice, or more than 64 KiB.
//
// The webhook is unsigned and carries neither amount nor currency (contract):
// it is a hint from any sender, and Known only says that the sender knew the
// token of its address. An older README of the SDK speaks of a header
// x-momenu-signature, without saying under which key, and the newer documents
// know nothing of it: it is not looked at. operationData is left alone but for
// ids: its content is published nowhere.
//
// All ids are the provider's. None is ever taken for a reference or an order
// id of ours: a forger could name those.
func (p *Provider) ParseCallback(in provider.Inbound) (provider.Callback, error) {
	c := provider.Callback{Standing: p.standing(in.Token)}
	if len(in.Body) > wire.MaxAnswer {
		return c, fmt.Errorf("%w: over %d bytes", provider.ErrCallback, wire.MaxAnswer)
	}
	body, err := wire.ReadObject(in.Body)
	if err != nil {
		return c, fmt.Errorf("%w: %w", provider.ErrCallback, err)
	}
	event, _ := body.Text("event")
	status, _ := scalar(body, "operationStatus")
	c.ProviderIDs = webhookIDs(body)
	if event == "" && status == "" && len(c.ProviderIDs) == 0 {
		return c, fmt.Errorf("%w: neither an event, a status nor an id", provider.ErrCallback)
	}
	c.Type = wire.Clean(event, longestCode)
	c.Evidence = webhookSays(event, status)
	if c.Evidence.Verdict == payment.SaysSuccessful {
		c.Evidence.InvoiceURL = invoiceIn(body)
	}
	c.Evidence.Source, c.Evidence.At = payment.FromCallback, in.At
	return c, nil
}

// standing compares hashes: neither content nor length of the token shows in
// the time it takes.
func (p *Provider) standing(token string) provider.Standing {
	got, want := sha256.Sum256([]byte(token)), sha256.Sum256([]byte(p.cfg.WebhookToken))
	if token == "" || p.cfg.WebhookToken == "" || subtle.ConstantTimeCompare(got[:], want[:]) != 1 {
		return provider.Anonymous
	}
	return provider.Known
}

// webhookIDs are all ids there are, those in operationData last.
func webhookIDs(body wire.Object) []string {
	var ids []string
	data, _, _ := body.Child("operationData")
	for _, from := range []wire.Object{body, data} {
		for _, name := range idFields {
			id, ok := scalar(from, name)
			if ok && wire.Storable(id, payment.MaxID) && !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
	}
	return ids
}

// webhookSays gives the meaning of event and operationStatus. Both events of
// a paid payment mean the same, and a "1" without event does too: so it was
// before there were events, and so one of the skill's pages still shows it.
// Where the two contradict each other, or nobody here knows them, the payment
// stays as it is and is asked about.
func webhookSays(event, status string) payment.Evidence {
	switch event {
	case eventConfirmed, eventPaid, eventInvoice:
		if status == "" || status == operationPaid {
			return payment.Evidence{Verdict: payment.SaysSuccessful, Code: event}
		}
	case "":
		switch status {
		case operationPaid:
			return payment.Evidence{Verdict: payment.SaysSuccessful, Code: status}
		case operationCancelled:
			return payment.Evidence{Verdict: payment.SaysCancelled, Code: status, Reason: "cancelled or expired"}
		case operationFailed:
			return payment.Evidence{Verdict: payment.SaysFailed, Code: status, Reason: "failed or refused"}
		case operationError:
			return payment.Evidence{Verdict: payment.SaysUnrecognised, Code: status, Reason: "error"}
		case "":
			return payment.Evidence{Verdict: payment.SaysNothing}
		}
	}
	code := status
	if code == "" {
		code = event
	}
	return payment.Evidence{Verdict: payment.SaysUnrecognised, Code: wire.Clean(code, longestCode)}
}
