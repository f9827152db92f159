package ledger

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"momoproxy/shared/table"
	"momoproxy/shared/telemetry"
)

// Direction says who asked whom.
type Direction string

const (
	InboundFromApp      Direction = "INBOUND_FROM_APP"
	OutboundToProvider  Direction = "OUTBOUND_TO_PROVIDER"
	InboundFromProvider Direction = "INBOUND_FROM_PROVIDER"
	OutboundToApp       Direction = "OUTBOUND_TO_APP"
)

// With is d with the name that a provider's directions have
// (provider.Capabilities.AuditName); empty: d itself.
func (d Direction) With(name string) Direction {
	if before, ok := strings.CutSuffix(string(d), "PROVIDER"); ok && name != "" {
		return Direction(before + name)
	}
	return d
}

// AuditRecord is one HTTP exchange as it happened. Bodies are redacted of
// secrets and cut at 16 KiB when written; headers are never kept.
type AuditRecord struct {
	At           time.Time // when it began
	Direction    Direction
	Reference    string // of the payment; empty: none
	ClientID     string // empty: none
	Method       string
	URL          string // without secrets: callers mask tokens in paths
	RequestBody  string
	ResponseCode int // 0: no answer
	ResponseBody string
	Duration     time.Duration
	Note         string // error class, anomaly, or why it was refused
	Unproven     bool   // of a record that was read: a callback that anybody may have sent
}

// record makes the stored form. Each record has a random name, so that the
// same exchange is never written over another.
func (l *Ledger) auditRecord(a AuditRecord) table.Record {
	var id [6]byte
	if _, err := io.ReadFull(l.random, id[:]); err != nil {
		panic("ledger: no randomness: " + err.Error())
	}
	partition := "payment#" + a.Reference
	switch {
	case a.Reference != "":
	case a.ClientID != "":
		partition = "client#" + a.ClientID
	case a.Direction == OutboundToProvider:
		partition = providerPartition(a.At)
	default:
		partition = unmatchedPartition(a.At)
	}
	w := writer{}
	w.text("direction", string(a.Direction))
	w.text("client_id", a.ClientID)
	w.text("http_method", a.Method)
	w.text("url", telemetry.Redact(a.URL))
	w.text("request_body", telemetry.Redact(a.RequestBody))
	w.number("response_code", int64(a.ResponseCode))
	w.text("response_body", telemetry.Redact(a.ResponseBody))
	w.number("duration_ms", a.Duration.Milliseconds())
	w.text("note", a.Note)
	return table.Record{
		Key:        auditKey(partition, a.At, hex.EncodeToString(id[:])),
		Attributes: w,
		ExpiresAt:  a.At.Add(l.auditRetention),
	}
}

// auditOps write records.
func (l *Ledger) auditOps(records []AuditRecord) []table.Op {
	ops := make([]table.Op, len(records))
	for i, a := range records {
		ops[i] = table.Put(l.auditRecord(a))
	}
	return ops
}

// Audit appends records that accompany no state change.
func (l *Ledger) Audit(ctx context.Context, records ...AuditRecord) error {
	if len(records) == 0 {
		return nil
	}
	if err := l.table.Write(ctx, l.auditOps(records)...); err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	return nil
}

// AuditTrail reads the audit records of one payment, oldest first.
func (l *Ledger) AuditTrail(ctx context.Context, reference string) ([]AuditRecord, error) {
	return l.auditPartition(ctx, "payment#"+reference, reference)
}

func (l *Ledger) auditPartition(ctx context.Context, partition, reference string) ([]AuditRecord, error) {
	var out []AuditRecord
	q := table.Query{Space: table.Audit, Partition: partition, Limit: 500}
	for {
		page, err := l.table.Query(ctx, q)
		if err != nil {
			return nil, fmt.Errorf("read audit: %w", err)
		}
		for _, rec := range page.Records {
			a, err := auditFrom(rec, reference)
			if err != nil {
				return nil, err
			}
			out = append(out, a)
		}
		if page.Next == "" {
			slices.SortStableFunc(out, byTime)
			return out, nil
		}
		q.After = page.Next
	}
}

func byTime(a, b AuditRecord) int { return a.At.Compare(b.At) }

func auditFrom(rec table.Record, reference string) (AuditRecord, error) {
	r := &reader{rec: rec}
	at := r.time("at")
	unproven := !at.IsZero() // only a hint has it apart from its key
	if !unproven {
		at, _ = time.Parse(timeLayout, rec.Sort[:min(len(rec.Sort), len(timeLayout))])
	}
	a := AuditRecord{
		At: at, Direction: Direction(r.text("direction")), Reference: reference,
		ClientID: r.text("client_id"), Method: r.text("http_method"), URL: r.text("url"),
		RequestBody: r.text("request_body"), ResponseCode: int(r.number("response_code")),
		ResponseBody: r.text("response_body"),
		Duration:     time.Duration(r.number("duration_ms")) * time.Millisecond, Note: r.text("note"), Unproven: unproven,
	}
	return a, r.err
}
