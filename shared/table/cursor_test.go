package table

import (
	"errors"
	"testing"
)

// FuzzDecodeCursor: a cursor comes back from outside. Whatever it is, it is
// refused or it names a place inside the query's own bounds.
func FuzzDecodeCursor(f *testing.F) {
	key := Key{Main, "p", "k"}
	f.Add("", "", "", EncodeCursor(Query{Space: Main, Partition: "p"}, Record{Key: key}))
	f.Add("due", "a", "z", EncodeCursor(Query{Space: Main, Index: "due", Partition: "p", From: "a", To: "z"},
		Record{Key: key, Index: map[string]IndexKey{"due": {"p", "m"}}}))
	f.Add("due", "a", "z", "e30")
	f.Fuzz(func(t *testing.T, index, from, to, after string) {
		q, err := CheckQuery(Query{Space: Main, Index: index, Partition: "p", From: from, To: to, After: after})
		if err != nil || after == "" {
			return
		}
		p, err := DecodeCursor(q)
		if err != nil {
			if !errors.Is(err, ErrInvalid) {
				t.Fatalf("DecodeCursor = %v; want ErrInvalid", err)
			}
			return
		}
		if from != "" && p.Sort < from || to != "" && p.Sort >= to {
			t.Errorf("%q is outside of %q to %q", p.Sort, from, to)
		}
		if index != "" && CheckKey(p.Key) != nil {
			t.Errorf("no record has the key %v", p.Key)
		}
	})
}

func TestCursorComesBack(t *testing.T) {
	t.Parallel()
	key := Key{Main, "p#é", "k\U0001F4B6"}
	q := Query{Space: Main, Partition: "p#é", Descending: true}
	q.After = EncodeCursor(q, Record{Key: key})
	if p, err := DecodeCursor(q); err != nil || p != (Position{Sort: key.Sort}) {
		t.Errorf("DecodeCursor = %v, %v", p, err)
	}
	q = Query{Space: Main, Index: "list", Partition: "l", From: "a"}
	q.After = EncodeCursor(q, Record{Key: key, Index: map[string]IndexKey{"list": {"l", "b"}}})
	q.Limit = 7 // may change from page to page
	if p, err := DecodeCursor(q); err != nil || p != (Position{Sort: "b", Key: key}) {
		t.Errorf("DecodeCursor = %v, %v", p, err)
	}
}

// A person copies cursors by hand: that of a list of payments fits one line.
func TestCursorIsShort(t *testing.T) {
	t.Parallel()
	const reference = "7c1a4f8e-0b1d-4c55-9a57-3f4d1c2b6a90"
	key := Key{Main, "payment#" + reference, "payment"}
	q := Query{Space: Main, Index: "list", Partition: "client#cli_0a1b"}
	q.After = EncodeCursor(q, Record{Key: key, Index: map[string]IndexKey{"list": {q.Partition, "2026-09-01T08:30:00.000Z#" + reference}}})
	if len(q.After) > 120 {
		t.Errorf("%d characters: %s", len(q.After), q.After)
	}
	if p, err := DecodeCursor(q); err != nil || p.Key != key {
		t.Errorf("DecodeCursor = %v, %v", p, err)
	}
}
