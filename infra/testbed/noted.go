package testbed

import (
	"context"
	"sync"

	"momoproxy/shared/table"
)

// notedTable remembers every key that was written, so that a test can look
// at everything there is.
type notedTable struct {
	table.Table

	mu    sync.Mutex
	keys  map[table.Key]bool
	order []table.Key
}

func (n *notedTable) Write(ctx context.Context, ops ...table.Op) error {
	n.mu.Lock()
	for _, op := range ops {
		if k := op.Record.Key; !n.keys[k] {
			n.keys[k] = true
			n.order = append(n.order, k)
		}
	}
	n.mu.Unlock()
	return n.Table.Write(ctx, ops...)
}

// Records is everything that is stored, in both spaces, in the order in which
// it was first written.
func (w *World) Records() []table.Record {
	w.noted.mu.Lock()
	keys := append([]table.Key(nil), w.noted.order...)
	w.noted.mu.Unlock()
	var all []table.Record
	for _, k := range keys {
		if r, err := w.Memory.Get(context.Background(), k); err == nil {
			all = append(all, r)
		}
	}
	return all
}
