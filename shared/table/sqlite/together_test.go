package sqlite

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"sync"
	"testing"

	"momoproxy/shared/table"
)

// Writes that are committed together are still each their own: one that
// conflicts, with what was there or with another of them, or whose caller has
// gone, takes nothing of the others with it.
func TestWritesTogether(t *testing.T) {
	t.Parallel()
	s, err := Open(filepath.Join(t.TempDir(), "t.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	ctx := context.Background()
	key := func(name string) table.Key { return table.Key{Space: table.Main, Partition: "p", Sort: name} }
	put := func(name string, version int64) table.Op {
		return table.Put(table.Record{Key: key(name), Version: version, Attributes: map[string]any{"by": name}})
	}
	if err := s.Write(ctx, put("old", 0)); err != nil {
		t.Fatal(err)
	}
	gone, leave := context.WithCancel(ctx)
	leave()
	all := []*pending{
		{ctx: ctx, ops: []table.Op{put("a", 0), put("b", 0)}},
		{ctx: ctx, ops: []table.Op{put("c", 0), put("old", 0)}}, // old is there
		{ctx: gone, ops: []table.Op{put("d", 0)}},
		{ctx: ctx, ops: []table.Op{put("e", 0), put("a", 0)}}, // the first has made a
		{ctx: ctx, ops: []table.Op{put("a", 1), table.Delete(key("old"), 1)}},
		{ctx: ctx, ops: []table.Op{put("f", 0)}},
	}
	s.writing.Lock()
	s.writeTogether(all)
	s.writing.Unlock()
	for i, p := range all {
		conflict := i == 1 || i == 3
		if !p.done || errors.Is(p.err, table.ErrConflict) != conflict || errors.Is(p.err, context.Canceled) != (i == 2) || !conflict && i != 2 && p.err != nil {
			t.Errorf("write %d: %v", i, p.err)
		}
	}
	var conflict *table.ConflictError
	if !errors.As(all[3].err, &conflict) || len(conflict.Ops) != 1 || conflict.Ops[0].Op != 1 || conflict.Ops[0].Current.Version != 1 {
		t.Errorf("the conflict among them: %+v", all[3].err)
	}
	for name, version := range map[string]int64{"a": 2, "b": 1, "c": 0, "d": 0, "e": 0, "f": 1, "old": 0} {
		r, err := s.Get(ctx, key(name))
		if err != nil && !errors.Is(err, table.ErrNotFound) || r.Version != version {
			t.Errorf("%s has version %d (%v), want %d", name, r.Version, err, version)
		}
	}
}

// When the transaction breaks, nobody is told that anything was written.
func TestTogetherNothingIsWritten(t *testing.T) {
	t.Parallel()
	s, err := Open(filepath.Join(t.TempDir(), "t.db"))
	if err != nil {
		t.Fatal(err)
	}
	_ = s.Close()
	all := []*pending{}
	for i := range 3 {
		r := table.Record{Key: table.Key{Space: table.Main, Partition: "p", Sort: fmt.Sprint(i)}}
		all = append(all, &pending{ctx: context.Background(), ops: []table.Op{table.Put(r)}})
	}
	s.writeTogether(all)
	for i, p := range all {
		if !errors.Is(p.err, table.ErrUnavailable) {
			t.Errorf("write %d: %v", i, p.err)
		}
	}
}

// All that wait are written in one commit, and more than that in several.
func TestWaitingWritesAreGathered(t *testing.T) {
	t.Parallel()
	s, err := Open(filepath.Join(t.TempDir(), "t.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	const writes = 3*together + 1
	var wg sync.WaitGroup
	s.writing.Lock()
	for i := range writes {
		wg.Go(func() {
			if err := s.Write(context.Background(), table.Put(table.Record{Key: table.Key{Space: table.Main, Partition: "p", Sort: fmt.Sprint(i)}})); err != nil {
				t.Error(err)
			}
		})
	}
	for waiting := 0; waiting < writes; {
		s.arriving.Lock()
		waiting = len(s.arrived)
		s.arriving.Unlock()
		runtime.Gosched()
	}
	first := s.next()
	s.writeTogether(first)
	s.writing.Unlock()
	wg.Wait()
	page, err := s.Query(context.Background(), table.Query{Space: table.Main, Partition: "p", Limit: writes})
	if err != nil || len(page.Records) != writes || len(first) != together {
		t.Errorf("%d written, %d of them in the first commit (%v)", len(page.Records), len(first), err)
	}
}
