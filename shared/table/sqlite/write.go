package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"momoproxy/shared/table"
)

// Write implements table.Table. When it returns nil the write is on the disk.
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
	t.writing.Lock()
	defer t.writing.Unlock()
	if err := ctx.Err(); err != nil { // it may have been a long wait
		return err
	}
	if err := t.write(ctx, ops); err != nil {
		return err
	}
	if now := t.now(); now.Sub(time.Unix(t.purged.Load(), 0)) > purgeEvery {
		// The write is done; that this fails is the next purge's worry.
		_, _ = t.purge(ctx, now)
	}
	return nil
}

func (t *Table) write(ctx context.Context, ops []table.Op) error {
	tx, err := t.db.BeginTx(ctx, nil)
	if err != nil {
		return fault(ctx, "begin", err)
	}
	defer func() { _ = tx.Rollback() }()

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
	if err := tx.Commit(); err != nil {
		if isBusy(err) {
			return fault(ctx, "commit", err) // refused, and rolled back
		}
		return fmt.Errorf("commit, with unknown outcome: %w", err)
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
