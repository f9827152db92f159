package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"momoproxy/shared/table"
)

// together bounds the Writes of one commit: what one of them costs the others.
const together = 64

// pending is a Write on its way to the disk.
type pending struct {
	ctx context.Context
	ops []table.Op
	// done and err: what came of it. For whoever holds the write lock.
	done bool
	err  error
}

// Write implements table.Table. When it returns nil the write is on the disk.
// Writes that come while another is being written are committed together, each
// whole or not at all: a commit waits for the disk, and one wait serves many.
func (t *Table) Write(ctx context.Context, ops ...table.Op) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := table.CheckWrite(ops); err != nil {
		return err
	}
	if len(ops) == 0 {
		return nil
	}
	p := &pending{ctx: ctx, ops: ops}
	t.arriving.Lock()
	t.arrived = append(t.arrived, p)
	t.arriving.Unlock()

	t.writing.Lock()
	defer t.writing.Unlock()
	for !p.done { // more than together may have come before it
		t.writeTogether(t.next())
	}
	if now := t.now(); p.err == nil && now.Sub(time.Unix(t.purged.Load(), 0)) > purgeEvery {
		// The write is done; that this fails is the next purge's worry.
		_, _ = t.purge(ctx, now)
	}
	return p.err
}

// next takes those that have waited longest.
func (t *Table) next() []*pending {
	t.arriving.Lock()
	defer t.arriving.Unlock()
	n := min(len(t.arrived), together)
	all := t.arrived[:n:n]
	t.arrived = t.arrived[n:]
	return all
}

// errGivenUp is what remains of Writes whose writing panicked.
var errGivenUp = errors.New("write given up, with unknown outcome")

// writeTogether does each in one transaction. A context that has ended by now
// ends its own Write; later it stops nothing, because a statement that is
// interrupted would end the others' transaction.
func (t *Table) writeTogether(all []*pending) {
	live := all[:0:0]
	for _, p := range all {
		p.done, p.err = true, errGivenUp
		if err := p.ctx.Err(); err != nil { // it may have been a long wait
			p.err = err
			continue
		}
		live = append(live, p)
	}
	if len(live) == 0 {
		return
	}
	ctx := context.WithoutCancel(live[0].ctx)
	results := make([]error, len(live))
	err := t.transact(ctx, live, results)
	for i, p := range live {
		switch {
		case err == nil:
			p.err = results[i]
		case results[i] != nil && !errors.Is(err, table.ErrUnavailable):
			// It had failed before the commit did, perhaps against something
			// that is undone now.
			p.err = fault(ctx, "commit", err)
		default:
			p.err = err
		}
	}
}

// transact commits those that can be written and notes why the others cannot.
// An error is everyone's: with table.ErrUnavailable nothing is written, else it
// is unknown.
func (t *Table) transact(ctx context.Context, all []*pending, results []error) error {
	tx, err := t.db.BeginTx(ctx, nil)
	if err != nil {
		return fault(ctx, "begin", err)
	}
	defer func() { _ = tx.Rollback() }()
	written := 0
	for i, p := range all {
		if len(all) == 1 {
			results[i] = applyAll(ctx, tx, p.ops)
		} else if results[i], err = applyApart(ctx, tx, p.ops); err != nil {
			return fault(ctx, "write", err)
		}
		if results[i] == nil {
			written++
		}
	}
	if written == 0 {
		return nil
	}
	if err := tx.Commit(); err != nil {
		if isBusy(err) {
			return fault(ctx, "commit", err) // refused, and rolled back
		}
		return fmt.Errorf("commit, with unknown outcome: %w", err)
	}
	return nil
}

// applyApart does one Write's ops so that they can be undone without the
// others'. What keeps it from being written is its result; an error ends the
// whole transaction.
func applyApart(ctx context.Context, tx *sql.Tx, ops []table.Op) (result, err error) {
	if _, err := tx.ExecContext(ctx, `SAVEPOINT apart`); err != nil {
		return nil, err
	}
	if result = applyAll(ctx, tx, ops); result != nil {
		if _, err := tx.ExecContext(ctx, `ROLLBACK TO apart`); err != nil {
			return nil, err
		}
	}
	_, err = tx.ExecContext(ctx, `RELEASE apart`)
	return result, err
}

// applyAll does all ops, or says which cannot be done.
func applyAll(ctx context.Context, tx *sql.Tx, ops []table.Op) error {
	var conflicts []table.OpConflict
	for i, op := range ops {
		conflict, err := apply(ctx, tx, op)
		if err != nil {
			return fault(ctx, op.Record.Key.String(), err)
		}
		if conflict {
			current, err := read(ctx, tx, op.Record.Key)
			if err != nil {
				return fault(ctx, op.Record.Key.String(), err)
			}
			conflicts = append(conflicts, table.OpConflict{Op: i, Key: op.Record.Key, Current: current})
		}
	}
	if conflicts != nil {
		return &table.ConflictError{Ops: conflicts}
	}
	return nil
}

// apply does one op and tells whether its version did not match. No key
// comes twice in a Write, so each op sees what was there before the Write.
func apply(ctx context.Context, tx *sql.Tx, op table.Op) (conflict bool, err error) {
	r := op.Record
	records := recordsOf(r.Space)
	var res sql.Result
	switch op.Kind {
	case table.OpCheck:
		var version int64
		err := tx.QueryRowContext(ctx, `SELECT coalesce(max(version), 0) FROM `+records+
			` WHERE "partition" = ? AND sort = ?`, r.Partition, r.Sort).Scan(&version)
		return version != r.Version, err
	case table.OpDelete:
		res, err = tx.ExecContext(ctx, `DELETE FROM `+records+
			` WHERE "partition" = ? AND sort = ? AND version = ?`, r.Partition, r.Sort, r.Version)
	case table.OpPut:
		var attributes, indexes string
		if attributes, err = encodeAttributes(r.Attributes); err != nil {
			return false, err
		}
		if indexes, err = encodeIndex(r.Index); err != nil {
			return false, err
		}
		if r.Version == 0 {
			res, err = tx.ExecContext(ctx, `INSERT INTO `+records+
				` (version, attributes, indexes, expires_at, "partition", sort) VALUES (1, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
				attributes, indexes, expiry(r.ExpiresAt), r.Partition, r.Sort)
		} else {
			res, err = tx.ExecContext(ctx, `UPDATE `+records+
				` SET version = version + 1, attributes = ?, indexes = ?, expires_at = ? WHERE "partition" = ? AND sort = ? AND version = ?`,
				attributes, indexes, expiry(r.ExpiresAt), r.Partition, r.Sort, r.Version)
		}
	}
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n == 0, err
}
