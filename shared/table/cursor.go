package table

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
)

// Position is where a walk stands: behind the record with this key. In an
// index records are ordered by Sort of their entry, then by key.
type Position struct {
	Sort string // of the record, or of its entry in the index
	Key  Key    // of the record; only for a walk of an index
}

// A cursor is, in base64: a fingerprint, and the sort that the walk ended
// behind; in an index also the record's key. The partition is written without
// the end that it shares with the sort: most entries of an index end with what
// their partition ends with. A cursor comes back from outside, so it names a
// position and never what may be read: space, partition and bounds are the
// query's own, and the fingerprint ties the position to them.

const bindBytes = 6

// bind is a fingerprint of a position and the query that it belongs to. Limit
// may change from page to page.
func bind(q Query, position string) []byte {
	b := strconv.AppendBool(make([]byte, 0, 512), q.Descending)
	for _, part := range []string{string(q.Space), q.Index, q.Partition, q.From, q.To, position} {
		b = strconv.AppendQuote(append(b, ' '), part)
	}
	sum := sha256.Sum256(b)
	return sum[:bindBytes]
}

// EncodeCursor makes the Next of a page whose last record is last.
func EncodeCursor(q Query, last Record) string {
	if q.Index == "" {
		return encodeCursor(q, last.Sort)
	}
	sort := last.Index[q.Index].Sort
	shared := sharedEnd(sort, last.Partition)
	return encodeCursor(q, sort, last.Partition[:len(last.Partition)-shared], last.Key.Sort, strconv.Itoa(shared))
}

// encodeCursor separates parts by NUL, which no key holds.
func encodeCursor(q Query, parts ...string) string {
	position := strings.Join(parts, "\x00")
	return base64.RawURLEncoding.EncodeToString(append(bind(q, position), position...))
}

// sharedEnd is how many bytes a and b have in common at their ends.
func sharedEnd(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[len(a)-1-n] == b[len(b)-1-n] {
		n++
	}
	return n
}

// DecodeCursor reads q.After, which must not be empty, or returns ErrInvalid:
// not made by EncodeCursor, or made for another query.
func DecodeCursor(q Query) (Position, error) {
	bad := func(why string) (Position, error) {
		return Position{}, fmt.Errorf("%w: cursor: %s", ErrInvalid, why)
	}
	if len(q.After) > 8*MaxKeyBytes {
		return bad("too long")
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(q.After)
	if err != nil {
		return bad("not base64")
	}
	if len(b) < bindBytes {
		return bad("too short")
	}
	position := string(b[bindBytes:])
	if !bytes.Equal(b[:bindBytes], bind(q, position)) {
		return bad("of another query")
	}
	parts := strings.Split(position, "\x00")
	p := Position{Sort: parts[0]}
	if checkPart("Sort", p.Sort) != nil || q.From != "" && p.Sort < q.From || q.To != "" && p.Sort >= q.To {
		return bad("out of bounds")
	}
	if q.Index == "" {
		if len(parts) != 1 {
			return bad("not of this walk")
		}
		return p, nil
	}
	if len(parts) != 4 {
		return bad("not of this walk")
	}
	shared, err := strconv.Atoi(parts[3])
	if err != nil || shared < 0 || shared > len(p.Sort) {
		return bad("not of this walk")
	}
	p.Key = Key{q.Space, parts[1] + p.Sort[len(p.Sort)-shared:], parts[2]}
	if err := CheckKey(p.Key); err != nil {
		return bad("not of this walk")
	}
	return p, nil
}
