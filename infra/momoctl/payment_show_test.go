package main

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"momoproxy/shared/ledger"
	"momoproxy/shared/table/memory"
)

// The first and the last records of a trail are read, however long it is.
func TestTrail(t *testing.T) {
	t.Parallel()
	const reference = "5b0c7a1e-7d4e-4f0a-9c56-1a2b3c4d5e6f"
	start := time.Date(2026, 11, 30, 8, 0, 0, 0, time.UTC)
	for _, kept := range []int{0, 1, 5, 6, 9, 10, 11, 40} {
		s := &session{store: store{ledger: ledger.New(memory.New(), nil, ledger.Options{})}}
		for i := range kept {
			err := s.ledger.Audit(t.Context(), ledger.AuditRecord{At: start.Add(time.Duration(i/2) * time.Second), Direction: ledger.OutboundToProvider, Reference: reference, Note: fmt.Sprint(i)})
			if err != nil {
				t.Fatal(err)
			}
		}
		all, err := s.ledger.AuditTrail(t.Context(), reference)
		if err != nil || len(all) != kept {
			t.Fatalf("%d records, %v", len(all), err)
		}
		var want []ledger.AuditRecord
		for i, a := range all {
			if i < 5 || i >= kept-5 {
				want = append(want, a)
			}
		}
		got, whole, err := s.trail(t.Context(), reference, 5)
		if err != nil || whole != (kept <= 10) || len(got) != len(want) {
			t.Errorf("of %d: %d records, whole %t, %v", kept, len(got), whole, err)
		}
		if d := cmp.Diff(notes(want), notes(got)); d != "" {
			t.Errorf("of %d (-want +got):\n%s", kept, d)
		}
	}
}

func notes(records []ledger.AuditRecord) (n []string) {
	for _, a := range records {
		n = append(n, a.Note)
	}
	slices.Sort(n)
	return n
}
