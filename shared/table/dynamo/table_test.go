package dynamo_test

import (
	"crypto/rand"
	"testing"

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

func TestCreateAgain(t *testing.T) {
	t.Parallel()
	names := newNames(t)
	if err := dynamo.Create(t.Context(), newClient(t), names); err != nil {
		t.Errorf("Create of what is there: %v", err)
	}
}

func BenchmarkTable(b *testing.B) { tabletest.Bench(b, dynamo.New(newClient(b), newNames(b))) }
