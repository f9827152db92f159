package httpapi_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"momoproxy/infra/testbed"
	"momoproxy/shared/httpapi"
	"momoproxy/shared/ledger"
	"momoproxy/shared/table"
	"momoproxy/shared/table/memory"
	"momoproxy/shared/table/tabletest"
)

// limitFault is a table whose records of request limits answer late, or fail.
func limitFault(inner table.Table, late time.Duration, err error, asked *atomic.Int64) table.Table {
	return limitTable{inner, late, err, asked}
}

type limitTable struct {
	table.Table
	late  time.Duration
	err   error
	asked *atomic.Int64
}

func (l limitTable) Get(ctx context.Context, k table.Key) (table.Record, error) {
	if !strings.HasPrefix(k.Partition, "limit#app#") {
		return l.Table.Get(ctx, k)
	}
	l.asked.Add(1)
	if l.err != nil {
		return table.Record{}, l.err
	}
	select {
	case <-ctx.Done():
		return table.Record{}, ctx.Err()
	case <-time.After(l.late):
		return l.Table.Get(ctx, k)
	}
}

// While the table is slow or fails, no request fails or waits long for that,
// and an instance still limits.
func TestRequestLimitWithoutTheTable(t *testing.T) {
	for name, c := range map[string]struct {
		late time.Duration
		err  error
	}{
		"slow":        {late: 400 * time.Millisecond},
		"hangs":       {late: time.Hour},
		"unavailable": {err: table.ErrUnavailable},
		"unreadable":  {err: ledger.ErrCorrupt},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var asked atomic.Int64
				store := ledger.New(limitFault(memory.New(), c.late, c.err, &asked), nil, ledger.Options{})
				limits := httpapi.NewRateLimit(1, 10)
				take := func() (ok bool, took time.Duration) {
					start := time.Now()
					q, err := limits.Take(t.Context(), store, "app", time.Now)
					if err != nil && c.err != nil && !errors.Is(err, c.err) {
						t.Error(err)
					}
					return q.OK, time.Since(start)
				}
				for i := range 11 {
					ok, took := take()
					if want := i < 10; ok != want {
						t.Errorf("request %d: %t", i, ok)
					}
					if i == 0 && took > 300*time.Millisecond || i > 0 && took > 0 {
						t.Errorf("request %d waited %s", i, took)
					}
				}
				if asked.Load() != 1 {
					t.Errorf("asked the table %d times", asked.Load())
				}
				// It is asked again, and an instance by itself does not stop.
				time.Sleep(5 * time.Second)
				for range 5 {
					if ok, _ := take(); !ok {
						t.Error("refused after a pause")
					}
				}
				if ok, _ := take(); ok {
					t.Error("no limit by itself")
				}
				if asked.Load() != 2 {
					t.Errorf("asked the table %d times", asked.Load())
				}
			})
		})
	}
}

// An app's request does not fail for its count, and the log says so once.
func TestRequestWithoutItsCount(t *testing.T) {
	var asked atomic.Int64
	o := testbed.Options{Table: func(inner table.Table) table.Table {
		return limitFault(inner, 0, table.ErrUnavailable, &asked)
	}}
	bubble(t, o, func(t *testing.T, w *testbed.World) {
		for range 3 {
			is(t, list(t, w, testbed.ShopKey), 200, "")
		}
		if n := strings.Count(w.Log(), "limit.unshared"); n != 1 {
			t.Errorf("%d log lines:\n%s", n, w.Log())
		}
	})
}

// Two instances share an app's allowance, and each app has its own.
func TestRequestLimitIsShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := memory.New()
		var instances []*httpapi.RateLimit
		for range 2 {
			instances = append(instances, httpapi.NewRateLimit(1, 10))
		}
		store := ledger.New(m, nil, ledger.Options{})
		take := func(instance int, app string) httpapi.Quota {
			q, err := instances[instance].Take(t.Context(), store, app, time.Now)
			if err != nil {
				t.Fatal(err)
			}
			return q
		}
		for i := range 10 {
			if q := take(i%2, "app"); !q.OK || q.Remaining != 9-i {
				t.Errorf("request %d: %+v", i, q)
			}
		}
		for i := range 2 {
			if q := take(i, "app"); q.OK || q.Remaining != 0 || q.More <= 0 || q.More > time.Second {
				t.Errorf("beyond the limit: %+v", q)
			}
		}
		if q := take(0, "other"); !q.OK {
			t.Errorf("another app: %+v", q)
		}
		time.Sleep(time.Second)
		if q := take(1, "app"); !q.OK {
			t.Errorf("a second later: %+v", q)
		}
	})
}

// A clock that was put back refuses nobody for longer than the allowance
// takes to be whole.
func TestRequestLimitOfAClockPutBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := ledger.New(memory.New(), nil, ledger.Options{})
		limits := httpapi.NewRateLimit(1, 2)
		at := time.Now().Add(24 * time.Hour)
		for range 3 {
			if _, err := limits.Take(t.Context(), store, "app", func() time.Time { return at }); err != nil {
				t.Fatal(err)
			}
		}
		if q, err := limits.Take(t.Context(), store, "app", time.Now); err != nil || !q.OK {
			t.Errorf("%+v, %v", q, err)
		}
	})
}

// What a lease stores is all of it or nothing, and a lost answer costs the
// app a request at most.
func TestRequestLimitLostAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := memory.New()
		var lose atomic.Bool
		lose.Store(true)
		store := ledger.New(tabletest.Faulty(m, func(op string, _ []table.Key) tabletest.Fault {
			if lose.Load() && op == tabletest.OpWrite {
				return tabletest.Fault{When: tabletest.After}
			}
			return tabletest.Fault{}
		}), nil, ledger.Options{})
		limits := httpapi.NewRateLimit(1, 3)
		if q, err := limits.Take(t.Context(), store, "app", time.Now); err == nil || !q.OK {
			t.Fatalf("%+v, %v", q, err)
		}
		lose.Store(false)
		q, err := httpapi.NewRateLimit(1, 3).Take(t.Context(), store, "app", time.Now)
		if err != nil || !q.OK || q.Remaining != 1 {
			t.Errorf("%+v, %v", q, err)
		}
	})
}
