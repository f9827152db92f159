package ledger

import (
	"context"
	"errors"
	"fmt"

	"momoproxy/shared/payment"
	"momoproxy/shared/table"
)

// Payment is a stored payment: the domain's payment and what the ledger keeps
// beside it. Change the embedded payment only through payment.Decide.
type Payment struct {
	payment.Payment

	// CallbackTokenHash is the first half of the SHA-256, in hex, of the token
	// in the callback URL given to the provider. The token is not stored.
	CallbackTokenHash string
	// RequestHash identifies the request's content, to tell a repeat under
	// the same Idempotency-Key from another request.
	RequestHash string
	// AnswerKind and AnswerDetail are the first answer of request-to-pay, for a
	// replay: its kind (empty: not answered yet), and the phase or status of an
	// accepted payment, or the failure code and the provider's code of one that
	// has failed.
	AnswerKind   string
	AnswerDetail string

	// payerHash is the payer's partition of IndexPayer. Create makes it; later
	// writes keep it, so that they need no key.
	payerHash string
	version   int64
}

// requestApart: what an app wrote into a payment never changes. From so many
// bytes on it is a record of its own, and is not written again with every
// state of the payment.
const requestApart = 300

func (p Payment) requestApart() bool {
	size := len(p.PayerMessage) + len(p.PayeeNote)
	for name, value := range p.Metadata {
		size += len(name) + len(value)
	}
	return size >= requestApart
}

func (w writer) request(p payment.Payment) {
	w.text("payer_message", p.PayerMessage)
	w.text("payee_note", p.PayeeNote)
	w.object("metadata", p.Metadata)
}

func (r *reader) request(p *payment.Payment) {
	p.PayerMessage, p.PayeeNote, p.Metadata = r.text("payer_message"), r.text("payee_note"), r.object("metadata")
}

func requestRecord(p payment.Payment) table.Record {
	w := writer{}
	w.request(p)
	return table.Record{Key: requestKey(p.Reference), Attributes: w}
}

func (p Payment) record() table.Record {
	w := make(writer, 28)
	if p.requestApart() {
		w.flag("request_apart", true)
	} else {
		w.request(p.Payment)
	}
	w.text("client_id", p.ClientID)
	w.text("external_id", p.ExternalID)
	w.text("provider", p.Provider)
	w.text("account", p.Account)
	w.text("method", p.Method)
	w.number("amount_minor", p.Amount.Minor)
	w.text("currency", p.Amount.Currency)
	w.text("payer_msisdn", string(p.Payer))
	w.text("app_callback_url", p.CallbackURL)
	w.flag("native_callbacks", p.NativeCallbacks)
	w.object("provider_ids", p.IDs)
	w.object("instructions", p.Instructions)
	w.time("expires_at_provider", p.ExpiresAt)
	w.text("invoice_url", p.InvoiceURL)
	w.text("status", string(p.Status))
	w.text("phase", string(p.Phase))
	w.text("financial_tx_id", p.FinancialTransactionID)
	w.text("failure_reason", p.Reason)
	w.text("failure_code", string(p.FailureCode))
	w.number("sequence", int64(p.Sequence))
	w.number("refunds_minor", p.Refunds.Reserved)
	w.text("refund_open", p.Refunds.Open)
	w.number("refunds", int64(p.Refunds.Count))
	w.time("created_at", p.CreatedAt)
	w.time("updated_at", p.UpdatedAt)
	w.time("ended_at", p.EndedAt)
	w.text("ended_by", string(p.EndedBy))
	w.time("submit_deadline", p.SubmitDeadline)
	w.flag("accepted", p.Accepted)
	w.flag("unanswerable", p.Unanswerable)
	w.number("not_found_count", int64(p.NotFoundCount))
	w.time("not_found_at", p.NotFoundAt)
	w.time("hinted_at", p.HintedAt)
	w.number("checks", int64(p.Checks))
	w.time("checked_at", p.CheckedAt)
	w.time("next_check_at", p.NextCheckAt)
	w.text("callback_token_hash", p.CallbackTokenHash)
	w.text("request_hash", p.RequestHash)
	w.text("answer_kind", p.AnswerKind)
	w.text("answer_detail", p.AnswerDetail)

	index := map[string]table.IndexKey{IndexList: listEntry(p.ClientID, p.CreatedAt, p.Reference)}
	if p.payerHash != "" {
		index[IndexPayer] = payerEntry(p.payerHash, p.CreatedAt)
	}
	if id := p.FinancialTransactionID; id != "" && len(id) <= payment.MaxID {
		index[IndexTransaction] = transactionEntry(id, p.Reference)
	}
	if !p.NextCheckAt.IsZero() {
		index[IndexDue] = dueEntry(DuePayment, p.Reference, p.ClientID, p.NextCheckAt)
	}
	if p.Phase == payment.PhaseHeld || p.Phase == payment.PhaseInReconciliation {
		index[IndexAttention] = attentionPayment(p.CreatedAt, p.ClientID, p.Reference)
	}
	return table.Record{Key: paymentKey(p.Reference), Version: p.version, Attributes: w, Index: index}
}

// storedPayment is a payment's record, which may lack what is apart.
type storedPayment struct {
	Payment
	apart bool
}

// whole reads what is apart from a payment's record.
func (l *Ledger) whole(ctx context.Context, rec table.Record) (Payment, error) {
	p, err := paymentFrom(rec)
	if err != nil || !p.apart {
		return p.Payment, err
	}
	rec, err = l.table.Get(ctx, requestKey(p.Reference))
	if errors.Is(err, table.ErrNotFound) && !p.Open() {
		return p.Payment, nil // it has expired
	}
	if err != nil {
		return Payment{}, fmt.Errorf("read request of %s: %w", p.Reference, err)
	}
	r := &reader{rec: rec}
	r.request(&p.Payment.Payment)
	return p.Payment, r.err
}

// paymentFrom reads a payment, without what is apart.
func paymentFrom(rec table.Record) (p storedPayment, err error) {
	r := &reader{rec: rec}
	p.Payment = Payment{
		Payment: payment.Payment{
			Reference:       referenceOf(rec.Partition),
			ClientID:        r.text("client_id"),
			ExternalID:      r.text("external_id"),
			Provider:        r.text("provider"),
			Account:         r.text("account"),
			Method:          r.text("method"),
			Amount:          payment.Money{Minor: r.number("amount_minor"), Currency: r.text("currency")},
			Payer:           payment.MSISDN(r.text("payer_msisdn")),
			CallbackURL:     r.text("app_callback_url"),
			NativeCallbacks: r.flag("native_callbacks"),
			Particulars: payment.Particulars{
				IDs:          r.object("provider_ids"),
				Instructions: r.object("instructions"),
				ExpiresAt:    r.time("expires_at_provider"),
				InvoiceURL:   r.text("invoice_url"),
			},
			Status:                 payment.Status(r.text("status")),
			Phase:                  payment.Phase(r.text("phase")),
			FinancialTransactionID: r.text("financial_tx_id"),
			Reason:                 r.text("failure_reason"),
			FailureCode:            payment.FailureCode(r.text("failure_code")),
			Sequence:               int(r.number("sequence")),
			Refunds:                payment.Refunds{Reserved: r.number("refunds_minor"), Open: r.text("refund_open"), Count: int(r.number("refunds"))},
			CreatedAt:              r.time("created_at"),
			UpdatedAt:              r.time("updated_at"),
			EndedAt:                r.time("ended_at"),
			EndedBy:                payment.Source(r.text("ended_by")),
			SubmitDeadline:         r.time("submit_deadline"),
			Accepted:               r.flag("accepted"),
			Unanswerable:           r.flag("unanswerable"),
			NotFoundCount:          int(r.number("not_found_count")),
			NotFoundAt:             r.time("not_found_at"),
			HintedAt:               r.time("hinted_at"),
			Checks:                 int(r.number("checks")),
			CheckedAt:              r.time("checked_at"),
			NextCheckAt:            r.time("next_check_at"),
		},
		CallbackTokenHash: r.text("callback_token_hash"),
		RequestHash:       r.text("request_hash"),
		AnswerKind:        r.text("answer_kind"),
		AnswerDetail:      r.text("answer_detail"),
		payerHash:         rec.Index[IndexPayer].Partition,
		version:           rec.Version,
	}
	if p.apart = r.flag("request_apart"); !p.apart {
		r.request(&p.Payment.Payment)
	}
	if r.err == nil && (p.Status == "" || p.ClientID == "" || p.CreatedAt.IsZero()) {
		r.fail("status, client_id or created_at")
	}
	return p, r.err
}
