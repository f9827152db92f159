package sqlitefile

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
)

// A copy that is made while another File writes holds all that was
// acknowledged before, and of every transaction all or nothing.
func TestBackUpWhileOthersWrite(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "a.db")
	writer, copier := open(t, path), open(t, path)
	var acknowledged atomic.Int64
	stop := make(chan struct{})
	var running sync.WaitGroup
	running.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			err := writer.Write(t.Context(), func(c Conn) error {
				if err := insert(fmt.Sprintf("a%d", i))(c); err != nil {
					return err
				}
				return insert(fmt.Sprintf("b%d", i))(c)
			})
			if err != nil {
				t.Error(err)
				return
			}
			acknowledged.Store(int64(i + 1))
		}
	})
	for n := range 5 {
		for before := acknowledged.Load(); acknowledged.Load() == before; { // it goes on during a backup
		}
		before := acknowledged.Load()
		to := filepath.Join(dir, fmt.Sprintf("copy%d.db", n))
		if err := copier.BackUp(t.Context(), to); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(to); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%v %v", info.Mode(), err)
		}
		copied := open(t, to)
		var a, b, last int64
		if err := copied.Read(t.Context(), func(c Conn) error {
			return c.QueryRow(`SELECT count(*) FILTER (WHERE name LIKE 'a%'), count(*) FILTER (WHERE name LIKE 'b%'), max(CAST(substr(name, 2) AS INTEGER)) FROM rows`, nil, &a, &b, &last)
		}); err != nil {
			t.Fatal(err)
		}
		if a != b || a < before || last != a-1 {
			t.Errorf("the copy has %d and %d rows, the last %d; %d were acknowledged before", a, b, last, before)
		}
	}
	close(stop)
	running.Wait()
	// Nothing that is there is overwritten, and a failure leaves no file.
	if err := copier.BackUp(t.Context(), filepath.Join(dir, "copy0.db")); err == nil {
		t.Error("it writes over a file")
	}
	if has(t, open(t, filepath.Join(dir, "copy0.db")), "a0") == false {
		t.Error("the file that was there is gone")
	}
	if err := open(t, memory).BackUp(t.Context(), filepath.Join(dir, "none.db")); err == nil {
		t.Error("a database in memory has a backup")
	}
	if _, err := os.Stat(filepath.Join(dir, "none.db")); err == nil {
		t.Error("a failure leaves a file")
	}
}
