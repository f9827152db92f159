package ledger

import (
	"strings"

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

// fields lists what a refund's record has.
func (r *Refund) fields(f fields) {
	f.text("reference", &r.Reference)
	f.text("client_id", &r.ClientID)
	f.text("kind", (*string)(&r.Kind))
	f.number("amount_minor", &r.Amount.Minor)
	f.text("currency", &r.Amount.Currency)
	f.text("reason", &r.Reason)
	f.text("operator", &r.Operator)
	f.text("status", (*string)(&r.Status))
	f.flag("held", &r.Held)
	f.text("financial_tx_id", &r.FinancialTransactionID)
	f.text("code", &r.Code)
	f.count("sends", &r.Sends)
	f.time("asked_at", &r.AskedAt)
	f.flag("accepted", &r.Accepted)
	f.count("checks", &r.Checks)
	f.time("created_at", &r.CreatedAt)
	f.time("updated_at", &r.UpdatedAt)
	f.time("ended_at", &r.EndedAt)
	f.text("ended_by", (*string)(&r.EndedBy))
	f.time("next_check_at", &r.NextCheckAt)
	f.text("request_hash", &r.RequestHash)
}

func (r Refund) record() table.Record {
	index := map[string]table.IndexKey{}
	if !r.NextCheckAt.IsZero() {
		index[IndexDue] = dueRefund(r.ClientID, r.NextCheckAt)
	}
	if r.NeedsOperator() {
		index[IndexAttention] = attentionRefund(r.CreatedAt, r.ClientID, r.Payment, r.ID)
	}
	return table.Record{Key: refundKey(r.Payment, r.ID), Version: r.version, Attributes: writeFields(14, r.fields), Index: index}
}

func refundFrom(rec table.Record) (Refund, error) {
	f := Refund{version: rec.Version}
	r := readFields(rec, f.fields)
	f.ID, f.Payment = strings.TrimPrefix(rec.Sort, refundPrefix), referenceOf(rec.Partition)
	if r.err == nil && (f.Reference == "" || f.Status == "" || f.Amount.Minor < 1) {
		r.fail("reference, status or amount_minor")
	}
	return f, r.err
}
