package table

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// The limits below are the port's, checked by every adapter in the same way
// before it does anything, so that what works on one works on all.
const (
	// MaxOps is the most parts of one Write.
	MaxOps = 100
	// MaxKeys is the most keys of one GetMany.
	MaxKeys = 100
	// MaxRecordBytes is the largest record, as Size counts it.
	MaxRecordBytes = 400 << 10
	// MaxWriteBytes is the most of all records of one Write together.
	MaxWriteBytes = 4 << 20
	// MaxKeyBytes is the longest Partition or Sort, of indexes too.
	MaxKeyBytes = 1024
	// MaxLimit and DefaultLimit are those of Query.Limit.
	MaxLimit     = 1000
	DefaultLimit = 100
)

// Indexes names the indexes there are.
func Indexes() []string { return indexes[:] }

var indexes = [...]string{"attention", "due", "list", "payer", "transaction"}

func isIndex(name string) bool {
	for _, i := range indexes {
		if i == name {
			return true
		}
	}
	return false
}

// Reserved tells whether an attribute name is taken by what an adapter stores
// beside the attributes: pk, sk, version, expires_at and each index's
// <index>_pk and <index>_sk.
func Reserved(name string) bool {
	switch name {
	case "pk", "sk", "version", "expires_at":
		return true
	}
	index, pk := strings.CutSuffix(name, "_pk")
	index, sk := strings.CutSuffix(index, "_sk")
	return pk != sk && isIndex(index)
}

// CheckKey returns ErrInvalid for a key that no record can have.
func CheckKey(k Key) error {
	if k.Space != Main && k.Space != Audit {
		return fmt.Errorf("%w: there is no space %q", ErrInvalid, k.Space)
	}
	if err := checkPart("Partition", k.Partition); err != nil {
		return err
	}
	return checkPart("Sort", k.Sort)
}

// CheckKeys returns ErrInvalid for keys that no GetMany may read.
func CheckKeys(keys []Key) error {
	if len(keys) > MaxKeys {
		return fmt.Errorf("%w: %d keys in one read", ErrInvalid, len(keys))
	}
	for _, k := range keys {
		if err := CheckKey(k); err != nil {
			return err
		}
	}
	return nil
}

func checkPart(name, s string) error {
	switch {
	case s == "":
		return fmt.Errorf("%w: empty %s", ErrInvalid, name)
	case len(s) > MaxKeyBytes:
		return fmt.Errorf("%w: %s of %d bytes", ErrInvalid, name, len(s))
	case !utf8.ValidString(s) || strings.IndexByte(s, 0) >= 0:
		return fmt.Errorf("%w: %s is not UTF-8 without NUL", ErrInvalid, name)
	}
	return nil
}

// CheckWrite returns ErrInvalid for ops that no adapter may apply.
func CheckWrite(ops []Op) error {
	if len(ops) > MaxOps {
		return fmt.Errorf("%w: %d ops in one write", ErrInvalid, len(ops))
	}
	total := 0
	for i, op := range ops {
		k := op.Record.Key
		if err := CheckKey(k); err != nil {
			return fmt.Errorf("op %d: %w", i, err)
		}
		for _, before := range ops[:i] { // of a few ops quicker than a map, of the most not slow
			if before.Record.Key == k {
				return fmt.Errorf("op %d: %w: %s twice in one write", i, ErrInvalid, k)
			}
		}
		size, err := checkOp(op)
		if err != nil {
			return fmt.Errorf("op %d: %s: %w", i, k, err)
		}
		total += size
	}
	if total > MaxWriteBytes {
		return fmt.Errorf("%w: a write of %d bytes", ErrInvalid, total)
	}
	return nil
}

// checkOp tells how many bytes are put.
func checkOp(op Op) (size int, err error) {
	r := op.Record
	if r.Version < 0 {
		return 0, fmt.Errorf("%w: version %d", ErrInvalid, r.Version)
	}
	switch op.Kind {
	case OpCheck:
		return 0, nil
	case OpDelete:
		if r.Version == 0 {
			return 0, fmt.Errorf("%w: delete of version 0", ErrInvalid)
		}
		if r.Space == Audit {
			return 0, fmt.Errorf("%w: audit records are never deleted", ErrInvalid)
		}
		return 0, nil
	case OpPut:
		if op.erases && (r.Space != Audit || r.Version == 0) {
			return 0, fmt.Errorf("%w: only an audit record that is there is erased from", ErrInvalid)
		}
		if r.Space == Audit && r.Version != 0 && !op.erases {
			return 0, fmt.Errorf("%w: audit records are never changed", ErrInvalid)
		}
		return checkRecord(r)
	}
	return 0, fmt.Errorf("%w: kind %d", ErrInvalid, op.Kind)
}

func checkRecord(r Record) (size int, err error) {
	for name, v := range r.Attributes {
		if err := checkName(name); err != nil {
			return 0, err
		}
		switch v := v.(type) {
		case int64, bool, []byte:
		case string:
			if !utf8.ValidString(v) {
				return 0, fmt.Errorf("%w: attribute %s is not valid UTF-8", ErrInvalid, name)
			}
		default:
			return 0, fmt.Errorf("%w: attribute %s is a %T", ErrInvalid, name, v)
		}
	}
	if len(r.Index) > 0 && r.Space != Main {
		return 0, fmt.Errorf("%w: only records of the main space are indexed", ErrInvalid)
	}
	for name, e := range r.Index {
		if !isIndex(name) {
			return 0, fmt.Errorf("%w: there is no index %q", ErrInvalid, name)
		}
		if err := checkPart("index Partition", e.Partition); err != nil {
			return 0, err
		}
		if err := checkPart("index Sort", e.Sort); err != nil {
			return 0, err
		}
	}
	if !r.ExpiresAt.IsZero() && r.ExpiresAt.Unix() < 1 {
		return 0, fmt.Errorf("%w: expires at %v", ErrInvalid, r.ExpiresAt)
	}
	if size = Size(r); size > MaxRecordBytes {
		return 0, fmt.Errorf("%w: a record of %d bytes", ErrInvalid, size)
	}
	return size, nil
}

// checkName holds names to lower_snake_case.
func checkName(name string) error {
	valid := name != "" && len(name) <= 255 && name[0] >= 'a' && name[0] <= 'z'
	for i := 0; valid && i < len(name); i++ {
		c := name[i]
		valid = c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '_'
	}
	if !valid {
		return fmt.Errorf("%w: attribute name %q", ErrInvalid, name)
	}
	if Reserved(name) {
		return fmt.Errorf("%w: attribute name %q is reserved", ErrInvalid, name)
	}
	return nil
}

// Size is what a record counts for against the limits: at least as much as
// DynamoDB counts for it (names and values in bytes, a number up to 21), with
// what an adapter stores beside the attributes.
func Size(r Record) int {
	const (
		number   = 21
		overhead = len("pk"+"sk"+"version"+"expires_at"+"_write") + 2*number + 26
	)
	n := overhead + len(r.Partition) + len(r.Sort)
	for name, v := range r.Attributes {
		n += len(name)
		switch v := v.(type) {
		case string:
			n += len(v)
		case []byte:
			n += len(v)
		case int64:
			n += number
		default:
			n++
		}
	}
	for name, e := range r.Index {
		n += 2*len(name) + len("_pk_sk") + len(e.Partition) + len(e.Sort)
	}
	return n
}

// CheckQuery returns q with its Limit filled in, or ErrInvalid. The cursor is
// checked by DecodeCursor.
func CheckQuery(q Query) (Query, error) {
	switch {
	case q.Space != Main && q.Space != Audit:
		return q, fmt.Errorf("%w: there is no space %q", ErrInvalid, q.Space)
	case q.Index != "" && !isIndex(q.Index):
		return q, fmt.Errorf("%w: there is no index %q", ErrInvalid, q.Index)
	case q.Index != "" && q.Space != Main:
		return q, fmt.Errorf("%w: only the main space has indexes", ErrInvalid)
	case q.Limit < 0 || q.Limit > MaxLimit:
		return q, fmt.Errorf("%w: a page of %d records", ErrInvalid, q.Limit)
	}
	if err := checkPart("Partition", q.Partition); err != nil {
		return q, err
	}
	for _, bound := range [...]struct{ name, sort string }{{"From", q.From}, {"To", q.To}} {
		if bound.sort == "" {
			continue
		}
		if err := checkPart(bound.name, bound.sort); err != nil {
			return q, err
		}
	}
	if q.Limit == 0 {
		q.Limit = DefaultLimit
	}
	return q, nil
}
