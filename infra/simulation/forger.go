package simulation

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"momoproxy/shared/ledger"
)

// planForgeries puts somebody on the agenda who knows references and order
// ids but no token.
func (w *world) planForgeries() {
	if w.rates.forged <= 0 {
		return
	}
	pause := time.Duration(min(float64(time.Minute)/w.rates.forged, float64(24*time.Hour)))
	for at := w.between(0, pause*2); at < min(w.rates.span, time.Hour); at += w.between(0, pause*2) {
		w.anytime(at, "forger", w.forge)
	}
}

// forge sends callbacks about one payment that are not its provider's.
func (w *world) forge() {
	known := w.books.order
	if len(known) == 0 {
		return
	}
	reference := known[w.rng.IntN(len(known))]
	p := w.books.payments[reference]
	burst := 1
	if w.chance(0.1) {
		burst = 2 + w.rng.IntN(20)
	}
	for range burst {
		w.result.Stats.Forged++
		of, anyone := w.party(p.Provider), w.parties[0] // whose webhooks nobody signs
		switch {
		case of == anyone, w.chance(0.1):
			anyone.forge(p)
		case of != nil:
			of.forge(p)
		default:
			w.forgeMTN(reference, p)
		}
	}
}

// forgeMTN sends callbacks that are not MTN's, mostly claiming success.
func (w *world) forgeMTN(reference string, p ledger.Payment) {
	body := map[string]any{
		"status": pick(w, "SUCCESSFUL", "SUCCESSFUL", "SUCCESSFUL", "FAILED", "PENDING", "NONSENSE"), "financialTransactionId": "999",
		"amount": pick(w, p.Amount.Decimal(), p.Amount.Decimal(), "100000"), "currency": "SZL",
		"payer": map[string]string{"partyIdType": "MSISDN", "partyId": string(p.Payer)},
	}
	path := "/callback"
	switch w.rng.IntN(5) {
	case 0: // the right path but for the token
		path += "/" + reference + "/" + pick(w, "AAAAAAAAAAAAAAAAAAAAAA", "x", reference)
		body["externalId"] = reference
	case 1:
		body["externalId"] = p.ExternalID // an app's order, perhaps of several apps
	case 2:
		body["externalId"] = reference
	case 3:
		body["referenceId"] = reference
	case 4:
		body["externalId"] = fmt.Sprintf("order-%d", w.rng.IntN(20))
		body["referenceId"] = reference
	}
	text, _ := json.Marshal(body)
	if w.chance(0.05) {
		text = text[:len(text)/2]
	}
	w.call(pick(w, http.MethodPost, http.MethodPut), path, string(text))
}

// planJumps has instances' clocks jump, as far as clocks may differ.
func (w *world) planJumps() {
	if w.rates.skew == 0 {
		return
	}
	for range 1 + w.rng.IntN(8) {
		w.after(w.between(0, w.rates.span), "clock jumps", func() {
			for _, r := range []role{requestToPay, status, callback, facturaHook, momentHook, forwarding, reconciler} {
				for _, i := range w.pools[r] {
					if w.chance(0.5) {
						i.skew = w.between(-w.rates.skew, w.rates.skew)
					}
				}
			}
		})
	}
}
