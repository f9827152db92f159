// Package bench measures the system: what a payment costs in units and calls,
// and what a reconcile run costs in a large table.
package bench_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"momoproxy/infra/engines/engine"
	mtnstand "momoproxy/infra/standin/mtn"
	"momoproxy/infra/testbed"
	"momoproxy/shared/httpapi"
	"momoproxy/shared/queue"
	"momoproxy/shared/table"
	"momoproxy/shared/table/dynamo"
)

// The most a payment may cost, with an entry by its payer and one by its
// transaction id, from its request to its delivered callback, in
// DynamoDB units. docs/benchmarks.md and docs/capacity-and-cost.md quote these; a change that needs more says so.
const (
	maxWriteUnits     = 28
	maxReadUnits      = 5  // one of them at a success: was the order paid already?
	maxQuietReadUnits = 11 // of an app whose last payment is a minute ago
)

// A payer takes approval. The next payment of the app comes at its delivery,
// settled after this one: a busy app's, for whom little is read again.
const (
	approval = 20 * time.Millisecond
	settled  = 200 * time.Millisecond
)

// queueMeter counts the queue's requests.
type queueMeter struct {
	queue.Queue
	m *meter
}

func (q queueMeter) Send(ctx context.Context, messages ...queue.Message) error {
	q.m.call("SQS SendMessageBatch")
	return q.Queue.Send(ctx, messages...)
}

// providerMeter counts MTN's.
type providerMeter struct {
	next http.RoundTripper
	m    *meter
}

func (p providerMeter) RoundTrip(r *http.Request) (*http.Response, error) {
	p.m.call("MTN " + r.Method)
	return p.next.RoundTrip(r)
}

// metered is a system over DynamoDB's engine whose units m counts, and the
// table past the meter.
func metered(t *testing.T, m *meter, e engine.Engine, c *connection) (*testbed.World, table.Table) {
	t.Helper()
	ctx := context.Background()
	client := func(options ...func(*dynamodb.Options)) *dynamodb.Client {
		return dynamodb.New(dynamodb.Options{
			Region: "eu-west-1", BaseEndpoint: aws.String(e.Endpoint), HTTPClient: c,
			Credentials: credentials.NewStaticCredentialsProvider("local", "local", ""),
		}, options...)
	}
	names := dynamo.Names{Main: fmt.Sprintf("cost-%d", time.Now().UnixNano()), Audit: fmt.Sprintf("cost-audit-%d", time.Now().UnixNano())}
	if err := dynamo.Create(ctx, client(), names); err != nil {
		t.Fatal(err)
	}
	real := dynamo.New(client(dynamodb.WithAPIOptions(m.observe)), names)
	w := testbed.New(t, testbed.Options{
		Limits: httpapi.NewRateLimit(httpapi.AppPerSecond, httpapi.AppBurst),
		Table:  func(table.Table) table.Table { return real },
		Queue:  func(q queue.Queue) queue.Queue { return queueMeter{q, m} },
		MTN:    func(next http.RoundTripper) http.RoundTripper { return providerMeter{next, m} },
		Sandbox: func(o *mtnstand.Options) {
			o.Times = mtnstand.DefaultTimes()
			o.Times.Approve = approval
		},
	})
	for _, r := range w.Records() { // the clients, which the testbed makes in its own table
		r.Version = 0
		if err := real.Write(ctx, table.Put(r)); err != nil {
			t.Fatal(err)
		}
	}
	return w, dynamo.New(client(), names)
}

func TestCostOfAPayment(t *testing.T) {
	e := engine.For(t, engine.DynamoDB)
	besideEngine(t, func(t *testing.T, c *connection) { costOfAPayment(t, e, c) })
}

func costOfAPayment(t *testing.T, e engine.Engine, c *connection) {
	m, ctx := newMeter(), context.Background()
	w, _ := metered(t, m, e, c)

	t.Logf("| payment | step | write units by AWS's rules | as the engine reports | beside them, the request limit | read units | calls |")
	metadata := map[string]string{}
	measure := func(which string) used {
		var sum used
		m.take()
		step := func(name string, do func()) {
			do()
			u := m.take()
			t.Logf("| %s | %s | %.0f | %.0f | %.0f | %.1f | %s |", which, name, u.billed, u.reported, u.limit, u.read, u.calls)
			sum.billed += u.billed
			sum.reported += u.reported
			sum.limit += u.limit
			sum.read += u.read
		}
		step("request-to-pay", func() {
			order := testbed.Order(which, "26876123456")
			if len(metadata) > 0 {
				more, _ := json.Marshal(metadata) // texts always marshal
				order = strings.TrimSuffix(order, "}") + `,"metadata":` + string(more) + "}"
			}
			if a := w.Pay(order, "Idempotency-Key", which); a.StatusCode != 202 {
				t.Fatalf("request-to-pay answered %d %s", a.StatusCode, a.Body)
			}
		})
		step("callback, confirmed by a status question", func() { time.Sleep(settled) })
		step("delivery", func() {
			received, err := w.Messages.Receive(ctx, 10, time.Minute, 5*time.Second)
			if err != nil || len(received) != 1 {
				t.Fatalf("received %d messages (%v)", len(received), err)
			}
			response, err := w.Forwarder.Handle(ctx, events.SQSEvent{Records: []events.SQSMessage{{MessageId: "1", Body: received[0].Body}}})
			if err != nil || len(response.BatchItemFailures) > 0 {
				t.Fatalf("forwarder failed: %v %v", response, err)
			}
			if err := w.Messages.Delete(ctx, received[0].Receipt); err != nil {
				t.Fatal(err)
			}
		})
		t.Logf("| %s | total | %.0f | %.0f | %.0f | %.1f | |", which, sum.billed, sum.reported, sum.limit, sum.read)
		return sum
	}
	measure("first of a process")
	busy := measure("next at once")
	time.Sleep(time.Minute)
	quiet := measure("a minute later")
	// What an app adds costs by its size: entries of 40 bytes, name and value.
	for _, c := range []struct {
		entries int
		most    float64
	}{{1, maxWriteUnits}, {5, maxWriteUnits + 2}, {20, maxWriteUnits + 11}} {
		clear(metadata)
		for i := range c.entries {
			metadata[fmt.Sprintf("key-%04d", i)] = strings.Repeat("v", 32)
		}
		if u := measure(fmt.Sprintf("%d entries", c.entries)); u.billed > c.most {
			t.Errorf("a payment with %d entries of metadata costs %.0f write units; the bound is %.0f", c.entries, u.billed, c.most)
		}
	}
	for _, c := range []struct {
		used
		reads float64
	}{{busy, maxReadUnits}, {quiet, maxQuietReadUnits}} {
		if c.billed > maxWriteUnits || c.read > c.reads {
			t.Errorf("a payment costs %.0f write and %.1f read units; the bounds are %d and %.0f", c.billed, c.read, maxWriteUnits, c.reads)
		}
		if c.limit != 1 {
			t.Errorf("the request limit costs %.0f write units for a request; want 1", c.limit)
		}
		if c.reported == 0 || c.read == 0 {
			t.Error("the engine reports no consumed capacity: nothing was measured")
		}
	}
}
