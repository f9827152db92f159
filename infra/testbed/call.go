package testbed

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	"momoproxy/infra/cloud"
	"momoproxy/shared/httpapi"
)

// Answer is what the API answered.
type Answer struct {
	httpapi.Response
	Fields map[string]any // of the body
}

// Text is a field of the body, empty when it is missing or no string.
func (a Answer) Text(name string) string { s, _ := a.Fields[name].(string); return s }

// Reference is the body's referenceId.
func (a Answer) Reference() string { return a.Text("referenceId") }

// Code is the body's code.
func (a Answer) Code() string { return a.Text("code") }

// Call hands an event to its route's handler.
func (w *World) Call(ctx context.Context, r httpapi.Request) Answer {
	w.t.Helper()
	w.mu.RLock()
	h, ok := w.routes[r.RouteKey]
	w.mu.RUnlock()
	if !ok {
		w.t.Fatalf("no route %s", r.RouteKey)
	}
	resp, err := h(ctx, r)
	if err != nil {
		w.t.Errorf("%s: the handler returned an error: %v", r.RouteKey, err)
	}
	if w.observe != nil {
		w.observe(r, resp)
	}
	a := Answer{Response: resp}
	if r.RequestContext.HTTP.Method == http.MethodHead {
		return a // without a body
	}
	if strings.HasPrefix(resp.Headers["content-type"], "text/csv") {
		return a
	}
	if err := json.Unmarshal([]byte(resp.Body), &a.Fields); err != nil {
		w.t.Errorf("%s: %d is no JSON object: %q", r.RouteKey, resp.StatusCode, resp.Body)
	}
	return a
}

// Routes lists the route keys that are served.
func (w *World) Routes() []string {
	var all []string
	for r := range w.routes {
		all = append(all, r)
	}
	return all
}

// Pay is POST /request-to-pay by Shop with a JSON body; headers are names
// and values in turn, and an empty value takes a header out.
func (w *World) Pay(body string, headers ...string) Answer {
	w.t.Helper()
	r := cloud.Request("POST /request-to-pay")
	r.Headers = map[string]string{"content-type": "application/json", "x-proxy-api-key": ShopKey}
	for i := 0; i+1 < len(headers); i += 2 {
		if r.Headers[strings.ToLower(headers[i])] = headers[i+1]; headers[i+1] == "" {
			delete(r.Headers, strings.ToLower(headers[i]))
		}
	}
	r.Body = body
	return w.Call(context.Background(), r)
}

// Order is a good request-to-pay body.
func Order(externalID, payer string) string {
	return fmt.Sprintf(`{"amount":"150.00","externalId":%q,"payer":{"partyIdType":"MSISDN","partyId":%q}}`, externalID, payer)
}

// Ask is GET /status/{referenceId} under an API key.
func (w *World) Ask(reference, key string) Answer {
	w.t.Helper()
	r := cloud.Request("GET /status/{referenceId}", reference)
	r.Headers["x-proxy-api-key"] = key
	return w.Call(context.Background(), r)
}

// CallBack posts or puts a callback: bare without path, else to the address
// that path ("reference/token") names.
func (w *World) CallBack(method, path, body string) Answer {
	w.t.Helper()
	r := cloud.Request(method + " /callback")
	if path != "" {
		reference, token, _ := strings.Cut(path, "/")
		r = cloud.Request(method+" /callback/{referenceId}/{token}", reference, token)
	}
	r.Headers["content-type"] = "application/json"
	r.Body = body
	return w.Call(context.Background(), r)
}

// CallbackPath is "reference/token" of the callback address that MTN was
// given for a payment.
func (w *World) CallbackPath(reference string) string {
	w.t.Helper()
	e, ok := w.Sandbox.Payment(reference)
	path, found := strings.CutPrefix(e.CallbackURL, PublicURL+"/callback/")
	if !ok || !found {
		w.t.Fatalf("MTN has no callback address of %s: %q", reference, e.CallbackURL)
	}
	return path
}

// inbound carries the providers' callbacks to the API's handlers.
type inbound struct{ w *World }

// RoundTrip implements http.RoundTripper.
func (in inbound) RoundTrip(out *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(out.Body)
	if err != nil {
		return nil, err
	}
	var a Answer
	if path, ok := strings.CutPrefix(out.URL.String(), PublicURL+"/callback"); ok {
		a = in.w.CallBack(out.Method, strings.TrimPrefix(path, "/"), string(body))
	} else if route, token := webhookRoute(out.Method, strings.TrimPrefix(out.URL.String(), PublicURL)); route != "" {
		a = in.w.Webhook(route, token, out.Header, string(body))
	} else {
		return nil, fmt.Errorf("testbed: no such host: %s", out.URL)
	}
	return &http.Response{
		StatusCode: a.StatusCode, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{},
		Body: io.NopCloser(bytes.NewReader([]byte(a.Body))), ContentLength: int64(len(a.Body)), Request: out,
	}, nil
}
