package httpapi

import (
	"context"
	"strings"

	"momoproxy/shared/gateway"
	"momoproxy/shared/ledger"
)

// received is what every callback is answered.
func received() Response {
	return Response{
		StatusCode: 200,
		Headers:    map[string]string{"content-type": "application/json", "cache-control": "no-store"},
		Body:       gateway.CallbackAnswer,
	}
}

// MTNCallback handles POST and PUT of /callback and of
// /callback/{referenceId}/{token}. The answer is the same whatever came and
// whatever became of it: it must not help a forger.
func (a *API) MTNCallback() Handler {
	const route = "callback"
	guarded := a.guard(route, func(ctx context.Context, r Request) Response {
		body, refused := bodyOf(r)
		if refused != nil {
			a.Log.WarnContext(ctx, "callback.unreadable_body", "bytes", len(r.Body))
			body = []byte(r.Body[:min(len(r.Body), 1024)])
		}
		c := gateway.Callback{
			Provider: "mtn", Reference: r.PathParameters["referenceId"], Token: r.PathParameters["token"],
			Method: r.RequestContext.HTTP.Method, Path: "/callback", Body: body, Started: ledger.Clock(a.Now()),
		}
		if c.Reference != "" {
			c.Path = "/callback/" + clip(strings.ToValidUTF8(c.Reference, "")) + "/***"
		}
		if err := a.Gateway.Receive(ctx, c); err != nil {
			a.Log.ErrorContext(ctx, "callback.failed", "error", err.Error())
		}
		return received()
	})
	return func(ctx context.Context, r Request) (Response, error) {
		resp, err := guarded(ctx, r)
		if resp.StatusCode != 200 { // a panic; logged
			resp = stamp(received(), r)
		}
		return resp, err
	}
}
