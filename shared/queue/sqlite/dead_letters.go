package sqlite

import (
	"context"
	"fmt"
	"strings"
	"time"

	"momoproxy/shared/queue"
	"momoproxy/shared/sqlitefile"
)

var _ queue.DeadLetters = (*Queue)(nil)

// TakeDead implements queue.DeadLetters, the longest sent first. A take
// counts as a receive, which tells its receipt from those of others.
func (q *Queue) TakeDead(ctx context.Context, max int, visibility time.Duration) ([]queue.DeadLetter, error) {
	if err := queue.CheckReceive(max, visibility, 0); err != nil {
		return nil, err
	}
	now := q.o.Now()
	var got []queue.DeadLetter
	err := q.file.Write(ctx, func(c sqlitefile.Conn) error {
		got = nil
		// A spent message is a dead letter from its last visibility on.
		if _, err := c.Exec(
			`UPDATE queue_messages SET dead_at = ?1
			WHERE queue = ?2 AND dead_at IS NULL AND visible_at <= ?1 AND ?3 > 0 AND receives >= ?3`,
			now.UnixMilli(), q.o.Name, q.o.MaxReceives); err != nil {
			return err
		}
		rows, err := c.Query(
			`UPDATE queue_messages SET receives = receives + 1, visible_at = ?1 WHERE number IN (
				SELECT number FROM queue_messages
				WHERE queue = ?2 AND dead_at IS NOT NULL AND visible_at <= ?3 ORDER BY number LIMIT ?4)
			RETURNING id, receives, body, group_name, sent_at`,
			milliseconds(now.Add(visibility)), q.o.Name, now.UnixMilli(), max)
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			var d queue.DeadLetter
			var receives, sent int64
			if err := rows.Scan(&d.ID, &receives, &d.Body, &d.Group, &sent); err != nil {
				return err
			}
			d.Receipt, d.SentAt = fmt.Sprintf("%s.%d", d.ID, receives), time.UnixMilli(sent).UTC()
			got = append(got, d)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, q.failed(ctx, "take dead letters", err)
	}
	return got, nil
}

// DeleteDead implements queue.DeadLetters.
func (q *Queue) DeleteDead(ctx context.Context, receipts ...string) error {
	err := q.file.Write(ctx, func(c sqlitefile.Conn) error {
		for _, r := range receipts {
			id, receives, ok := strings.Cut(r, ".")
			if !ok {
				continue
			}
			if _, err := c.Exec(
				`DELETE FROM queue_messages
				WHERE queue = ? AND id = ? AND CAST(receives AS TEXT) = ? AND dead_at IS NOT NULL`,
				q.o.Name, id, receives); err != nil {
				return err
			}
		}
		return nil
	})
	return q.failed(ctx, "delete dead letters", err)
}
