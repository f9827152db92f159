package httpapi

import (
	"context"
	"encoding/json"
	"errors"

	"momoproxy/shared/gateway"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
	"momoproxy/shared/refund"
)

// Refunds handles what gives money back.
type Refunds struct {
	*Apps
	Refunds *gateway.Refunds
}

// refundBody is a refund as its app sees it.
type refundBody struct {
	RefundID      string        `json:"refundId"`
	ReferenceID   string        `json:"referenceId"`
	Status        refund.Status `json:"status"`
	Kind          refund.Kind   `json:"kind"`
	Amount        json.Number   `json:"amount"`
	AmountDecimal string        `json:"amountDecimal"`
	Currency      string        `json:"currency"`
	Reason        string        `json:"reason"`
	FinancialTxID *string       `json:"financialTxId"`
	ProviderCode  string        `json:"providerCode,omitempty"`
	CreatedAt     string        `json:"createdAt"`
	UpdatedAt     string        `json:"updatedAt"`
	EndedAt       string        `json:"endedAt,omitempty"`
	NextCheckAt   string        `json:"nextCheckAt,omitempty"`
}

func refundOf(f ledger.Refund) refundBody {
	return refundBody{
		RefundID: f.ID, ReferenceID: f.Payment, Status: f.Status, Kind: f.Kind,
		Amount: json.Number(f.Amount.Decimal()), AmountDecimal: f.Amount.Decimal(), Currency: f.Amount.Currency, Reason: f.Reason,
		FinancialTxID: orNull(f.FinancialTransactionID), ProviderCode: f.Code,
		CreatedAt: payment.Timestamp(f.CreatedAt), UpdatedAt: payment.Timestamp(f.UpdatedAt),
		EndedAt: timestamp(f.EndedAt), NextCheckAt: timestamp(f.NextCheckAt),
	}
}

func refundsOf(all []ledger.Refund) []refundBody {
	bodies := make([]refundBody, 0, len(all))
	for _, f := range all {
		bodies = append(bodies, refundOf(f))
	}
	return bodies
}

// Handler handles POST /payments/{referenceId}/refunds.
func (h *Refunds) Handler() Handler {
	return h.guard("POST /payments/{referenceId}/refunds", func(ctx context.Context, r Request) Response {
		client, refused := h.authenticate(ctx, r)
		if refused != nil {
			return *refused
		}
		if len(client.RefundsPerDay) == 0 {
			return problem(403, "refunds_not_allowed", "This app may not refund. The operator can allow it, up to an amount a day.")
		}
		body, refused := bodyOf(r)
		switch {
		case refused != nil:
			return *refused
		case !isJSON(r):
			return notJSON()
		}
		p, err := h.Ledger.Payment(ctx, r.PathParameters["referenceId"])
		if err == nil && p.ClientID != client.ID {
			err = gateway.ErrForbidden
		}
		if err != nil {
			return h.failed(ctx, "refund.failed", client, err)
		}
		order, faults, err := readRefund(body, p.Amount.Currency)
		if err != nil {
			return problem(400, "malformed_json", "The body is "+err.Error()+".")
		}
		if faults = append(faults, gateway.RefundFaults(order, faults)...); len(faults) > 0 {
			return invalid(faults)
		}
		order.Reference, order.ClientID, order.Kind = p.Reference, client.ID, refund.ByRefund
		for _, m := range client.RefundsPerDay {
			if m.Currency == p.Amount.Currency {
				order.PerDay = m
			}
		}
		_, f, err := h.Refunds.Request(ctx, order)
		if err != nil {
			return h.failed(ctx, "refund.failed", client, err)
		}
		if f.Status == refund.Pending {
			f = h.work(ctx, f)
		}
		return respond(202, refundOf(f))
	})
}

// work sends a refund that is stored. Whatever goes wrong, it is stored, and the
// reconciler goes on with it.
func (h *Refunds) work(ctx context.Context, f ledger.Refund) ledger.Refund {
	after, err := h.Refunds.Work(ctx, f.Payment, f.ID)
	if err == nil {
		return after
	}
	if !errors.Is(err, ledger.ErrStale) {
		h.Log.WarnContext(ctx, "refund.work_failed", "reference", f.Payment, "refund", f.ID, "error", err.Error())
	}
	if stored, err := h.Ledger.Refund(ctx, f.Payment, f.ID); err == nil {
		return stored
	}
	return f
}

// readRefund reads the body of a refund; faults of form come back all at once.
func readRefund(body []byte, currency string) (o gateway.RefundOrder, faults []gateway.Fault, err error) {
	read, err := parseObject(body)
	if err != nil {
		return o, nil, err
	}
	faults = read.into("", fields{
		"refundId": text(&o.ID),
		"reason":   text(&o.Reason),
		"amount": amount(func(said string) (fault string) {
			o.Amount, fault = gateway.ReadAmount(said, currency)
			return fault
		}),
	})
	return o, faults, nil
}

// refunds handles GET /payments/{referenceId}/refunds, and behind it /{refundId}.
func (s *SelfService) refunds(ctx context.Context, r Request) Response {
	client, refused := s.authenticate(ctx, r)
	if refused != nil {
		return *refused
	}
	story, err := s.ownPayment(ctx, client, r)
	if err != nil {
		return s.failed(ctx, "refunds.failed", client, err)
	}
	id, one := r.PathParameters["refundId"]
	if !one {
		return respond(200, struct {
			Refunds []refundBody `json:"refunds"`
		}{refundsOf(story.Refunds)})
	}
	f, err := s.Ledger.Refund(ctx, story.Payment.Reference, id)
	if errors.Is(err, ledger.ErrNotFound) {
		return problem(404, "refund_not_found", "The payment has no refund with this refundId.")
	}
	if err != nil {
		return s.failed(ctx, "refunds.failed", client, err)
	}
	return respond(200, refundOf(f))
}
