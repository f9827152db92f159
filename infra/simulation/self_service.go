package simulation

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"momoproxy/shared/delivery"
	"momoproxy/shared/httpapi"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
)

// planSelfService has apps use the routes of the payments function: lists,
// timelines, resends. Once the faults have stopped each lists its payments.
func (w *world) planSelfService() {
	for _, a := range w.apps {
		for left := w.rates.selfService; w.chance(left); left-- {
			w.anytime(w.between(0, w.rates.span), "self-service", func() {
				switch w.rng.IntN(5) {
				case 4:
					w.readEvents(a)
				case 0:
					w.list(a, "")
				case 1:
					if len(a.orders) > 0 {
						w.list(a, a.orders[w.rng.IntN(len(a.orders))].externalID)
					}
				case 2:
					w.onPayment(a, http.MethodGet, "/payments/{referenceId}", w.lookedAtTimeline)
				case 3:
					w.onPayment(a, http.MethodPost, "/payments/{referenceId}/resend-callback", w.resentByApp)
				}
			})
		}
	}
}

// serve has the payments function answer one request of an app, with the API
// key given. ok is false when no answer came, or one that any request may get:
// 429, and 503 if it began while things went wrong.
func (w *world) serve(a *app, key string, r httpapi.Request) (resp httpapi.Response, ok bool) {
	r.Headers = map[string]string{"x-proxy-api-key": key}
	calm := w.calm
	w.note("self-service", a.name, r.RouteKey, r.PathParameters["referenceId"], r.RawQueryString)
	_, ok = w.invoke(paymentsOf, func(ctx context.Context, i *instance) { resp, _ = i.api.SelfService.Handler()(ctx, r) })
	w.note("self-service answer", http.StatusText(resp.StatusCode))
	return resp, ok && !busy(resp, calm) && !w.halted
}

// busy: an answer that any request may get, if it began while things went
// wrong.
func busy(resp httpapi.Response, calm bool) bool {
	return resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode == http.StatusServiceUnavailable && !calm
}

func requestTo(method, path string) httpapi.Request {
	r := httpapi.Request{RouteKey: method + " " + path}
	r.RequestContext.HTTP.Method = method
	return r
}

// list asks for an app's payments, of one order or all. The answer has no
// other app's payment, and when nothing fails each one that the app knows.
func (w *world) list(a *app, externalID string) {
	query := url.Values{"limit": {"100"}}
	if externalID != "" {
		query.Set("externalId", externalID)
	}
	r := requestTo(http.MethodGet, "/payments")
	r.RawQueryString = query.Encode()
	calm := w.calm
	resp, ok := w.serve(a, a.client.APIKey, r)
	if !ok {
		return
	}
	var body struct {
		Payments   []told  `json:"payments"`
		NextCursor *string `json:"nextCursor"`
	}
	if err := json.Unmarshal([]byte(resp.Body), &body); err != nil || resp.StatusCode != http.StatusOK {
		w.violate(Answers, "%s asked for its payments and was answered %d %s", a.name, resp.StatusCode, resp.Body)
		return
	}
	listed := map[string]bool{}
	for _, p := range body.Payments {
		listed[p.ReferenceID] = true
		stored, known := w.books.payments[p.ReferenceID]
		switch {
		case !known || stored.ClientID != a.client.ID:
			w.violate(Separation, "%s was shown %s of %q", a.name, p.ReferenceID, stored.ClientID)
		case stored.ExternalID != p.ExternalID || externalID != "" && externalID != p.ExternalID:
			w.violate(Answers, "%s asked for order %q and was shown %s of %q", a.name, externalID, p.ReferenceID, p.ExternalID)
		case p.Status == payment.Successful && w.truth(p.ReferenceID).status != payment.Successful:
			w.violate(NoForgery, "%s was shown %s as SUCCESSFUL", a.name, p.ReferenceID)
		}
	}
	if !calm || body.NextCursor != nil {
		return
	}
	for _, o := range a.orders {
		for reference := range o.references {
			if stored := w.books.payments[reference]; !listed[reference] && (externalID == "" || externalID == stored.ExternalID) {
				w.violate(Answers, "%s knows %s, which is not among its payments", a.name, reference)
			}
		}
	}
}

// onPayment sends an app's request about a payment, mostly its own, and has
// the answer judged. About another app's it may learn nothing.
func (w *world) onPayment(a *app, method, path string, judge func(a *app, reference string, resp httpapi.Response)) {
	var own []string
	for _, reference := range w.books.order {
		if w.books.payments[reference].ClientID == a.client.ID {
			own = append(own, reference)
		}
	}
	from := own
	if len(own) == 0 || w.chance(0.2) {
		from = w.books.order
	}
	if len(from) == 0 {
		return
	}
	reference := from[w.rng.IntN(len(from))]
	r := requestTo(method, path)
	r.PathParameters = map[string]string{"referenceId": reference}
	resp, ok := w.serve(a, a.client.APIKey, r)
	switch {
	case !ok:
	case w.books.payments[reference].ClientID == a.client.ID:
		judge(a, reference, resp)
	case resp.StatusCode != http.StatusForbidden:
		w.violate(Separation, "%s sent %s about %s of another app and was answered %d %s", a.name, r.RouteKey, reference, resp.StatusCode, resp.Body)
	}
}

// lookedAtTimeline holds a payment's timeline against what the app has got.
func (w *world) lookedAtTimeline(a *app, reference string, resp httpapi.Response) {
	var body struct {
		told
		Events []struct {
			EventID string         `json:"eventId"`
			State   delivery.State `json:"state"`
			Body    string         `json:"body"`
		} `json:"events"`
	}
	if err := json.Unmarshal([]byte(resp.Body), &body); err != nil || resp.StatusCode != http.StatusOK || body.ReferenceID != reference {
		w.violate(Answers, "%s asked for the timeline of %s and was answered %d %s", a.name, reference, resp.StatusCode, resp.Body)
		return
	}
	for _, e := range body.Events {
		got := a.received[e.EventID]
		switch {
		case e.State == delivery.Delivered && (got == nil || !got.taken):
			w.violate(Answers, "%s is told that it has taken %s", a.name, e.EventID)
		case got != nil && got.body != e.Body:
			w.violate(Answers, "%s got %s with another body than its timeline shows", a.name, e.EventID)
		}
	}
}

// resentByApp: a resend is taken, or the answer says why not.
func (w *world) resentByApp(a *app, reference string, resp httpapi.Response) {
	var body told
	err := json.Unmarshal([]byte(resp.Body), &body)
	switch {
	case err == nil && resp.StatusCode == http.StatusAccepted && body.ReferenceID == reference:
		w.result.Stats.Resent++
	case err == nil && resp.StatusCode == http.StatusConflict && body.Code != "":
	default:
		w.violate(Answers, "%s asked for the callback of %s again and was answered %d %s", a.name, reference, resp.StatusCode, resp.Body)
	}
	w.stale = true
}

// planKeyRotations has apps take new API keys while faults go on.
func (w *world) planKeyRotations() {
	for _, a := range w.apps {
		for left := w.rates.keyRotations; w.chance(left); left-- {
			w.anytime(w.between(0, w.rates.span), "key rotation", func() { w.rotateKey(a) })
		}
	}
}

// rotateKey gives an app a new API key, as an operator does it. The app uses
// it from some moment in the first half of the overlap on, and somebody tries
// the old one when it must have ended.
func (w *world) rotateKey(a *app) {
	if time.Now().Before(a.keySettled) {
		return
	}
	a.keys++
	now, old, fresh := time.Now(), a.client.APIKey, fmt.Sprintf("key-%s-%d", a.name, a.keys)
	overlap := pick(w, 10*time.Minute, time.Hour, 24*time.Hour)
	until := now.Add(overlap)
	w.note("rotate key", a.name, overlap.String())
	c, err := w.oracle.Client(context.Background(), a.client.ID)
	if err == nil {
		_, err = w.oracle.Rotate(context.Background(), c, ledger.Rotation{Of: ledger.APIKey, Fresh: fresh, Now: now, Until: until})
	}
	if err != nil {
		w.violate(NoPanic, "the API key of %s cannot be rotated: %v", a.name, err)
		return
	}
	w.result.Stats.KeyRotations++
	ended := until.Add(w.skewEver() + settling)
	a.keySettled = ended
	w.after(w.between(0, overlap/2), "new key", func() {
		w.note("uses its new key", a.name)
		a.oldKey, a.client.APIKey = old, fresh
	})
	w.after(ended.Sub(now)+w.between(0, time.Hour), "an ended key", func() {
		resp, ok := w.serve(a, old, requestTo(http.MethodGet, "/payments"))
		if ok && resp.StatusCode != http.StatusUnauthorized {
			w.violate(Secrets, "an API key of %s that ended at %s is answered %d", a.name, until.UTC(), resp.StatusCode)
		}
	})
}
