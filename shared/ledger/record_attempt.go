package ledger

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"momoproxy/shared/table"
	"momoproxy/shared/telemetry"
)

const attemptPrefix = "attempt#"

// Cause says why an attempt was made.
type Cause string

// Automatic attempts follow the schedule. A manual one was asked for, and a
// probe finds out whether an endpoint is back: both stand beside it.
const (
	CauseAutomatic Cause = "automatic"
	CauseManual    Cause = "manual"
	CauseProbe     Cause = "probe"
)

// Attempt is one try to deliver an event. It is written once.
type Attempt struct {
	Reference string
	Sequence  int
	Number    int // counts the delivery's claims, from 1
	Cause     Cause
	Started   time.Time
	Duration  time.Duration // kept in milliseconds
	Code      int           // HTTP status; 0: no answer
	Error     string        // class of the transport error; empty: none
	Excerpt   string        // of the answer, at most 4 KiB
	Location  string        // where a redirect pointed, without its query
	TLSFault  string        // which fault, where Error is the class "tls"
}

func (a Attempt) record() table.Record {
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

func attemptFrom(rec table.Record) (Attempt, error) {
	r := &reader{rec: rec}
	a := Attempt{
		Reference: referenceOf(rec.Partition),
		Cause:     Cause(r.text("cause")),
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

// ClaimDelivery takes the delivery for one worker until lease ends. The
// version it leaves behind is the fence: whoever claims later invalidates an
// earlier claim, so two workers can never both complete. ErrMoved: somebody
// else was faster. One that waited is due from now on; what has ended stays
// ended until the attempt says otherwise.
func (l *Ledger) ClaimDelivery(ctx context.Context, d Delivery, until time.Time) (Delivery, error) {
	if !d.State.Ended() {
		d.State = DeliveryDue
	}
	d.LeaseUntil = until
	d.Claims++
	return l.putDelivery(ctx, d)
}

// PutDelivery writes a delivery that changes without an attempt (held, due
// again, waiting). ErrMoved as above.
func (l *Ledger) PutDelivery(ctx context.Context, d Delivery) (Delivery, error) {
	return l.putDelivery(ctx, d)
}

func (l *Ledger) putDelivery(ctx context.Context, d Delivery) (Delivery, error) {
	err := l.table.Write(ctx, table.Put(d.record()))
	switch {
	case err == nil:
		d.version++
		return d, nil
	case errors.Is(err, table.ErrConflict):
		return Delivery{}, fmt.Errorf("%w: %v", ErrMoved, err)
	default:
		return Delivery{}, fmt.Errorf("write delivery %s: %w", d.EventID, err)
	}
}

// CompleteAttempt writes what an attempt led to: the delivery as it now
// stands, under the claim's version, the attempt's row and its audit record,
// in one transaction. ErrMoved: the claim was lost; the attempt happened all
// the same, so its row and audit record are written without touching the
// delivery.
func (l *Ledger) CompleteAttempt(ctx context.Context, d Delivery, a Attempt, audit AuditRecord) (Delivery, error) {
	d.LeaseUntil = time.Time{}
	proof := []table.Op{table.Put(a.record()), table.Put(l.auditRecord(audit))}
	err := l.table.Write(ctx, append([]table.Op{table.Put(d.record())}, proof...)...)
	switch {
	case err == nil:
		d.version++
		return d, nil
	case errors.Is(err, table.ErrConflict):
		if lateErr := l.table.Write(ctx, proof...); lateErr != nil && !errors.Is(lateErr, table.ErrConflict) {
			return Delivery{}, fmt.Errorf("record late attempt: %w", lateErr)
		}
		return Delivery{}, fmt.Errorf("%w: %v", ErrMoved, err)
	default:
		return Delivery{}, fmt.Errorf("complete attempt of %s: %w", d.EventID, err)
	}
}
