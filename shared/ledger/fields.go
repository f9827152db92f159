package ledger

import (
	"time"

	"momoproxy/shared/table"
)

// fields goes through the attributes of a record, in one list for both ways: it
// writes what it is pointed to, or it reads into that.
type fields struct {
	to   writer
	from *reader // nil: writing
}

// writeFields returns the attributes that list names, about room of them.
func writeFields(room int, list func(fields)) writer {
	w := make(writer, room)
	list(fields{to: w})
	return w
}

// readFields reads the attributes that list names, and returns the reader for
// what else the record has.
func readFields(rec table.Record, list func(fields)) *reader {
	r := &reader{rec: rec}
	list(fields{from: r})
	return r
}

func (f fields) text(name string, v *string) {
	if f.from != nil {
		*v = f.from.text(name)
	} else {
		f.to.text(name, *v)
	}
}

func (f fields) number(name string, v *int64) {
	if f.from != nil {
		*v = f.from.number(name)
	} else {
		f.to.number(name, *v)
	}
}

func (f fields) count(name string, v *int) {
	n := int64(*v)
	f.number(name, &n)
	*v = int(n)
}

func (f fields) flag(name string, v *bool) {
	if f.from != nil {
		*v = f.from.flag(name)
	} else {
		f.to.flag(name, *v)
	}
}

func (f fields) time(name string, v *time.Time) {
	if f.from != nil {
		*v = f.from.time(name)
	} else {
		f.to.time(name, *v)
	}
}

func (f fields) object(name string, v *map[string]string) {
	if f.from != nil {
		*v = f.from.object(name)
	} else {
		f.to.object(name, *v)
	}
}
