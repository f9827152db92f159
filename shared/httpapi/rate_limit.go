package httpapi

import (
	"context"
	"fmt"
	"math"
	"sync"
	"time"

	"momoproxy/shared/host"
	"momoproxy/shared/ledger"
)

// RateLimit limits the requests of each app. The allowance of an app is one
// record in the table, which all function instances share. An instance leases
// requests from it in blocks and counts a block in its own memory: an app that
// sends much costs few writes, and nobody gets more than the record allows.
// While the table is slow or fails, an instance limits by itself.
type RateLimit struct {
	limit ledger.RequestLimit
	host  host.Host

	mu   sync.Mutex
	apps map[string]*appQuota
}

// appQuota is what one instance knows of an app's allowance.
type appQuota struct {
	lock   host.Lock // held while a request decides
	fullAt time.Time // when the allowance is whole again, as last seen

	block  int       // requests of the latest lease
	left   int       // of those, not used yet
	lapses time.Time // when those are given up
	owed   int       // let through on credit; the next lease pays for them

	refusedUntil   time.Time // the allowance is spent
	aloneUntil     time.Time // the table is slow or fails, and is not asked
	contendedUntil time.Time // other instances lease at the same moments
}

// The limit of one app over all function instances: twenty requests a second,
// two hundred at once. All blocks come out of the burst.
const (
	AppPerSecond = 20
	AppBurst     = 200
)

const (
	// maxApps bounds the memory; apps are only counted once authenticated.
	maxApps = 10_000
	// blockShare: a block is at most this part of the burst.
	blockShare = 20
	// blockGrowth is how many times larger the block is that follows one that
	// was used up before it lapsed.
	blockGrowth = 5
	// blockLasts bounds how long leased requests may be saved up.
	blockLasts = 30 * time.Second
	// leaseWait bounds how long a request waits for the table.
	leaseWait = 300 * time.Millisecond
	// aloneLasts is how long an instance limits by itself after that.
	aloneLasts = 5 * time.Second
	// minRefusal keeps the instances that serve an app beyond its limit from
	// asking the table for each request.
	minRefusal = 250 * time.Millisecond
	// contendedFor is how long an instance that another came before waits up to
	// spread before each lease: many that lease at once would meet again.
	contendedFor = 20 * time.Second
	spread       = 100 * time.Millisecond
)

// NewRateLimit allows burst requests at once and perSecond (at most 1,000) on
// average.
func NewRateLimit(perSecond, burst int) *RateLimit {
	limit := ledger.RequestLimit{Every: time.Second / time.Duration(perSecond), Burst: burst}
	return (&RateLimit{limit: limit, apps: map[string]*appQuota{}}).On(host.Machine())
}

// On makes l wait, draw how long, and lock by h instead of by the real machine.
// Call it before l is used.
func (l *RateLimit) On(h host.Host) *RateLimit {
	l.host = h
	return l
}

// Quota is where an app stands after a request, as this instance knows it.
type Quota struct {
	OK        bool          // the request may go on
	Remaining int           // requests that may follow at once
	More      time.Duration // until one more may
	limit     ledger.RequestLimit
}

// Take counts one request and makes at most one write. An error says why the
// instance limits by itself; the Quota holds all the same. A nil RateLimit
// limits nothing. Safe for concurrent use.
func (l *RateLimit) Take(ctx context.Context, store *ledger.Ledger, client string, clock func() time.Time) (Quota, error) {
	if l == nil {
		return Quota{OK: true}, nil
	}
	a := l.app(client)
	// The holder releases it within leaseWait.
	_ = a.lock.Acquire(context.WithoutCancel(ctx))
	defer a.lock.Release()
	now := clock()
	switch {
	case a.left > 0 && now.Before(a.lapses):
		a.left--
		return a.quota(l.limit, now, true), nil
	case ahead(a.refusedUntil, now, time.Duration(l.limit.Burst)*l.limit.Every):
		return a.refuse(l.limit, now), nil
	case ahead(a.aloneUntil, now, aloneLasts):
		return a.alone(l.limit, now), nil
	}
	if ahead(a.contendedUntil, now, contendedFor) {
		// When ctx ends in the wait, the lease fails and says so.
		_ = l.host.Sleep(ctx, time.Duration(l.host.Jitter()*float64(spread)))
		now = clock()
	}
	block := a.nextBlock(l.limit, now)
	wanted := min(block+a.owed, l.limit.Burst)
	ctx, cancel := context.WithTimeout(ctx, leaseWait)
	defer cancel()
	fullAt, ok, err := store.LeaseRequests(ctx, ledger.RequestLease{ClientID: client, Limit: l.limit, Count: wanted, Now: now})
	if err != nil {
		a.aloneUntil = now.Add(aloneLasts)
		return a.alone(l.limit, now), err
	}
	a.fullAt = fullAt
	if ok {
		a.block, a.left, a.owed, a.lapses = block, block-1, 0, now.Add(blockLasts)
		return a.quota(l.limit, now, true), nil
	}
	left := l.limit.Left(fullAt, now)
	if left >= wanted { // another lease came first
		a.contendedUntil = now.Add(contendedFor)
		if left >= l.limit.Burst/2 {
			// A second write would cost more than a request on credit. The
			// other instances do not see the credit, so it ends early.
			a.owed++
			return a.alone(l.limit, now), nil
		}
	}
	a.refusedUntil = now.Add(max(minRefusal, time.Duration(wanted-left)*l.limit.Every))
	return a.refuse(l.limit, now), nil
}

func (l *RateLimit) app(client string) *appQuota {
	l.mu.Lock()
	defer l.mu.Unlock()
	a, known := l.apps[client]
	if !known {
		if len(l.apps) >= maxApps {
			clear(l.apps)
		}
		a = &appQuota{lock: l.host.NewLock()}
		l.apps[client] = a
	}
	return a
}

// nextBlock is how many requests to lease: more than last time when those were
// used up in time, else as many as were used.
func (a *appQuota) nextBlock(limit ledger.RequestLimit, now time.Time) int {
	next := a.block - a.left
	if now.Before(a.lapses) {
		next *= blockGrowth
	}
	return max(1, min(next, limit.Burst/blockShare))
}

// alone counts a request without the table, as if this instance were the only
// one.
func (a *appQuota) alone(limit ledger.RequestLimit, now time.Time) Quota {
	if a.fullAt.Before(now) {
		a.fullAt = now
	}
	if limit.Left(a.fullAt, now) < 1 {
		return a.refuse(limit, now)
	}
	a.fullAt = a.fullAt.Add(limit.Every)
	return a.quota(limit, now, true)
}

func (a *appQuota) refuse(limit ledger.RequestLimit, now time.Time) Quota {
	q := a.quota(limit, now, false)
	q.Remaining, q.More = 0, max(q.More, a.refusedUntil.Sub(now))
	return q
}

func (a *appQuota) quota(limit ledger.RequestLimit, now time.Time, ok bool) Quota {
	more := limit.Every
	if part := a.fullAt.Sub(now) % limit.Every; part > 0 {
		more = part
	}
	return Quota{OK: ok, Remaining: min(max(0, a.left+limit.Left(a.fullAt, now)), limit.Burst), More: more, limit: limit}
}

// ahead says whether until lies in the future, by d at most: a later one was
// set before the clock was put back.
func ahead(until, now time.Time, d time.Duration) bool {
	return now.Before(until) && until.Sub(now) <= d
}

// policyName names the one quota there is in the two headers.
const policyName = `"app"`

// headers tells the quota as draft-ietf-httpapi-ratelimit-headers-11 writes
// it: the policy with its quota and the seconds in which an empty bucket is
// full again, and what is left with the seconds until there is more.
func (q Quota) headers(into map[string]string) {
	if q.limit.Burst == 0 {
		return
	}
	window := max(1, int(math.Ceil((time.Duration(q.limit.Burst) * q.limit.Every).Seconds())))
	into["ratelimit-policy"] = fmt.Sprintf("%s;q=%d;w=%d", policyName, q.limit.Burst, window)
	into["ratelimit"] = fmt.Sprintf("%s;r=%d;t=%d", policyName, q.Remaining, int(math.Ceil(q.More.Seconds())))
}

// quotaKey is where guard keeps a place for the quota of the request that it
// answers: authenticate finds it out, every answer from then on tells it.
type quotaKey struct{}

func withQuota(ctx context.Context) (context.Context, *Quota) {
	q := new(Quota)
	return context.WithValue(ctx, quotaKey{}, q), q
}

func noteQuota(ctx context.Context, q Quota) {
	if place, ok := ctx.Value(quotaKey{}).(*Quota); ok {
		*place = q
	}
}
