package ledger

import (
	"encoding/json"
	"fmt"
	"time"

	"momoproxy/shared/table"
)

// fields goes through the attributes of a record, in one list for both ways: it
// writes what it is pointed to, or it reads into that. Zero values are left out,
// which keeps records small.
type fields struct {
	to   map[string]any
	from *reader // nil: writing
}

// writeFields returns the attributes that list names, about room of them.
func writeFields(room int, list func(fields)) map[string]any {
	to := make(map[string]any, room)
	list(fields{to: to})
	return to
}

// readFields reads the attributes that list names, and returns the reader for
// what else the record has.
func readFields(rec table.Record, list func(fields)) *reader {
	r := &reader{rec: rec}
	list(fields{from: r})
	return r
}

func (f fields) text(name string, v *string)  { field(f, name, v) }
func (f fields) number(name string, v *int64) { field(f, name, v) }
func (f fields) flag(name string, v *bool)    { field(f, name, v) }

func field[T string | int64 | bool](f fields, name string, v *T) {
	var zero T
	switch {
	case f.from != nil:
		*v = value[T](f.from, name)
	case *v != zero:
		f.to[name] = *v
	}
}

func (f fields) count(name string, v *int) {
	n := int64(*v)
	f.number(name, &n)
	*v = int(n)
}

func (f fields) millis(name string, v *time.Duration) {
	n := v.Milliseconds()
	f.number(name, &n)
	*v = time.Duration(n) * time.Millisecond
}

func (f fields) time(name string, v *time.Time) {
	switch {
	case f.from != nil:
		*v = f.from.time(name)
	case !v.IsZero():
		f.to[name] = timeKey(*v)
	}
}

func (f fields) object(name string, v *map[string]string) { f.json(name, v, len(*v)) }

// json keeps a map or a list of n entries as one text.
func (f fields) json(name string, v any, n int) {
	text := ""
	if f.from == nil && n > 0 {
		b, _ := json.Marshal(v) // texts and integers always marshal
		text = string(b)
	}
	if f.text(name, &text); f.from != nil && text != "" && json.Unmarshal([]byte(text), v) != nil {
		f.from.fail(name)
	}
}

// reader reads the attributes of a record, and remembers the first that has the
// wrong kind.
type reader struct {
	rec table.Record
	err error
}

func (r *reader) fail(name string) {
	if r.err == nil {
		r.err = fmt.Errorf("%w: %s: attribute %s", ErrCorrupt, r.rec.Key, name)
	}
}

func value[T any](r *reader, name string) (v T) {
	if stored, there := r.rec.Attributes[name]; there {
		var ok bool
		if v, ok = stored.(T); !ok {
			r.fail(name)
		}
	}
	return v
}

func (r *reader) text(name string) string  { return value[string](r, name) }
func (r *reader) number(name string) int64 { return value[int64](r, name) }

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

// textOf reads one attribute.
func textOf(rec table.Record, name string) (string, error) {
	r := &reader{rec: rec}
	text := r.text(name)
	return text, r.err
}

// timeOf reads one attribute.
func timeOf(rec table.Record, name string) (time.Time, error) {
	r := &reader{rec: rec}
	at := r.time(name)
	return at, r.err
}
