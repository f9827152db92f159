// Package httpapi turns API Gateway events into use cases and their answers
// into HTTP: authentication, reading JSON, the error form. What a client
// reads and what is logged are different things; this is where they part.
// openapi.yaml describes everything it can say.
package httpapi

import (
	"context"
	_ "embed"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"momoproxy/shared/delivery"
	"momoproxy/shared/gateway"
	"momoproxy/shared/ledger"
	"momoproxy/shared/provider"
	"momoproxy/shared/telemetry"
)

// OpenAPI is the description of the API, as served to nobody and read by
// tests.
//
//go:embed openapi.yaml
var OpenAPI []byte

// Request and Response are API Gateway's HTTP API events, payload version 2.0.
type (
	Request  = events.APIGatewayV2HTTPRequest
	Response = events.APIGatewayV2HTTPResponse
)

// Handler answers one API Gateway event. It never returns an error: API
// Gateway would turn that into a bare 500.
type Handler func(context.Context, Request) (Response, error)

// Doorbell tells the forwarder where to look; forwarder.Doorbell is one.
type Doorbell interface {
	Ring(ctx context.Context, deliveries ...delivery.Delivery) error
}

// API holds what the handlers need. Set every field that a handler in use
// needs; it is then safe for concurrent use.
type API struct {
	Gateway *gateway.Gateway
	// Providers are those that there are, configured or not.
	Providers []provider.Registration
	Ledger    *ledger.Ledger
	// Doorbell tells the forwarder of what is to be delivered again.
	Doorbell Doorbell
	Limits   *RateLimit // per app; nil: none
	Now      func() time.Time
	Log      *slog.Logger
	Version  string
	// QueueCheck says whether the queue answers.
	QueueCheck func(context.Context) error
}

// guard wraps a handler: one log line a request, the request's id on its
// answer and on every line about it, and a panic becomes a 500 instead of the
// end of the process.
func (a *API) guard(route string, h func(context.Context, Request) Response) Handler {
	return func(ctx context.Context, r Request) (resp Response, _ error) {
		started := time.Now()
		ctx = telemetry.WithRequest(ctx, r.RequestContext.RequestID)
		ctx, quota := withQuota(ctx)
		defer func() {
			if p := recover(); p != nil {
				a.Log.ErrorContext(ctx, "request.panic", "route", route, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
				resp = problem(500, "internal", "Something went wrong on our side. It has been logged; please try again.")
			}
			quota.headers(resp.Headers)
			resp = stamp(resp, r)
			a.Log.InfoContext(ctx, "request", "route", route, "status", resp.StatusCode,
				"duration_ms", time.Since(started).Milliseconds())
		}()
		return h(ctx, r), nil
	}
}

// stamp makes an answer one to this request: with its id, which API Gateway
// gave it and writes into its access log, and without a body after HEAD.
func stamp(resp Response, r Request) Response {
	if id := r.RequestContext.RequestID; id != "" {
		resp.Headers["x-request-id"] = id
	}
	if r.RequestContext.HTTP.Method == "HEAD" {
		resp.Body = ""
	}
	return resp
}
