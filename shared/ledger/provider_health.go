package ledger

import (
	"context"
	"time"

	"momoproxy/shared/table"
)

// Health is the state of a provider's circuit breaker, one record for all
// functions. What it becomes is the gateway's business.
type Health struct {
	Provider string
	OpenedAt time.Time // of the circuit; zero: it is closed
	// OpenFor is the one app that an open circuit keeps out; empty: it keeps
	// out every app.
	OpenFor string
	Apps    []AppHealth

	version int64
}

// AppHealth is one app's part in a provider's health.
type AppHealth struct {
	ClientID string
	AskedAt  time.Time // its latest request that counted
	Failures int       // its requests that failed since the provider last answered anybody
	Payers   []string  // marks of the payers of those
	ProbeAt  time.Time // while the circuit is open: when it may probe
	// LimitedUntil: the provider said that there were too many requests.
	LimitedUntil time.Time
}

// Open says whether the circuit is open, if only for one app.
func (h Health) Open() bool { return !h.OpenedAt.IsZero() }

// Failures counts the requests that failed since the provider last answered.
func (h Health) Failures() (n int) {
	for _, a := range h.Apps {
		n += a.Failures
	}
	return n
}

// AskedAt is when an app last asked, as far as it counted.
func (h Health) AskedAt() (latest time.Time) {
	for _, a := range h.Apps {
		if a.AskedAt.After(latest) {
			latest = a.AskedAt
		}
	}
	return latest
}

// ProbeAt is when the first app that is kept out may probe; zero while the
// circuit is closed.
func (h Health) ProbeAt() (first time.Time) {
	for _, a := range h.Apps {
		if h.Open() && !a.ProbeAt.IsZero() && (first.IsZero() || a.ProbeAt.Before(first)) {
			first = a.ProbeAt
		}
	}
	return first
}

// healthFresh is how long a process may go on with the health it has read:
// request-to-pay must not pay for a read each time.
const healthFresh = 5 * time.Second

// healthPartition holds the few records of all accounts: one query reads them.
const healthPartition = "health"

func healthKey(provider string) table.Key {
	return table.Key{Space: table.Main, Partition: healthPartition, Sort: provider}
}

// Health reads a provider's health, at most healthFresh old. Its parts are
// shared: do not change them.
func (l *Ledger) Health(ctx context.Context, provider string, now time.Time) (Health, error) {
	if h, ok := l.health.get(provider, now); ok {
		return h, nil
	}
	h, err := l.FreshHealth(ctx, provider)
	if err == nil {
		l.health.put(provider, h, now)
	}
	return h, err
}

// FreshHealth reads it from the table.
func (l *Ledger) FreshHealth(ctx context.Context, provider string) (Health, error) {
	rec, err := l.getOrNew(ctx, "read provider health", healthKey(provider))
	if err != nil {
		return Health{}, err
	}
	return healthFrom(rec)
}

// AllHealth reads that of every account that has any.
func (l *Ledger) AllHealth(ctx context.Context) ([]Health, error) {
	all, err := page(ctx, l, "read provider health", table.Query{Space: table.Main, Partition: healthPartition, Limit: table.MaxLimit}, healthFrom)
	return all.Items, err
}

func healthFrom(rec table.Record) (Health, error) {
	h := Health{Provider: rec.Sort, version: rec.Version}
	err := readFields(rec, h.fields).err
	return h, err
}

// SaveHealth writes what a health that was read has become. ErrStale: it has
// changed meanwhile.
func (l *Ledger) SaveHealth(ctx context.Context, h Health) error {
	defer l.health.drop(h.Provider)
	return l.write(ctx, "write provider health", table.Put(table.Record{Key: healthKey(h.Provider), Version: h.version, Attributes: writeFields(3, h.fields)}))
}

// storedAppHealth keeps eight apps within the kibibyte of one write unit.
type storedAppHealth struct {
	ClientID string   `json:"c"`
	AskedAt  int64    `json:"a,omitempty"` // milliseconds, as all times here
	Failures int      `json:"n,omitempty"`
	Payers   []string `json:"p,omitempty"`
	ProbeAt  int64    `json:"t,omitempty"`
	Limited  int64    `json:"l,omitempty"`
}

// fields lists what the record has.
func (h *Health) fields(f fields) {
	f.time("opened_at", &h.OpenedAt)
	f.text("open_for", &h.OpenFor)
	stored := make([]storedAppHealth, len(h.Apps))
	for i, a := range h.Apps {
		stored[i] = storedAppHealth{a.ClientID, millis(a.AskedAt), a.Failures, a.Payers, millis(a.ProbeAt), millis(a.LimitedUntil)}
	}
	if f.json("apps", &stored, len(stored)); f.from == nil || len(stored) == 0 {
		return
	}
	h.Apps = make([]AppHealth, len(stored))
	for i, a := range stored {
		h.Apps[i] = AppHealth{a.ClientID, fromMillis(a.AskedAt), a.Failures, a.Payers, fromMillis(a.ProbeAt), fromMillis(a.Limited)}
	}
}

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func fromMillis(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.UnixMilli(n).UTC()
}
