package simulation

import (
	"context"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"momoproxy/shared/httpapi"
)

// webhookWire is the way of a provider's webhook to our function for it.
type webhookWire struct {
	w  *world
	to role
}

// RoundTrip implements http.RoundTripper.
func (h webhookWire) RoundTrip(r *http.Request) (*http.Response, error) {
	w := h.w
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	from := w.parties[slices.IndexFunc(w.parties, func(p *party) bool { return p.hook == h.to })]
	text, token := string(body), strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, "/webhooks/"+from.name), "/")
	if from.shown != nil {
		text = from.shown(text)
	}
	if w.chance(w.rates.callbackLate / 2) {
		w.note("  webhook held up")
		w.after(w.between(0, 10*time.Minute), "late webhook", func() { w.webhook(from, token, r.Header, text) })
		return nil, errLost
	}
	sent := time.Now()
	code, ok := w.webhook(from, token, r.Header, text)
	if ok && code == 401 && w.skewEver() == 0 && time.Since(sent) < time.Minute && r.Header.Get("Webhook-Signature") != "" {
		w.violate(Available, "a webhook that %s has signed was answered 401", from.name)
	}
	if !ok {
		return nil, errLost
	}
	return &http.Response{StatusCode: code, Status: http.StatusText(code), Header: http.Header{}, Body: http.NoBody, Request: r}, nil
}

// webhook brings one webhook, true or forged, to its function. ok is false
// when no answer came.
func (w *world) webhook(of *party, token string, header http.Header, body string) (code int, ok bool) {
	r := httpapi.Request{Body: body, Headers: map[string]string{"content-type": "application/json"}, PathParameters: map[string]string{}}
	r.RequestContext.HTTP.Method = http.MethodPost
	for name := range header {
		r.Headers[strings.ToLower(name)] = header.Get(name)
	}
	if token != "" {
		r.PathParameters["token"] = token
	}
	w.note("webhook", string(of.hook), body)
	w.result.Stats.Webhooks++
	var resp httpapi.Response
	_, ok = w.invoke(of.hook, func(ctx context.Context, i *instance) { resp, _ = i.api.Callbacks.Handler(of.name)(ctx, r) })
	switch {
	case !ok || w.halted:
	case !of.signs && (resp.StatusCode != 200 || resp.Body != `{"received":true}`):
		w.violate(Oracle, "a webhook of %s's was answered %d %s", of.name, resp.StatusCode, resp.Body)
	case resp.StatusCode != 200 && resp.StatusCode != 401 && resp.StatusCode < 500:
		w.violate(Available, "a webhook of %s's was answered %d %s", of.name, resp.StatusCode, resp.Body)
	}
	return resp.StatusCode, ok
}

// checkOwn: a webhook of one provider leads to no question at another, and
// nobody is asked about another's payment.
func (w *world) checkOwn(name, reference string) {
	from := map[role]string{callback: nameMTN}
	for _, p := range w.parties {
		from[p.hook] = p.name
	}
	if inv := w.current; inv != nil && from[inv.role] != "" && from[inv.role] != name {
		w.violate(Separation, "a callback of %s's has %s asked about %s", from[inv.role], name, reference)
	}
	if p, ok := w.books.payments[reference]; ok && p.Provider != name {
		w.violate(Separation, "%s is asked about %s, which is with %s", name, reference, p.Provider)
	}
}
