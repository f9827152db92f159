// Package table is the narrow port to the database: read by key, walk a
// partition or an index, and write several records all or nothing, each under
// the version that was read. Adapters: table/dynamo, table/sqlite and
// table/memory, all judged by table/tabletest.
package table

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Space is a physical table.
type Space string

const (
	// Main holds everything the system works with.
	Main Space = "main"
	// Audit is append-only: records are inserted (Put with Version 0), never
	// deleted by a Write, and never changed but by Erase.
	Audit Space = "audit"
)

// Key names one record. Partition and Sort are non-empty UTF-8 without NUL,
// at most 1,024 bytes each. Sort orders bytewise within a partition.
type Key struct {
	Space     Space
	Partition string
	Sort      string
}

func (k Key) String() string { return string(k.Space) + ":" + k.Partition + "/" + k.Sort }

// IndexKey places a record in an index.
type IndexKey struct{ Partition, Sort string }

// Record is one stored item.
type Record struct {
	Key
	// Version is the version that was read: 0 for a record that was not
	// there. Every successful Put adds one.
	Version int64
	// Attributes are stored natively, so that an operator reads them with
	// the database's own tools. Values are string (valid UTF-8), int64, bool
	// or []byte; anything else is refused with ErrInvalid. Empty strings are
	// kept. Names are lower_snake_case and never start with an underscore.
	Attributes map[string]any
	// Index places the record in the named indexes (Main only). A record is
	// in no index it does not name: leaving a name out takes it out.
	Index map[string]IndexKey
	// ExpiresAt, if not zero, lets the database remove the record some time
	// after it (DynamoDB: within days). Whole seconds. Readers must check.
	ExpiresAt time.Time
}

// Op is one part of a Write. Make it with Put, Delete or Check.
type Op struct {
	Kind   OpKind
	Record Record // for Delete and Check only Key and Version count
	erases bool
}

// OpKind tells the parts of a Write apart.
type OpKind int

const (
	OpPut OpKind = iota + 1
	OpDelete
	OpCheck
)

// Put stores r if the stored version is still r.Version (0: absent).
func Put(r Record) Op { return Op{Kind: OpPut, Record: r} }

// Erase is Put over an audit record that was read, to take personal data out of
// it. Whoever calls it keeps all else as it was.
func Erase(r Record) Op { return Op{Kind: OpPut, Record: r, erases: true} }

// Delete removes the record if the stored version is still version (> 0).
func Delete(k Key, version int64) Op {
	return Op{Kind: OpDelete, Record: Record{Key: k, Version: version}}
}

// Check writes nothing but fails the Write unless the stored version is
// still version (0: absent).
func Check(k Key, version int64) Op {
	return Op{Kind: OpCheck, Record: Record{Key: k, Version: version}}
}

// Query walks one partition of a space, or of an index, in Sort order.
type Query struct {
	Space     Space
	Index     string // empty: the space itself
	Partition string
	// From and To bound Sort: From <= Sort < To. Empty: unbounded.
	From, To   string
	Descending bool
	// Limit is the most records of one page, 1 to 1,000; 0 means 100.
	Limit int
	// After resumes behind the last record of an earlier page (Page.Next of
	// the same query). Opaque: adapters give it different forms.
	After string
}

// Page is one answer to a Query.
type Page struct {
	// Records of a space query are whole. Those of an index query carry Key
	// and the entry of that index only: Get what is needed.
	Records []Record
	// Next is empty when the walk is complete; else pass it as After.
	Next string
}

// Table is the port. All methods are safe for concurrent use.
//
// Reads of a space are strongly consistent: a read that begins after a Write
// returned sees it. Reads of an index may lag behind and may still show a
// record that has since moved: callers re-read the record and decide on that.
type Table interface {
	// Get returns the record, or ErrNotFound.
	Get(ctx context.Context, k Key) (Record, error)

	// GetMany returns the records with these keys, in the order of the keys, at
	// most MaxKeys: one that is not there has its Key and Version 0. Each is read
	// consistently, and not all at the same moment. A call costs what as many
	// Gets cost in read units, and one round trip.
	GetMany(ctx context.Context, keys ...Key) ([]Record, error)

	// Query returns one page. A bad query or cursor gives ErrInvalid.
	Query(ctx context.Context, q Query) (Page, error)

	// Write applies all ops or none, at once for every reader of the space.
	// At most 100 ops, no key twice, in total at most 4 MiB and 400 KiB a
	// record (DynamoDB's own limits); else ErrInvalid and nothing written.
	//
	// When a version does not match it returns *ConflictError, which wraps
	// ErrConflict and carries what is stored instead; nothing was written.
	// Write never reports a conflict with a write of its own: adapters that
	// repeat a request whose answer was lost recognise their own record.
	//
	// ErrUnavailable: certainly not written (throttled, contended beyond the
	// adapter's patience). Any other error, context errors among them: the
	// outcome is unknown, read before going on.
	Write(ctx context.Context, ops ...Op) error
}

// Sentinels, to be tested with errors.Is.
var (
	ErrNotFound    = errors.New("record not found")
	ErrConflict    = errors.New("version conflict")
	ErrUnavailable = errors.New("table unavailable")
	ErrInvalid     = errors.New("invalid table request")
)

// ConflictError tells which op of a Write did not match.
type ConflictError struct {
	Ops []OpConflict // at least one, in the order of the ops
}

// OpConflict is one op that did not match.
type OpConflict struct {
	Op  int // position in the Write
	Key Key
	// Current is the stored record; its Version is 0 when there is none.
	Current Record
}

func (e *ConflictError) Error() string {
	c := e.Ops[0]
	return fmt.Sprintf("%v: %s is at version %d", ErrConflict, c.Key, c.Current.Version)
}

func (e *ConflictError) Unwrap() error { return ErrConflict }

// On returns what is stored under k if it was among the conflicts.
func (e *ConflictError) On(k Key) (Record, bool) {
	for _, c := range e.Ops {
		if c.Key == k {
			return c.Current, true
		}
	}
	return Record{}, false
}
