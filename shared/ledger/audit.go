package ledger

import (
	"context"
	"encoding/hex"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"momoproxy/shared/provider"
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
// secrets when written. A provider's are kept up to provider.MaxBody, an app's
// are cut at 16 KiB; headers are never kept.
type AuditRecord struct {
	At           time.Time // when it began
	Direction    Direction
	Reference    string // of the payment; empty: none
	ClientID     string // empty: none
	Method       string
	URL          string // without secrets: callers mask tokens in paths
	RequestBody  string
	ResponseCode int // 0: no answer, or Answer says which
	ResponseBody string
	// Answer is what an app was answered, where the record is written before
	// the answer has its HTTP form.
	Answer   string
	Duration time.Duration
	Note     string // error class, anomaly, or why it was refused
	Unproven bool   // of a record that was read: a callback that anybody may have sent
	// Of a record that was read: those written together have the same Item. They
	// were written with the Version of the payment or, Unchanged, decided on it
	// and changed nothing; 0: neither.
	Item      string
	Version   int64
	Unchanged bool
}

// kept is a body as it is stored. What a payment may have been decided on is
// not cut.
func (a AuditRecord) kept(body string) string {
	if a.Direction == OutboundToProvider || a.Direction == InboundFromProvider {
		return telemetry.RedactTo(body, provider.MaxBody)
	}
	return telemetry.Redact(body)
}

// partition is where a record is kept.
func (a AuditRecord) partition() string {
	switch {
	case a.Reference != "":
		return paymentPartition(a.Reference)
	case a.ClientID != "":
		return clientPrefix + a.ClientID
	case a.Direction == OutboundToProvider:
		return providerPartition(a.At)
	}
	return unmatchedPartition(a.At)
}

// auditRecord makes the stored form of what one write audits, which is of one
// partition: an item for each exchange would cost a write unit or two more. Of
// the second exchange each attribute's name ends in _2, and so on. The item has
// a random name, so that the same exchange is never written over another.
func (l *Ledger) auditRecord(records ...AuditRecord) table.Record {
	var id [6]byte
	if _, err := io.ReadFull(l.random, id[:]); err != nil {
		panic("ledger: no randomness: " + err.Error())
	}
	first := records[0]
	attributes := writeFields(14*len(records), func(f fields) {
		f.text("client_id", &first.ClientID)
		f.number(versionAttribute(first.Unchanged), &first.Version)
		for i, a := range records {
			a.URL, a.RequestBody, a.ResponseBody = telemetry.Redact(a.URL), a.kept(a.RequestBody), a.kept(a.ResponseBody)
			a.exchange(f, i, first.At)
		}
	})
	return table.Record{
		Key:        auditKey(first.partition(), first.At, hex.EncodeToString(id[:])),
		Attributes: attributes,
		ExpiresAt:  first.At.Add(l.auditRetention),
	}
}

func versionAttribute(unchanged bool) string {
	if unchanged {
		return "decided_on_version"
	}
	return "payment_version"
}

// exchange lists what an item that began at first has of its exchange i.
func (a *AuditRecord) exchange(f fields, i int, first time.Time) {
	of := func(name string) string {
		if i == 0 {
			return name
		}
		return name + "_" + strconv.Itoa(i+1)
	}
	after := a.At.Sub(first)
	f.text(of("direction"), (*string)(&a.Direction))
	f.text(of("http_method"), &a.Method)
	f.text(of("url"), &a.URL)
	f.text(of("request_body"), &a.RequestBody)
	f.count(of("response_code"), &a.ResponseCode)
	f.text(of("response_body"), &a.ResponseBody)
	f.text(of("answer"), &a.Answer)
	f.millis(of("duration_ms"), &a.Duration)
	f.text(of("note"), &a.Note)
	f.millis(of("after_ms"), &after)
	a.At = first.Add(after)
}

// auditOps write records, those of one partition as one item, earliest first.
// Exchanges with a provider stay in the order in which they are given, in which
// they happened: what an answer means depends on those before it.
func (l *Ledger) auditOps(records []AuditRecord) []table.Op {
	records = slices.Clone(records)
	var last time.Time
	for i := range records {
		if a := &records[i]; a.Direction == OutboundToProvider {
			if a.At.Before(last) { // the clock went back
				a.At = last
			}
			last = a.At
		}
	}
	slices.SortStableFunc(records, byTime)
	var ops []table.Op
	for len(records) > 0 {
		partition := records[0].partition()
		var together, others []AuditRecord
		for _, a := range records {
			if a.partition() == partition {
				together = append(together, a)
			} else {
				others = append(others, a)
			}
		}
		ops = append(ops, table.Put(l.auditRecord(together...)))
		records = others
	}
	return ops
}

// Audit appends records that accompany no state change.
func (l *Ledger) Audit(ctx context.Context, records ...AuditRecord) error {
	if len(records) == 0 {
		return nil
	}
	return l.write(ctx, "audit", l.auditOps(records)...)
}

// AuditUnchanged appends the records of what was decided on p and changed
// nothing.
func (l *Ledger) AuditUnchanged(ctx context.Context, p Payment, records ...AuditRecord) error {
	for i := range records {
		records[i].Version, records[i].Unchanged = p.version, true
	}
	return l.Audit(ctx, records...)
}

// AuditTrail reads the audit records of one payment, oldest first.
func (l *Ledger) AuditTrail(ctx context.Context, reference string) ([]AuditRecord, error) {
	trail := make([]AuditRecord, 0, 8)
	err := l.each(ctx, "read audit", table.Audit, paymentPartition(reference), func(rec table.Record) error {
		records, err := auditFrom(rec, reference)
		trail = append(trail, records...)
		return err
	})
	slices.SortStableFunc(trail, byTime)
	return trail, err
}

func byTime(a, b AuditRecord) int { return a.At.Compare(b.At) }

func auditFrom(rec table.Record, reference string) ([]AuditRecord, error) {
	r := &reader{rec: rec}
	at := r.time("at")
	unproven := !at.IsZero() // only a hint has it apart from its key
	if !unproven {
		at, _ = readTimeKey(rec.Sort[:min(len(rec.Sort), len(timeLayout))])
	}
	_, unchanged := rec.Attributes[versionAttribute(true)]
	all := AuditRecord{
		Reference: reference, ClientID: r.text("client_id"), Unproven: unproven,
		Item: rec.Sort, Version: r.number(versionAttribute(unchanged)), Unchanged: unchanged,
	}
	var records []AuditRecord
	for i := 0; ; i++ {
		a := all
		if a.exchange(fields{from: r}, i, at); a.Direction == "" && i > 0 {
			return records, r.err
		}
		records = append(records, a)
	}
}
