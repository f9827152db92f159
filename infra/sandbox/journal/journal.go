// Package journal keeps a stand-in's payments in a file, so that they outlive
// its process: a JSON object a line, of which a payment's latest counts. A
// kill leaves at most a part of the last line, which is not read.
package journal

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"slices"
	"sync"
	"time"
)

// Most is how many payments are kept. Beyond it the oldest that have ended are
// dropped, and when none has, the oldest.
const Most = 10_000

// Journal is one file. Make it with Open. It is safe for concurrent use.
type Journal struct {
	path string

	mu     sync.Mutex
	file   *os.File
	order  []string // oldest first
	latest map[string]line
	lines  int // in the file
}

type line struct {
	ID string `json:"id"`
	// EndsAt is when nothing more becomes of it by itself; zero: it is open.
	EndsAt  time.Time       `json:"endsAt,omitzero"`
	Payment json.RawMessage `json:"payment"`
}

// Open reads the file, making it if it is not there, and leaves out of it
// what is no longer needed.
func Open(path string) (*Journal, error) {
	j := &Journal{path: path, latest: map[string]line{}}
	source, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for text := range bytes.Lines(source) {
		var l line
		if json.Unmarshal(text, &l) == nil && l.ID != "" {
			j.note(l)
		}
	}
	return j, j.rewrite()
}

// note takes a line for its payment's latest.
func (j *Journal) note(l line) {
	if _, known := j.latest[l.ID]; !known {
		j.order = append(j.order, l.ID)
	}
	j.latest[l.ID] = l
}

// All calls f with each payment as it was put, oldest first.
func (j *Journal) All(f func(payment json.RawMessage) error) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, id := range j.order {
		if err := f(j.latest[id].Payment); err != nil {
			return err
		}
	}
	return nil
}

// Put writes a payment, which ends at a time by itself (zero: it does not),
// and returns the ids of those that are kept no longer.
func (j *Journal) Put(id string, endsAt, now time.Time, payment any) (dropped []string, err error) {
	text, err := json.Marshal(payment)
	if err != nil {
		return nil, err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	l := line{id, endsAt, text}
	j.note(l)
	if dropped = j.drop(now); len(dropped) > 0 && j.lines > 2*Most {
		return dropped, j.rewrite()
	}
	out, err := json.Marshal(l)
	if err != nil {
		return dropped, err
	}
	j.lines++
	_, err = j.file.Write(append(out, '\n'))
	return dropped, err
}

// drop forgets the oldest while there are too many.
func (j *Journal) drop(now time.Time) (dropped []string) {
	for len(j.order) > Most {
		i := slices.IndexFunc(j.order, func(id string) bool {
			ends := j.latest[id].EndsAt
			return !ends.IsZero() && !ends.After(now)
		})
		id := j.order[max(i, 0)]
		j.order = slices.Delete(j.order, max(i, 0), max(i, 0)+1)
		delete(j.latest, id)
		dropped = append(dropped, id)
	}
	return dropped
}

// Clear forgets everything.
func (j *Journal) Clear() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.order, j.latest = nil, map[string]line{}
	return j.rewrite()
}

// rewrite replaces the file by one that holds each payment once.
func (j *Journal) rewrite() error {
	next, err := os.OpenFile(j.path+".next", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if err := errors.Join(j.writeAll(next), next.Sync(), os.Rename(next.Name(), j.path)); err != nil {
		return errors.Join(err, next.Close())
	}
	old := j.file
	j.file, j.lines = next, len(j.order)
	if old != nil {
		return old.Close()
	}
	return nil
}

func (j *Journal) writeAll(to io.Writer) error {
	w := bufio.NewWriter(to)
	out := json.NewEncoder(w)
	for _, id := range j.order {
		if err := out.Encode(j.latest[id]); err != nil {
			return err
		}
	}
	return w.Flush()
}

// Close ends the use of the file.
func (j *Journal) Close() error { return j.file.Close() }
