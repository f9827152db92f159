// Package sqlite is the table port in a sqlitefile.File: what a Write has
// acknowledged is on the disk.
//
// What is stored can be read with the sqlite3 command: the tables
// main_records and audit_records hold the attributes as JSON (bytes as
// {"$bytes": "<base64>"}), main_index the index entries.
package sqlite

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"momoproxy/shared/sqlitefile"
	"momoproxy/shared/table"
)

// purgeEvery is how often a Write looks for expired records.
const purgeEvery = time.Hour

// Table is a table in a file. Make it with Open.
type Table struct {
	file   *sqlitefile.File
	now    func() time.Time
	purged atomic.Int64 // Unix seconds of the last Purge
}

var _ table.Table = (*Table)(nil)

// Open opens the file, making it if it is not there, and removes what has
// expired. The path ":memory:" is a database of this Table alone, lost when
// it is closed. Close it after use.
func Open(path string) (*Table, error) {
	file, err := sqlitefile.Open(path)
	if err != nil {
		return nil, err
	}
	t := &Table{file: file, now: time.Now}
	ctx := context.Background()
	err = file.Write(ctx, func(c sqlitefile.Conn) error {
		_, err := c.Exec(schema)
		return err
	})
	if err == nil {
		_, err = t.Purge(ctx, t.now())
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", path, err), file.Close())
	}
	return t, nil
}

// File is the file beneath, to be shared with the queue: what writes to one
// file waits for its turn in one place, and commits together.
func (t *Table) File() *sqlitefile.File { return t.file }

// Close ends the use of the file.
func (t *Table) Close() error { return t.file.Close() }

// Get implements table.Table.
func (t *Table) Get(ctx context.Context, k table.Key) (table.Record, error) {
	if err := ctx.Err(); err != nil {
		return table.Record{}, err
	}
	if err := table.CheckKey(k); err != nil {
		return table.Record{}, err
	}
	var r table.Record
	// It takes microseconds; watching ctx would cost more.
	err := t.file.Read(context.WithoutCancel(ctx), func(c sqlitefile.Conn) (err error) {
		r, err = read(c, k)
		return err
	})
	if err != nil {
		return table.Record{}, fault(ctx, "get "+k.String(), err)
	}
	if r.Version == 0 {
		return table.Record{}, table.ErrNotFound
	}
	return r, nil
}

// GetMany implements table.Table.
func (t *Table) GetMany(ctx context.Context, keys ...table.Key) ([]table.Record, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := table.CheckKeys(keys); err != nil {
		return nil, err
	}
	found := make([]table.Record, len(keys))
	err := t.file.Read(context.WithoutCancel(ctx), func(c sqlitefile.Conn) (err error) {
		for i := 0; i < len(keys) && err == nil; i++ {
			found[i], err = read(c, keys[i])
		}
		return err
	})
	if err != nil {
		return nil, fault(ctx, "get many", err)
	}
	return found, nil
}

// Purge removes the records that expired by now, and tells how many. Open
// does it, and a Write when the last time was long ago. It works in small
// transactions, so that no write waits for long.
func (t *Table) Purge(ctx context.Context, now time.Time) (int, error) {
	t.purged.Store(now.Unix())
	total := 0
	for _, name := range []string{"main_records", "audit_records"} {
		for {
			var n int64
			err := t.file.Write(ctx, func(c sqlitefile.Conn) (err error) {
				n, err = c.Exec(`DELETE FROM `+name+` WHERE rowid IN
					(SELECT rowid FROM `+name+` WHERE expires_at <= ? LIMIT 500)`, now.Unix())
				return err
			})
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

// recordsOf names the SQL table of a space.
func recordsOf(s table.Space) string {
	return strings.ToLower(string(s)) + "_records"
}
