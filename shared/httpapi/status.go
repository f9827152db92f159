package httpapi

import (
	"context"
	"encoding/json"

	"momoproxy/shared/gateway"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
)

// statusBody is the contract's StatusResponse and, behind it, what is ours.
// amount is a JSON number, written from the exact decimal; amountDecimal is the
// same as text, for clients that read numbers as floats.
type statusBody struct {
	ReferenceID       string              `json:"referenceId"`
	ExternalID        string              `json:"externalId"`
	Status            payment.Status      `json:"status"`
	Amount            json.Number         `json:"amount"`
	AmountDecimal     string              `json:"amountDecimal"`
	Currency          string              `json:"currency"`
	Payer             *string             `json:"payer"`
	FinancialTxID     *string             `json:"financialTxId"`
	FailureReason     *string             `json:"failureReason"`
	FailureCode       payment.FailureCode `json:"failureCode,omitempty"`
	Refunded          string              `json:"refundedAmount,omitempty"`
	CallbackForwarded bool                `json:"callbackForwarded"`
	CreatedAt         string              `json:"createdAt"`
	UpdatedAt         string              `json:"updatedAt"`
	Provider          string              `json:"provider"`
	Account           string              `json:"account,omitempty"`
	Method            string              `json:"method,omitempty"`
	Phase             payment.Phase       `json:"phase,omitempty"`
	NextCheckAt       string              `json:"nextCheckAt,omitempty"`
	Instructions      map[string]string   `json:"instructions,omitempty"`
	ProviderIDs       map[string]string   `json:"providerIds,omitempty"`
	InvoiceURL        string              `json:"invoiceUrl,omitempty"`
	Metadata          map[string]string   `json:"metadata,omitempty"`
}

// Status handles GET /status/{referenceId}.
func (c *Collection) Status() Handler {
	return c.guard("GET /status/{referenceId}", func(ctx context.Context, r Request) Response {
		client, refused := c.authenticate(ctx, r)
		if refused != nil {
			return *refused
		}
		story, err := c.Gateway.Status(ctx, client, r.PathParameters["referenceId"])
		if err != nil {
			resp := fromError(err)
			if resp.StatusCode >= 500 {
				c.Log.ErrorContext(ctx, "status.failed", "client", client.ID, "error", err.Error())
			}
			return resp
		}
		return respond(200, statusOf(story))
	})
}

func statusOf(s ledger.Story) statusBody {
	p := s.Payment
	body := statusBody{
		ReferenceID: p.Reference, ExternalID: p.ExternalID, Status: p.Status,
		Amount: json.Number(p.Amount.Decimal()), AmountDecimal: p.Amount.Decimal(), Currency: p.Amount.Currency, Payer: orNull(string(p.Payer)),
		FinancialTxID: orNull(p.FinancialTransactionID), FailureReason: orNull(p.Reason), FailureCode: p.FailureCode, Refunded: refundedAmount(p),
		CallbackForwarded: gateway.Forwarded(s.Deliveries),
		CreatedAt:         payment.Timestamp(p.CreatedAt), UpdatedAt: payment.Timestamp(p.UpdatedAt),
		Provider: p.Provider, Account: p.Account, Method: p.Method, Phase: p.Phase, Instructions: p.Instructions, ProviderIDs: p.IDs, InvoiceURL: p.InvoiceURL, Metadata: p.Metadata,
	}
	if p.Open() && !p.NextCheckAt.IsZero() {
		body.NextCheckAt = payment.Timestamp(p.NextCheckAt)
	}
	return body
}

func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
