package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"momoproxy/shared/queue"
)

// take hands out what is visible now, and moves what was received too often
// to the dead letters.
func (q *Queue) take(ctx context.Context, max int, visibility time.Duration) ([]queue.Received, error) {
	now := q.o.Now()
	// Most looks find nothing: they must not take the write lock.
	var due bool
	err := q.db.QueryRowContext(ctx,
		`SELECT EXISTS (SELECT 1 FROM queue_messages WHERE queue = ? AND dead_at IS NULL AND visible_at <= ?)`,
		q.o.Name, now.UnixMilli()).Scan(&due)
	if err != nil || !due {
		return nil, err
	}
	var got []queue.Received
	err = q.write(ctx, func(tx *sql.Tx) error {
		got = nil
		if _, err := tx.ExecContext(ctx,
			`UPDATE queue_messages SET dead_at = ?1
			WHERE queue = ?2 AND dead_at IS NULL AND visible_at <= ?1 AND ?3 > 0 AND receives >= ?3`,
			now.UnixMilli(), q.o.Name, q.o.MaxReceives); err != nil {
			return err
		}
		groups, err := q.visible(ctx, tx, now, max)
		if err != nil {
			return err
		}
		for _, m := range inTurn(groups, max) {
			r, err := q.own(ctx, tx, m, now.Add(visibility))
			if err != nil {
				return err
			}
			got = append(got, r)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return got, nil
}

// candidate is a visible message.
type candidate struct {
	number int64
	group  string
}

// visible lists up to max messages of each group, the longest visible first,
// and the groups by their latest turn.
func (q *Queue) visible(ctx context.Context, tx *sql.Tx, now time.Time, max int) ([][]candidate, error) {
	rows, err := tx.QueryContext(ctx,
		`SELECT m.number, m.group_name FROM queue_groups g
		JOIN queue_messages m ON m.number IN (
			SELECT number FROM queue_messages
			WHERE queue = g.queue AND group_name = g.group_name AND dead_at IS NULL AND visible_at <= ?2
			ORDER BY visible_at, number LIMIT ?3)
		WHERE g.queue = ?1
		ORDER BY g.turn, g.group_name, m.visible_at, m.number`,
		q.o.Name, now.UnixMilli(), max)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var groups [][]candidate
	for rows.Next() {
		var c candidate
		if err := rows.Scan(&c.number, &c.group); err != nil {
			return nil, err
		}
		if last := len(groups) - 1; last >= 0 && groups[last][0].group == c.group {
			groups[last] = append(groups[last], c)
		} else {
			groups = append(groups, []candidate{c})
		}
	}
	return groups, rows.Err()
}

// inTurn picks up to max, one from each group in rounds: a client with a
// long backlog does not delay one with a single message.
func inTurn(groups [][]candidate, max int) []candidate {
	var picked []candidate
	for round := range max {
		for _, g := range groups {
			if round < len(g) && len(picked) < max {
				picked = append(picked, g[round])
			}
		}
	}
	return picked
}

// own counts the receive, hides the message and gives its group the latest
// turn.
func (q *Queue) own(ctx context.Context, tx *sql.Tx, m candidate, until time.Time) (queue.Received, error) {
	r := queue.Received{Group: m.group}
	err := tx.QueryRowContext(ctx,
		`UPDATE queue_messages SET receives = receives + 1, visible_at = ? WHERE number = ?
		RETURNING id, body, receives`,
		milliseconds(until), m.number).Scan(&r.ID, &r.Body, &r.Receives)
	if err != nil {
		return r, err
	}
	r.Receipt = fmt.Sprintf("%s.%d", r.ID, r.Receives)
	_, err = tx.ExecContext(ctx,
		`UPDATE queue_groups SET turn = (SELECT max(turn) FROM queue_groups WHERE queue = ?1) + 1
		WHERE queue = ?1 AND group_name = ?2`, q.o.Name, m.group)
	return r, err
}
