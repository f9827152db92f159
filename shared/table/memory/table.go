// Package memory is the table port in this process's memory: for tests and
// simulation, where nothing need outlive the process. Nothing expires unless
// Purge is called.
package memory

import (
	"bytes"
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"momoproxy/shared/table"
)

// Table is an in-memory table. Make it with New.
type Table struct {
	// Shared saves copies: the maps of a record that is written are those of
	// everybody who reads it, and nobody may change them. Set it before use.
	Shared bool

	mu      sync.RWMutex
	records map[table.Key]table.Record
	// walks holds, for every partition of a space or an index, its entries
	// in order.
	walks map[walk][]entry
}

// walk names a partition; index is empty for the space itself.
type walk struct {
	space            table.Space
	index, partition string
}

// entry is a place in a walk: by sort, then by key (which differs from sort
// in an index only).
type entry struct {
	sort string
	key  table.Key
	// index is what a query of an index shows of the record.
	index map[string]table.IndexKey
}

func compare(a, b entry) int {
	return cmp.Or(cmp.Compare(a.sort, b.sort),
		cmp.Compare(a.key.Partition, b.key.Partition), cmp.Compare(a.key.Sort, b.key.Sort))
}

var _ table.Table = (*Table)(nil)

// New returns an empty table.
func New() *Table {
	return &Table{records: map[table.Key]table.Record{}, walks: map[walk][]entry{}}
}

// Get implements table.Table.
func (t *Table) Get(ctx context.Context, k table.Key) (table.Record, error) {
	if err := ctx.Err(); err != nil {
		return table.Record{}, err
	}
	if err := table.CheckKey(k); err != nil {
		return table.Record{}, err
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	r, ok := t.records[k]
	if !ok {
		return table.Record{}, table.ErrNotFound
	}
	return t.own(r), nil
}

// GetMany implements table.Table.
func (t *Table) GetMany(ctx context.Context, keys ...table.Key) ([]table.Record, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := table.CheckKeys(keys); err != nil {
		return nil, err
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	found := make([]table.Record, len(keys))
	for i, k := range keys {
		found[i] = t.own(t.records[k])
		found[i].Key = k
	}
	return found, nil
}

// Write implements table.Table. It never returns ErrUnavailable.
func (t *Table) Write(ctx context.Context, ops ...table.Op) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := table.CheckWrite(ops); err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	var conflicts []table.OpConflict
	for i, op := range ops {
		k := op.Record.Key
		if stored := t.records[k]; stored.Version != op.Record.Version {
			current := t.own(stored)
			current.Key = k
			conflicts = append(conflicts, table.OpConflict{Op: i, Key: k, Current: current})
		}
	}
	if conflicts != nil {
		return &table.ConflictError{Ops: conflicts}
	}
	for _, op := range ops {
		switch op.Kind {
		case table.OpPut:
			r := t.taken(op.Record)
			r.Version++
			t.put(r)
		case table.OpDelete:
			t.remove(op.Record.Key)
		}
	}
	return nil
}

func (t *Table) put(r table.Record) {
	old, was := t.records[r.Key]
	for name, e := range old.Index {
		if r.Index[name] != e {
			t.leave(walk{r.Space, name, e.Partition}, entry{sort: e.Sort, key: r.Key})
		}
	}
	for name, e := range r.Index {
		if old.Index[name] != e {
			t.enter(walk{r.Space, name, e.Partition}, entry{e.Sort, r.Key, map[string]table.IndexKey{name: e}})
		}
	}
	if !was {
		t.enter(walk{r.Space, "", r.Partition}, entry{sort: r.Sort, key: r.Key})
	}
	t.records[r.Key] = r
}

func (t *Table) remove(k table.Key) {
	old, was := t.records[k]
	if !was {
		return
	}
	for name, e := range old.Index {
		t.leave(walk{k.Space, name, e.Partition}, entry{sort: e.Sort, key: k})
	}
	t.leave(walk{k.Space, "", k.Partition}, entry{sort: k.Sort, key: k})
	delete(t.records, k)
}

func (t *Table) enter(w walk, e entry) {
	entries := t.walks[w]
	at, _ := slices.BinarySearchFunc(entries, e, compare)
	t.walks[w] = slices.Insert(entries, at, e)
}

func (t *Table) leave(w walk, e entry) {
	entries := t.walks[w]
	at, found := slices.BinarySearchFunc(entries, e, compare)
	if !found {
		return
	}
	if len(entries) == 1 {
		delete(t.walks, w)
		return
	}
	t.walks[w] = slices.Delete(entries, at, at+1)
}

// Purge removes the records that expired by now and tells how many: what
// DynamoDB does in its own time.
func (t *Table) Purge(now time.Time) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := 0
	for k, r := range t.records {
		if !r.ExpiresAt.IsZero() && !r.ExpiresAt.After(now) {
			t.remove(k)
			n++
		}
	}
	return n
}

// own is a stored record as a reader gets it.
func (t *Table) own(r table.Record) table.Record {
	if t.Shared && r.Version > 0 {
		return r
	}
	return form(clone(r))
}

// taken is a record as it is stored.
func (t *Table) taken(r table.Record) table.Record {
	if t.Shared {
		return form(r)
	}
	return form(clone(r))
}

// form is a record in the form every adapter returns: maps are never nil, times
// are whole seconds in UTC.
func form(r table.Record) table.Record {
	if r.Attributes == nil {
		r.Attributes = map[string]any{}
	}
	if r.Index == nil {
		r.Index = map[string]table.IndexKey{}
	}
	if !r.ExpiresAt.IsZero() {
		r.ExpiresAt = time.Unix(r.ExpiresAt.Unix(), 0).UTC()
	}
	return r
}

// clone gives a record maps of its own.
func clone(r table.Record) table.Record {
	r.Attributes, r.Index = maps.Clone(r.Attributes), maps.Clone(r.Index)
	for name, v := range r.Attributes {
		if b, ok := v.([]byte); ok {
			if v = bytes.Clone(b); b == nil {
				v = []byte{}
			}
			r.Attributes[name] = v
		}
	}
	return r
}
