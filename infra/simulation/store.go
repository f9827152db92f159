package simulation

import (
	"container/heap"
	"context"
	"strings"
	"time"

	"momoproxy/shared/ledger"
	"momoproxy/shared/table"
	"momoproxy/shared/table/memory"
)

// store is the table with what the schedule needs to know of it: when the next
// record is due. Asking every shard of the index after each write took an
// eighth of a run.
type store struct {
	*memory.Table
	dueAt     map[table.Key]time.Time
	dues      dueHeap
	unhealthy map[table.Key]bool // endpoints in the operator's inbox
	held      map[table.Key]bool // deliveries that are held
	// moved: an endpoint or what is held for one has changed since tendAt was
	// worked out.
	moved  bool
	tendAt time.Time // when a run has something to do for an endpoint; zero: never
}

func newStore() *store {
	t := memory.New()
	t.Shared = true
	return &store{Table: t, dueAt: map[table.Key]time.Time{}, unhealthy: map[table.Key]bool{}, held: map[table.Key]bool{}}
}

// Write implements table.Table.
func (s *store) Write(ctx context.Context, ops ...table.Op) error {
	if err := s.Table.Write(ctx, ops...); err != nil {
		return err
	}
	for _, op := range ops {
		if op.Kind != table.OpCheck {
			s.follow(op)
		}
	}
	return nil
}

func (s *store) follow(op table.Op) {
	k := op.Record.Key
	if k.Space != table.Main {
		return
	}
	index := op.Record.Index
	if op.Kind == table.OpDelete {
		index = nil
	}
	kind, _, _ := strings.Cut(index[ledger.IndexAttention].Sort, "#")
	inbox := ledger.AttentionKind(kind)
	s.note(s.unhealthy, k, inbox == ledger.AttentionEndpoint || inbox == ledger.AttentionDisabled)
	s.note(s.held, k, inbox == ledger.AttentionHeld)
	entry, isDue := index[ledger.IndexDue]
	if !isDue {
		delete(s.dueAt, k)
		return
	}
	stamp := strings.Split(entry.Sort, "#")[1]
	at, err := time.Parse(time.RFC3339Nano, stamp)
	if err != nil {
		panic(err)
	}
	if strings.HasPrefix(k.Sort, "delivery#") {
		at = at.Add(grace)
	}
	if was, ok := s.dueAt[k]; ok && was.Equal(at) {
		return
	}
	s.dueAt[k] = at
	heap.Push(&s.dues, due{at, k})
}

// note keeps a key in a set, or out of it.
func (s *store) note(set map[table.Key]bool, k table.Key, in bool) {
	s.moved = s.moved || in || set[k]
	if in {
		set[k] = true
	} else {
		delete(set, k)
	}
}

// nextDue is when the sweeper or the reconciler finds the next record due. An
// entry of the heap that its record has since left is dropped on the way.
func (s *store) nextDue() (at time.Time, any bool) {
	for len(s.dues) > 0 {
		next := s.dues[0]
		if at, ok := s.dueAt[next.key]; ok && at.Equal(next.at) {
			return at, true
		}
		heap.Pop(&s.dues)
	}
	return time.Time{}, false
}

type due struct {
	at  time.Time
	key table.Key
}

// dueHeap has the earliest first.
type dueHeap []due

func (h dueHeap) Len() int           { return len(h) }
func (h dueHeap) Less(i, j int) bool { return h[i].at.Before(h[j].at) }
func (h dueHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *dueHeap) Push(d any)        { *h = append(*h, d.(due)) }
func (h *dueHeap) Pop() any {
	old := *h
	d := old[len(old)-1]
	*h = old[:len(old)-1]
	return d
}
