package dynamo_test

import (
	"crypto/rand"
	"fmt"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"momoproxy/infra/engines/engine"
	"momoproxy/shared/table"
	"momoproxy/shared/table/dynamo"
	"momoproxy/shared/table/tabletest"
)

// newClient talks to the engine of the tests, never to AWS.
func newClient(t testing.TB, options ...func(*dynamodb.Options)) *dynamodb.Client {
	t.Helper()
	e := engine.For(t, engine.DynamoDB)
	return dynamodb.New(dynamodb.Options{
		Region:       "us-east-1",
		BaseEndpoint: &e.Endpoint,
		Credentials:  credentials.NewStaticCredentialsProvider("local", "local", ""),
	}, options...)
}

// newNames makes tables of this test's own.
func newNames(t testing.TB) dynamo.Names {
	t.Helper()
	id := rand.Text()
	names := dynamo.Names{Main: "main-" + id, Audit: "audit-" + id}
	if err := dynamo.Create(t.Context(), newClient(t), names); err != nil {
		t.Fatal(err)
	}
	return names
}

func TestContract(t *testing.T) {
	t.Parallel()
	t.Logf("engine: %s", engine.For(t, engine.DynamoDB).Name)
	tab := dynamo.New(newClient(t), newNames(t))
	tabletest.Run(t, func(*testing.T) table.Table { return tab })
}

// isMoto tells whether the engine is moto, which differs from the service: a
// record may have 405,000 bytes, and it knows no ClientRequestToken, so that
// it does not recognise a repeated transaction.
func isMoto(t *testing.T) bool {
	t.Helper()
	res, err := http.Get(engine.For(t, engine.DynamoDB).Endpoint + "/moto-api/data.json")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	return res.StatusCode == http.StatusOK
}

// TestLargestRecord: what table.Size lets through, DynamoDB takes.
func TestLargestRecord(t *testing.T) {
	t.Parallel()
	tab := dynamo.New(newClient(t), newNames(t))
	for name, one := range map[string]any{"text": "", "bytes": []byte{}} {
		r := record(table.Main, name, 0)
		r.ExpiresAt = time.Unix(4_000_000_000, 0)
		r.Index = map[string]table.IndexKey{"due": {Partition: "d", Sort: "s"}, "list": {Partition: "l", Sort: "s"}, "attention": {Partition: "a", Sort: "s"}}
		for i := range 1000 {
			r.Attributes[fmt.Sprint("n", i)] = int64(math.MinInt64)
		}
		r.Attributes["body"] = one
		body := strings.Repeat("x", table.MaxRecordBytes-table.Size(r))
		if r.Attributes["body"] = body; name == "bytes" {
			r.Attributes["body"] = []byte(body)
		}
		if err := tab.Write(t.Context(), table.Put(r)); err != nil && !isMoto(t) {
			t.Errorf("%s: Write of %d bytes = %v", name, table.Size(r), err)
		}
	}
}

func TestCreateAgain(t *testing.T) {
	t.Parallel()
	names := newNames(t)
	if err := dynamo.Create(t.Context(), newClient(t), names); err != nil {
		t.Errorf("Create of what is there: %v", err)
	}
}

func BenchmarkTable(b *testing.B) { tabletest.Bench(b, dynamo.New(newClient(b), newNames(b))) }
