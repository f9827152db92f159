package simulation

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"

	"momoproxy/shared/httpapi"
)

// callbackWire is the way of a callback from the provider to our function.
type callbackWire struct{ w *world }

var errLost = errors.New("connection lost")

// RoundTrip implements http.RoundTripper.
func (c callbackWire) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	code, ok := c.w.call(r.Method, r.URL.Path, string(body))
	if ok && c.w.calm && strings.Contains(string(body), `"status":"SUCCESSFUL"`) {
		c.w.books.called[strings.Split(strings.TrimPrefix(r.URL.Path, "/callback/"), "/")[0]] = true
	}
	if !ok {
		return nil, errLost
	}
	return &http.Response{StatusCode: code, Status: http.StatusText(code), Header: http.Header{}, Body: http.NoBody, Request: r}, nil
}

// call brings one callback, true or forged, to the function. ok is false when
// no answer came.
func (w *world) call(method, path, body string) (code int, ok bool) {
	r := httpapi.Request{Body: body, Headers: map[string]string{"content-type": "application/json"}, PathParameters: map[string]string{}}
	r.RequestContext.HTTP.Method = method
	if parts := strings.Split(strings.TrimPrefix(path, "/callback/"), "/"); len(parts) == 2 {
		r.PathParameters["referenceId"], r.PathParameters["token"] = parts[0], parts[1]
	}
	w.note("callback", method, path, body)
	var resp httpapi.Response
	_, ok = w.invoke(callback, func(ctx context.Context, i *instance) { resp, _ = i.api.Callbacks.Handler(nameMTN)(ctx, r) })
	if ok && (resp.StatusCode != 200 || resp.Body != `{"received":true}`) {
		w.violate(Oracle, "a callback was answered %d %s", resp.StatusCode, resp.Body)
	}
	return resp.StatusCode, ok
}
