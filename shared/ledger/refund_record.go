package ledger

import (
	"strings"

	"momoproxy/shared/payment"
	"momoproxy/shared/refund"
	"momoproxy/shared/table"
)

// Refund is a stored refund. Change the embedded refund only by package refund.
type Refund struct {
	refund.Refund
	// RequestHash identifies what was asked for, to tell a repeat under the same
	// id from another request.
	RequestHash string
	version     int64
}

func (r Refund) record() table.Record {
	w := writer{}
	w.text("reference", r.Reference)
	w.text("client_id", r.ClientID)
	w.text("kind", string(r.Kind))
	w.number("amount_minor", r.Amount.Minor)
	w.text("currency", r.Amount.Currency)
	w.text("reason", r.Reason)
	w.text("operator", r.Operator)
	w.text("status", string(r.Status))
	w.flag("held", r.Held)
	w.text("financial_tx_id", r.FinancialTransactionID)
	w.text("code", r.Code)
	w.number("sends", int64(r.Sends))
	w.time("asked_at", r.AskedAt)
	w.flag("accepted", r.Accepted)
	w.number("checks", int64(r.Checks))
	w.time("created_at", r.CreatedAt)
	w.time("updated_at", r.UpdatedAt)
	w.time("ended_at", r.EndedAt)
	w.text("ended_by", string(r.EndedBy))
	w.time("next_check_at", r.NextCheckAt)
	w.text("request_hash", r.RequestHash)
	index := map[string]table.IndexKey{}
	if !r.NextCheckAt.IsZero() {
		index[IndexDue] = dueRefund(r.ClientID, r.NextCheckAt)
	}
	if r.Status == refund.Unknown {
		index[IndexAttention] = attentionRefund(r.CreatedAt, r.ClientID, r.Payment, r.ID)
	}
	return table.Record{Key: refundKey(r.Payment, r.ID), Version: r.version, Attributes: w, Index: index}
}

func refundFrom(rec table.Record) (Refund, error) {
	r := &reader{rec: rec}
	f := Refund{
		Refund: refund.Refund{
			ID:                     strings.TrimPrefix(rec.Sort, refundPrefix),
			Payment:                referenceOf(rec.Partition),
			Reference:              r.text("reference"),
			ClientID:               r.text("client_id"),
			Kind:                   refund.Kind(r.text("kind")),
			Amount:                 payment.Money{Minor: r.number("amount_minor"), Currency: r.text("currency")},
			Reason:                 r.text("reason"),
			Operator:               r.text("operator"),
			Status:                 refund.Status(r.text("status")),
			Held:                   r.flag("held"),
			FinancialTransactionID: r.text("financial_tx_id"),
			Code:                   r.text("code"),
			Sends:                  int(r.number("sends")),
			AskedAt:                r.time("asked_at"),
			Accepted:               r.flag("accepted"),
			Checks:                 int(r.number("checks")),
			CreatedAt:              r.time("created_at"),
			UpdatedAt:              r.time("updated_at"),
			EndedAt:                r.time("ended_at"),
			EndedBy:                payment.Source(r.text("ended_by")),
			NextCheckAt:            r.time("next_check_at"),
		},
		RequestHash: r.text("request_hash"),
		version:     rec.Version,
	}
	if r.err == nil && (f.Reference == "" || f.Status == "" || f.Amount.Minor < 1) {
		r.fail("reference, status or amount_minor")
	}
	return f, r.err
}
