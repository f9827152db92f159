package simulation

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"

	"momoproxy/infra/standin/core"
	momentstand "momoproxy/infra/standin/momentpay"
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
		switch {
		case p.Provider == nameFactura, w.chance(0.1):
			w.forgeFactura(p)
		case p.Provider == nameMoment:
			w.forgeMoment(p)
		default:
			w.forgeMTN(reference, p)
		}
	}
}

// forgeFactura sends webhooks of which only the token of their address says
// whose they are, and that may have leaked. Ids are known, or guessed from
// those of other payments, and of other providers.
func (w *world) forgeFactura(p ledger.Payment) {
	if w.chance(0.2) || len(p.IDs) == 0 {
		p = w.books.payments[w.books.order[w.rng.IntN(len(w.books.order))]]
	}
	body := map[string]any{
		"event":           pick(w, "payment.confirmed", "payment.confirmed", "invoice.created", "payment.paid", "", "payment.refunded"),
		"operationStatus": pick[any](w, "1", "1", 1, "3", "4", "5", "9", ""),
		"operationData":   map[string]any{"amount": p.Amount.Decimal(), "referenceId": p.Reference},
	}
	if w.chance(0.5) {
		body["invoiceUrl"] = "https://invoices.forged.example/1.pdf"
	}
	ids := slices.Sorted(maps.Values(p.IDs))
	ids = append(ids, p.Reference, p.ExternalID)
	for _, field := range []string{"merchantTransactionId", "ekwanzaTransactionId", "operationId", "code"} {
		if w.chance(0.6) {
			body[field] = ids[w.rng.IntN(len(ids))]
		}
	}
	text, _ := json.Marshal(body)
	if w.chance(0.05) {
		text = text[:len(text)/2]
	}
	w.webhook(facturaHook, pick(w, facturaToken, facturaToken, "x", "another-token-altogether"), nil, string(text))
}

// forgeMoment sends webhooks without MomentPay's secret, or with one that it
// has given up: none may be taken. What is sent again late or early was true.
func (w *world) forgeMoment(p ledger.Payment) {
	extra := core.Notice{Forged: pick(w, momentstand.Forgeries()...)}
	if extra.Forged != momentstand.Replayed && extra.Forged != momentstand.Future {
		extra.Status = pick(w, "paid", "paid", "failed", "expired")
	}
	forged, err := w.moment.Compose(p.Reference, extra)
	if err != nil { // MomentPay does not know it, and somebody says that it does
		forged = core.Letter{Header: http.Header{}, Body: fmt.Appendf(nil,
			`{"id":"evt_1","type":"payment_request.paid","data":{"id":"pr_forged","status":"paid","amount":%d,"currency":"ZAR","external_reference":%q}}`,
			p.Amount.Minor, p.Reference)}
		forged.Header.Set("Webhook-Id", "evt_1")
		forged.Header.Set("Webhook-Timestamp", strconv.FormatInt(time.Now().Unix(), 10))
		forged.Header.Set("Webhook-Signature", "v1,"+base64.StdEncoding.EncodeToString([]byte(p.Reference)))
	}
	w.webhook(momentHook, "", forged.Header, string(forged.Body))
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
