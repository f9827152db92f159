package httpapi_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"momoproxy/infra/cloud"
	"momoproxy/infra/testbed"
	"momoproxy/shared/httpapi"
)

// Every answer has its request's id, and so has every line that is logged
// while it is made: of apps, providers and strangers.
func TestEveryAnswerAndLineHasTheRequestsID(t *testing.T) {
	bubble(t, testbed.Options{Queue: deaf}, func(t *testing.T, w *testbed.World) {
		app := func(r httpapi.Request) httpapi.Request {
			r.Headers["x-proxy-api-key"] = testbed.ShopKey
			return r
		}
		pay := app(cloud.Request("POST /request-to-pay"))
		pay.Body = testbed.Order("ORDER-1", good)
		reference := w.Call(t.Context(), pay).Reference()
		posted := func(r httpapi.Request) httpapi.Request {
			r.Body = `{"status":"FAILED","externalId":"ORDER-1"}`
			return r
		}
		panics := cloud.Request("GET /health")
		lines := 0
		for i, r := range []httpapi.Request{
			pay, // a duplicate
			app(cloud.Request("GET /status/{referenceId}", reference)),
			cloud.Request("GET /status/{referenceId}", reference),
			app(cloud.Request("GET /payments")),
			app(cloud.Request("GET /payments/{referenceId}", reference)),
			app(cloud.Request("POST /payments/{referenceId}/resend-callback", reference)),
			posted(cloud.Request("POST /callback")),
			posted(cloud.Request("PUT /callback/{referenceId}/{token}", reference, "forged")),
			posted(cloud.Request("POST /callback/{referenceId}/{token}", "no-such", "forged")),
			posted(cloud.Request("POST /webhooks/mom-factura/{token}", "forged")),
			posted(cloud.Request("POST /webhooks/momentpay")),
			cloud.Request("GET /health"), // the queue does not answer
			cloud.Request("HEAD /health"),
			unknown("GET", "/nothing"),
			unknown("DELETE", "/health"),
			panics,
		} {
			if i == 15 {
				w.API.Health.QueueCheck = nil
			}
			id := fmt.Sprintf("request-%d", i)
			r.RequestContext.RequestID = id
			before := len(w.Log())
			a := w.Call(t.Context(), r)
			if a.Headers["x-request-id"] != id {
				t.Errorf("%s: x-request-id %q", r.RouteKey, a.Headers["x-request-id"])
			}
			logged := strings.TrimSpace(w.Log()[before:])
			for line := range strings.SplitSeq(logged, "\n") {
				var of struct {
					ID string `json:"api_request"`
				}
				if err := json.Unmarshal([]byte(line), &of); err != nil || of.ID != id {
					t.Errorf("%s: a line is of %q, not %q: %s", r.RouteKey, of.ID, id, line)
				}
				lines++
			}
		}
		if lines < 20 {
			t.Errorf("only %d lines", lines)
		}
	})
}
