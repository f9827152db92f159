package sqlitefile

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
)

func open(t *testing.T, path string) *File {
	t.Helper()
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := f.Write(t.Context(), func(c Conn) error {
		_, err := c.Exec(`CREATE TABLE IF NOT EXISTS rows (name TEXT PRIMARY KEY, n INTEGER)`)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return f
}

func insert(name string) func(Conn) error {
	return func(c Conn) error {
		_, err := c.Exec(`INSERT INTO rows VALUES (?, 1)`, name)
		return err
	}
}

func has(t *testing.T, f *File, name string) bool {
	t.Helper()
	var n int
	err := f.Read(t.Context(), func(c Conn) error {
		return c.QueryRow(`SELECT count(*) FROM rows WHERE name = ?`, []any{name}, &n)
	})
	if err != nil {
		t.Fatal(err)
	}
	return n == 1
}

// Every connection waits for the disk at each commit.
func TestPragmas(t *testing.T) {
	t.Parallel()
	f := open(t, filepath.Join(t.TempDir(), "p.db"))
	look := func(c Conn) error {
		for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "busy_timeout": "10000"} {
			var got string
			if err := c.QueryRow("PRAGMA "+pragma, nil, &got); err != nil || got != want {
				t.Errorf("%s = %q, %v; want %q", pragma, got, err, want)
			}
		}
		return nil
	}
	if err := errors.Join(f.Write(t.Context(), look), f.Read(t.Context(), look)); err != nil {
		t.Error(err)
	}
}

func TestReadCannotWrite(t *testing.T) {
	t.Parallel()
	f := open(t, filepath.Join(t.TempDir(), "r.db"))
	if err := f.Read(t.Context(), insert("a")); err == nil || has(t, f, "a") {
		t.Errorf("a read wrote: %v", err)
	}
}

// In memory a read sees what was written, and an error undoes it, as in a file.
func TestMemory(t *testing.T) {
	t.Parallel()
	f := open(t, memory)
	if err := f.Write(t.Context(), insert("a")); err != nil || !has(t, f, "a") {
		t.Error(err)
	}
	fault := errors.New("no")
	err := f.Write(t.Context(), func(c Conn) error { return errors.Join(insert("b")(c), fault) })
	if !errors.Is(err, fault) || errors.Is(err, ErrNotWritten) || has(t, f, "b") {
		t.Errorf("b is there, or %v", err)
	}
}

// Writes that are committed together are still each their own: one that fails,
// or whose caller has gone, takes nothing of the others with it.
func TestWritesTogether(t *testing.T) {
	t.Parallel()
	f := open(t, filepath.Join(t.TempDir(), "t.db"))
	gone, leave := context.WithCancel(t.Context())
	leave()
	fault := errors.New("no")
	group := []*write{
		{ctx: t.Context(), do: insert("a")},
		{ctx: t.Context(), do: func(c Conn) error { return errors.Join(insert("b")(c), fault) }},
		{ctx: gone, do: insert("c")},
		{ctx: t.Context(), do: func(c Conn) error { // it sees those before it
			return errors.Join(insert("d")(c), c.QueryRow(`SELECT 1 FROM rows WHERE name = 'a'`, nil, new(int)))
		}},
		{ctx: t.Context(), do: insert("a")}, // is there
		{ctx: t.Context(), do: func(c Conn) error { // undone
			if err := c.QueryRow(`SELECT 1 FROM rows WHERE name = 'b'`, nil, new(int)); !errors.Is(err, sql.ErrNoRows) {
				return fmt.Errorf("b is seen: %v", err)
			}
			return insert("e")(c)
		}},
	}
	f.commit(group)
	for i, w := range group {
		failed := i == 1 || i == 2 || i == 4
		if (w.err != nil) != failed || errors.Is(w.err, fault) != (i == 1) || errors.Is(w.err, context.Canceled) != (i == 2) || errors.Is(w.err, ErrNotWritten) {
			t.Errorf("write %d: %v", i, w.err)
		}
	}
	for name, want := range map[string]bool{"a": true, "b": false, "c": false, "d": true, "e": true} {
		if has(t, f, name) != want {
			t.Errorf("%s: %v", name, !want)
		}
	}
}

// When the transaction breaks no caller learns that anything was written.
func TestBrokenTransaction(t *testing.T) {
	t.Parallel()
	f := open(t, filepath.Join(t.TempDir(), "b.db"))
	group := []*write{
		{ctx: t.Context(), do: insert("a")},
		{ctx: t.Context(), do: func(c Conn) error { // as SQLite does by itself on a full disk
			_, err := c.Exec(`ROLLBACK`)
			return errors.Join(err, errors.New("database or disk is full"))
		}},
		{ctx: t.Context(), do: insert("c")},
	}
	f.commit(group)
	for i, w := range group {
		if !errors.Is(w.err, ErrNotWritten) {
			t.Errorf("write %d: %v", i, w.err)
		}
	}
	if has(t, f, "a") || has(t, f, "c") {
		t.Error("something is written")
	}
	if err := f.Write(t.Context(), insert("a")); err != nil || !has(t, f, "a") {
		t.Errorf("the next write: %v", err)
	}
}

// A write that panics ends as unknown for the others, and the next is served.
func TestPanic(t *testing.T) {
	t.Parallel()
	f := open(t, filepath.Join(t.TempDir(), "x.db"))
	group := []*write{{ctx: t.Context(), do: insert("a")}, {ctx: t.Context(), do: func(Conn) error { panic("x") }}}
	func() {
		defer func() { _ = recover() }()
		f.commit(group)
	}()
	if !errors.Is(group[0].err, errGivenUp) || !errors.Is(group[1].err, errGivenUp) || has(t, f, "a") {
		t.Errorf("%v, %v", group[0].err, group[1].err)
	}
	if err := f.Write(t.Context(), insert("a")); err != nil {
		t.Error(err)
	}
}

// All that wait are written in one commit, and more than that in several.
func TestWaitingWritesAreGathered(t *testing.T) {
	t.Parallel()
	f := open(t, filepath.Join(t.TempDir(), "g.db"))
	const writes = 3*maxGroup + 1
	var wg sync.WaitGroup
	f.leading = true
	for i := range writes {
		wg.Go(func() {
			if err := f.Write(t.Context(), insert(fmt.Sprint(i))); err != nil {
				t.Error(err)
			}
		})
	}
	for waiting := 0; waiting < writes; {
		f.mu.Lock()
		waiting = len(f.waiting)
		f.mu.Unlock()
		runtime.Gosched()
	}
	first := f.group()
	f.commit(first)
	f.end(nil, first)
	wg.Wait()
	var n int
	if err := f.Read(t.Context(), func(c Conn) error { return c.QueryRow(`SELECT count(*) FROM rows`, nil, &n) }); err != nil || n != writes || len(first) != maxGroup {
		t.Errorf("%d written, %d of them in the first commit (%v)", n, len(first), err)
	}
}

func TestClosed(t *testing.T) {
	t.Parallel()
	f, err := Open(filepath.Join(t.TempDir(), "c.db"))
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.Write(t.Context(), insert("a")); !errors.Is(err, ErrNotWritten) {
		t.Error(err)
	}
	if err := f.Read(t.Context(), func(c Conn) error { return c.QueryRow(`SELECT 1`, nil, new(int)) }); err == nil {
		t.Error("read a closed file")
	}
}
