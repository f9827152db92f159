package simulation

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"time"

	"momoproxy/infra/standin/core"
	facturastand "momoproxy/infra/standin/momfactura"
)

// facturaWire is the way from a function to Mom Factura.
type facturaWire struct{ w *world }

// RoundTrip implements http.RoundTripper.
func (f facturaWire) RoundTrip(r *http.Request) (*http.Response, error) {
	w := f.w
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	reference := referenceOf(r.Context())
	q := question{Request: r, body: body, reference: reference, pay: r.Method == http.MethodPost}
	w.note("mom-factura", r.Method, r.URL.Path, reference)
	w.checkOwn(nameFactura, reference)
	w.countFactura(q)
	if q.pay {
		if _, ok := w.books.content[reference]; ok {
			w.violate(ChargedOnce, "Mom Factura, which cannot tell a repeat, was asked for %s again", reference)
		}
		w.asks(reference, string(body))
	} else {
		w.running.lie, w.running.about = "", reference
	}
	q.answer = func(r *http.Request) (*http.Response, error) { return w.answerFactura(q, r) }
	if q.pay && strings.HasSuffix(r.URL.Path, "/mcx") && w.chance(0.7) {
		q.answer = func(*http.Request) (*http.Response, error) {
			most := pick(w, 2*time.Second, 20*time.Second, 40*time.Second)
			if w.calm {
				most = 10 * time.Second
			}
			w.waitFor(w.between(0, most)) // the payer decides
			return w.answerFactura(q, q.unheeded())
		}
	}
	return w.exchange(q)
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
	least := spacings[w.books.payments[q.reference].Method]
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
	w.atFactura = r
	resp, err := w.factura.RoundTripper().RoundTrip(r)
	w.atFactura = nil
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
	if w.atFactura != nil && strings.HasSuffix(w.atFactura.URL.Path, "/mcx") {
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
