package simulation

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"momoproxy/shared/httpapi"
	"momoproxy/shared/payment"
	"momoproxy/shared/webhook"
)

// told has the fields that an answer of ours may have.
type told struct {
	Error         string          `json:"error"`
	Code          string          `json:"code"`
	ReferenceID   string          `json:"referenceId"`
	ExternalID    string          `json:"externalId"`
	Status        payment.Status  `json:"status"`
	Amount        json.RawMessage `json:"amount"`
	Payer         string          `json:"payer"`
	FinancialTxID *string         `json:"financialTxId"`
}

// answered holds the answer to a request to pay against what happened. again
// says that the app had better ask again. The key is the one that this request
// had: meanwhile the order may have got another.
func (w *world) answered(o *order, key string, inv *invocation, resp httpapi.Response) (again bool) {
	var body told
	if err := json.Unmarshal([]byte(resp.Body), &body); err != nil {
		w.violate(Answers, "answer %d is no JSON: %s", resp.StatusCode, resp.Body)
		return false
	}
	w.note("answer", http.StatusText(resp.StatusCode), body.Code, body.ReferenceID)
	known, stored := w.books.payments[body.ReferenceID]
	if body.ReferenceID != "" {
		if !stored {
			w.violate(Answers, "%d %s names %s, which is not stored", resp.StatusCode, body.Code, body.ReferenceID)
			return false
		}
		if known.ClientID != o.app.client.ID {
			w.violate(Separation, "%s was told of %s, which belongs to %s", o.app.name, body.ReferenceID, known.ClientID)
		}
	}
	for _, reference := range inv.asked {
		if reference != body.ReferenceID {
			w.violate(Answers, "the provider was asked for %s, the app was answered %d %s with %q", reference, resp.StatusCode, body.Code, body.ReferenceID)
		}
	}
	switch {
	case resp.StatusCode == 202, body.Code == "provider_refused", body.Code == "provider_account", body.Code == "provider_likely_duplicate":
		w.created(o, key, body, resp)
		return failedAtOnce(body.Code) && (o.plain || w.chance(0.3))
	case body.Code == "payment_not_started":
		if key != "" && key == o.key { // it has failed: the answer asks for another key
			o.key += "+"
		}
		return true
	case o.reused && body.Code == "idempotency_key_reused":
	case body.Code == "duplicate_external_id":
		if o.plain && len(o.references) == 0 && o.flying == 0 {
			w.violate(Available, "order %s is said to be taken by %s", o.externalID, body.ReferenceID)
		}
		if known.ExternalID != o.externalID {
			w.violate(Answers, "%s is said to have external id %s", body.ReferenceID, o.externalID)
		}
	case body.Code == "request_in_progress":
		return true
	case resp.StatusCode == 503:
		if body.ReferenceID != "" {
			w.violate(Answers, "503 says that no payment was made, and names %s", body.ReferenceID)
		}
		return true
	case resp.StatusCode == 429:
		return true
	default:
		w.violate(Answers, "an ordinary request was answered %d %s", resp.StatusCode, resp.Body)
	}
	return false
}

// created: the app now knows a reference of its own.
func (w *world) created(o *order, key string, body told, resp httpapi.Response) {
	p := w.books.payments[body.ReferenceID]
	if o.holder != "" {
		w.violate(ChargedOnce, "order %s, held by %s, got another payment %s", o.externalID, o.holder, body.ReferenceID)
	}
	if p.ExternalID != o.externalID || string(p.Payer) != o.payer {
		w.violate(Answers, "%s is not the payment that was asked for", body.ReferenceID)
	}
	if key != "" && !o.reused {
		id := o.app.name + " " + key
		if before, ok := w.books.keys[id]; ok && before != body.ReferenceID {
			w.violate(ChargedOnce, "key %s led to %s and to %s", key, before, body.ReferenceID)
		}
		w.books.keys[id] = body.ReferenceID
	}
	if failedAtOnce(body.Code) {
		w.books.refused[body.ReferenceID] = true
		w.result.Stats.Refused++
	}
	if resp.StatusCode == 202 && body.Status.Ended() {
		// The provider's answer was the outcome; or a replay has the ending,
		// if there was no first answer.
		if p.Status != body.Status {
			w.violate(Answers, "%s was said to be %s and is %s", body.ReferenceID, body.Status, p.Status)
		}
		if body.Status == payment.Successful && w.truth(body.ReferenceID).status != payment.Successful {
			w.violate(NoForgery, "%s was told to be SUCCESSFUL", body.ReferenceID)
		}
	}
	if _, ok := o.references[body.ReferenceID]; !ok {
		w.watch(o, body.ReferenceID)
		w.planRefunds(o.app, body.ReferenceID, w.rates.refunds/4)
	}
	o.references[body.ReferenceID] = body.Code
}

// looked holds the answer to a status question against what is true and, if
// the payment had been seen to succeed before, against that.
func (w *world) looked(a *app, reference string, succeeded bool, resp httpapi.Response) {
	var body told
	if err := json.Unmarshal([]byte(resp.Body), &body); err != nil {
		w.violate(Answers, "status answer %d is no JSON: %s", resp.StatusCode, resp.Body)
		return
	}
	w.note("status is", http.StatusText(resp.StatusCode), string(body.Status))
	p := w.books.payments[reference]
	own := p.ClientID == a.client.ID
	switch {
	case !own && resp.StatusCode != 403, !own && strings.Contains(resp.Body, p.ExternalID):
		w.violate(Separation, "%s asked about %s of another app and was answered %d %s", a.name, reference, resp.StatusCode, resp.Body)
	case !own:
	case resp.StatusCode != 200:
		w.violate(Answers, "%s asked about its own %s and was answered %d %s", a.name, reference, resp.StatusCode, resp.Body)
	case body.ReferenceID != reference || body.ExternalID != p.ExternalID || string(body.Amount) != p.Amount.Decimal():
		w.violate(Answers, "status of %s is about something else: %s", reference, resp.Body)
	case body.Status == payment.Successful:
		w.books.success[reference] = true
		if w.truth(reference).status != payment.Successful {
			w.violate(NoForgery, "%s was told to be SUCCESSFUL", reference)
		}
	case succeeded:
		w.violate(Answers, "%s was SUCCESSFUL and is now %s", reference, body.Status)
	}
}

// received is an app getting an event. It checks as an app should, and then
// as no app could.
func (w *world) received(a *app, header http.Header, body []byte, mood string) {
	err := webhook.VerifyLegacy(header, body, a.client.APIKey)
	if err != nil && a.oldKey != "" && time.Now().Before(a.keySettled) {
		err = webhook.VerifyLegacy(header, body, a.oldKey)
	}
	if err != nil {
		w.violate(EventsOnce, "%s got an event whose X-MoMo-Proxy-Signature does not verify: %v", a.name, err)
	}
	id, ok := w.checkSigned(a, header, body)
	if !ok {
		return
	}
	e, ok := w.read(a, id, body)
	if !ok {
		return
	}
	w.note("  received", id, e.ReferenceID, string(e.Status))
	r := a.received[id]
	if r == nil {
		r = &receipt{body: string(body), reference: e.ReferenceID, sequence: e.Sequence, status: string(e.Status)}
		for other, o := range a.received {
			if o.reference == e.ReferenceID && o.sequence == e.Sequence {
				w.violate(EventsOnce, "events %s and %s are both number %d of %s", id, other, e.Sequence, e.ReferenceID)
			}
		}
		a.received[id] = r
		if e.Event == payment.EventSuccessful {
			w.planRefunds(a, e.ReferenceID, w.rates.refunds)
		}
	}
	r.times++
	r.taken = r.taken || mood == "ok" || mood == "slow"
	if r.body != string(body) {
		w.violate(EventsOnce, "event %s came with two bodies", id)
	}
	p := w.books.payments[e.ReferenceID]
	t := w.truth(e.ReferenceID)
	if ofRefund(e.Event) {
		w.toldOfRefund(a, id, e)
	}
	switch {
	case p.ClientID != a.client.ID || p.ExternalID != e.ExternalID:
		w.violate(Separation, "%s got event %s of %s", a.name, id, p.ClientID)
	case e.Status == payment.Successful && (t.status != payment.Successful || !sameMoney(p, t) || e.Amount != p.Amount.Decimal()):
		w.violate(NoForgery, "%s was told that %s over %s succeeded; the provider's books say %q over %s", a.name, e.ReferenceID, e.Amount, t.status, t.amount)
	case e.InvoiceURL != "" && e.InvoiceURL != t.invoice:
		w.violate(NoForgery, "%s was given the invoice %q of %s; the provider's is %q", a.name, e.InvoiceURL, e.ReferenceID, t.invoice)
	case e.Sequence > 1 && !w.endedBefore(e.ReferenceID, e.Sequence):
		w.violate(EventsOnce, "%s got event %d of %s before the one before had ended", a.name, e.Sequence, e.ReferenceID)
	}
}

// failedAtOnce: the provider refused, and the payment has failed.
func failedAtOnce(code string) bool { return code == "provider_refused" || code == "provider_account" }
