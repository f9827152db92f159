package httpapi_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"path"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"momoproxy/infra/cloud"
	"momoproxy/infra/testbed"
	"momoproxy/shared/httpapi"
	"momoproxy/shared/payment"
	"momoproxy/shared/table"
	"momoproxy/shared/telemetry"
	"momoproxy/shared/webhook"
)

// instant is the least that can stand for MTN, so that what is measured is
// ours.
type instant struct {
	calls *atomic.Int64
	names func(string)
	// callbacks are the addresses that MTN was given, by reference, if keep.
	callbacks *sync.Map
	keep      *atomic.Bool
}

func (m instant) RoundTrip(r *http.Request) (*http.Response, error) {
	m.calls.Add(1)
	if m.names != nil {
		m.names(r.Method + " " + r.URL.Path)
	}
	if url := r.Header.Get("X-Callback-Url"); url != "" && m.keep.Load() {
		m.callbacks.Store(r.Header.Get("X-Reference-Id"), url)
	}
	code, body := 202, ""
	switch {
	case strings.HasSuffix(r.URL.Path, "/token/"):
		code, body = 200, `{"access_token":"token","token_type":"access_token","expires_in":3600}`
	case r.Method == http.MethodGet:
		code, body = 200, `{"financialTransactionId":"1234567890","externalId":"`+path.Base(r.URL.Path)+
			`","amount":"150","currency":"SZL","payer":{"partyIdType":"MSISDN","partyId":"26876123456"},"status":"SUCCESSFUL"}`
	}
	return &http.Response{StatusCode: code, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)), Request: r}, nil
}

// counting counts the calls to the table.
type counting struct {
	table.Table
	calls *atomic.Int64
	names func(string)
}

func (c counting) note(what string) {
	c.calls.Add(1)
	if c.names != nil {
		c.names(what)
	}
}

func (c counting) Get(ctx context.Context, k table.Key) (table.Record, error) {
	c.note("get " + k.String())
	return c.Table.Get(ctx, k)
}

func (c counting) GetMany(ctx context.Context, keys ...table.Key) ([]table.Record, error) {
	c.note("get many")
	return c.Table.GetMany(ctx, keys...)
}

func (c counting) Query(ctx context.Context, q table.Query) (table.Page, error) {
	c.note("query " + q.Partition)
	return c.Table.Query(ctx, q)
}

func (c counting) Write(ctx context.Context, ops ...table.Op) error {
	c.note("write " + ops[0].Record.Key.String())
	return c.Table.Write(ctx, ops...)
}

// accepting is an app that answers 200 at once.
type accepting struct{}

func (accepting) Post(context.Context, string, http.Header, []byte) webhook.Result {
	return webhook.Result{Code: 200, Started: time.Now()}
}

// bench is a World for measuring, with its own clock.
type bench struct {
	*testbed.World
	// between is the time that passes from request to request: enough that
	// MTN's request limit is never waited for.
	between time.Duration

	calls     atomic.Int64
	at        atomic.Int64
	callbacks sync.Map
	keep      atomic.Bool
}

func newBench(t testing.TB, names func(string)) *bench {
	b := &bench{between: time.Second}
	b.at.Store(time.Now().UnixNano())
	b.World = testbed.New(t, testbed.Options{
		Table: func(inner table.Table) table.Table { return counting{inner, &b.calls, names} },
		MTN:   func(http.RoundTripper) http.RoundTripper { return instant{&b.calls, names, &b.callbacks, &b.keep} },
	})
	now := func() time.Time { return time.Unix(0, b.at.Load()) }
	log := telemetry.New(io.Discard, slog.LevelInfo)
	b.Gateway.Now, b.API.Now, b.Forwarder.Now = now, now, now
	b.Gateway.Log, b.API.Log, b.Forwarder.Log = log, log, log
	for _, p := range b.Gateway.Providers {
		p.Log, p.Host.Now = log, now
		p.Host.Sleep = func(_ context.Context, d time.Duration) error { b.pass(d); return nil }
	}
	b.Forwarder.Client = accepting{}
	return b
}

func (b *bench) pass(d time.Duration) { b.at.Add(int64(d)) }

func (b *bench) request(externalID string) httpapi.Request {
	r := cloud.Request("POST /request-to-pay")
	r.Headers = map[string]string{"x-proxy-api-key": testbed.ShopKey, "content-type": "application/json"}
	r.Body = testbed.Order(externalID, good)
	return r
}

// start makes n payments that MTN has accepted.
func (b *bench) start(t testing.TB, n int) []string {
	t.Helper()
	references := make([]string, n)
	for i := range references {
		a := b.Call(context.Background(), b.request(fmt.Sprint("ORDER-", i)))
		if a.StatusCode != 202 {
			t.Fatalf("%d %s", a.StatusCode, a.Body)
		}
		references[i] = a.Reference()
		b.pass(b.between)
	}
	return references
}

// measure runs one request after another and reports its processor time and
// the calls to table and MTN that it makes, one behind the other.
func (b *bench) measure(t *testing.B, handler func(i int) httpapi.Response, want int) {
	t.Helper()
	b.calls.Store(0)
	t.ReportAllocs()
	runtime.GC() // what the preparation left behind
	t.ResetTimer()
	cpu := cpuTime()
	for i := range t.N {
		if resp := handler(i); resp.StatusCode != want {
			t.Fatalf("%d %s", resp.StatusCode, resp.Body)
		}
		b.pass(b.between)
	}
	t.ReportMetric(float64((cpuTime()-cpu).Microseconds())/float64(t.N), "cpu-µs/op")
	t.ReportMetric(float64(b.calls.Load())/float64(t.N), "calls/op")
}

func BenchmarkRequestToPay(t *testing.B) {
	b := newBench(t, nil)
	b.between = 50 * time.Millisecond
	b.start(t, 1)
	h := b.API.Collection.RequestToPay()
	requests := make([]httpapi.Request, t.N)
	for i := range requests {
		requests[i] = b.request(fmt.Sprint("BENCH-", i))
	}
	b.measure(t, func(i int) httpapi.Response { resp, _ := h(context.Background(), requests[i]); return resp }, 202)
}

// BenchmarkStatus asks for an ended payment (stored) and for open ones about
// which MTN is asked, and which end by that (polled).
func BenchmarkStatus(t *testing.B) {
	ask := func(t *testing.B, b *bench, references []string) {
		h := b.API.Collection.Status()
		b.measure(t, func(i int) httpapi.Response {
			r := cloud.Request("GET /status/{referenceId}", references[i%len(references)])
			r.Headers["x-proxy-api-key"] = testbed.ShopKey
			resp, _ := h(context.Background(), r)
			return resp
		}, 200)
	}
	t.Run("stored", func(t *testing.B) {
		b := newBench(t, nil)
		references := b.start(t, 1)
		b.Ask(references[0], testbed.ShopKey)
		ask(t, b, references)
	})
	t.Run("polled", func(t *testing.B) {
		b := newBench(t, nil)
		ask(t, b, b.start(t, t.N))
	})
}

// BenchmarkCallback is a callback to its payment's own address, which is
// confirmed at MTN and ends the payment.
func BenchmarkCallback(t *testing.B) {
	b := newBench(t, nil)
	b.keep.Store(true)
	references := b.start(t, t.N)
	h := b.API.Callbacks.Handler("mtn")
	b.measure(t, func(i int) httpapi.Response {
		url, _ := b.callbacks.Load(references[i])
		path := strings.Split(url.(string), "/")
		r := cloud.Request("POST /callback/{referenceId}/{token}", path[len(path)-2:]...)
		r.Body = `{"externalId":"` + references[i] + `","amount":"150","currency":"SZL","status":"SUCCESSFUL","financialTransactionId":"1234567890"}`
		resp, _ := h(context.Background(), r)
		return resp
	}, 200)
	if s := b.World.Status(references[0]); s != payment.Successful {
		t.Fatalf("the payment is %s", s)
	}
}

// BenchmarkForwarder is one delivery: read, claimed, signed twice, sent,
// written down.
func BenchmarkForwarder(t *testing.B) {
	b := newBench(t, nil)
	references := b.start(t, t.N)
	for _, ref := range references {
		b.Ask(ref, testbed.ShopKey) // ends it; its event is due
		b.pass(b.between)
	}
	b.measure(t, func(i int) httpapi.Response {
		batch := events.SQSEvent{Records: []events.SQSMessage{{MessageId: "1", Body: `{"reference":"` + references[i] + `","sequence":1}`}}}
		response, err := b.Forwarder.Handle(context.Background(), batch)
		if err != nil || len(response.BatchItemFailures) != 0 {
			t.Fatal(response, err)
		}
		return httpapi.Response{StatusCode: 200}
	}, 200)
	if d := b.Story(references[0]).Deliveries[0]; d.DeliveredAt.IsZero() {
		t.Fatalf("the event is %s", d.State)
	}
}

// A warm request-to-pay waits for three answers and no more: one transaction,
// MTN, one write.
func TestRequestToPayWarmPathCalls(t *testing.T) {
	t.Parallel()
	var made []string
	b := newBench(t, func(what string) { made = append(made, what) })
	b.start(t, 1)
	for _, key := range []string{"", "the-key"} {
		made = nil
		r := b.request("WARM" + key)
		if key != "" {
			r.Headers["idempotency-key"] = key
		}
		if a := b.Call(context.Background(), r); a.StatusCode != 202 {
			t.Fatalf("%d %s", a.StatusCode, a.Body)
		}
		if len(made) > 3 || !slices.Contains(made, "POST /collection/v1_0/requesttopay") {
			t.Errorf("it made the calls %q", made)
		}
	}
}

// What a request and a delivery allocate in memory: each allocation is work
// now, and again for the garbage collector. The table in memory is counted too.
func TestAllocations(t *testing.T) {
	if raced {
		t.Skip("the race detector allocates, too; they are counted without it")
	}
	const runs = 200
	b := newBench(t, nil)
	b.between = 50 * time.Millisecond
	references := b.start(t, runs+1)
	h := b.API.Collection.RequestToPay()
	requests := make([]httpapi.Request, runs+1)
	for i := range requests {
		requests[i] = b.request(fmt.Sprint("COUNTED-", i))
	}
	next := -1
	if n := testing.AllocsPerRun(runs, func() {
		next++
		if resp, _ := h(context.Background(), requests[next]); resp.StatusCode != 202 {
			t.Errorf("%d %s", resp.StatusCode, resp.Body)
		}
		b.pass(b.between)
	}); n > 400 {
		t.Errorf("a request-to-pay makes %v allocations, want at most 400", n)
	} else {
		t.Logf("a request-to-pay makes %v allocations", n)
	}

	for _, ref := range references {
		b.Ask(ref, testbed.ShopKey) // ends it; its event is due
		b.pass(time.Second)
	}
	next = -1
	if n := testing.AllocsPerRun(runs, func() {
		next++
		batch := events.SQSEvent{Records: []events.SQSMessage{{MessageId: "1", Body: `{"reference":"` + references[next] + `","sequence":1}`}}}
		if response, err := b.Forwarder.Handle(context.Background(), batch); err != nil || len(response.BatchItemFailures) != 0 {
			t.Error(response, err)
		}
	}); n > 250 {
		t.Errorf("a delivery makes %v allocations, want at most 250", n)
	} else {
		t.Logf("a delivery makes %v allocations", n)
	}
	for _, ref := range references {
		if d := b.Story(ref).Deliveries; len(d) != 1 || d[0].DeliveredAt.IsZero() {
			t.Fatalf("the events are %+v", d)
		}
	}
}
