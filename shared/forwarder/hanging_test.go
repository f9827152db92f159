package forwarder_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"momoproxy/shared/assembly"
	"momoproxy/shared/delivery"
	"momoproxy/shared/forwarder"
	"momoproxy/shared/host"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
	queuememory "momoproxy/shared/queue/memory"
	"momoproxy/shared/seal"
	tablememory "momoproxy/shared/table/memory"
	"momoproxy/shared/webhook"
)

// answering stands for the apps: each answers after a time of its own, or not
// within an attempt.
type answering struct {
	after map[string]time.Duration // by URL
	from  time.Time                // all are quick before

	mu       sync.Mutex
	answered map[string]time.Time // by event
	hung     int
	most     int // attempts left without an answer at once
	waiting  int
}

func (a *answering) Post(_ context.Context, url string, header http.Header, _ []byte) webhook.Result {
	r := webhook.Result{Started: time.Now()}
	after := a.after[url]
	if strings.HasSuffix(url, ".hangs.example/") {
		after = webhook.Timeout
	}
	if r.Started.Before(a.from) {
		after = quick
	}
	if after < webhook.Timeout {
		time.Sleep(after)
		a.mu.Lock()
		defer a.mu.Unlock()
		if id := header.Get(webhook.HeaderID); a.answered[id].IsZero() {
			a.answered[id] = time.Now()
		}
		r.Code = 200
		return r
	}
	a.mu.Lock()
	a.hung++
	a.waiting++
	a.most = max(a.most, a.waiting)
	a.mu.Unlock()
	time.Sleep(webhook.Timeout)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.waiting--
	r.Class = webhook.ClassTimeout
	return r
}

// quick is how soon an app that is well answers.
const quick = 5 * time.Millisecond

// town is ten apps, all quick, of which the first begins after ten seconds to
// answer after a time of its own; and what delivers to them as AWS does: batches
// of ten, twenty at once, each in an instance of its own, which it keeps until
// its last message is done.
type town struct {
	hangs   string // how it hangs: "" all its callbacks; "origins" at a host for each; "manual" when asked for again; "two" another app does too
	apps    *answering
	ledger  *ledger.Ledger
	slowest map[int]time.Duration  // by app, from event to 2xx
	p99     time.Duration          // of all apps but the first
	left    int                    // events of the first that were not delivered
	state   delivery.EndpointState // of the first's
}

func (c *town) run(t *testing.T, first time.Duration, perSecond int, duration time.Duration) {
	const apps, instances = 10, 20
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	table, queue := tablememory.New(), queuememory.New(time.Now, 5)
	ring, err := seal.NewRing(bytes.Repeat([]byte{7}, seal.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	c.ledger = ledger.New(table, ring, ledger.Options{HashPayer: func(payer string) string { return payer }})
	c.apps = &answering{after: map[string]time.Duration{}, answered: map[string]time.Time{}, from: time.Now().Add(10 * time.Second)}
	bell := forwarder.Doorbell{Queue: queue, Now: time.Now}
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	url := func(app int) string { return fmt.Sprintf("https://app%d.example.com/", app) }
	for app := range apps {
		c.apps.after[url(app)] = quick
		_, err := c.ledger.CreateClient(ctx, ledger.Client{
			ID: fmt.Sprint("cli_", app), CallbackURL: url(app), Active: true, CreatedAt: ledger.Clock(time.Now()), APIKey: fmt.Sprint("key-", app),
			SigningSecrets: []string{"whsec_c2hvcHNob3BzaG9wc2hvcHNob3BzaG9wc2hvcHNob3A="},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	c.apps.after[url(0)] = first
	if c.hangs == "two" {
		c.apps.after[url(1)] = first
	}

	// Any idle instance works next, so that all have something in their caches.
	random := rand.New(rand.NewPCG(1, 2))
	slots, idle := make(chan struct{}, instances), make([]*forwarder.Forwarder, instances)
	var mu sync.Mutex
	for i := range idle {
		parts := assembly.Parts{Ledger: ledger.New(table, ring, ledger.Options{}), Queue: queue, Apps: c.apps, Host: host.Machine(), Log: log}
		parts.Jitter = func() float64 { return 0.5 }
		idle[i] = parts.Forwarder()
	}
	var working sync.WaitGroup
	working.Go(func() {
		for {
			slots <- struct{}{}
			got, err := queue.Receive(ctx, 10, 3*time.Minute, 20*time.Second)
			if err != nil {
				return
			}
			mu.Lock()
			n := random.IntN(len(idle))
			f := idle[n]
			idle = slices.Delete(idle, n, n+1)
			mu.Unlock()
			working.Go(func() {
				defer func() {
					mu.Lock()
					idle = append(idle, f)
					mu.Unlock()
					<-slots
				}()
				var batch events.SQSEvent
				var receipts []string
				for _, r := range got {
					batch.Records = append(batch.Records, events.SQSMessage{MessageId: r.ID, Body: r.Body})
					receipts = append(receipts, r.Receipt)
				}
				if answer, err := f.Handle(context.Background(), batch); err != nil || len(answer.BatchItemFailures) > 0 {
					t.Error(answer, err)
				}
				_ = queue.Delete(context.Background(), receipts...)
			})
		}
	})

	type made struct {
		app int
		at  time.Time
	}
	all := map[string]made{}
	apart := time.Second / time.Duration(perSecond*apps)
	for n := range int(duration / apart) {
		p := payment.Payment{
			Reference: fmt.Sprintf("%08x-0000-4000-8000-000000000000", n), ClientID: fmt.Sprint("cli_", n%apps), ExternalID: fmt.Sprint(n),
			Provider: "mtn", Amount: payment.Money{Minor: 100, Currency: "SZL"}, Payer: "26876123456", Status: payment.Pending, Accepted: true,
			CreatedAt: ledger.Clock(time.Now()), UpdatedAt: ledger.Clock(time.Now()),
		}
		if n%apps == 0 && c.hangs == "origins" && time.Now().After(c.apps.from) {
			p.CallbackURL = fmt.Sprintf("https://n%d.hangs.example/", n)
		}
		if n%apps == 0 && c.hangs == "manual" && time.Now().After(c.apps.from) {
			old, err := c.ledger.Delivery(ctx, fmt.Sprintf("%08x-0000-4000-8000-000000000000", (n-n%apps)%(100*perSecond)), 1)
			if err != nil {
				t.Fatal(err)
			}
			d, err := c.ledger.ResendDelivery(ctx, old, ledger.Clock(time.Now()), ledger.AuditRecord{At: ledger.Clock(time.Now()), Direction: ledger.InboundFromApp, Reference: old.Reference, ClientID: "cli_0"})
			if err == nil {
				err = bell.Ring(ctx, d)
			}
			if err != nil && !errors.Is(err, delivery.ErrUnderway) {
				t.Fatal(err)
			}
			time.Sleep(apart)
			continue
		}
		stored, err := c.ledger.Create(ctx, ledger.Payment{Payment: p})
		if err != nil {
			t.Fatal(err)
		}
		at := time.Now()
		_, ds, err := c.ledger.Apply(ctx, ledger.Change{Before: stored, Decision: payment.Decide(stored.Payment,
			payment.Evidence{Source: payment.FromStatus, Verdict: payment.SaysSuccessful, Code: "SUCCESSFUL", At: ledger.Clock(at)}, payment.Policy{})})
		if err == nil {
			err = bell.Ring(ctx, ds...)
		}
		if err != nil {
			t.Fatal(err)
		}
		all[ds[0].EventID] = made{n % apps, at}
		time.Sleep(apart)
	}
	time.Sleep(time.Minute) // what was put off has come back
	synctest.Wait()
	e, err := c.ledger.Endpoint(ctx, "cli_0", delivery.Origin(url(0)), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	c.state = e.State
	stop()
	working.Wait()

	c.slowest = map[int]time.Duration{}
	var times []time.Duration
	for id, m := range all {
		at := c.apps.answered[id]
		switch {
		case at.IsZero() && (m.app == 0 || m.app == 1 && c.hangs == "two"):
			c.left++
			continue
		case at.IsZero():
			t.Fatalf("event %s of app %d was not delivered", id, m.app)
		}
		c.slowest[m.app] = max(c.slowest[m.app], at.Sub(m.at))
		if m.app != 0 && !(m.app == 1 && c.hangs == "two") {
			times = append(times, at.Sub(m.at))
		}
	}
	slices.Sort(times)
	c.p99 = times[len(times)*99/100]
}

// One app that hangs does not slow the others, from the moment on that it does:
// their p99 stays within one and a half of what it is when all are well. In
// this test's time nothing but waiting takes any.
func TestHangingAppSlowsNoOther(t *testing.T) {
	t.Parallel()
	for _, perSecond := range []int{1, 5, 10} {
		t.Run(fmt.Sprint(perSecond, " a second"), func(t *testing.T) {
			t.Parallel()
			var well, hanging town
			synctest.Test(t, func(t *testing.T) { well.run(t, quick, perSecond, 40*time.Second) })
			synctest.Test(t, func(t *testing.T) { hanging.run(t, webhook.Timeout, perSecond, 40*time.Second) })
			if hanging.p99 > well.p99*3/2 {
				t.Errorf("the other apps' p99 is %v, and %v when all are well", hanging.p99, well.p99)
			}
			if hanging.state != delivery.EndpointOpen {
				t.Errorf("the endpoint is %s", hanging.state)
			}
			// Before it was known to hang, and what was under way then.
			if most := 4 + 2*perSecond; hanging.apps.most > most {
				t.Errorf("%d attempts waited for it at once, want at most %d", hanging.apps.most, most)
			}
			t.Logf("%d attempts hung, %d at once", hanging.apps.hung, hanging.apps.most)
		})
	}
}

// An app that is slow but answers gets every event, and its circuit stays
// closed. Events that come faster than it answers are postponed.
func TestSlowAppGetsEverything(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		answers   time.Duration
		perSecond int
		within    time.Duration
	}{
		{900 * time.Millisecond, 10, time.Second},
		{2 * time.Second, 1, 2 * time.Second},
		{2 * time.Second, 5, 45 * time.Second},
		{5 * time.Second, 2, time.Minute}, // more at once than a client may have
	} {
		t.Run(fmt.Sprintf("%v, %d a second", c.answers, c.perSecond), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var slow town
				slow.run(t, c.answers, c.perSecond, 40*time.Second)
				if slow.left > 0 || slow.state != delivery.EndpointClosed || slow.slowest[0] > c.within {
					t.Errorf("%d events left, endpoint %s, the slowest took %v", slow.left, slow.state, slow.slowest[0])
				}
				t.Logf("slowest %v, the others' %v", slow.slowest[0], slow.p99)
			})
		})
	}
}

// Nor does it when it has a host for each payment, or asks for old events by
// hand, or when two apps hang at once; and so for as long as it goes on.
func TestHangingEverywhereSlowsNoOther(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"origins", "manual", "two"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			var well, hanging town
			hanging.hangs = how
			synctest.Test(t, func(t *testing.T) { well.run(t, quick, 5, 2*time.Minute) })
			synctest.Test(t, func(t *testing.T) { hanging.run(t, webhook.Timeout, 5, 2*time.Minute) })
			if hanging.p99 > well.p99*3/2 {
				t.Errorf("the other apps' p99 is %v, and %v when all are well", hanging.p99, well.p99)
			}
			if hanging.apps.most >= 20 {
				t.Errorf("%d attempts waited at once: as many as there are batches", hanging.apps.most)
			}
			t.Logf("%d attempts hung, %d at once, others' p99 %v", hanging.apps.hung, hanging.apps.most, hanging.p99)
		})
	}
}
