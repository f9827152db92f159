package journal

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"
)

func open(t *testing.T, path string) *Journal {
	t.Helper()
	j, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { j.Close() })
	return j
}

func all(t *testing.T, j *Journal) (texts []string) {
	t.Helper()
	if err := j.All(func(p json.RawMessage) error { texts = append(texts, string(p)); return nil }); err != nil {
		t.Fatal(err)
	}
	return texts
}

func put(t *testing.T, j *Journal, id string, endsAt time.Time, payment any) []string {
	t.Helper()
	dropped, err := j.Put(id, endsAt, time.Unix(1000, 0), payment)
	if err != nil {
		t.Fatal(err)
	}
	return dropped
}

// What was put is there after a kill, the latest of each, and half a line is
// not read.
func TestKeepsTheLatest(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "payments")
	first := open(t, path)
	put(t, first, "a", time.Time{}, "a1")
	put(t, first, "b", time.Time{}, "b1")
	put(t, first, "a", time.Time{}, "a2")
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(`{"id":"b","payment":"b`); err != nil {
		t.Fatal(err)
	}
	f.Close()
	for range 2 {
		j := open(t, path)
		if got := all(t, j); !slices.Equal(got, []string{`"a2"`, `"b1"`}) {
			t.Fatalf("%q", got)
		}
	}
	j := open(t, path)
	if err := j.Clear(); err != nil {
		t.Fatal(err)
	}
	put(t, j, "c", time.Time{}, "c1")
	if got := all(t, open(t, path)); !slices.Equal(got, []string{`"c1"`}) {
		t.Fatalf("%q", got)
	}
}

func TestDropsTheOldestThatEnded(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "payments")
	j := open(t, path)
	ended := time.Unix(999, 0)
	for i := range Most {
		ends := time.Time{}
		if i == 3 || i == 5 {
			ends = ended
		}
		put(t, j, strconv.Itoa(i), ends, i)
	}
	for want, id := range map[string]string{"3": "x"} {
		if got := put(t, j, id, time.Unix(2000, 0), 0); !slices.Equal(got, []string{want}) {
			t.Errorf("dropped %v", got)
		}
	}
	if got := put(t, j, "y", time.Time{}, 0); !slices.Equal(got, []string{"5"}) {
		t.Errorf("dropped %v", got)
	}
	if got := put(t, j, "z", time.Time{}, 0); !slices.Equal(got, []string{"0"}) {
		t.Errorf("none has ended: dropped %v", got)
	}
	for range 2 * Most {
		put(t, j, "z", time.Time{}, 0)
	}
	put(t, j, "last", time.Time{}, 0)
	if j.lines > Most+1 {
		t.Errorf("%d lines", j.lines)
	}
	if got := len(all(t, open(t, path))); got != Most {
		t.Errorf("%d are kept", got)
	}
}
