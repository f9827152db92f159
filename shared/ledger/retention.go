package ledger

import (
	"time"

	"momoproxy/shared/delivery"
	"momoproxy/shared/payment"
	"momoproxy/shared/table"
)

// What a retention time means for the records of a payment. The payment, what
// the app wrote into it, its events and the look-ups of its ids expire, each a
// retention time after it was last of use. Audit records expire no later than
// that after they were written. What stays: a payment that is open, one with an
// open refund, the lock of an order that was paid, so that it is never charged
// again, and that a reference was used. A provider may know a reference for
// longer than we do: what it says of it must not end another payment that was
// made under the same Idempotency-Key. So a payment expires only if its
// reference was noted when it was made. The database removes what has expired
// one by one and some days late: any part may be read without another.

// touched is how long a record stays at least after it was written. A retention
// time that is new or shorter must not delete what is just being delivered.
const touched = 7 * 24 * time.Hour

// until is when a record expires that is last of use at a time; zero: never.
func (l *Ledger) until(at time.Time) time.Time {
	if l.retention == 0 {
		return time.Time{}
	}
	expires := at.Add(l.retention)
	if least := l.now().Add(touched); expires.Before(least) {
		return least
	}
	return expires
}

func (l *Ledger) putPayment(p Payment) table.Op {
	rec := p.record()
	switch {
	case p.Open(), p.Refunds.Open != "", !p.expires:
	case p.Refunds.Count > 0:
		rec.ExpiresAt = l.until(p.UpdatedAt) // no refund ended later
	default:
		rec.ExpiresAt = l.until(p.EndedAt)
	}
	return table.Put(rec)
}

func (l *Ledger) putRefund(r Refund) table.Op {
	rec := r.record()
	if !r.Open() {
		rec.ExpiresAt = l.until(r.EndedAt)
	}
	return table.Put(rec)
}

func (l *Ledger) putDelivery(d delivery.Delivery) table.Op {
	rec := deliveryRecord(d)
	rec.ExpiresAt = l.until(d.CreatedAt)
	if d.Event == payment.EventTest {
		expireTest(&rec, d)
	}
	return table.Put(rec)
}

// expireRequest lets what is apart from a payment that ends expire with it.
func (l *Ledger) expireRequest(before, after Payment) []table.Op {
	if l.retention == 0 || !after.expires || !before.Open() || after.Open() || !after.requestApart() {
		return nil
	}
	rec := after.requestRecord()
	rec.Version, rec.ExpiresAt = 1, l.until(after.EndedAt) // nobody has written it since Create
	return []table.Op{table.Put(rec)}
}

// TrailExpires is when the first records of a payment's audit trail expire.
func (l *Ledger) TrailExpires(p Payment) time.Time { return p.CreatedAt.Add(l.auditRetention) }
