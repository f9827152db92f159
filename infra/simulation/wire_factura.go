package simulation

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"momoproxy/infra/standin/core"
	facturastand "momoproxy/infra/standin/momfactura"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
	"momoproxy/shared/provider/momfactura"
)

const (
	facturaURL   = "https://factura.example"
	facturaKey   = "factura-key-of-the-simulation"
	facturaToken = "factura-token-of-the-simulation"
)

// factura is Mom Factura.
type factura struct {
	*facturastand.Standin
	// answering is the request that it is answering.
	answering *http.Request
}

// buildFactura makes Mom Factura, in one of the forms in which its pages
// contradict each other.
func (w *world) buildFactura() {
	times := core.Times{
		// How long an MCX payer takes is simulated on the way there; the
		// stand-in itself must not wait.
		Approve: w.between(time.Second, 90*time.Second), Invoice: w.between(time.Second, 10*time.Minute),
		Slow: w.between(5*time.Minute, 3*time.Hour), Late: w.between(0, 2*time.Hour), Repeat: w.between(0, 5*time.Minute),
		Lag: w.between(0, time.Minute), Expire: 3 * time.Minute, Due: pick(w, time.Hour, 24*time.Hour, 72*time.Hour),
		Long: w.between(20*time.Hour, 40*time.Hour),
	}
	flag := func() bool { return w.chance(0.3) }
	w.factura.Standin = facturastand.New(facturastand.Options{Options: core.Options{CallbackURL: publicURL + "/webhooks/mom-factura/" + facturaToken,
		HTTPClient: &http.Client{Transport: webhookWire{w, facturaHook}},
		Now:        time.Now, AfterFunc: w.facturaAfterFunc, Seed: w.rng.Uint64() | 1, Times: times, InstantTimeouts: true,
		Inject: w.injectFactura, Choose: w.chooseFactura},
		APIKey:  facturaKey,
		Dialect: facturastand.Dialect{SDK: flag(), SwapNesting: flag(), Bare: w.chance(0.1), Numbers: flag(), WithdrawOptional: flag()}})
	w.parties = append(w.parties, &party{
		name: facturastand.Name, hook: facturaHook, currency: "AOA", stand: w.factura.Standin,
		adapter: func(now func() time.Time) provider.Provider {
			p, err := momfactura.New(momfactura.Config{BaseURL: facturaURL, APIKey: facturaKey, WebhookToken: facturaToken},
				&http.Client{Transport: partyWire{w, w.party(facturastand.Name)}}, now)
			if err != nil {
				panic(err)
			}
			return p
		},
		order: w.orderFactura, ask: w.askFactura, shown: w.shown, forge: w.forgeFactura, truth: w.truthFactura, native: w.nativeFactura,
		words: map[payment.Event][]string{
			payment.EventSuccessful: {"payment.confirmed 1"}, payment.EventInvoice: {"invoice.created 1"},
			payment.EventFailed: {" 4"}, payment.EventCancelled: {" 3"}, payment.EventTimeout: {" 3"},
		},
		ways: map[string]way{
			facturastand.RouteReference: {window: 24 * time.Hour, spacing: 30 * time.Second},
			facturastand.RouteEkwanza:   {window: time.Hour, spacing: 5 * time.Second, id: "code", waits: true},
			facturastand.RouteMCX:       {decided: true},
		},
		invoice: times.Invoice, count: func(s *Stats) *int { return &s.Factura },
	})
}

// askFactura looks at a request that leaves. How long an MCX payer takes is
// simulated on the way there.
func (w *world) askFactura(q question) func(*http.Request) (*http.Response, error) {
	w.countFactura(q)
	if !q.pay {
		w.running.lie, w.running.about = "", q.reference
	} else if _, ok := w.books.content[q.reference]; ok {
		w.violate(ChargedOnce, "Mom Factura, which cannot tell a repeat, was asked for %s again", q.reference)
	}
	if q.pay && strings.HasSuffix(q.URL.Path, "/mcx") && w.chance(0.7) {
		return func(*http.Request) (*http.Response, error) {
			most := pick(w, 2*time.Second, 20*time.Second, 40*time.Second)
			if w.calm {
				most = 10 * time.Second
			}
			w.waitFor(w.between(0, most)) // the payer decides
			return w.answerFactura(q, q.unheeded())
		}
	}
	return func(r *http.Request) (*http.Response, error) { return w.answerFactura(q, r) }
}

// orderFactura draws a payment.
func (w *world) orderFactura(o *order, content map[string]any, _ bool) (named bool) {
	method := pick(w, facturastand.RouteReference, facturastand.RouteReference, facturastand.RouteEkwanza, facturastand.RouteMCX)
	if w.rates.factura > 0.5 && w.chance(0.7) {
		method = facturastand.RouteEkwanza // whose payers wait before a page that looks
	}
	content["method"] = method
	o.payer = fmt.Sprintf("24492%07d", w.rng.IntN(10_000_000))
	return method != facturastand.RouteReference || w.chance(0.3)
}

// countFactura holds a request that leaves against the provider's limits, by
// the time of those before it. Clocks that differ cannot keep them.
func (w *world) countFactura(q question) {
	now := time.Now()
	all := w.books.requests.add(now, time.Minute)
	submits, since := 0, time.Hour
	if q.pay {
		submits = w.books.submits.add(now, time.Minute)
	} else {
		if last, ok := w.books.asked[q.reference]; ok {
			since = now.Sub(last)
		}
		w.books.asked[q.reference] = now
	}
	if w.skewEver() > 0 {
		return
	}
	least := w.way(w.books.payments[q.reference]).spacing
	switch {
	case all > 100:
		w.violate(Limits, "Mom Factura: %d requests within a minute", all)
	case submits > 20:
		w.violate(Limits, "Mom Factura: %d requests to pay within a minute", submits)
	case since < least:
		w.violate(Limits, "Mom Factura: %s was asked about again after %s, not %s", q.reference, since, least)
	}
}

// answerFactura has the stand-in answer, and finds out which payment of its
// own it has made for ours.
func (w *world) answerFactura(q question, r *http.Request) (*http.Response, error) {
	last, _ := w.factura.Newest()
	w.factura.answering = r
	resp, err := w.factura.RoundTripper().RoundTrip(r)
	w.factura.answering = nil
	if e, made := w.factura.Newest(); made && e.Reference != last.Reference {
		if other, ok := w.books.factura[q.reference]; ok {
			w.violate(ChargedOnce, "Mom Factura made %s and %s for %s", other, e.Reference, q.reference)
		}
		w.books.factura[q.reference] = e.Reference
		w.note("  made", e.Reference, e.Script)
		w.collide(e.Reference)
	}
	w.see(q.reference)
	if err == nil {
		w.rename(resp)
	}
	return resp, err
}

// collide gives a payment of Mom Factura's an id that another payment has
// there or at another provider: nobody promises that ids differ.
func (w *world) collide(id string) {
	if len(w.books.ids) > 0 && w.chance(w.rates.collisions) {
		w.books.alias = append(w.books.alias, id, w.books.ids[w.rng.IntN(len(w.books.ids))])
		w.result.Stats.Collisions++
		w.note("  collides", w.books.alias[len(w.books.alias)-1])
	}
}

// shown is a text of Mom Factura's as it leaves it.
func (w *world) shown(text string) string {
	if len(w.books.alias) == 0 {
		return text
	}
	return strings.NewReplacer(w.books.alias...).Replace(text)
}

// rename does that to an answer, as far as it can be read.
func (w *world) rename(resp *http.Response) {
	if len(w.books.alias) == 0 || resp.ContentLength < 0 {
		return
	}
	whole, err := io.ReadAll(resp.Body)
	rest := io.Reader(bytes.NewReader([]byte(w.shown(string(whole)))))
	if err != nil {
		rest = io.MultiReader(rest, broken{err})
	}
	resp.Body = io.NopCloser(rest)
}

// facturaAfterFunc is afterFunc, but for the one wait that the stand-in does
// itself, inside a request: how long an MCX payer takes. That has passed on
// the way there.
func (w *world) facturaAfterFunc(d time.Duration, f func()) (stop func() bool) {
	if w.factura.answering != nil && strings.HasSuffix(w.factura.answering.URL.Path, "/mcx") {
		go f()
		return func() bool { return false }
	}
	return w.afterFunc(d, f)
}

// chooseFactura picks the life of one payment.
func (w *world) chooseFactura(c core.Call) (core.Script, bool) {
	return w.factura.Script(w.scriptAtFactura(c))
}

func (w *world) scriptAtFactura(c core.Call) string {
	switch {
	case w.calm:
		return facturastand.ScriptPaid
	case c.Route == facturastand.RouteMCX:
		return pick(w, facturastand.ScriptPaid, facturastand.ScriptPaid, facturastand.ScriptPaid, "failed", "rejected")
	case w.chance(0.3):
		return facturastand.ScriptPaid
	}
	return pick(w, "slow", "webhooks_lost", "webhooks_late", "webhooks_doubled", "webhooks_reversed", "webhooks_first",
		"without_event", "invoice_never", facturastand.ScriptPending, "cancelled", "expired", "failed", "rejected", "error",
		"unknown_word", "late_success", "forged", "forged_pending", "forged_failure")
}

// injectFactura is asked what goes wrong with one exchange.
func (w *world) injectFactura(c core.Call) core.Fault {
	f := w.facturaFault(c)
	if f != "" {
		w.note("  fault", string(f))
	}
	return f
}

func (w *world) facturaFault(c core.Call) core.Fault {
	switch c.Route {
	case core.RouteCallback:
		switch {
		case w.chance(w.rates.callbackLost):
			w.result.Stats.Lost++
			return core.Lost
		case w.chance(w.rates.callbackTwice):
			return core.Repeated
		}
	case facturastand.RouteStatus:
		switch {
		case w.chance(w.rates.statusLies):
			f := facturastand.UnknownWord
			if strings.HasPrefix(c.Reference, "op-") && w.chance(0.7) {
				f = facturastand.OtherPayment // an E-kwanza answer need not name its operation
			}
			w.lie(w.running.about, string(f))
			return f
		case w.chance(w.rates.providerBefore):
			return pick(w, core.TimeoutBefore, core.ResetBefore, core.Error500Before, core.Error429Before, core.Error401Before,
				core.Error403Before, core.HTML200Before, core.HTML404Before, core.Error404Before, core.EchoBefore)
		case w.chance(w.rates.providerOdd):
			return pick(w, core.Truncated, facturastand.Incomplete, core.Endless)
		}
	default:
		switch {
		case w.chance(w.rates.providerBefore):
			return pick(w, core.TimeoutBefore, core.ResetBefore, core.Error500Before, core.Error429Before, core.Error401Before,
				core.Error403Before, core.Error400Before, core.HTML200Before, core.HTML404Before, core.Error404Before)
		case w.chance(w.rates.providerAfter):
			return pick(w, core.TimeoutAfter, core.ResetAfter, core.Error500After, facturastand.UnknownCodeAfter, core.HTML504After,
				core.HTML200After, core.Truncated, facturastand.Incomplete, core.Endless)
		}
	}
	return ""
}

// lie notes that an answer about a payment is wrong.
func (w *world) lie(reference, what string) {
	w.running.lie = what
	w.books.lies[reference] = append(w.books.lies[reference], what)
}

var wordsFactura = map[string]payment.Status{
	facturastand.Pending: payment.Pending, facturastand.Errored: payment.Pending, "ON_HOLD": payment.Pending,
	facturastand.Paid: payment.Successful, facturastand.Cancelled: payment.Cancelled, facturastand.Expired: payment.Cancelled,
	facturastand.Failed: payment.Failed, facturastand.Rejected: payment.Failed,
}

// truthFactura: nobody pays a reference whose number nobody knows.
func (w *world) truthFactura(reference string) truth {
	id, ok := w.books.factura[reference]
	if !ok {
		return truth{}
	}
	e, _ := w.factura.Payment(id)
	t := truth{
		status: wordsFactura[e.Status], made: true, charges: e.Charges, since: e.Since, created: e.Created,
		amount: e.Amount, currency: "AOA", payer: e.Payer, reference: reference, invoice: w.shown(e.InvoiceURL),
	}
	if e.Method == facturastand.RouteReference && w.books.payments[reference].IDs["operationId"] == "" {
		t.status, t.charges, t.invoice = payment.Pending, 0, ""
	}
	return t
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
	w.webhook(w.parties[0], pick(w, facturaToken, facturaToken, "x", "another-token-altogether"), nil, string(text))
}

func (w *world) nativeFactura(p ledger.Payment, n nativeBody) (word string, own bool) {
	own = n.MerchantTransactionID == p.Reference || w.hasID(p, n.MerchantTransactionID)
	if id, ok := n.EkwanzaTransactionID.(string); ok && !own {
		own = w.hasID(p, id)
	}
	return n.Event + " " + n.OperationStatus, own
}
