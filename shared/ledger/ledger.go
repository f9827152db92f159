// Package ledger is what is stored and under which keys. It is the only
// package that knows keys and attribute names; one file per question asked of
// it. Everything a payment becomes is written here, in one transaction with
// the event that announces it and the audit record that proves it.
package ledger

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"time"

	"momoproxy/shared/delivery"
	"momoproxy/shared/host"
	"momoproxy/shared/table"
)

// Sealer keeps small secrets unreadable in the table. seal.Ring is one.
type Sealer interface {
	Seal(plain []byte, owner string) (string, error)
	Open(sealed, owner string) ([]byte, error)
}

// Options configure a ledger; the zero value serves production.
type Options struct {
	// Retention is how long a payment and its events are kept after its end, and
	// the ids that its provider gave it. An open payment is kept. 0: it is never deleted.
	Retention time.Duration
	Random    io.Reader     // nil: crypto/rand
	Parallel  host.Executor // reads a page's records; nil: goroutines
	// HashPayer makes the look-up key of a payer's number: seal.Hasher.Hash.
	// Without it no payment that has a payer can be created, and none found by
	// its payer.
	HashPayer func(payer string) string
	// Now is the process's own clock: it dates the audit records of changes
	// that are given no time, and measures how old what is cached is. nil:
	// time.Now.
	Now func() time.Time
}

// auditRetention is how long audit records are kept, if their payments are kept
// as long.
const auditRetention = 400 * 24 * time.Hour

// Ledger reads and writes the table. Beyond short caches (clients, their
// keys and endpoints, and provider health) and the counts of hints it holds no
// state of its own. It is safe for concurrent use, if Options.Random is.
type Ledger struct {
	table          table.Table
	sealer         Sealer
	retention      time.Duration // of payments; 0: for ever
	auditRetention time.Duration
	random         io.Reader
	parallel       host.Executor
	hashPayer      func(string) string
	health         *cache[Health]
	newPayments    *cache[int] // percent by account; -1: not set
	recent         *cache[map[string]Recent]
	clients        *cache[Client]
	lookups        *cache[table.Record] // of API keys, by hash
	endpoints      *cache[delivery.Endpoint]
	hints          *hintCounts
	now            func() time.Time
	operator       string // who changes clients through it, for the audit; see AsOperator
}

// noSealer is what a ledger without sealing keys has.
type noSealer struct{}

var (
	errNoKeys     = errors.New("no sealing keys here")
	errNoPayerKey = errors.New("no payer key here")
)

func (noSealer) Seal([]byte, string) (string, error) { return "", errNoKeys }
func (noSealer) Open(string, string) ([]byte, error) { return nil, errNoKeys }

// New returns a ledger over t whose secrets s seals. Without s it reads and
// writes no secrets.
func New(t table.Table, s Sealer, o Options) *Ledger {
	if s == nil {
		s = noSealer{}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	l := &Ledger{
		table: t, sealer: s, retention: o.Retention, auditRetention: auditRetention, random: o.Random, parallel: o.Parallel, hashPayer: o.HashPayer,
		health: newCache[Health](healthFresh, o.Now), newPayments: newCache[int](newPaymentsFresh, o.Now),
		recent: newCache[map[string]Recent](recentFresh, o.Now), clients: newCache[Client](ClientFresh, o.Now),
		lookups: newCache[table.Record](ClientFresh, o.Now), endpoints: newCache[delivery.Endpoint](endpointFresh, o.Now), now: o.Now,
	}
	if l.retention > 0 {
		l.auditRetention = min(l.auditRetention, l.retention)
	}
	if l.random == nil {
		l.random = rand.Reader
	}
	if l.parallel == nil {
		l.parallel = host.Machine().Parallel
	}
	l.hints = &hintCounts{random: l.random}
	return l
}

// Sentinels, to be tested with errors.Is. Errors of the table port
// (table.ErrUnavailable and unknown outcomes) pass through wrapped.
var (
	// ErrNotFound: there is no such payment, client or delivery.
	ErrNotFound = errors.New("not in the ledger")
	// ErrStale: what was read has changed since; read again and decide again.
	// Nothing was written.
	ErrStale = errors.New("changed since it was read")
	// ErrCorrupt: a stored record cannot be read back.
	ErrCorrupt = errors.New("corrupt record")
)

// get reads one record, or ErrNotFound.
func (l *Ledger) get(ctx context.Context, what string, key table.Key) (table.Record, error) {
	rec, err := l.table.Get(ctx, key)
	switch {
	case err == nil:
		return rec, nil
	case errors.Is(err, table.ErrNotFound):
		return table.Record{}, ErrNotFound
	}
	return table.Record{}, fmt.Errorf("%s: %w", what, err)
}

// getOrNew reads one record. If there is none it is empty, with Version 0, so
// that writing it creates it.
func (l *Ledger) getOrNew(ctx context.Context, what string, key table.Key) (table.Record, error) {
	rec, err := l.get(ctx, what, key)
	if errors.Is(err, ErrNotFound) {
		return table.Record{Key: key}, nil
	}
	return rec, err
}

// each calls f with every record of a partition.
func (l *Ledger) each(ctx context.Context, what string, space table.Space, partition string, f func(table.Record) error) error {
	q := table.Query{Space: space, Partition: partition, Limit: 500}
	for {
		page, err := l.query(ctx, what, q)
		if err != nil {
			return err
		}
		for _, rec := range page.Records {
			if err := f(rec); err != nil {
				return err
			}
		}
		if q.After = page.Next; page.Next == "" {
			return nil
		}
	}
}

// query reads one page. ErrCursor: its cursor is not of this list.
func (l *Ledger) query(ctx context.Context, what string, q table.Query) (table.Page, error) {
	page, err := l.table.Query(ctx, q)
	switch {
	case err == nil:
		return page, nil
	case errors.Is(err, table.ErrInvalid) && q.After != "":
		return table.Page{}, fmt.Errorf("%w: %v", ErrCursor, err)
	}
	return table.Page{}, fmt.Errorf("%s: %w", what, err)
}

// write makes one transaction. ErrStale: a record has changed since it was
// read, and nothing was written; the error has the *table.ConflictError too.
func (l *Ledger) write(ctx context.Context, what string, ops ...table.Op) error {
	err := l.table.Write(ctx, ops...)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, table.ErrConflict):
		return fmt.Errorf("%w: %w", ErrStale, err)
	default:
		return fmt.Errorf("%s: %w", what, err)
	}
}

// Clock turns a time into the form the ledger keeps: UTC, milliseconds.
func Clock(now time.Time) time.Time { return now.UTC().Truncate(time.Millisecond) }
