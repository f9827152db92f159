package ledger

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"momoproxy/shared/delivery"
	"momoproxy/shared/table"
	"momoproxy/shared/telemetry"
)

const attemptPrefix = "attempt#"

func attemptRecord(a delivery.Attempt) table.Record {
	w := writer{}
	w.text("cause", string(a.Cause))
	w.time("started_at", a.Started)
	w.number("duration_ms", a.Duration.Milliseconds())
	w.number("code", int64(a.Code))
	w.text("error", a.Error)
	w.text("excerpt", telemetry.Redact(a.Excerpt)) // an app may echo its own key
	w.text("location", telemetry.Redact(a.Location))
	w.text("tls_fault", a.TLSFault)
	return table.Record{Key: attemptKey(a.Reference, a.Sequence, a.Number), Attributes: w}
}

func attemptFrom(rec table.Record) (delivery.Attempt, error) {
	r := &reader{rec: rec}
	a := delivery.Attempt{
		Reference: referenceOf(rec.Partition),
		Cause:     delivery.Cause(r.text("cause")),
		Started:   r.time("started_at"),
		Duration:  time.Duration(r.number("duration_ms")) * time.Millisecond,
		Code:      int(r.number("code")),
		Error:     r.text("error"),
		Excerpt:   r.text("excerpt"),
		Location:  r.text("location"),
		TLSFault:  r.text("tls_fault"),
	}
	sequence, number, _ := strings.Cut(strings.TrimPrefix(rec.Sort, attemptPrefix), "#")
	var err1, err2 error
	a.Sequence, err1 = strconv.Atoi(sequence)
	a.Number, err2 = strconv.Atoi(number)
	if err := errors.Join(err1, err2); err != nil {
		r.fail("sort key")
	}
	return a, r.err
}

// SaveDelivery writes a delivery under the version that was read, with the
// audit record of whoever asked for the change. ErrMoved: it has changed since.
func (l *Ledger) SaveDelivery(ctx context.Context, d delivery.Delivery, audit ...AuditRecord) (delivery.Delivery, error) {
	err := l.write(ctx, "write delivery "+d.EventID, append([]table.Op{table.Put(deliveryRecord(d))}, l.auditOps(audit)...)...)
	if err != nil {
		return delivery.Delivery{}, err
	}
	d.Version++
	return d, nil
}

// SaveAttempt writes what an attempt led to: the delivery as it now stands,
// under the claim's version, the attempt's row and its audit record, in one
// transaction. ErrMoved: the claim was lost; the attempt happened all the same,
// so its row and audit record are written without touching the delivery.
func (l *Ledger) SaveAttempt(ctx context.Context, d delivery.Delivery, a delivery.Attempt, audit AuditRecord) (delivery.Delivery, error) {
	proof := []table.Op{table.Put(attemptRecord(a)), table.Put(l.auditRecord(audit))}
	err := l.write(ctx, "complete attempt of "+d.EventID, append([]table.Op{table.Put(deliveryRecord(d))}, proof...)...)
	if errors.Is(err, ErrMoved) {
		if lateErr := l.table.Write(ctx, proof...); lateErr != nil && !errors.Is(lateErr, table.ErrConflict) {
			return delivery.Delivery{}, fmt.Errorf("record late attempt: %w", lateErr)
		}
	}
	if err != nil {
		return delivery.Delivery{}, err
	}
	d.Version++
	return d, nil
}
