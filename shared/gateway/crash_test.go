package gateway_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"momoproxy/infra/cloud"
	mtnstand "momoproxy/infra/standin/mtn"
	"momoproxy/infra/testbed"
	"momoproxy/shared/delivery"
	"momoproxy/shared/payment"
	"momoproxy/shared/queue"
	"momoproxy/shared/table"
)

// blow is how a call ends at which the fuse blows.
type blow struct {
	after bool // it took effect before it failed
	crash bool // the process dies there, else the call returns an error
}

func (b blow) String() string {
	return map[bool]string{false: "before", true: "after"}[b.after] + map[bool]string{false: " error", true: " crash"}[b.crash]
}

var blows = []blow{{false, false}, {true, false}, {false, true}, {true, true}}

var errBlown = errors.New("the answer was lost")

// fuse counts the calls to table, queue and MTN while it is armed, and makes
// the nth fail.
type fuse struct {
	n int
	blow

	mu    sync.Mutex
	armed bool
	calls []string
	blown bool
}

func (f *fuse) arm(on bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.armed = on
}

// do runs one call, or spoils it.
func (f *fuse) do(what string, call func() error) error {
	f.mu.Lock()
	hit := false
	if f.armed {
		f.calls = append(f.calls, what)
		hit = len(f.calls) == f.n
		f.blown = f.blown || hit
		if hit && f.crash {
			f.armed = false // a dead process calls nothing any more
		}
	}
	f.mu.Unlock()
	if !hit {
		return call()
	}
	if f.after {
		_ = call()
	}
	if f.crash {
		panic(errBlown)
	}
	return errBlown
}

type fusedTable struct {
	table.Table
	*fuse
}

func (t fusedTable) Get(ctx context.Context, k table.Key) (r table.Record, err error) {
	err = t.do("get "+k.String(), func() error { r, err = t.Table.Get(ctx, k); return err })
	if errors.Is(err, errBlown) {
		r = table.Record{}
	}
	return r, err
}

func (t fusedTable) Query(ctx context.Context, q table.Query) (p table.Page, err error) {
	err = t.do("query "+q.Index+" "+q.Partition, func() error { p, err = t.Table.Query(ctx, q); return err })
	if errors.Is(err, errBlown) {
		p = table.Page{}
	}
	return p, err
}

func (t fusedTable) Write(ctx context.Context, ops ...table.Op) error {
	return t.do("write "+ops[0].Record.Key.String(), func() error { return t.Table.Write(ctx, ops...) })
}

type fusedQueue struct {
	queue.Queue
	*fuse
}

func (q fusedQueue) Send(ctx context.Context, messages ...queue.Message) error {
	return q.do("send", func() error { return q.Queue.Send(ctx, messages...) })
}

type fusedMTN struct {
	http.RoundTripper
	*fuse
}

func (m fusedMTN) RoundTrip(r *http.Request) (resp *http.Response, err error) {
	err = m.do(r.Method+" "+r.URL.Path, func() error { resp, err = m.RoundTripper.RoundTrip(r); return err })
	if errors.Is(err, errBlown) {
		resp = nil
	}
	return resp, err
}

func (f *fuse) options() testbed.Options {
	return testbed.Options{
		Table: func(t table.Table) table.Table { return fusedTable{t, f} },
		Queue: func(q queue.Queue) queue.Queue { return fusedQueue{q, f} },
		MTN:   func(m http.RoundTripper) http.RoundTripper { return fusedMTN{m, f} },
	}
}

// scene is what is under way when the fuse blows: prepare leads up to it,
// run is it.
type scene struct {
	name, payer string
	prepare     func(t *testing.T, w *testbed.World)
	run         func(w *testbed.World)
}

const key = "the-key"

// pay is one request of an app.
func pay(w *testbed.World, payer, idempotencyKey string) testbed.Answer {
	r := cloud.Request("POST /request-to-pay")
	r.Headers = map[string]string{"x-proxy-api-key": testbed.ShopKey, "idempotency-key": idempotencyKey}
	r.Body = testbed.Order("ORDER-1", payer)
	return w.Call(context.Background(), r)
}

// open makes a payment that MTN has accepted.
func open(t *testing.T, w *testbed.World, payer string) {
	t.Helper()
	if a := pay(w, payer, key); a.StatusCode != 202 {
		t.Fatalf("%d %s", a.StatusCode, a.Body)
	}
}

func scenes() []scene {
	reference := payment.ReferenceFor("cli_shop", key)
	var all []scene
	for _, plan := range []string{
		mtnstand.ScriptSuccess, "callback_lost", "refused_payer_not_found", "reset_after", "timeout_once", "error500_charged", "error500",
		"json200_charged", "failed_not_enough_funds", "error401_once", "corrected",
	} {
		payer := mtnstand.Payer(plan)
		all = append(all, scene{name: "request to pay, " + plan, payer: payer, run: func(w *testbed.World) { pay(w, payer, key) }})
	}
	pending := mtnstand.Payer(mtnstand.ScriptPending)
	prepare := func(t *testing.T, w *testbed.World) { open(t, w, pending) }
	for _, status := range []string{"SUCCESSFUL", "FAILED"} {
		all = append(all,
			scene{name: "callback, " + status, payer: pending, prepare: prepare, run: func(w *testbed.World) {
				_ = w.Sandbox.SetOutcome(reference, status, "", true)
				time.Sleep(100 * time.Millisecond)
				synctest.Wait()
			}},
			scene{name: "bare callback, " + status, payer: pending, prepare: prepare, run: func(w *testbed.World) {
				time.Sleep(10 * time.Second)
				_ = w.Sandbox.SetOutcome(reference, status, "", false)
				w.CallBack("POST", "", `{"externalId":"ORDER-1","status":"`+status+`"}`)
			}},
			scene{name: "status, " + status, payer: pending, prepare: prepare, run: func(w *testbed.World) {
				time.Sleep(10 * time.Second)
				_ = w.Sandbox.SetOutcome(reference, status, "", false)
				w.Ask(reference, testbed.ShopKey)
			}},
			scene{name: "reconcile, " + status, payer: pending, prepare: prepare, run: func(w *testbed.World) {
				time.Sleep(11 * time.Second)
				_ = w.Sandbox.SetOutcome(reference, status, "", false)
				survive(func() { w.Reconcile(context.Background()) })
			}})
	}
	return append(all, scene{name: "delivery", payer: pending, prepare: func(t *testing.T, w *testbed.World) {
		prepare(t, w)
		_ = w.Sandbox.SetOutcome(reference, "SUCCESSFUL", "", true)
		time.Sleep(time.Second)
		synctest.Wait()
	}, run: func(w *testbed.World) {
		_, _ = w.Forwarder.Handle(context.Background(), events.SQSEvent{Records: []events.SQSMessage{
			{MessageId: "1", Body: `{"reference":"` + reference + `","sequence":1}`}}})
	}})
}

// survive lets a crash through to here, where the process would have ended.
func survive(run func()) {
	defer func() {
		if p := recover(); p != nil && p != any(errBlown) {
			panic(p)
		}
	}()
	run()
}

// Every call to the table, the queue and MTN fails in turn, with an error or
// by the death of the process, before and after it took effect. Then a new
// process takes over and the app repeats its request under the same key. In
// the end the payment says what MTN's books say, it was charged at most once,
// and each of its events was made once and delivered.
func TestCrashWalk(t *testing.T) {
	t.Parallel()
	for _, s := range scenes() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			for _, b := range blows {
				for n := 1; ; n++ {
					f := &fuse{n: n, blow: b}
					t.Run(fmt.Sprintf("call %d %s", n, b), func(t *testing.T) { walk(t, s, f) })
					if !f.blown {
						if n < 4 {
							t.Errorf("the scene makes %d calls: %v", n-1, f.calls)
						}
						break
					}
				}
			}
		})
	}
}

func walk(t *testing.T, s scene, f *fuse) {
	synctest.Test(t, func(t *testing.T) {
		w := testbed.New(t, f.options())
		if s.prepare != nil {
			s.prepare(t, w)
		}
		f.arm(true)
		s.run(w)
		f.arm(false)
		if f.crash {
			w.Restart(f.options())
		}
		// The app repeats what it got no answer to, until it has one.
		var answer testbed.Answer
		for range 6 {
			time.Sleep(20 * time.Second)
			if answer = pay(w, s.payer, key); answer.StatusCode != 409 && answer.StatusCode != 503 {
				break
			}
		}
		w.Pass(2 * time.Hour)
		if s.name == "request to pay, corrected" {
			w.Pass(30 * time.Hour)
		}
		judge(t, w, answer.Reference())
		if t.Failed() {
			t.Logf("calls: %s", strings.Join(f.calls, ", "))
		}
	})
}

// judge holds a payment against MTN's books and what its app received.
func judge(t *testing.T, w *testbed.World, reference string) {
	t.Helper()
	if reference != payment.ReferenceFor("cli_shop", key) {
		t.Fatalf("the app knows its payment as %q", reference)
	}
	e, _ := w.Sandbox.Payment(reference)
	want := payment.Failed // never received, or refused
	if e.Status != "" && e.Status != "PENDING" {
		want = payment.Status(e.Status)
	}
	p := w.Payment(reference)
	if open := e.Status == "PENDING"; open != p.Open() || !open && p.Status != want {
		t.Errorf("the payment is %s %s, MTN's books say %q", p.Status, p.Phase, e.Status)
	}
	if e.Charges > 1 || e.Accepted > 1 || w.Charged() > 1 {
		t.Errorf("charged %d times, accepted %d times", e.Charges, e.Accepted)
	}
	story := w.Story(reference)
	if len(story.Deliveries) != p.Sequence {
		t.Errorf("%d events of sequence %d", len(story.Deliveries), p.Sequence)
	}
	told := map[string]int{}
	for _, r := range w.App.About(reference) {
		told[r.EventID]++
	}
	for i, d := range story.Deliveries {
		if d.Sequence != i+1 || d.State != delivery.Delivered || told[d.EventID] == 0 {
			t.Errorf("event %d is %s, told %d times", d.Sequence, d.State, told[d.EventID])
		}
	}
	if len(told) != len(story.Deliveries) {
		t.Errorf("the app knows %d events, the ledger %d", len(told), len(story.Deliveries))
	}
	if n := len(w.App.About(reference)); n > len(story.Deliveries)+1 {
		t.Errorf("told %d times", n)
	}
}
