package ledger

import (
	"context"
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

	// expires: Create has stored a record of the reference that outlives this
	// payment, so it may expire. It is so where a retention time is set.
	expires bool
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

// request lists what an app wrote into a payment.
func (p *Payment) request(f fields) {
	f.text("payer_message", &p.PayerMessage)
	f.text("payee_note", &p.PayeeNote)
	f.object("metadata", &p.Metadata)
}

func (p Payment) requestRecord() table.Record {
	return table.Record{Key: requestKey(p.Reference), Attributes: writeFields(3, p.request)}
}

// fields lists what a payment's record has; the request may be apart.
func (p *storedPayment) fields(f fields) {
	f.flag("request_apart", &p.apart)
	if !p.apart {
		p.request(f)
	}
	f.flag("expires", &p.expires)
	f.text("client_id", &p.ClientID)
	f.text("external_id", &p.ExternalID)
	f.text("provider", &p.Provider)
	f.text("account", &p.Account)
	f.text("method", &p.Method)
	f.number("amount_minor", &p.Amount.Minor)
	f.text("currency", &p.Amount.Currency)
	f.text("payer_msisdn", (*string)(&p.Payer))
	f.text("app_callback_url", &p.CallbackURL)
	f.flag("native_callbacks", &p.NativeCallbacks)
	f.object("provider_ids", &p.IDs)
	f.object("instructions", &p.Instructions)
	f.time("expires_at_provider", &p.ExpiresAt)
	f.text("invoice_url", &p.InvoiceURL)
	f.text("status", (*string)(&p.Status))
	f.text("phase", (*string)(&p.Phase))
	f.text("financial_tx_id", &p.FinancialTransactionID)
	f.text("failure_reason", &p.Reason)
	f.text("failure_code", (*string)(&p.FailureCode))
	f.count("sequence", &p.Sequence)
	f.number("refunds_minor", &p.Refunds.Reserved)
	f.text("refund_open", &p.Refunds.Open)
	f.count("refunds", &p.Refunds.Count)
	f.time("created_at", &p.CreatedAt)
	f.time("updated_at", &p.UpdatedAt)
	f.time("ended_at", &p.EndedAt)
	f.text("ended_by", (*string)(&p.EndedBy))
	f.time("submit_deadline", &p.SubmitDeadline)
	f.flag("accepted", &p.Accepted)
	f.flag("unanswerable", &p.Unanswerable)
	f.count("not_found_count", &p.NotFoundCount)
	f.time("not_found_at", &p.NotFoundAt)
	f.time("hinted_at", &p.HintedAt)
	f.count("checks", &p.Checks)
	f.time("checked_at", &p.CheckedAt)
	f.time("next_check_at", &p.NextCheckAt)
	f.text("callback_token_hash", &p.CallbackTokenHash)
	f.text("request_hash", &p.RequestHash)
	f.text("answer_kind", &p.AnswerKind)
	f.text("answer_detail", &p.AnswerDetail)
}

func (p Payment) record() table.Record {
	stored := storedPayment{p, p.requestApart()}
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
		index[IndexAttention] = Attention{Kind: AttentionPayment, At: p.CreatedAt, ClientID: p.ClientID, Reference: p.Reference}.entry()
	}
	return table.Record{Key: paymentKey(p.Reference), Version: p.version, Attributes: writeFields(28, stored.fields), Index: index}
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
	rec, err = l.getOrNew(ctx, "read request of "+p.Reference, requestKey(p.Reference))
	if err != nil {
		return Payment{}, err
	}
	return p.Payment, p.addRequest(rec)
}

// addRequest reads what is apart from a payment's record. Of an ended payment it
// may have expired.
func (p *Payment) addRequest(rec table.Record) error {
	if rec.Version == 0 {
		if p.Open() {
			return fmt.Errorf("read request of %s: %w", p.Reference, table.ErrNotFound)
		}
		return nil
	}
	return readFields(rec, p.request).err
}

// paymentFrom reads a payment, without what is apart.
func paymentFrom(rec table.Record) (p storedPayment, err error) {
	r := readFields(rec, p.fields)
	p.Reference = referenceOf(rec.Partition)
	p.payerHash, p.version = rec.Index[IndexPayer].Partition, rec.Version
	if r.err == nil && (p.Status == "" || p.ClientID == "" || p.CreatedAt.IsZero()) {
		r.fail("status, client_id or created_at")
	}
	return p, r.err
}
