package ledger

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"momoproxy/shared/delivery"
	"momoproxy/shared/payment"
	"momoproxy/shared/refund"
	"momoproxy/shared/table"
)

// ErrRefundsPerDay: the app may refund no more today.
var ErrRefundsPerDay = errors.New("the app's refunds of a day are used up")

// RefundExistsError reports that the payment has a refund of this id.
type RefundExistsError struct{ Refund Refund }

func (e *RefundExistsError) Error() string { return "refund " + e.Refund.ID + " exists" }

// RefundRequest asks for a refund of a payment as it was read.
type RefundRequest struct {
	Payment     Payment
	Ask         refund.Ask
	RequestHash string
	// PerDay bounds what the payment's app refunds in a day (UTC), in the
	// payment's currency; zero: nothing bounds an operator's, and an app's is
	// refused.
	PerDay payment.Money
	Audit  AuditRecord
}

// RequestRefund stores a refund, before any provider hears of it. Its amount is
// taken from the payment, under the version that was read, in the same
// transaction: so refunds never exceed what was paid, however many are requested
// at the same time. What was done by hand has ended with it, with its event.
//
// *RefundExistsError, refund.ErrNoID, ErrNoPayer, ErrNotPaid, ErrOpen, ErrTooMuch,
// ErrTooMany, and ErrRefundsPerDay: nothing was written for that reason.
// ErrStale: something has changed since it was read; nothing was written.
func (l *Ledger) RequestRefund(ctx context.Context, q RefundRequest) (Payment, Refund, []delivery.Delivery, error) {
	refuse := func(err error) (Payment, Refund, []delivery.Delivery, error) {
		return Payment{}, Refund{}, nil, err
	}
	q.Ask.ID = strings.ToLower(q.Ask.ID)
	switch stored, err := l.Refund(ctx, q.Payment.Reference, q.Ask.ID); {
	case err == nil:
		return refuse(&RefundExistsError{stored})
	case !errors.Is(err, ErrNotFound):
		return refuse(err)
	}
	p, f, err := refund.New(q.Payment.Payment, q.Ask)
	if err != nil {
		return refuse(err)
	}
	d := refund.Decision{Payment: p, Refund: f}
	if f.Kind == refund.ByHand {
		d = refund.Decide(p, f, payment.Evidence{Source: payment.FromOperator, Verdict: payment.SaysSuccessful, At: f.CreatedAt})
	}
	ops, after, made := l.refundOps(q.Payment, Refund{Refund: d.Refund, RequestHash: q.RequestHash}, d)
	if q.Ask.Operator == "" || q.PerDay != (payment.Money{}) {
		day, err := l.refundDay(ctx, f, q.PerDay)
		if err != nil {
			return refuse(err)
		}
		ops = append(ops, table.Put(day))
	}
	ops = append(ops, l.auditOps([]AuditRecord{q.Audit})...)
	if err := l.write(ctx, "request refund "+f.ID, ops...); err != nil {
		return refuse(err)
	}
	return after.Payment, after.Refund, made, nil
}

// refundDaysKept is how long the sum of a day stays.
const refundDaysKept = 72 * time.Hour

// refundDay is the sum of the app's refunds of the day, with this one.
func (l *Ledger) refundDay(ctx context.Context, f refund.Refund, most payment.Money) (table.Record, error) {
	key := refundDayKey(f.ClientID, f.CreatedAt, f.Amount.Currency)
	rec, err := l.table.Get(ctx, key)
	if errors.Is(err, table.ErrNotFound) {
		rec, err = table.Record{Key: key}, nil
	}
	if err != nil {
		return rec, fmt.Errorf("read refunds of the day: %w", err)
	}
	r := &reader{rec: rec}
	sum := r.number("minor") + f.Amount.Minor
	if r.err == nil && (most.Currency != f.Amount.Currency || sum > most.Minor) {
		return rec, ErrRefundsPerDay
	}
	rec.Attributes = map[string]any{"minor": sum}
	rec.ExpiresAt = f.CreatedAt.Add(refundDaysKept)
	return rec, r.err
}

// refunded is a refund as stored, and its payment.
type refunded struct {
	Payment Payment
	Refund  Refund
}

// refundOps write a refund, and with it, where it changes it, its payment and
// the delivery of its event. They return what is stored once they are written.
func (l *Ledger) refundOps(before Payment, f Refund, d refund.Decision) ([]table.Op, refunded, []delivery.Delivery) {
	after := refunded{before, f}
	ops := []table.Op{l.putRefund(f)}
	after.Refund.version++
	if d.Payment.Refunds == before.Refunds && d.Event == "" {
		return ops, after, nil
	}
	after.Payment.Payment = d.Payment
	ops = append(ops, l.putPayment(after.Payment))
	var made []delivery.Delivery
	if d.Event != "" {
		e := delivery.New(d.Payment, d.Event, d.Payment.Sequence, string(refund.Announcement(d.Payment, f.Refund)))
		made = []delivery.Delivery{e}
		ops = append(ops, l.putDelivery(e))
	}
	after.Payment = after.Payment.written()
	return ops, after, written(made)
}
