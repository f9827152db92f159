package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"strings"
	"testing"
	"time"

	"momoproxy/shared/ledger"
	"momoproxy/shared/queue"
	"momoproxy/shared/seal"
	"momoproxy/shared/table"
	tablememory "momoproxy/shared/table/memory"
	"momoproxy/shared/telemetry"
)

var largeReplay = flag.Int("large-replay", 20_000, "events of the replay whose memory is measured")

// endless answers for a client with any number of payments, each with one
// exhausted event, without keeping them: what grows is the replay's.
type endless struct {
	*tablememory.Table
	client   string
	n        int
	delivery table.Record
	at       time.Time
	written  int
}

func (e *endless) Query(ctx context.Context, q table.Query) (table.Page, error) {
	if q.Index == ledger.IndexList && strings.HasSuffix(q.Partition, e.client) || q.Index == ledger.IndexAttention {
		return e.entries(q)
	}
	if reference, ok := strings.CutPrefix(q.Partition, "payment#"); ok {
		rec := e.delivery
		rec.Partition = "payment#" + reference
		return table.Page{Records: []table.Record{rec}}, nil
	}
	return e.Table.Query(ctx, q)
}

func (e *endless) entries(q table.Query) (table.Page, error) {
	first := 0
	if q.After != "" {
		at, err := table.DecodeCursor(q)
		if err != nil {
			return table.Page{}, err
		}
		if _, err := fmt.Sscanf(at.Key.Partition, "payment#33333333-3333-4333-8333-%d", &first); err != nil {
			return table.Page{}, err
		}
		first++
	}
	var page table.Page
	for i := first; i < min(first+q.Limit, e.n); i++ {
		page.Records = append(page.Records, table.Record{
			Key:   table.Key{Space: table.Main, Partition: "payment#" + numbered(i), Sort: "payment"},
			Index: map[string]table.IndexKey{q.Index: {Partition: q.Partition, Sort: e.at.Format("2006-01-02T15:04:05.000Z") + "#" + numbered(i)}},
		})
	}
	if first+q.Limit < e.n {
		page.Next = table.EncodeCursor(q, page.Records[len(page.Records)-1])
	}
	return page, nil
}

// Write counts; what is written about the endless payments is not kept.
func (e *endless) Write(ctx context.Context, ops ...table.Op) error {
	if strings.HasPrefix(ops[0].Record.Partition, "payment#") {
		e.written++
		return nil
	}
	return e.Table.Write(ctx, ops...)
}

// A replay's memory does not grow with the number of events. With
// -large-replay 1000000 it is over a million.
func TestReplayMemory(t *testing.T) {
	memory := tablememory.New()
	ring, err := seal.NewRing(bytes.Repeat([]byte{7}, seal.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	at := ledger.Clock(time.Now().Add(-time.Hour))
	l := ledger.New(memory, ring, ledger.Options{HashPayer: func(payer string) string { return payer }})
	if _, err := l.CreateClient(t.Context(), ledger.Client{ID: "cli_shop", Name: "Shop", CallbackURL: "https://shop.example.com/", Active: true,
		CreatedAt: at, APIKey: ledger.NewAPIKey(rand.Reader), SigningSecrets: []string{"whsec_x"}}); err != nil {
		t.Fatal(err)
	}
	exhaust(t, l, 0, at)
	page, err := memory.Query(t.Context(), table.Query{Space: table.Main, Partition: "payment#" + numbered(0), From: "delivery#", To: "delivery#~"})
	if err != nil || len(page.Records) != 1 {
		t.Fatal(page, err)
	}
	peak := func(n int) uint64 {
		e := &endless{Table: memory, client: "cli_shop", n: n, delivery: page.Records[0], at: at}
		var most, before uint64
		var stats runtime.MemStats
		measure := func() {
			runtime.GC()
			runtime.ReadMemStats(&stats)
			most = max(most, stats.HeapAlloc)
		}
		measure()
		before, most = stats.HeapAlloc, 0
		bells := &deaf{each: max(n/100, 100), see: measure}
		var out, errs bytes.Buffer
		p := program{
			in: strings.NewReader(""), out: &out, err: &errs, now: time.Now, random: rand.Reader, operator: "thandi",
			sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
			open: func(context.Context, program, options) (store, error) {
				return store{ledger: ledger.New(e, ring, ledger.Options{}), queue: bells, log: telemetry.New(io.Discard, slog.LevelError), close: func() error { return nil }}, nil
			},
		}
		// Over the payments, one query each, and not the index of the exhausted.
		began := time.Now()
		if code := p.run(t.Context(), []string{"delivery", "replay", "--client", "cli_shop", "--status", "exhausted,delivered", "--yes"}); code != exitOK {
			t.Fatalf("exit %d %s", code, errs.String())
		}
		if e.written != n || bells.n != n {
			t.Errorf("%d written and %d rung of %d", e.written, bells.n, n)
		}
		t.Logf("%d events: counted and sent in %v, live heap at most %.1f MiB over %.1f", n, time.Since(began).Round(time.Millisecond),
			float64(most-before)/(1<<20), float64(before)/(1<<20))
		return most - min(before, most)
	}
	small, large := peak(1000), peak(*largeReplay)
	if large > small+2<<20 {
		t.Errorf("%d bytes for 1,000 events, %d for %d", small, large, *largeReplay)
	}
}

// deaf is a queue that counts doorbells and keeps none.
type deaf struct {
	queue.Queue
	n, each, next int
	see           func()
}

func (d *deaf) Send(_ context.Context, messages ...queue.Message) error {
	if d.n += len(messages); d.n >= d.next {
		d.next += d.each
		d.see()
	}
	return nil
}
