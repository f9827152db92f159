package httpapi

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"momoproxy/shared/gateway"
	"momoproxy/shared/ledger"
	"momoproxy/shared/provider"
)

// received is the answer to every callback, except errors for a provider that
// signs.
func received() Response {
	return Response{
		StatusCode: 200,
		Headers:    map[string]string{"content-type": "application/json", "cache-control": "no-store"},
		Body:       gateway.CallbackAnswer,
	}
}

// Callbacks handles what providers send.
type Callbacks struct {
	*Base
	Gateway *gateway.Gateway
	// Providers are those that there are, configured or not.
	Providers []provider.Registration
}

// Handler handles the routes by which a provider's callbacks come in. name is
// one of Providers. Without Callbacks.SaysWhy the answer is the same
// whatever came and whatever became of it: it must not help a forger.
func (c *Callbacks) Handler(name string) Handler {
	i := slices.IndexFunc(c.Providers, func(r provider.Registration) bool { return r.Name == name })
	if i < 0 {
		panic("httpapi: provider " + name + " is not registered")
	}
	of := c.Providers[i]
	route := of.Callbacks.Routes[0]
	guarded := c.guard(route, func(ctx context.Context, r Request) Response {
		body, refused := bodyOf(r)
		if refused != nil {
			c.Log.WarnContext(ctx, "callback.unreadable_body", "provider", name, "bytes", len(r.Body))
			body = []byte(r.Body[:min(len(r.Body), 1024)])
		}
		err := c.Gateway.Receive(ctx, gateway.Callback{
			Provider: name, Reference: r.PathParameters["referenceId"], Token: r.PathParameters["token"],
			Header: func(name string) string { return header(r, name) },
			Method: r.RequestContext.HTTP.Method, Path: pathOf(of.Callbacks.Routes, r), Body: body, Started: ledger.Clock(c.Now()),
		})
		unsigned := errors.Is(err, provider.ErrSignature)
		switch {
		case unsigned:
			c.Log.WarnContext(ctx, "callback.unverified", "provider", name, "error", err.Error())
		case err != nil:
			c.Log.ErrorContext(ctx, "callback.failed", "provider", name, "error", err.Error())
		}
		switch {
		case !of.Callbacks.SaysWhy || err == nil:
			return received()
		case unsigned:
			return problem(401, "bad_signature", "The webhook's signature does not verify.")
		case errors.Is(err, gateway.ErrUnconfigured):
			return problem(404, "not_found", fmt.Sprintf("%s is not configured here.", of.Title))
		}
		return fromError(err)
	})
	if of.Callbacks.SaysWhy {
		return guarded
	}
	return func(ctx context.Context, r Request) (Response, error) {
		resp, err := guarded(ctx, r)
		if resp.StatusCode != 200 { // a panic; logged
			resp = stamp(received(), r)
		}
		return resp, err
	}
}

// pathOf is the path of a callback as it is kept: the one of routes that takes
// just the parameters that came, with its token masked.
func pathOf(routes []string, r Request) string {
	for _, route := range routes {
		_, path, _ := strings.Cut(route, " ")
		if strings.Count(path, "{") != len(r.PathParameters) {
			continue
		}
		path = strings.Replace(path, "{token}", "***", 1)
		return strings.Replace(path, "{referenceId}", clip(strings.ToValidUTF8(r.PathParameters["referenceId"], "")), 1)
	}
	_, path, _ := strings.Cut(routes[0], " ")
	return strings.Replace(path, "{token}", "***", 1)
}
