package httpapi

import (
	"context"

	"momoproxy/shared/gateway"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
)

// paymentBody is the 202 answer of request-to-pay. It is made of what never
// changes about a payment and of the first answer, so that a replay repeats it
// byte for byte. Instructions and ids that the provider gave only later are in
// a later replay.
type paymentBody struct {
	ReferenceID string              `json:"referenceId"`
	Status      payment.Status      `json:"status"`
	ExternalID  string              `json:"externalId"`
	Provider    string              `json:"provider"`
	Account     string              `json:"account,omitempty"`
	Method      string              `json:"method,omitempty"`
	Amount      string              `json:"amount"`
	Currency    string              `json:"currency"`
	Payer       *string             `json:"payer"`
	FailureCode payment.FailureCode `json:"failureCode,omitempty"`
	Phase       payment.Phase       `json:"phase,omitempty"`
	CreatedAt   string              `json:"createdAt"`
	// Instructions are what the payer needs, where the app has to pass
	// something on.
	Instructions map[string]string `json:"instructions,omitempty"`
	// ProviderIDs are the provider's own ids of the payment: native callbacks
	// may name no other.
	ProviderIDs map[string]string `json:"providerIds,omitempty"`
}

// Collection handles what takes a payment and what asks for it.
type Collection struct {
	*Apps
	Gateway *gateway.Gateway
}

// RequestToPay handles POST /request-to-pay.
func (c *Collection) RequestToPay() Handler {
	return c.guard("POST /request-to-pay", func(ctx context.Context, r Request) Response {
		client, refused := c.authenticate(ctx, r)
		if refused != nil {
			return *refused
		}
		record := ledger.AuditRecord{At: ledger.Clock(c.Now()), Direction: ledger.InboundFromApp, ClientID: client.ID, Method: "POST", URL: "/request-to-pay"}
		resp, recorded := c.requestToPay(ctx, r, client, &record)
		if !recorded {
			record.ResponseCode, record.ResponseBody, record.Duration = resp.StatusCode, resp.Body, c.Now().Sub(record.At)
			if err := c.Ledger.Audit(ctx, record); err != nil {
				c.Log.ErrorContext(ctx, "audit.lost", "route", "/request-to-pay", "error", err.Error())
			}
		}
		return resp
	})
}

// requestToPay puts into record what it learns of the request, and says whether
// it has been written.
func (c *Collection) requestToPay(ctx context.Context, r Request, client ledger.Client, record *ledger.AuditRecord) (resp Response, recorded bool) {
	body, refused := bodyOf(r)
	if refused != nil {
		return *refused, false
	}
	record.RequestBody = string(body)
	if !isJSON(r) {
		return notJSON(), false
	}
	request, faults, err := readRequest(body)
	if err != nil {
		return problem(400, "malformed_json", "The body is "+err.Error()+"."), false
	}
	if len(faults) > 0 {
		request.MayUse = client.Accounts
		return invalid(append(faults, c.Gateway.Faults(ctx, request, faults)...)), false
	}
	request.IdempotencyKey, request.HasIdempotencyKey = headerOf(r, "idempotency-key")
	answer, recorded, err := c.Gateway.Initiate(ctx, client, request, *record)
	if err != nil {
		c.Log.ErrorContext(ctx, "request_to_pay.failed", "client", client.ID, "error", err.Error())
		return fromError(err), false
	}
	if answer.Kind != gateway.ExternalIDTaken { // that trail is the other payment's
		record.Reference = answer.Payment.Reference
	}
	return answered(answer), recorded
}

// answered is what each outcome of Initiate says in HTTP.
func answered(answer gateway.Answer) Response {
	p := answer.Payment
	resp := Response{}
	switch answer.Kind {
	case gateway.Accepted:
		body := paymentBody{
			ReferenceID: p.Reference, Status: answer.Status, ExternalID: p.ExternalID, Provider: p.Provider, Account: p.Account, Method: p.Method,
			Amount: p.Amount.Decimal(), Currency: p.Amount.Currency, Payer: orNull(string(p.Payer)),
			FailureCode: answer.Failure, Phase: answer.Phase, CreatedAt: payment.Timestamp(p.CreatedAt), Instructions: p.Instructions, ProviderIDs: p.IDs,
		}
		resp = respond(202, body)
	case gateway.Invalid:
		resp = invalid(answer.Faults)
	case gateway.ExternalIDTaken:
		resp = respond(409, errorBody{
			Error: "A payment with this externalId is open or has succeeded; referenceId names it.",
			Code:  "duplicate_external_id", ReferenceID: p.Reference, Status: p.Status,
		})
	case gateway.KeyReused:
		resp = respond(422, errorBody{
			Error: "This Idempotency-Key belongs to a request with another body; referenceId names its payment. Use a new key for a new payment.",
			Code:  "idempotency_key_reused", ReferenceID: p.Reference, Status: p.Status,
		})
	case gateway.InProgress:
		resp = retryAfter(respond(409, errorBody{
			Error: "The first request with this Idempotency-Key has not been answered yet; repeat it as Retry-After says.",
			Code:  "request_in_progress", ReferenceID: p.Reference, Status: p.Status,
		}), answer.RetryAfter)
	case gateway.Refused:
		resp = respond(422, errorBody{
			Error: "The provider refused the payer or the request; nothing was charged. providerCode has its word for why.",
			Code:  "provider_refused", ReferenceID: p.Reference, Status: payment.Failed, ProviderCode: answer.Code, FailureCode: answer.Failure,
		})
	case gateway.AccountRefused:
		resp = respond(502, errorBody{
			Error: "The provider refused this service's account, whoever pays; the operator has been alerted. Nothing was charged and the payment has FAILED. Start a new one, with a new Idempotency-Key, once the operator has mended it.",
			Code:  "provider_account", ReferenceID: p.Reference, Status: payment.Failed, ProviderCode: answer.Code, FailureCode: answer.Failure,
		})
	case gateway.NotStarted:
		resp = retryAfter(respond(502, errorBody{
			Error: "The request did not reach the provider, or its request limit was spent. Nothing was charged and the payment has FAILED; start a new one, with a new Idempotency-Key, as Retry-After says.",
			Code:  "payment_not_started", ReferenceID: p.Reference, Status: payment.Failed, FailureCode: answer.Failure,
		}), answer.RetryAfter)
	case gateway.LikelyDuplicate:
		resp = respond(502, errorBody{
			Error: "The provider's answer is likely that of a duplicate. It proves nothing, so the payment stays open until its true outcome is known; do not start another.",
			Code:  "provider_likely_duplicate", ReferenceID: p.Reference, Status: payment.Pending,
		})
	case gateway.Unavailable:
		if answer.Busy {
			resp = retryAfter(problem(503, "provider_busy", "The provider is well, but takes only so many requests in a minute, and they are spent. Nothing was charged; try again as Retry-After says."), answer.RetryAfter)
			break
		}
		resp = retryAfter(problem(503, "provider_unavailable", "The provider cannot take payments now. Nothing was charged; try again as Retry-After says."), answer.RetryAfter)
	}
	if answer.Replayed {
		resp.Headers["idempotent-replayed"] = "true"
	}
	return resp
}
