package sqlite

import (
	"context"
	"fmt"
	"time"

	"momoproxy/shared/queue"
	"momoproxy/shared/sqlitefile"
)

// take hands out what is visible now, and moves what was received too often
// to the dead letters.
func (q *Queue) take(ctx context.Context, max int, visibility time.Duration) ([]queue.Received, error) {
	now := q.o.Now()
	// Most looks find nothing: they must not take the write lock.
	var due bool
	err := q.file.Read(context.WithoutCancel(ctx), func(c sqlitefile.Conn) error {
		return c.QueryRow(`SELECT EXISTS (SELECT 1 FROM queue_messages WHERE queue = ? AND dead_at IS NULL AND visible_at <= ?)`,
			[]any{q.o.Name, now.UnixMilli()}, &due)
	})
	if err != nil || !due {
		return nil, err
	}
	var got []queue.Received
	err = q.file.Write(ctx, func(c sqlitefile.Conn) error {
		got = nil
		if _, err := c.Exec(
			`UPDATE queue_messages SET dead_at = ?1
			WHERE queue = ?2 AND dead_at IS NULL AND visible_at <= ?1 AND ?3 > 0 AND receives >= ?3`,
			now.UnixMilli(), q.o.Name, q.o.MaxReceives); err != nil {
			return err
		}
		groups, err := q.visible(c, now, max)
		if err != nil {
			return err
		}
		var turn int64
		if err := c.QueryRow(`SELECT ifnull(max(turn), 0) FROM queue_groups WHERE queue = ?`, []any{q.o.Name}, &turn); err != nil {
			return err
		}
		for i, m := range inTurn(groups, max) {
			r, err := q.own(c, m, now.Add(visibility), turn+int64(i)+1)
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
func (q *Queue) visible(c sqlitefile.Conn, now time.Time, max int) ([][]candidate, error) {
	rows, err := c.Query(
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

// own counts the receive, hides the message and gives its group the turn.
func (q *Queue) own(c sqlitefile.Conn, m candidate, until time.Time, turn int64) (queue.Received, error) {
	r := queue.Received{Group: m.group}
	err := c.QueryRow(`UPDATE queue_messages SET receives = receives + 1, visible_at = ? WHERE number = ?
		RETURNING id, body, receives`, []any{milliseconds(until), m.number}, &r.ID, &r.Body, &r.Receives)
	if err != nil {
		return r, err
	}
	r.Receipt = fmt.Sprintf("%s.%d", r.ID, r.Receives)
	_, err = c.Exec(`UPDATE queue_groups SET turn = ? WHERE queue = ? AND group_name = ?`, turn, q.o.Name, m.group)
	return r, err
}
