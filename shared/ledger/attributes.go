package ledger

import (
	"encoding/json"
	"fmt"
	"time"

	"momoproxy/shared/table"
)

// writer collects a record's attributes; zero values are left out, which
// keeps records small and indexes sparse.
type writer map[string]any

func (w writer) text(name, v string) {
	if v != "" {
		w[name] = v
	}
}

func (w writer) number(name string, v int64) {
	if v != 0 {
		w[name] = v
	}
}

func (w writer) flag(name string, v bool) {
	if v {
		w[name] = v
	}
}

func (w writer) time(name string, t time.Time) {
	if !t.IsZero() {
		w[name] = timeKey(t)
	}
}

func (w writer) object(name string, m map[string]string) {
	if len(m) > 0 {
		b, _ := json.Marshal(m) // a map of strings always marshals
		w[name] = string(b)
	}
}

// reader takes attributes back and remembers the first that has the wrong
// kind.
type reader struct {
	rec table.Record
	err error
}

func (r *reader) fail(name string) {
	if r.err == nil {
		r.err = fmt.Errorf("%w: %s: attribute %s", ErrCorrupt, r.rec.Key, name)
	}
}

func (r *reader) text(name string) string {
	v, ok := r.rec.Attributes[name]
	if !ok {
		return ""
	}
	s, ok := v.(string)
	if !ok {
		r.fail(name)
	}
	return s
}

func (r *reader) number(name string) int64 {
	v, ok := r.rec.Attributes[name]
	if !ok {
		return 0
	}
	n, ok := v.(int64)
	if !ok {
		r.fail(name)
	}
	return n
}

func (r *reader) flag(name string) bool {
	v, ok := r.rec.Attributes[name]
	if !ok {
		return false
	}
	b, ok := v.(bool)
	if !ok {
		r.fail(name)
	}
	return b
}

func (r *reader) time(name string) time.Time {
	s := r.text(name)
	if s == "" {
		return time.Time{}
	}
	t, err := readTimeKey(s)
	if err != nil {
		r.fail(name)
	}
	return t
}

func (r *reader) object(name string) map[string]string {
	s := r.text(name)
	if s == "" {
		return nil
	}
	var m map[string]string
	if err := json.Unmarshal([]byte(s), &m); err != nil {
		r.fail(name)
	}
	return m
}
