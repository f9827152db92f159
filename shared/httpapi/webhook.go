package httpapi

import (
	"context"
	"errors"

	"momoproxy/shared/gateway"
	"momoproxy/shared/ledger"
	"momoproxy/shared/provider"
)

// MomFacturaWebhook handles POST /webhooks/mom-factura/{token}. The token is
// the deployment's own, which Mom Factura was given with the address; the
// adapter judges it. The answer is the same whatever came and whatever became
// of it: nothing is signed, so it must not help a forger, and Mom Factura
// sends nothing twice.
func (a *API) MomFacturaWebhook() Handler {
	const path = "/webhooks/mom-factura/***"
	guarded := a.guard("POST /webhooks/mom-factura/{token}", func(ctx context.Context, r Request) Response {
		_ = a.receive(ctx, r, "mom-factura", path)
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

// MomentPayWebhook handles POST /webhooks/momentpay. A signature that does
// not verify is told, so that an operator who has exchanged a secret sees it;
// and so is a fault of ours, because MomentPay sends again what was not
// answered with 200.
func (a *API) MomentPayWebhook() Handler {
	const path = "/webhooks/momentpay"
	return a.guard("POST "+path, func(ctx context.Context, r Request) Response {
		switch err := a.receive(ctx, r, "momentpay", path); {
		case errors.Is(err, provider.ErrSignature):
			return problem(401, "bad_signature", "The webhook's signature does not verify.")
		case errors.Is(err, gateway.ErrUnconfigured):
			return problem(404, "not_found", "MomentPay is not configured here.")
		case err != nil:
			return fromError(err)
		}
		return received()
	})
}

// receive takes a webhook to its end and logs why it could not.
func (a *API) receive(ctx context.Context, r Request, name, path string) error {
	body, refused := bodyOf(r)
	if refused != nil {
		a.Log.WarnContext(ctx, "callback.unreadable_body", "provider", name, "bytes", len(r.Body))
		body = []byte(r.Body[:min(len(r.Body), 1024)])
	}
	err := a.Gateway.Receive(ctx, gateway.Callback{
		Provider: name, Token: r.PathParameters["token"], Header: func(name string) string { return header(r, name) },
		Method: r.RequestContext.HTTP.Method, Path: path, Body: body, Started: ledger.Clock(a.Now()),
	})
	switch {
	case errors.Is(err, provider.ErrSignature):
		a.Log.WarnContext(ctx, "callback.unverified", "provider", name, "error", err.Error())
	case err != nil:
		a.Log.ErrorContext(ctx, "callback.failed", "provider", name, "error", err.Error())
	}
	return err
}
