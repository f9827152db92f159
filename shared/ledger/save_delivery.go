package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"momoproxy/shared/delivery"
	"momoproxy/shared/table"
	"momoproxy/shared/telemetry"
)

// storedAttempt has short names: a delivery and its attempts are one record,
// and a record of up to a kibibyte costs one write unit.
type storedAttempt struct {
	Number   int            `json:"n"`
	Cause    delivery.Cause `json:"c"`
	Started  int64          `json:"t"` // milliseconds
	Duration int64          `json:"d,omitempty"`
	Code     int            `json:"s,omitempty"`
	Error    string         `json:"e,omitempty"`
	Excerpt  string         `json:"x,omitempty"`
	Location string         `json:"l,omitempty"`
	TLSFault string         `json:"f,omitempty"`
}

func (w writer) attempts(name string, latest []delivery.Attempt) {
	if len(latest) == 0 {
		return
	}
	stored := make([]storedAttempt, len(latest))
	for i, a := range latest {
		stored[i] = storedAttempt{
			a.Number, a.Cause, millis(a.Started), a.Duration.Milliseconds(), a.Code, a.Error,
			telemetry.Redact(a.Excerpt), telemetry.Redact(a.Location), a.TLSFault, // an app may echo its own key
		}
	}
	b, _ := json.Marshal(stored) // texts and integers always marshal
	w[name] = string(b)
}

func (r *reader) attempts(name string, of delivery.Delivery) []delivery.Attempt {
	text := r.text(name)
	if text == "" {
		return nil
	}
	stored := make([]storedAttempt, 0, strings.Count(text, `"t":`)) // one each, and rarely more
	if err := json.Unmarshal([]byte(text), &stored); err != nil {
		r.fail(name)
		return nil
	}
	latest := make([]delivery.Attempt, len(stored))
	for i, a := range stored {
		latest[i] = delivery.Attempt{
			Reference: of.Reference, Sequence: of.Sequence, Number: a.Number, Cause: a.Cause, Started: fromMillis(a.Started),
			Duration: time.Duration(a.Duration) * time.Millisecond, Code: a.Code, Error: a.Error,
			Excerpt: a.Excerpt, Location: a.Location, TLSFault: a.TLSFault,
		}
	}
	return latest
}

// SaveDelivery writes a delivery under the version that was read, with the
// audit record of the request for the change. ErrStale: it has changed since.
func (l *Ledger) SaveDelivery(ctx context.Context, d delivery.Delivery, audit ...AuditRecord) (delivery.Delivery, error) {
	err := l.write(ctx, "write delivery "+d.EventID, append([]table.Op{l.putDelivery(d)}, l.auditOps(audit)...)...)
	if err != nil {
		return delivery.Delivery{}, err
	}
	d.Version++
	return d, nil
}

// SaveAttempt writes what an attempt led to: the delivery as it now stands,
// under the claim's version, and the audit record, in one transaction.
// ErrStale: the claim was lost; the attempt happened all the same, so its audit
// record is written without the delivery.
func (l *Ledger) SaveAttempt(ctx context.Context, d delivery.Delivery, audit AuditRecord) (delivery.Delivery, error) {
	after, err := l.SaveDelivery(ctx, d, audit)
	if errors.Is(err, ErrStale) {
		audit.Note = "claim lost: " + audit.Note
		if lateErr := l.Audit(ctx, audit); lateErr != nil {
			return delivery.Delivery{}, fmt.Errorf("record late attempt: %w", lateErr)
		}
	}
	return after, err
}
