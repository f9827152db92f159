// Package bench measures the system: what a payment costs in units and calls,
// and what a reconcile run costs in a large table.
package bench_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"momoproxy/infra/engines/engine"
	"momoproxy/infra/sandbox"
	"momoproxy/infra/testbed"
	"momoproxy/shared/httpapi"
	"momoproxy/shared/payment"
	"momoproxy/shared/queue"
	"momoproxy/shared/table"
	"momoproxy/shared/table/dynamo"
)

// The most a payment may cost from its request to its delivered callback, in
// DynamoDB units. The README quotes these; a change that needs more says so.
const (
	maxWriteUnits = 30
	maxReadUnits  = 4
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
func metered(t *testing.T, m *meter) (*testbed.World, table.Table) {
	t.Helper()
	e := engine.For(t, engine.DynamoDB)
	ctx := context.Background()
	client := func(options ...func(*dynamodb.Options)) *dynamodb.Client {
		return dynamodb.New(dynamodb.Options{
			Region: "eu-west-1", BaseEndpoint: aws.String(e.Endpoint),
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
		Sandbox: func(o *sandbox.Options) {
			o.Times = sandbox.DefaultTimes()
			o.Times.Approve = 20 * time.Millisecond
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
	m, ctx := newMeter(), context.Background()
	w, _ := metered(t, m)

	var sum used
	t.Logf("| step | write units by AWS's rules | as the engine reports | beside them, the request limit | read units | calls |")
	report := func(step string, counted bool) {
		u := m.take()
		t.Logf("| %s | %.0f | %.0f | %.0f | %.1f | %s |", step, u.billed, u.reported, u.limit, u.read, u.calls)
		if counted {
			sum.billed += u.billed
			sum.reported += u.reported
			sum.limit += u.limit
			sum.read += u.read
		}
	}
	pay := func(order, key string) string {
		answer := w.Pay(testbed.Order(order, "26876123456"), "Idempotency-Key", key)
		if answer.StatusCode != 202 {
			t.Fatalf("request-to-pay answered %d %s", answer.StatusCode, answer.Body)
		}
		return answer.Reference()
	}
	settled := func(reference string) {
		for deadline := time.Now().Add(10 * time.Second); ; {
			p, err := w.Ledger.Payment(ctx, reference)
			if err != nil || time.Now().After(deadline) {
				t.Fatalf("payment %s is %s (%v)", reference, p.Status, err)
			}
			if p.Status == payment.Successful {
				return
			}
			<-time.After(5 * time.Millisecond)
		}
	}
	forward := func() {
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
	}

	// The first payment warms what is kept between requests: the token and
	// the client.
	m.take()
	first := pay("COST-1", "cost-1")
	settled(first)
	forward()
	report("cold start (token, client), not counted", false)

	// A wait for the callback would be read from the table: it is let in by
	// the sandbox on its own, and what asks about it is not counted.
	second := pay("COST-2", "cost-2")
	report("request-to-pay", true)
	awaitCallback(t, w, second)
	report("callback, confirmed by a status question", true)
	forward()
	report("delivery", true)
	t.Logf("| total | %.0f | %.0f | %.0f | %.1f | |", sum.billed, sum.reported, sum.limit, sum.read)
	if sum.billed > maxWriteUnits || sum.read > maxReadUnits {
		t.Errorf("a payment costs %.0f write and %.1f read units; the bounds are %d and %d", sum.billed, sum.read, maxWriteUnits, maxReadUnits)
	}
	if sum.limit != 1 {
		t.Errorf("the request limit costs %.0f write units for a request; want 1", sum.limit)
	}
	if sum.reported == 0 || sum.read == 0 {
		t.Error("the engine reports no consumed capacity: nothing was measured")
	}
}

// awaitCallback waits for the callback's end without reading the table: the
// doorbell is its last step.
func awaitCallback(t *testing.T, w *testbed.World, reference string) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); {
		waiting, _, err := w.Messages.Depth(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if waiting > 0 {
			return
		}
		<-time.After(5 * time.Millisecond)
	}
	t.Fatalf("no doorbell for %s", reference)
}
