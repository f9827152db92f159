package simulation

import (
	"io"
	"net/http"
	"time"

	"momoproxy/infra/standin/core"
	momentstand "momoproxy/infra/standin/momentpay"
)

// momentWire is the way from a function to MomentPay.
type momentWire struct{ w *world }

// RoundTrip implements http.RoundTripper.
func (m momentWire) RoundTrip(r *http.Request) (*http.Response, error) {
	w := m.w
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	reference := referenceOf(r.Context())
	q := question{Request: r, body: body, reference: reference, pay: r.Method == http.MethodPost}
	w.note("momentpay", r.Method, r.URL.Path, reference)
	w.checkOwn(nameMoment, reference)
	w.running.lie, w.running.about = "", reference
	if q.pay {
		if key := r.Header.Get("Idempotency-Key"); key != reference {
			w.violate(ChargedOnce, "MomentPay was asked for %s under the key %q", reference, key)
		}
		w.asks(reference, string(body))
	}
	q.answer = func(r *http.Request) (*http.Response, error) {
		resp, err := w.moment.RoundTripper().RoundTrip(r)
		if e, ok := w.moment.Payment(reference); ok && e.Accepted > 1 {
			w.violate(ChargedOnce, "MomentPay has %d requests for %s", e.Accepted, reference)
		}
		w.see(reference)
		if q.pay && err == nil && resp.StatusCode >= 300 {
			w.books.untold[reference] = time.Now()
		}
		return resp, err
	}
	return w.exchange(q)
}

// momentCents are those of amounts that ask MomentPay for something special.
var momentCents = []int{51, 52, 53, 54, 61, 62, 63, 65, 66, 67, 68, 69, 71, 72, 73, 74, 75, 76, 77, 78, 79}

// injectMoment is asked what goes wrong with one exchange.
func (w *world) injectMoment(c core.Call) core.Fault {
	f := w.momentFault(c)
	if f != "" {
		w.note("  fault", string(f))
	}
	return f
}

func (w *world) momentFault(c core.Call) core.Fault {
	switch c.Route {
	case core.RouteCallback:
		w.see(c.Reference)
		switch {
		case w.chance(w.rates.callbackLost):
			w.result.Stats.Lost++
			return core.Lost
		case w.chance(w.rates.callbackTwice):
			return core.Repeated
		}
	case momentstand.RouteRetrieve:
		switch {
		case w.chance(w.rates.statusLies):
			f := pick(w, momentstand.WrongAmount, momentstand.WrongCurrency, momentstand.WrongReference, momentstand.OtherRequest,
				momentstand.UnknownStatus, momentstand.NoAmount)
			w.lie(c.Reference, string(f))
			return f
		case w.chance(w.rates.providerBefore):
			return pick(w, core.TimeoutBefore, core.ResetBefore, core.Error500Before, core.Error503Before, core.Error429Before,
				core.Error401Before, core.Error403Before, core.Error404Before, core.HTML404Before, core.HTML200Before, core.Endless)
		case w.chance(w.rates.providerOdd):
			return pick(w, core.Truncated, momentstand.StringAmount, momentstand.NoLink)
		}
	case momentstand.RouteCreate:
		e, _ := w.moment.Payment(c.Reference)
		switch {
		case w.chance(w.rates.statusLies / 2):
			f := pick(w, momentstand.WrongAmount, momentstand.WrongCurrency, momentstand.WrongReference, momentstand.OtherRequest)
			w.lie(c.Reference, string(f))
			return f
		case w.chance(w.rates.providerBefore):
			f := pick(w, core.TimeoutBefore, core.ResetBefore, core.Error500Before, core.Error503Before, momentstand.KeptErrorBefore,
				core.Error429Before, core.Error409Before, core.Error400Before, core.Error401Before, core.Error403Before, core.HTML404Before, core.HTML200Before)
			if f == core.Error400Before && e.Asks > 0 {
				w.lie(c.Reference, absent) // it may have it
			}
			return f
		case w.chance(w.rates.providerAfter):
			return pick(w, core.TimeoutAfter, core.ResetAfter, core.Error500After, momentstand.KeptErrorAfter,
				core.HTML200After, core.Truncated, momentstand.NoLink)
		}
	}
	return ""
}

// planMomentRotation exchanges the secret under which MomentPay signs, as an
// operator does it: the new one is deployed beside the old one, then MomentPay
// signs with it, then the old one is taken away.
func (w *world) planMomentRotation() {
	if w.rates.rotations <= 0 {
		return
	}
	deploy := func(secrets ...string) {
		w.note("deploy secrets")
		w.momentSecrets = secrets
		for _, i := range w.pools[momentHook] {
			i.outdated = true
		}
	}
	at := w.between(0, w.rates.span)
	w.after(at, "rotation at MomentPay", func() {
		old, fresh := w.momentSecrets[0], w.newMomentSecret()
		deploy(fresh, old)
		signs := w.between(time.Minute, 10*time.Minute)
		w.after(signs, "MomentPay signs with the new secret", func() {
			if w.chance(0.3) {
				w.moment.RotateSecrets(fresh, old)
				return
			}
			w.moment.RotateSecrets(fresh)
		})
		w.after(signs+w.between(3*time.Minute, 10*time.Minute), "the old secret is taken away", func() { deploy(fresh) })
	})
}
