// Package sqlite is the table port in one SQLite file, in pure Go. Every
// acknowledged Write is on the disk (write-ahead log, synchronous=FULL): a
// kill or a power cut loses nothing. Several processes may use the file at
// once; their writes take turns.
//
// What is stored can be read with the sqlite3 command: the tables
// main_records and audit_records hold the attributes as JSON (bytes as
// {"$bytes": "<base64>"}), main_index the index entries.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	sqlite3 "modernc.org/sqlite"
	sqlite3lib "modernc.org/sqlite/lib"

	"momoproxy/shared/table"
)

// busy is how long a write waits for another process's. Within this process
// writes queue up on a mutex instead, which wakes the next one at once.
const busy = 10 * time.Second

// purgeEvery is how often a Write looks for expired records.
const purgeEvery = time.Hour

// Table is a table in a file. Make it with Open.
type Table struct {
	db      *sql.DB
	now     func() time.Time
	purged  atomic.Int64 // Unix seconds of the last Purge
	writing sync.Mutex   // held while something is written

	arriving sync.Mutex
	arrived  []*pending // Writes that nobody has begun
}

var _ table.Table = (*Table)(nil)

// Open opens the file, making it if it is not there, and removes what has
// expired. The path ":memory:" is a database of this Table alone, lost when
// it is closed. Close it after use.
func Open(path string) (*Table, error) {
	db, err := sql.Open("sqlite", source(path))
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	if path == ":memory:" {
		// Every connection would be a database of its own.
		db.SetMaxOpenConns(1)
	}
	t := &Table{db: db, now: time.Now}
	ctx, cancel := context.WithTimeout(context.Background(), 2*busy)
	defer cancel()
	if err := t.create(ctx); err != nil {
		_ = db.Close()
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	if _, err := t.Purge(ctx, t.now()); err != nil {
		_ = db.Close()
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	return t, nil
}

// source is the driver's name for the file. Every connection sets its own
// pragmas; transactions take the write lock when they begin, because one that
// read first could not get it any more.
func source(path string) string {
	pragmas := url.Values{
		"_txlock": {"immediate"},
		"_pragma": {
			fmt.Sprintf("busy_timeout(%d)", busy.Milliseconds()),
			"journal_mode(WAL)", "synchronous(FULL)",
		},
	}
	name := path
	if path != ":memory:" {
		if absolute, err := filepath.Abs(path); err == nil {
			path = absolute
		}
		name = "file://" + (&url.URL{Path: filepath.ToSlash(path)}).EscapedPath()
	}
	return name + "?" + pragmas.Encode()
}

// DB is the database beneath, to be shared with the queue: one file, one
// process. Its pool of a ":memory:" database has one connection, so nothing
// may query while it holds rows or a transaction open.
func (t *Table) DB() *sql.DB { return t.db }

// Close ends the use of the file.
func (t *Table) Close() error { return t.db.Close() }

// Get implements table.Table.
func (t *Table) Get(ctx context.Context, k table.Key) (table.Record, error) {
	if err := ctx.Err(); err != nil {
		return table.Record{}, err
	}
	if err := table.CheckKey(k); err != nil {
		return table.Record{}, err
	}
	r, err := read(ctx, t.db, k)
	if err != nil {
		return table.Record{}, fault(ctx, "get "+k.String(), err)
	}
	if r.Version == 0 {
		return table.Record{}, table.ErrNotFound
	}
	return r, nil
}

// Purge removes the records that expired by now, and tells how many. Open
// does it, and a Write when the last time was long ago.
func (t *Table) Purge(ctx context.Context, now time.Time) (int, error) {
	t.writing.Lock()
	defer t.writing.Unlock()
	return t.purge(ctx, now)
}

// purge works in small transactions, so that no write waits for long.
func (t *Table) purge(ctx context.Context, now time.Time) (int, error) {
	t.purged.Store(now.Unix())
	total := 0
	for _, name := range []string{"main_records", "audit_records"} {
		for {
			res, err := t.db.ExecContext(ctx, `DELETE FROM `+name+` WHERE rowid IN
				(SELECT rowid FROM `+name+` WHERE expires_at <= ? LIMIT 500)`, now.Unix())
			if err != nil {
				return total, fmt.Errorf("purge: %w", err)
			}
			n, err := res.RowsAffected()
			if err != nil {
				return total, fmt.Errorf("purge: %w", err)
			}
			total += int(n)
			if n < 500 {
				break
			}
		}
	}
	return total, nil
}

// fault tells what a failure before a commit means: certainly nothing was
// written. The context's own error comes first, whatever SQLite made of it.
func fault(ctx context.Context, what string, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%s: %w", what, ctx.Err())
	}
	return fmt.Errorf("%s: %w: %w", what, table.ErrUnavailable, err)
}

// isBusy tells that another process holds the lock.
func isBusy(err error) bool {
	var e *sqlite3.Error
	if !errors.As(err, &e) {
		return false
	}
	code := e.Code() & 0xff
	return code == sqlite3lib.SQLITE_BUSY || code == sqlite3lib.SQLITE_LOCKED
}

// recordsOf names the SQL table of a space.
func recordsOf(s table.Space) string {
	return strings.ToLower(string(s)) + "_records"
}
