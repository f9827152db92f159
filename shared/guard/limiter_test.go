package guard

import (
	"errors"
	"io"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"momoproxy/shared/host"
	"momoproxy/shared/ledger"
	"momoproxy/shared/provider"
	"momoproxy/shared/table/memory"
)

func guarded(l provider.Limit) *Guard {
	known := provider.Offline{Known: provider.Capabilities{Name: "mtn", Statuses: l, Submits: l}}
	return New(known, ledger.New(memory.New(), nil, ledger.Options{}), host.Machine(), slog.New(slog.NewTextHandler(io.Discard, nil)))
}

func busy(err error) bool {
	var refusal *Refusal
	return errors.As(err, &refusal) && refusal.Busy
}

// An app has a share of a limit, and what it asks beyond that is refused while
// another app still gets its own.
func TestAnAppKeepsToItsShare(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := guarded(provider.Limit{Every: 100 * time.Millisecond, Burst: 8})
		asked := 0
		for ; asked < 20; asked++ {
			if _, err := g.WaitToAsk(t.Context(), "A", ByApp, Slot{}); busy(err) {
				break
			} else if err != nil {
				t.Fatal(err)
			}
		}
		if want := 8/appShare + 1; asked != want {
			t.Errorf("one app got %d questions at once, want %d", asked, want)
		}
		if _, err := g.WaitToAsk(t.Context(), "B", ByApp, Slot{}); err != nil {
			t.Errorf("the other app: %v", err)
		}
		if _, err := g.WaitToAsk(t.Context(), "A", ByProvider, Slot{}); err != nil {
			t.Errorf("a callback about its payment: %v", err)
		}
		time.Sleep(2 * 100 * time.Millisecond)
		if _, err := g.WaitToAsk(t.Context(), "A", ByApp, Slot{}); !busy(err) {
			t.Errorf("it asked again after two intervals of the limit: %v", err)
		}
		time.Sleep(appShare * 100 * time.Millisecond)
		if _, err := g.WaitToAsk(t.Context(), "A", ByApp, Slot{}); err != nil {
			t.Errorf("after one of its own: %v", err)
		}
	})
}

// Beyond its share an app submits only what leaves half of the burst to the
// others, and never waits for a slot.
func TestAnAppLeavesSlotsToOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := guarded(provider.Limit{Every: time.Second, Burst: 8})
		began, submitted := time.Now(), 0
		for ; submitted < 20; submitted++ {
			if _, err := g.WaitToSubmit(t.Context(), "A"); busy(err) {
				break
			} else if err != nil {
				t.Fatal(err)
			}
		}
		if submitted != 5 || time.Since(began) != 0 {
			t.Errorf("it submitted %d in %s, want 5 at once", submitted, time.Since(began))
		}
		if _, err := g.WaitToSubmit(t.Context(), "B"); err != nil || time.Since(began) != 0 {
			t.Errorf("the other app waited %s: %v", time.Since(began), err)
		}
	})
}
