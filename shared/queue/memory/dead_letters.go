package memory

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"momoproxy/shared/queue"
)

var _ queue.DeadLetters = (*Queue)(nil)

// TakeDead implements queue.DeadLetters, the longest sent first.
func (q *Queue) TakeDead(ctx context.Context, max int, visibility time.Duration) ([]queue.DeadLetter, error) {
	if err := queue.CheckReceive(max, visibility, 0); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("take dead letters: %w", err)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.now()
	q.uncover(now)
	var ids []string
	for id, m := range q.messages {
		if m.dead && !m.visibleAt.After(now) {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, func(a, b string) int { return cmp.Compare(q.messages[a].number, q.messages[b].number) })
	var got []queue.DeadLetter
	for _, id := range ids[:min(max, len(ids))] {
		m := q.messages[id]
		m.receives++
		m.visibleAt = now.Add(visibility)
		got = append(got, queue.DeadLetter{ID: id, Receipt: receipt(id, m.receives), Body: m.Body, Group: m.Group, SentAt: m.sentAt})
	}
	return got, nil
}

// DeleteDead implements queue.DeadLetters.
func (q *Queue) DeleteDead(ctx context.Context, receipts ...string) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("delete dead letters: %w", err)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, r := range receipts {
		id, _, _ := strings.Cut(r, ".")
		if m, ok := q.messages[id]; ok && m.dead && r == receipt(id, m.receives) {
			delete(q.messages, id)
		}
	}
	return nil
}
