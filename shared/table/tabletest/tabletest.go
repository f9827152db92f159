// Package tabletest judges adapters of the table port: one suite over every
// sentence of the contract, and a wrapper that injects faults.
package tabletest

import (
	"context"
	"crypto/rand"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"momoproxy/shared/table"
)

// Run holds an adapter against the contract. open returns a table to use; it
// is called once for each part of the suite and may return the same table
// every time, also one that holds other records: the suite uses partitions of
// its own.
func Run(t *testing.T, open func(t *testing.T) table.Table) {
	parts := []struct {
		name string
		test func(*testing.T, table.Table)
	}{
		{"RoundTrip", testRoundTrip},
		{"GetMany", testGetMany},
		{"EmptyAndNil", testEmptyAndNil},
		{"NoAliases", testNoAliases},
		{"Expiry", testExpiry},
		{"Versions", testVersions},
		{"Conflicts", testConflicts},
		{"ConflictCarriesCurrent", testConflictCarriesCurrent},
		{"AllOrNothing", testAllOrNothing},
		{"AuditIsAppendOnly", testAuditIsAppendOnly},
		{"LimitsOfWrites", testLimitsOfWrites},
		{"HundredOps", testHundredOps},
		{"LargeRecords", testLargeRecords},
		{"BadReads", testBadReads},
		{"Walk", testWalk},
		{"WalkBounds", testWalkBounds},
		{"WalkWhileOthersWrite", testWalkWhileOthersWrite},
		{"WalkLargeRecords", testWalkLargeRecords},
		{"Cursors", testCursors},
		{"SparseIndex", testSparseIndex},
		{"IndexWalk", testIndexWalk},
		{"ReadsSeeWrites", testReadsSeeWrites},
		{"OneCounterManyWriters", testOneCounterManyWriters},
		{"OneWinnerOfACreate", testOneWinnerOfACreate},
		{"Transfers", testTransfers},
		{"Cancelled", testCancelled},
	}
	for _, p := range parts {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			p.test(t, open(t))
		})
	}
}

// unique returns a name no other test uses.
func unique(prefix string) string { return prefix + "-" + rand.Text() }

func key(partition, sort string) table.Key {
	return table.Key{Space: table.Main, Partition: partition, Sort: sort}
}

// same compares records; nil and empty maps and slices are the same.
var same = cmp.Options{cmpopts.EquateEmpty()}

func wantRecord(t *testing.T, tab table.Table, want table.Record) {
	t.Helper()
	got, err := tab.Get(t.Context(), want.Key)
	if err != nil {
		t.Fatalf("Get %s: %v", want.Key, err)
	}
	if diff := cmp.Diff(want, got, same); diff != "" {
		t.Fatalf("Get %s (-want +got):\n%s", want.Key, diff)
	}
}

func wantAbsent(t *testing.T, tab table.Table, k table.Key) {
	t.Helper()
	if r, err := tab.Get(t.Context(), k); !errors.Is(err, table.ErrNotFound) {
		t.Fatalf("Get %s = %v, %v; want ErrNotFound", k, r, err)
	}
}

func mustWrite(t *testing.T, tab table.Table, ops ...table.Op) {
	t.Helper()
	if err := tab.Write(t.Context(), ops...); err != nil {
		t.Fatalf("Write: %v", err)
	}
}

// wantConflict checks that err is a ConflictError about exactly these ops and
// these stored records.
func wantConflict(t *testing.T, err error, want ...table.OpConflict) {
	t.Helper()
	var conflict *table.ConflictError
	if !errors.As(err, &conflict) || !errors.Is(err, table.ErrConflict) {
		t.Fatalf("Write = %v; want a ConflictError", err)
	}
	if diff := cmp.Diff(want, conflict.Ops, same); diff != "" {
		t.Fatalf("conflicts (-want +got):\n%s", diff)
	}
}

func wantInvalid(t *testing.T, what string, err error) {
	t.Helper()
	if !errors.Is(err, table.ErrInvalid) {
		t.Errorf("%s: %v; want ErrInvalid", what, err)
	}
}

// eventually polls for what an index may show late.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for !ok() {
		select {
		case <-ctx.Done():
			t.Fatalf("%s: not within 10 s", what)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// all walks a query to its end and fails on a page that is too long or a walk
// that never ends.
func all(t *testing.T, tab table.Table, q table.Query) []table.Record {
	t.Helper()
	records := []table.Record{}
	for range 10_000 {
		page, err := tab.Query(t.Context(), q)
		if err != nil {
			t.Fatalf("Query %+v: %v", q, err)
		}
		limit := q.Limit
		if limit == 0 {
			limit = table.DefaultLimit
		}
		if len(page.Records) > limit {
			t.Fatalf("Query %+v: a page of %d records", q, len(page.Records))
		}
		records = append(records, page.Records...)
		if page.Next == "" {
			return records
		}
		if len(page.Records) == 0 {
			t.Fatalf("Query %+v: an empty page that is not the last", q)
		}
		q.After = page.Next
	}
	t.Fatalf("Query %+v: no end", q)
	return nil
}

func sorts(records []table.Record) []string {
	s := []string{}
	for _, r := range records {
		s = append(s, r.Sort)
	}
	return s
}
