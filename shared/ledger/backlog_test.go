package ledger

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"momoproxy/shared/delivery"
	"momoproxy/shared/payment"
	"momoproxy/shared/table"
	"momoproxy/shared/table/memory"
)

var noon = time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC)

func reference(i int) string { return fmt.Sprintf("%08x-1111-4111-8111-111111111111", i*0x10000001) }

// entry is a record that stands in an index.
func entry(i int, index string, at table.IndexKey) table.Record {
	return table.Record{
		Key:   table.Key{Space: table.Main, Partition: fmt.Sprintf("%s#%s#%d", index, at.Partition, i), Sort: "x"},
		Index: map[string]table.IndexKey{index: at},
	}
}

func put(t *testing.T, in table.Table, records ...table.Record) {
	t.Helper()
	for _, r := range records {
		if err := in.Write(context.Background(), table.Put(r)); err != nil {
			t.Fatal(err)
		}
	}
}

func TestBacklog(t *testing.T) {
	t.Parallel()
	in := memory.New()
	l := New(in, nil, Options{})
	paid := func(i int, phase payment.Phase, age, next time.Duration) table.Record {
		p := Payment{Payment: payment.Payment{
			Reference: reference(i), ClientID: "cli_a", Status: payment.Pending, Phase: phase, CreatedAt: noon.Add(-age),
		}}
		if next != 0 {
			p.NextCheckAt = noon.Add(next)
		}
		return p.record()
	}
	sent := func(i int, age, next time.Duration) table.Record {
		d := delivery.Delivery{Reference: reference(i), Sequence: 1, ClientID: "cli_a", State: delivery.Due, CreatedAt: noon.Add(-age), NextAttemptAt: noon.Add(next)}
		return deliveryRecord(d)
	}
	if got, err := l.Backlog(context.Background(), noon); err != nil || *got != (Backlog{}) {
		t.Errorf("of an empty table: %+v, %v", got, err)
	}
	put(t, in,
		paid(1, payment.PhaseAwaitingPayer, time.Minute, -time.Second),
		paid(2, payment.PhaseAwaitingPayer, 20*time.Hour, time.Hour),
		paid(3, payment.PhaseInReconciliation, 2*time.Hour, time.Minute),
		paid(4, payment.PhaseHeld, 3*time.Hour, 0),
		paid(5, "", 30*time.Hour, 12*time.Hour), // ended by our clock, asked about daily
		paid(6, "", 30*time.Hour, 0),
		sent(7, 5*time.Hour, 2*time.Hour),
		sent(8, time.Minute, -40*time.Second),
		sent(9, time.Second, 0),
		entry(1, IndexAttention, Attention{Kind: AttentionHeld, ClientID: "cli_a", Endpoint: "https://a.example:443", At: noon.Add(-9 * time.Hour), Reference: reference(10), Sequence: 1}.entry()),
		entry(2, IndexAttention, Attention{Kind: AttentionHeld, ClientID: "cli_b", At: noon.Add(-time.Hour), Reference: reference(11), Sequence: 2}.entry()),
		// Its endpoint is disabled: it waits for a person, and makes no other old.
		entry(4, IndexAttention, Attention{Kind: AttentionHeld, ClientID: "cli_c", Endpoint: "https://c.example:443", At: noon.Add(-30 * time.Hour), Reference: reference(13), Sequence: 1}.entry()),
		entry(5, IndexAttention, Attention{Kind: AttentionDisabled, ClientID: "cli_c", Endpoint: "https://c.example:443"}.entry()),
		entry(3, IndexAttention, Attention{Kind: AttentionExhausted, At: noon.Add(-99 * time.Hour), ClientID: "cli_a", Reference: reference(12), Sequence: 1}.entry()),
	)
	got, err := l.Backlog(context.Background(), noon)
	if err != nil {
		t.Fatal(err)
	}
	want := Backlog{
		OpenPayments: 3, UnknownPayments: 2, OldestUnknown: 3 * time.Hour,
		DueDeliveries: 3, OldestUndelivered: 5 * time.Hour, OldestOverdue: 40 * time.Second,
		HeldDeliveries: 3, OldestHeld: 30 * time.Hour, OldestProbed: 9 * time.Hour, DisabledEndpoints: 1, ExhaustedDeliveries: 1,
		payments: [DueShards]bool{1: true}, deliveries: [DueShards]bool{0: true, 1: true},
	}
	if d := cmp.Diff(want, *got, cmp.AllowUnexported(Backlog{})); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}

// counted counts the queries.
type counted struct {
	table.Table
	queries int
}

func (c *counted) Query(ctx context.Context, q table.Query) (table.Page, error) {
	c.queries++
	return c.Table.Query(ctx, q)
}

// A backlog of a table in a bad state costs no more than a written bound.
func TestBacklogIsBounded(t *testing.T) {
	t.Parallel()
	const most = countPages * table.MaxLimit
	in := memory.New()
	for i := range most + 1 {
		put(t, in, entry(i, IndexAttention, Attention{Kind: AttentionExhausted, At: noon.Add(-time.Duration(i) * time.Second), ClientID: "cli_a", Reference: reference(i), Sequence: 1}.entry()))
	}
	seen := &counted{Table: in}
	got, err := New(seen, nil, Options{}).Backlog(context.Background(), noon)
	if err != nil {
		t.Fatal(err)
	}
	if want := (Backlog{ExhaustedDeliveries: most, Truncated: true}); *got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	// One query for each shard; the inbox in one, which is full, and then
	// kind by kind.
	if want := DueShards + 1 + 5 + countPages; seen.queries != want {
		t.Errorf("%d queries, want %d", seen.queries, want)
	}
}

func TestBacklogTellsOfFaults(t *testing.T) {
	t.Parallel()
	in := memory.New()
	put(t, in, entry(1, IndexAttention, table.IndexKey{Partition: attentionPartition, Sort: "payment#yesterday#cli_a"}))
	if _, err := New(in, nil, Options{}).Backlog(context.Background(), noon); !errors.Is(err, ErrCorrupt) {
		t.Errorf("an entry without a time: %v", err)
	}
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := New(memory.New(), nil, Options{}).Backlog(ended, noon); !errors.Is(err, context.Canceled) {
		t.Errorf("under an ended context: %v", err)
	}
}
