package sqs_test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	awssqs "github.com/aws/aws-sdk-go-v2/service/sqs"

	"momoproxy/infra/engines/engine"
	"momoproxy/shared/queue"
	"momoproxy/shared/queue/queuetest"
	"momoproxy/shared/queue/sqs"
)

func client(endpoint string) *awssqs.Client {
	return awssqs.New(awssqs.Options{
		Region:       "us-east-1",
		BaseEndpoint: &endpoint,
		Credentials:  credentials.NewStaticCredentialsProvider("local", "local", ""),
	})
}

var opened atomic.Int64

// open makes a queue that no other test or process uses.
func open(t *testing.T, c *awssqs.Client, maxReceives int) *sqs.Queue {
	t.Helper()
	name := fmt.Sprintf("t%d-%d", time.Now().UnixNano(), opened.Add(1))
	q, err := sqs.Create(t.Context(), c, name, maxReceives)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func TestContract(t *testing.T) {
	t.Parallel()
	e := engine.For(t, engine.SQS)
	t.Logf("SQS is %s at %s", e.Name, e.Endpoint)
	c := client(e.Endpoint)
	queuetest.Run(t, queuetest.Harness{
		Open: func(t *testing.T, o queuetest.Options) queue.Queue { return open(t, c, o.MaxReceives) },
		// moto keeps every receipt of a message good.
		OldReceiptsDelete: strings.HasPrefix(e.Name, "moto"),
	})
}

// TestCreateTwice: every process of local work may call it at start.
func TestCreateTwice(t *testing.T) {
	t.Parallel()
	c := client(engine.For(t, engine.SQS).Endpoint)
	name := fmt.Sprintf("twice%d", time.Now().UnixNano())
	first, err := sqs.Create(t.Context(), c, name, 5)
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Send(t.Context(), queue.Message{Body: "x"}); err != nil {
		t.Fatal(err)
	}
	second, err := sqs.Create(t.Context(), c, name, 5)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := second.Receive(t.Context(), 1, time.Minute, queue.MaxWait); err != nil || len(got) != 1 {
		t.Errorf("the second gave %v, %v", got, err)
	}
}

// TestNoSuchQueue: a wrong address is an error everywhere.
func TestNoSuchQueue(t *testing.T) {
	t.Parallel()
	q := open(t, client(engine.For(t, engine.SQS).Endpoint), 5)
	url, _ := q.URLs()
	wrong := sqs.New(client(engine.For(t, engine.SQS).Endpoint), url+"-none")
	if err := wrong.Send(t.Context(), queue.Message{Body: "x"}); err == nil {
		t.Error("Send gave no error")
	}
	if _, err := wrong.Receive(t.Context(), 1, time.Minute, 0); err == nil {
		t.Error("Receive gave no error")
	}
	if _, _, err := wrong.Depth(t.Context()); err == nil {
		t.Error("Depth gave no error")
	}
}
