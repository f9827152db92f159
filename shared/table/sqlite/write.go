package sqlite

import (
	"context"
	"errors"
	"fmt"
	"time"

	"momoproxy/shared/sqlitefile"
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
	// Encoded before the file is locked: other writes wait for the lock.
	texts, err := encodePuts(ops)
	if err != nil {
		return err
	}
	err = t.file.Write(ctx, func(c sqlitefile.Conn) error { return applyAll(c, ops, texts) })
	if errors.Is(err, sqlitefile.ErrNotWritten) {
		return fmt.Errorf("%w: %w", table.ErrUnavailable, err)
	}
	if err != nil {
		return err
	}
	before, now := t.purged.Load(), t.now()
	if now.Sub(time.Unix(before, 0)) > purgeEvery && t.purged.CompareAndSwap(before, now.Unix()) {
		// The write is done; that this fails is the next purge's worry.
		_, _ = t.Purge(ctx, now)
	}
	return nil
}

// put is what a record's row holds as JSON.
type put struct{ attributes, indexes string }

// encodePuts has one put for each op; it is empty where the op writes none.
func encodePuts(ops []table.Op) ([]put, error) {
	texts := make([]put, len(ops))
	for i, op := range ops {
		if op.Kind != table.OpPut {
			continue
		}
		var err error
		if texts[i].attributes, err = encodeAttributes(op.Record.Attributes); err != nil {
			return nil, fault(context.Background(), op.Record.Key.String(), err)
		}
		if texts[i].indexes, err = encodeIndex(op.Record.Index); err != nil {
			return nil, fault(context.Background(), op.Record.Key.String(), err)
		}
	}
	return texts, nil
}

// applyAll does all ops, or says which cannot be done.
func applyAll(c sqlitefile.Conn, ops []table.Op, texts []put) error {
	var conflicts []table.OpConflict
	for i, op := range ops {
		conflict, err := apply(c, op, texts[i])
		if err != nil {
			return fault(context.Background(), op.Record.Key.String(), err)
		}
		if conflict {
			current, err := read(c, op.Record.Key)
			if err != nil {
				return fault(context.Background(), op.Record.Key.String(), err)
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
func apply(c sqlitefile.Conn, op table.Op, text put) (conflict bool, err error) {
	r := op.Record
	records := recordsOf(r.Space)
	var changed int64
	switch op.Kind {
	case table.OpCheck:
		var version int64
		err := c.QueryRow(`SELECT coalesce(max(version), 0) FROM `+records+` WHERE "partition" = ? AND sort = ?`,
			[]any{r.Partition, r.Sort}, &version)
		return version != r.Version, err
	case table.OpDelete:
		changed, err = c.Exec(`DELETE FROM `+records+` WHERE "partition" = ? AND sort = ? AND version = ?`,
			r.Partition, r.Sort, r.Version)
	case table.OpPut:
		if r.Version == 0 {
			changed, err = c.Exec(`INSERT INTO `+records+
				` (version, attributes, indexes, expires_at, "partition", sort) VALUES (1, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
				text.attributes, text.indexes, expiry(r.ExpiresAt), r.Partition, r.Sort)
		} else {
			changed, err = c.Exec(`UPDATE `+records+
				` SET version = version + 1, attributes = ?, indexes = ?, expires_at = ? WHERE "partition" = ? AND sort = ? AND version = ?`,
				text.attributes, text.indexes, expiry(r.ExpiresAt), r.Partition, r.Sort, r.Version)
		}
	}
	return changed == 0, err
}
