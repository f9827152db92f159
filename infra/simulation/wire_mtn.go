package simulation

import (
	"io"
	"net/http"
	"path"
	"strings"
	"time"

	"momoproxy/infra/standin/core"
	mtnstand "momoproxy/infra/standin/mtn"
)

// mtnWire is the way from a function to a platform of MTN's.
type mtnWire struct {
	w  *world
	at *platform
}

// RoundTrip implements http.RoundTripper.
func (p mtnWire) RoundTrip(r *http.Request) (*http.Response, error) {
	w := p.w
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	reference := r.Header.Get("X-Reference-Id")
	pay := reference != "" && r.Method == http.MethodPost
	w.note("provider", r.Method, r.URL.Path, reference)
	if pay {
		w.asks(reference, string(body)+" "+r.Header.Get("X-Callback-Url"))
		w.checkAccount(reference, p.at)
	}
	if r.Method == http.MethodGet {
		w.running.lie, w.running.about = "", path.Base(r.URL.Path)
		w.checkOwn(nameMTN, w.running.about)
		w.checkAccount(w.running.about, p.at)
		if n := p.at.statuses.add(time.Now(), time.Second); n > 10 && w.skewEver() == 0 {
			w.violate(Limits, "MTN: %d status questions within a second", n)
		}
	}
	return w.exchange(question{Request: r, body: body, reference: reference, pay: pay, answer: p.answer})
}

// inject is asked by the provider what goes wrong with one exchange.
func (w *world) inject(c core.Call) core.Fault {
	f := w.faultOf(c)
	switch f {
	case mtnstand.WrongAmount, mtnstand.WrongCurrency, mtnstand.WrongPayer, mtnstand.WrongExternalID, mtnstand.UnknownStatus:
		w.running.lie = string(f)
	}
	if f != "" {
		w.note("  fault", string(f))
	}
	return f
}

func (w *world) faultOf(c core.Call) core.Fault {
	if f := w.silence(c); f != "" {
		return f
	}
	switch c.Route {
	case mtnstand.RouteToken:
		if w.chance(w.rates.tokenFails) {
			return pick(w, core.TimeoutBefore, core.ResetBefore, core.Error503Before, mtnstand.LoginFailed,
				core.HTML200Before, core.Error401Before, core.Truncated)
		}
	case mtnstand.RouteRequestToPay:
		switch {
		case w.chance(w.rates.providerBefore):
			return pick(w, core.TimeoutBefore, core.ResetBefore, core.Error500Before, core.Error503Before,
				core.Error429Before, core.Error401Before, core.HTML200Before, core.JSON200Before)
		case w.chance(w.rates.providerAfter):
			return pick(w, core.TimeoutAfter, core.ResetAfter, core.Error500After, core.Error503After,
				core.HTML200After, core.JSON200After, core.Truncated)
		case w.chance(w.rates.providerOdd):
			return core.Error403Before
		}
	case mtnstand.RouteRefund, mtnstand.RouteTransfer:
		return w.refundFault()
	case mtnstand.RoutePayoutStatus:
		return w.payoutStatusFault()
	case mtnstand.RouteStatus:
		switch {
		case w.chance(w.rates.statusLies):
			f := pick(w, mtnstand.WrongAmount, mtnstand.WrongCurrency, mtnstand.WrongPayer, core.Error404Before)
			w.books.lies[c.Reference] = append(w.books.lies[c.Reference], string(f))
			return f
		case w.chance(w.rates.providerBefore):
			f := pick(w, core.TimeoutBefore, core.ResetBefore, core.Error500Before, core.Error503Before,
				core.Error429Before, core.Error401Before, core.Error403Before, core.HTML200Before)
			if f == core.Error401Before && w.rates.crowd {
				// The adapter asks again at once with a new token. One such
				// question more is within the margin, a storm of them is not.
				f = core.Error503Before
			}
			return f
		case w.chance(w.rates.providerOdd):
			return pick(w, core.Truncated, mtnstand.UnknownStatus, mtnstand.WrongExternalID, mtnstand.ReasonObject, mtnstand.NumberFields)
		}
	case core.RouteCallback:
		switch {
		case w.chance(w.rates.callbackLost):
			w.result.Stats.Lost++
			return core.Lost
		case w.chance(w.rates.callbackTwice):
			return core.Repeated
		}
	}
	return ""
}

func (w *world) callbackRetries() []time.Duration {
	if w.chance(0.3) {
		return []time.Duration{2 * time.Second, time.Minute, time.Hour}
	}
	return nil
}

// choose writes the life of one payment at the provider.
func (w *world) choose(c core.Call) (core.Script, bool) {
	if c.Route != mtnstand.RouteRequestToPay {
		return w.chooseRefund(), true
	}
	p := core.Script{}
	step := func(after time.Duration, status, reason string) {
		p.Steps = append(p.Steps, core.Step{After: after, Status: status, Reason: reason})
	}
	reason := pick(w, "APPROVAL_REJECTED", "EXPIRED", "NOT_ENOUGH_FUNDS", "INTERNAL_PROCESSING_ERROR", "SOMETHING_NEW", "", "TRANSACTION_CANCELED")
	end := w.between(time.Second, 90*time.Second)
	switch x := w.rng.Float64(); {
	case w.calm || x < 0.40:
		step(end, "SUCCESSFUL", "")
	case x < 0.58:
		step(end, "FAILED", reason)
	case x < 0.64: // for ever
	case x < 0.70:
		step(w.between(5*time.Minute, 3*time.Hour), "SUCCESSFUL", "")
	case x < 0.75:
		step(w.between(24*time.Hour, 30*time.Hour), "SUCCESSFUL", "")
	case x < 0.79:
		step(w.between(20*time.Hour, 40*time.Hour), "FAILED", reason)
	case x < 0.85:
		step(end, "FAILED", reason)
		step(end+w.between(time.Minute, 40*time.Hour), "SUCCESSFUL", "")
	case x < 0.91:
		step(0, "CREATED", "")
		step(end, "ON_HOLD", "")
		step(end+w.between(time.Minute, time.Hour), "SUCCESSFUL", "")
	default:
		p.Refusal = pick(w, "PAYER_NOT_FOUND", "NOT_ALLOWED", "INTERNAL_PROCESSING_ERROR", "SERVICE_UNAVAILABLE", "INVALID_CURRENCY")
	}
	w.announce(&p)
	if !w.calm && w.chance(w.rates.callbackEarly) {
		p.Lag = w.between(0, 90*time.Second)
	}
	if !w.calm && w.chance(0.1) {
		p.Hidden = w.between(0, 90*time.Second)
	}
	w.books.plans[c.Reference] = p
	w.note("  plan", p.Refusal, planOf(p))
	return p, true
}

// announce gives a plan its callbacks.
func (w *world) announce(p *core.Script) {
	for _, s := range p.Steps {
		if s.Status != "SUCCESSFUL" && s.Status != "FAILED" && !w.chance(0.2) {
			continue
		}
		n := core.Notice{After: s.After, Method: pick(w, http.MethodPost, http.MethodPut)}
		if w.chance(w.rates.callbackLate) {
			n.After += w.between(0, 2*time.Hour)
		}
		p.Callbacks = append(p.Callbacks, n)
		if w.chance(w.rates.callbackLate / 2) { // told before it is true, and late what was true
			p.Callbacks = append(p.Callbacks, core.Notice{After: s.After + w.between(0, time.Hour), Status: "PENDING"})
		}
	}
}

func planOf(p core.Script) string {
	var b strings.Builder
	for _, s := range p.Steps {
		b.WriteString(s.After.String() + ":" + s.Status + " ")
	}
	return b.String()
}
