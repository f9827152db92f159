package ledger_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"momoproxy/shared/ledger"
	"momoproxy/shared/table"
)

// fullHealth is a health of as many apps as a breaker keeps.
func fullHealth() ledger.Health {
	h := ledger.Health{Provider: "momentpay", OpenedAt: start, OpenFor: "cli_00000000000000000000"}
	for i := range 8 {
		h.Apps = append(h.Apps, ledger.AppHealth{
			ClientID: fmt.Sprintf("cli_%020d", i), AskedAt: start, Failures: 5, Payers: []string{"0a1b", "2c3d", "4e5f"},
			ProbeAt: start.Add(30 * time.Second), LimitedUntil: start.Add(time.Minute),
		})
	}
	return h
}

func TestHealthIsStored(t *testing.T) {
	t.Parallel()
	for name, h := range map[string]ledger.Health{
		"full": fullHealth(), "closed": {Provider: "mtn", Apps: []ledger.AppHealth{{ClientID: "cli_a", AskedAt: start}}},
		"for all": {Provider: "mtn", OpenedAt: start}, "none": {Provider: "mtn"},
	} {
		b := newBooks(t, nil)
		if err := b.SaveHealth(t.Context(), h); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got, err := b.FreshHealth(t.Context(), h.Provider)
		if diff := cmp.Diff(h, got, cmpopts.IgnoreUnexported(ledger.Health{})); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got)\n%s", name, err, diff)
		}
		if err := b.SaveHealth(t.Context(), h); !errors.Is(err, ledger.ErrStale) {
			t.Errorf("%s: a state that has moved was written: %v", name, err)
		}
		if err := b.SaveHealth(t.Context(), got); err != nil {
			t.Errorf("%s: what was read cannot be written: %v", name, err)
		}
	}
}

// A write of it is two write units at most: a unit is a kibibyte.
func TestHealthIsSmall(t *testing.T) {
	t.Parallel()
	b := newBooks(t, nil)
	if err := b.SaveHealth(t.Context(), fullHealth()); err != nil {
		t.Fatal(err)
	}
	rec, err := b.memory.Get(t.Context(), table.Key{Space: table.Main, Partition: "health", Sort: "momentpay"})
	if err != nil {
		t.Fatal(err)
	}
	text, _ := json.Marshal(rec)
	if len(text) > 2<<10 {
		t.Errorf("%d bytes", len(text))
	}
	t.Logf("%d bytes as JSON", len(text))
}

func TestHealthOfApps(t *testing.T) {
	t.Parallel()
	h := ledger.Health{Apps: []ledger.AppHealth{
		{ClientID: "a", AskedAt: start, Failures: 2, ProbeAt: start.Add(time.Minute)},
		{ClientID: "b", AskedAt: start.Add(time.Second), Failures: 1, ProbeAt: start.Add(time.Second)}, {ClientID: "c"},
	}}
	if h.Open() || h.Failures() != 3 || !h.AskedAt().Equal(start.Add(time.Second)) || !h.ProbeAt().IsZero() {
		t.Errorf("closed: %t, %d, %s, %s", h.Open(), h.Failures(), h.AskedAt(), h.ProbeAt())
	}
	if h.OpenedAt = start; !h.Open() || !h.ProbeAt().Equal(start.Add(time.Second)) {
		t.Errorf("open: %t, %s", h.Open(), h.ProbeAt())
	}
}
