package httpapi_test

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"momoproxy/shared/httpapi"
	"momoproxy/shared/ledger"
	"momoproxy/shared/table"
	"momoproxy/shared/table/memory"
)

// measuredTable answers as slowly as DynamoDB does and counts what writes
// cost: one unit each, also when the condition fails.
type measuredTable struct {
	table.Table
	random *rand.Rand // under mu
	mu     sync.Mutex
	writes int
	failed int // of those, for a condition
	reads  int
}

func (m *measuredTable) wait() {
	m.mu.Lock()
	d := 3*time.Millisecond + time.Duration(m.random.ExpFloat64()*float64(2*time.Millisecond))
	m.mu.Unlock()
	time.Sleep(d)
}

func (m *measuredTable) Get(ctx context.Context, k table.Key) (table.Record, error) {
	m.wait()
	m.mu.Lock()
	m.reads++
	m.mu.Unlock()
	return m.Table.Get(ctx, k)
}

func (m *measuredTable) Write(ctx context.Context, ops ...table.Op) error {
	m.wait()
	err := m.Table.Write(ctx, ops...)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.writes++
	if err != nil {
		m.failed++
	}
	return err
}

// load is what one app sends, and what a request takes an instance.
type load struct {
	perSecond int
	atOnce    int // requests that come at the same moment
	takes     time.Duration
}

// seen is the result.
type seen struct {
	sent, through, instances, writes, failed, reads int
}

// loadLasts is how long a load is sent.
const loadLasts = time.Minute

func (s seen) share() float64 {
	return float64(s.through) / (httpapi.AppPerSecond * loadLasts.Seconds())
}

func (s seen) perRequest() float64 { return float64(s.writes) / float64(s.sent) }

// instance is a function instance: it serves one request at a time.
type instance struct {
	limits *httpapi.RateLimit
	ledger *ledger.Ledger
}

// send sends a load to instances as Lambda has them: one of the idle serves the
// request; if there is none, there will be one more.
func (l load) send(t *testing.T, seed uint64) (s seen) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		arrivals := rand.New(rand.NewPCG(seed, 3))
		random := rand.New(rand.NewPCG(seed, 1)) // under mu
		m := &measuredTable{Table: memory.New(), random: rand.New(rand.NewPCG(seed, 2))}
		var mu sync.Mutex
		var idle []*instance
		serve := func() {
			mu.Lock()
			s.sent++
			var i *instance
			if n := len(idle); n > 0 {
				at := random.IntN(n)
				i = idle[at]
				idle = slices.Delete(idle, at, at+1)
			} else {
				s.instances++
				i = &instance{httpapi.NewRateLimit(httpapi.AppPerSecond, httpapi.AppBurst), ledger.New(m, nil, ledger.Options{})}
			}
			mu.Unlock()
			quota, err := i.limits.Take(t.Context(), i.ledger, "app", time.Now)
			if err != nil {
				t.Error(err)
			}
			if quota.OK {
				time.Sleep(l.takes)
			}
			mu.Lock()
			defer mu.Unlock()
			if quota.OK {
				s.through++
			}
			idle = append(idle, i)
		}
		var all sync.WaitGroup
		for end := time.Now().Add(loadLasts); ; {
			time.Sleep(time.Duration(arrivals.ExpFloat64() * float64(l.atOnce) / float64(l.perSecond) * float64(time.Second)))
			if !time.Now().Before(end) {
				break
			}
			for range l.atOnce {
				all.Go(serve)
			}
		}
		all.Wait()
		s.writes, s.failed, s.reads = m.writes, m.failed, m.reads
	})
	return s
}

// The limit holds over all instances, costs little, and refuses nobody below
// it. The last loads come a hundred at the same moment: then most writes meet
// another, and the bound on what gets through still holds.
func TestRequestLimitOverInstances(t *testing.T) {
	const seeds = 5
	t.Log("| requests/s | at once | a request takes | instances | sent | let through | let through / limit | writes per request | of those failed | reads per request |")
	for _, l := range []load{
		{1, 1, 60 * time.Millisecond}, {1, 1, 300 * time.Millisecond}, {1, 1, time.Second},
		{10, 1, 60 * time.Millisecond}, {10, 1, 300 * time.Millisecond}, {10, 1, time.Second},
		{20, 1, 60 * time.Millisecond}, {20, 1, 300 * time.Millisecond}, {20, 1, time.Second},
		{100, 1, 60 * time.Millisecond}, {100, 1, 300 * time.Millisecond}, {100, 1, time.Second},
		{100, 100, 60 * time.Millisecond}, {100, 100, 300 * time.Millisecond}, {100, 100, time.Second},
	} {
		for seed := range uint64(seeds) {
			s := l.send(t, seed)
			if seed == 0 {
				t.Logf("| %d | %d | %s | %d | %d | %d | %.2f | %.3f | %.3f | %.3f |", l.perSecond, l.atOnce, l.takes, s.instances, s.sent, s.through,
					s.share(), s.perRequest(), float64(s.failed)/float64(s.sent), float64(s.reads)/float64(s.sent))
			}
			check := func(holds bool, what string) {
				if !holds {
					t.Errorf("%+v, seed %d: %s: %+v, %.2f of the limit, %.3f writes a request", l, seed, what, s, s.share(), s.perRequest())
				}
			}
			check(s.writes <= s.sent, "more writes than requests")
			check(s.share() <= 1.3, "too many get through")
			if l.atOnce > 1 {
				continue
			}
			check(l.perSecond < httpapi.AppPerSecond/2 || s.perRequest() <= 0.2, "too many writes")
			check(l.perSecond > httpapi.AppPerSecond/2 || s.through == s.sent, "refused below the limit")
			check(s.share() >= min(0.9, 0.9*float64(s.sent)/(httpapi.AppPerSecond*loadLasts.Seconds())), "refused too many")
		}
	}
}
