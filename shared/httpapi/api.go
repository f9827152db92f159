// Package httpapi turns API Gateway events into use cases and their answers
// into HTTP: authentication, reading JSON, the error form. What a client
// reads and what is logged are different things; this is where they part.
// openapi.yaml describes everything it can say.
package httpapi

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"momoproxy/shared/host"
	"momoproxy/shared/ledger"
	"momoproxy/shared/telemetry"
)

// Request and Response are API Gateway's HTTP API events, payload version 2.0.
type (
	Request  = events.APIGatewayV2HTTPRequest
	Response = events.APIGatewayV2HTTPResponse
)

// Handler answers one API Gateway event. It never returns an error: API
// Gateway would turn that into a bare 500.
type Handler func(context.Context, Request) (Response, error)

// Base is what every handler needs.
type Base struct {
	Now func() time.Time
	Log *slog.Logger
}

// Apps is what handlers need that apps call.
type Apps struct {
	*Base
	Ledger *ledger.Ledger
	Limits *RateLimit // per app; nil: none
}

// NewApps limits each app to AppPerSecond and AppBurst.
func NewApps(l *ledger.Ledger, on host.Host, log *slog.Logger) *Apps {
	return &Apps{
		Base: &Base{Now: on.Now, Log: log}, Ledger: l,
		Limits: NewRateLimit(AppPerSecond, AppBurst).On(on),
	}
}

// API has the handlers of all routes, for a program that serves them all. Its
// parts share one Base and one Apps. A function of the deployment builds the
// one part that it serves: Collection, Refunds, SelfService, Callbacks or Health. Each
// is safe for concurrent use once it is built.
type API struct {
	*Apps
	Collection  *Collection
	Refunds     *Refunds
	SelfService *SelfService
	Callbacks   *Callbacks
	Health      *Health
}

// guard wraps a handler: one log line a request, the request's id on its
// answer and on every line about it, and a panic becomes a 500 instead of the
// end of the process.
func (b *Base) guard(route string, h func(context.Context, Request) Response) Handler {
	return func(ctx context.Context, r Request) (resp Response, _ error) {
		started := time.Now()
		ctx = telemetry.WithRequest(ctx, r.RequestContext.RequestID)
		ctx, quota := withQuota(ctx)
		defer func() {
			if p := recover(); p != nil {
				b.Log.ErrorContext(ctx, "request.panic", "route", route, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
				resp = problem(500, "internal", "Something went wrong on our side. It has been logged; please try again.")
			}
			quota.headers(resp.Headers)
			resp = stamp(resp, r)
			b.Log.InfoContext(ctx, "request", "route", route, "status", resp.StatusCode,
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
