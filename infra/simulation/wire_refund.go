package simulation

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"path"
	"time"

	"momoproxy/infra/standin/core"
	mtnstand "momoproxy/infra/standin/mtn"
	"momoproxy/shared/delivery"
	"momoproxy/shared/gateway"
	"momoproxy/shared/ledger"
	"momoproxy/shared/provider"
	"momoproxy/shared/provider/mtn"
)

// refunders are what gives money back, of one instance, by its clock.
func (w *world) refunders(l *ledger.Ledger, now func() time.Time) map[string]provider.Refunder {
	all := map[string]provider.Refunder{}
	for _, at := range w.platforms {
		one, err := mtn.NewDisbursement(mtn.Config{
			BaseURL: at.url, TargetEnvironment: at.payouts.TargetEnvironment,
			APIUser: at.payouts.APIUser, APIKey: at.payouts.APIKey, SubscriptionKey: at.payouts.SubscriptionKey,
		}, l.ProviderTokens(now), &http.Client{Transport: payoutWire{w, at}}, now, mtn.On(w.host(now)))
		if err != nil {
			panic(err)
		}
		all[at.id] = one
	}
	return all
}

// refundsByHand are the use cases as an operator's tool has them: it asks no
// provider.
func (w *world) refundsByHand() *gateway.Refunds {
	return &gateway.Refunds{
		Ledger:   ledger.New(handTable{w.store, w}, plainSealer{}, ledger.Options{Random: bytesOf{w.rng}}),
		Doorbell: silent{}, Now: time.Now, Log: w.log(),
	}
}

// silent rings for nobody: the sweeper finds what an operator has left.
type silent struct{}

func (silent) Ring(context.Context, ...delivery.Delivery) error { return nil }

// payoutWire is the way from a function to the Disbursement product of one of
// MTN's platforms.
type payoutWire struct {
	w  *world
	at *platform
}

// RoundTrip implements http.RoundTripper.
func (p payoutWire) RoundTrip(r *http.Request) (*http.Response, error) {
	w := p.w
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	q := question{Request: r, body: body, reference: r.Header.Get("X-Reference-Id"), answer: mtnWire{w, p.at}.answer}
	q.pay = q.reference != "" && r.Method == http.MethodPost
	w.note("payouts", r.Method, r.URL.Path, q.reference)
	refused := w.books.refused401[q.reference]
	switch {
	case q.pay:
		w.sendsRefund(q.reference, path.Base(r.URL.Path), p.at)
	case r.Method == http.MethodGet:
		w.running.lie, w.running.about = "", path.Base(r.URL.Path)
		w.asksAboutRefund(w.running.about, p.at)
	}
	resp, err := w.exchange(q)
	var unsent *net.OpError
	switch {
	case !q.pay:
	case err == nil:
		w.books.refused401[q.reference] = resp.StatusCode == http.StatusUnauthorized
	case errors.As(err, &unsent): // what was refused before still is
		w.books.refused401[q.reference] = refused
	}
	return resp, err
}

// refundFault is what goes wrong with the sending of a refund.
func (w *world) refundFault() core.Fault {
	switch {
	case w.chance(max(w.rates.providerBefore, w.rates.refundFails/3)):
		return pick(w, core.TimeoutBefore, core.ResetBefore, core.Error404Before, core.Error500Before, core.Error503Before,
			core.Error429Before, core.Error401Before, core.HTML200Before, core.JSON200Before)
	case w.chance(max(w.rates.providerAfter, w.rates.refundFails/2)):
		return pick(w, core.TimeoutAfter, core.ResetAfter, core.Error500After, core.Error500After, core.Error503After,
			core.HTML200After, core.JSON200After, core.Truncated)
	case w.chance(w.rates.providerOdd):
		return core.Error403Before
	}
	return ""
}

// payoutStatusFault is what goes wrong with the answer to a question about one.
func (w *world) payoutStatusFault() core.Fault {
	switch {
	case w.chance(w.rates.statusLies):
		return pick(w, mtnstand.WrongAmount, mtnstand.WrongCurrency, core.Error404Before)
	case w.chance(w.rates.providerBefore):
		return pick(w, core.TimeoutBefore, core.ResetBefore, core.Error404Before, core.Error500Before, core.Error503Before,
			core.Error429Before, core.Error401Before, core.HTML200Before)
	case w.chance(w.rates.providerOdd):
		return pick(w, core.Truncated, mtnstand.UnknownStatus, mtnstand.ReasonObject, mtnstand.NumberFields)
	}
	return ""
}

// chooseRefund writes the life of a refund at MTN. It executes whatever it takes:
// more than was paid, and what was not paid at all.
func (w *world) chooseRefund() core.Script {
	step := func(after time.Duration, status, reason string) []core.Step {
		return []core.Step{{After: after, Status: status, Reason: reason}}
	}
	p := core.Script{}
	end := w.between(0, 90*time.Second)
	switch x := w.rng.Float64(); {
	case w.calm || x < 0.5:
		p.Steps = step(end, "SUCCESSFUL", "")
	case x < 0.68:
		p.Steps = step(end, "FAILED", pick(w, "COULD_NOT_PERFORM_TRANSACTION", "NOT_ENOUGH_FUNDS", "INTERNAL_PROCESSING_ERROR", "SOMETHING_NEW", ""))
	case x < 0.74: // for ever
	case x < 0.82:
		p.Steps = step(w.between(5*time.Minute, 30*time.Hour), pick(w, "SUCCESSFUL", "FAILED"), "")
	case x < 0.88:
		p.Steps = append(step(0, "CREATED", ""), step(end, "SUCCESSFUL", "")...)
	default:
		p.Refusal = pick(w, "NOT_ALLOWED", "INTERNAL_PROCESSING_ERROR", "SERVICE_UNAVAILABLE", "RESOURCE_NOT_FOUND", "NOT_ALLOWED_TARGET_ENVIRONMENT")
	}
	if !w.calm && w.chance(0.1) {
		p.Hidden = w.between(0, 90*time.Second)
	}
	w.note("  plan of refund", p.Refusal, planOf(p))
	return p
}
