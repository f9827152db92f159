package tabletest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"momoproxy/shared/table"
)

const writers = 16

// bounded ends writers that conflict without end.
func bounded(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// together runs work on each of the writers and returns its errors.
func together(work func(writer int) error) error {
	var wg sync.WaitGroup
	faults := make([]error, writers)
	for w := range writers {
		wg.Go(func() { faults[w] = work(w) })
	}
	wg.Wait()
	return errors.Join(faults...)
}

// again tells whether a writer should try once more: nothing was written.
func again(err error) bool {
	return errors.Is(err, table.ErrConflict) || errors.Is(err, table.ErrUnavailable)
}

// testOneCounterManyWriters loses no update, by either path of a write: a
// record alone and with another beside it.
func testOneCounterManyWriters(t *testing.T, tab table.Table) {
	const each = 5
	ctx := bounded(t)
	counter := table.Record{Key: key(unique("counter"), "n"), Attributes: map[string]any{"n": int64(0)}}
	mustWrite(t, tab, table.Put(counter))
	err := together(func(w int) error {
		for i := range each {
			log := table.Put(table.Record{Key: table.Key{Space: table.Audit, Partition: counter.Partition, Sort: fmt.Sprintf("%02d/%d", w, i)}})
			for {
				r, err := tab.Get(ctx, counter.Key)
				if err != nil {
					return err
				}
				r.Attributes["n"] = r.Attributes["n"].(int64) + 1
				ops := []table.Op{table.Put(r)}
				if w%2 == 0 {
					ops = append(ops, log)
				}
				if err = tab.Write(ctx, ops...); err == nil {
					break
				} else if !again(err) {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	counter.Version = writers*each + 1
	counter.Attributes["n"] = int64(writers * each)
	wantRecord(t, tab, counter)
	got := all(t, tab, table.Query{Space: table.Audit, Partition: counter.Partition})
	if len(got) != writers*each/2 {
		t.Errorf("%d log records; want %d", len(got), writers*each/2)
	}
}

func testOneWinnerOfACreate(t *testing.T, tab table.Table) {
	ctx := bounded(t)
	for round := range 5 {
		k := key(unique("race"), "lock")
		var won atomic.Int64
		var winner atomic.Int64
		err := together(func(w int) error {
			ops := []table.Op{table.Put(table.Record{Key: k, Attributes: map[string]any{"owner": int64(w)}})}
			if round%2 == 1 {
				ops = append(ops, table.Put(table.Record{Key: key(k.Partition, fmt.Sprint("of", w))}))
			}
			for {
				err := tab.Write(ctx, ops...)
				switch {
				case err == nil:
					won.Add(1)
					winner.Store(int64(w))
					return nil
				case errors.Is(err, table.ErrConflict):
					return nil
				case !errors.Is(err, table.ErrUnavailable):
					return err
				}
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		r, err := tab.Get(ctx, k)
		if err != nil || won.Load() != 1 || r.Attributes["owner"] != winner.Load() {
			t.Fatalf("round %d: %d winners, the last %d; stored %v, %v", round, won.Load(), winner.Load(), r, err)
		}
		if got := all(t, tab, table.Query{Space: table.Main, Partition: k.Partition}); len(got) != 1+round%2 {
			t.Fatalf("round %d: %d records; want the winner's only", round, len(got))
		}
	}
}

// testTransfers moves money between accounts in overlapping transactions: no
// amount appears or is lost, no account is overdrawn, each transfer that was
// reported done is booked once.
func testTransfers(t *testing.T, tab table.Table) {
	const accounts, start, each = 5, 100, 6
	ctx := bounded(t)
	bank := unique("bank")
	account := func(i int) table.Key { return key(bank, fmt.Sprint("account", i)) }
	for i := range accounts {
		mustWrite(t, tab, table.Put(table.Record{Key: account(i), Attributes: map[string]any{"balance": int64(start)}}))
	}
	var done atomic.Int64
	err := together(func(w int) error {
		random := rand.New(rand.NewPCG(uint64(w), 1))
		for i := range each {
			from := random.IntN(accounts)
			to := (from + 1 + random.IntN(accounts-1)) % accounts
			ok, err := transfer(ctx, tab, account(from), account(to), random.Int64N(80), fmt.Sprintf("%02d/%d", w, i))
			if err != nil {
				return err
			}
			if ok {
				done.Add(1)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	total := int64(0)
	for i := range accounts {
		r, err := tab.Get(ctx, account(i))
		if err != nil {
			t.Fatal(err)
		}
		balance := r.Attributes["balance"].(int64)
		if balance < 0 {
			t.Errorf("account %d is overdrawn: %d", i, balance)
		}
		total += balance
	}
	if total != accounts*start {
		t.Errorf("the bank holds %d; want %d", total, accounts*start)
	}
	booked := all(t, tab, table.Query{Space: table.Audit, Partition: bank})
	if int64(len(booked)) != done.Load() {
		t.Errorf("%d transfers booked, %d reported done", len(booked), done.Load())
	}
}

// transfer moves amount unless from has too little.
func transfer(ctx context.Context, tab table.Table, from, to table.Key, amount int64, id string) (bool, error) {
	for {
		a, err := tab.Get(ctx, from)
		if err != nil {
			return false, err
		}
		b, err := tab.Get(ctx, to)
		if err != nil {
			return false, err
		}
		left := a.Attributes["balance"].(int64) - amount
		if left < 0 {
			// Decided on a record that must still be so.
			if err := tab.Write(ctx, table.Check(a.Key, a.Version)); err == nil {
				return false, nil
			} else if !again(err) {
				return false, err
			}
			continue
		}
		a.Attributes["balance"] = left
		b.Attributes["balance"] = b.Attributes["balance"].(int64) + amount
		err = tab.Write(ctx, table.Put(a), table.Put(b), table.Put(table.Record{
			Key: table.Key{Space: table.Audit, Partition: from.Partition, Sort: id}}))
		if err == nil {
			return true, nil
		}
		if !again(err) {
			return false, err
		}
	}
}

func testCancelled(t *testing.T, tab table.Table) {
	r := table.Record{Key: key(unique("p"), "s")}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := tab.Write(ctx, table.Put(r)); !errors.Is(err, context.Canceled) {
		t.Errorf("Write = %v; want context.Canceled", err)
	}
	if err := tab.Write(ctx, table.Put(r), table.Put(table.Record{Key: key(r.Partition, "t")})); !errors.Is(err, context.Canceled) {
		t.Errorf("Write of two = %v; want context.Canceled", err)
	}
	if _, err := tab.Get(ctx, r.Key); !errors.Is(err, context.Canceled) {
		t.Errorf("Get = %v; want context.Canceled", err)
	}
	if _, err := tab.Query(ctx, table.Query{Space: table.Main, Partition: r.Partition}); !errors.Is(err, context.Canceled) {
		t.Errorf("Query = %v; want context.Canceled", err)
	}
	// Cancelled before it began, nothing was sent; and all works on.
	wantAbsent(t, tab, r.Key)
	mustWrite(t, tab, table.Put(r))
}
