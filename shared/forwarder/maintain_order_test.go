package forwarder

import (
	"testing"
	"time"

	"momoproxy/shared/delivery"
	"momoproxy/shared/ledger"
	"momoproxy/shared/seal"
	"momoproxy/shared/table/memory"
)

// Clients take turns at being first: a run that ends early ends with another
// one each minute.
func TestAnotherClientIsFirstEachMinute(t *testing.T) {
	t.Parallel()
	ring, err := seal.NewRing(make([]byte, seal.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	l := ledger.New(memory.New(), ring, ledger.Options{})
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	clients := []string{"cli_a", "cli_b", "cli_c"}
	for _, client := range clients {
		e := delivery.Endpoint{ClientID: client, Origin: "https://shop.example.com:443", State: delivery.EndpointOpen, OpenedAt: now, ProbeAt: now}
		if _, err := l.SaveEndpoint(t.Context(), e, now); err != nil {
			t.Fatal(err)
		}
	}
	first := map[string]bool{}
	for minute := range len(clients) {
		all, _, err := (&Sweeper{Ledger: l}).schedule(t.Context(), now.Add(time.Duration(minute+1)*time.Minute))
		if err != nil || len(all) != len(clients) {
			t.Fatal(all, err)
		}
		first[all[0].ClientID] = true
	}
	if len(first) != len(clients) {
		t.Errorf("first in three minutes: %v", first)
	}
}
