package table

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
)

// Position is where a walk stands: behind the record with this key. In an
// index records are ordered by Sort of their entry, then by key.
type Position struct {
	Sort string // of the record, or of its entry in the index
	Key  Key    // of the record; only for a walk of an index
}

// cursor is what Page.Next holds, as JSON in base64. It comes back from
// outside, so it names a position and never what may be read: space,
// partition and bounds are the query's own, and Bind ties it to them.
type cursor struct {
	Bind      []byte `json:"b"`
	Sort      string `json:"s"`
	Partition string `json:"kp,omitempty"`
	KeySort   string `json:"ks,omitempty"`
}

// bind is a fingerprint of the query that a cursor belongs to. Limit may
// change from page to page.
func bind(q Query) []byte {
	h := sha256.New()
	fmt.Fprintf(h, "%q %q %q %q %q %t", q.Space, q.Index, q.Partition, q.From, q.To, q.Descending)
	return h.Sum(nil)[:6]
}

// EncodeCursor makes the Next of a page whose last record is last.
func EncodeCursor(q Query, last Record) string {
	c := cursor{Bind: bind(q), Sort: last.Sort}
	if q.Index != "" {
		c.Sort, c.Partition, c.KeySort = last.Index[q.Index].Sort, last.Partition, last.Key.Sort
	}
	b, _ := json.Marshal(c) // strings always marshal
	return base64.RawURLEncoding.EncodeToString(b)
}

// DecodeCursor reads q.After, which must not be empty, or returns ErrInvalid:
// not made by EncodeCursor, or made for another query.
func DecodeCursor(q Query) (Position, error) {
	bad := func(why string) (Position, error) {
		return Position{}, fmt.Errorf("%w: cursor: %s", ErrInvalid, why)
	}
	if len(q.After) > 8*MaxKeyBytes*3 {
		return bad("too long")
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(q.After)
	if err != nil {
		return bad("not base64")
	}
	var c cursor
	if err := json.Unmarshal(b, &c); err != nil {
		return bad("not readable")
	}
	if string(c.Bind) != string(bind(q)) {
		return bad("of another query")
	}
	if checkPart("Sort", c.Sort) != nil || q.From != "" && c.Sort < q.From || q.To != "" && c.Sort >= q.To {
		return bad("out of bounds")
	}
	p := Position{Sort: c.Sort}
	if q.Index == "" {
		if c.Partition != "" || c.KeySort != "" {
			return bad("not of this walk")
		}
		return p, nil
	}
	p.Key = Key{q.Space, c.Partition, c.KeySort}
	if err := CheckKey(p.Key); err != nil {
		return bad("not of this walk")
	}
	return p, nil
}
