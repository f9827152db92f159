package restore_test

import (
	"crypto/rand"
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/google/go-cmp/cmp"

	"momoproxy/infra/engines/engine"
	"momoproxy/infra/restore"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
	"momoproxy/shared/table/dynamo"
)

// A second copy takes what was written since the first, and never puts an older
// version over a newer one.
func TestCopy(t *testing.T) {
	e := engine.For(t, engine.DynamoDB)
	client := dynamodb.New(dynamodb.Options{Region: "us-east-1", BaseEndpoint: &e.Endpoint, Credentials: credentials.NewStaticCredentialsProvider("local", "local", "")})
	id := rand.Text()
	here := dynamo.Names{Main: "copy-main-" + id, Audit: "copy-audit-" + id}
	there := dynamo.Names{Main: "copy-main-there-" + id, Audit: "copy-audit-there-" + id}
	for _, names := range []dynamo.Names{here, there} {
		if err := dynamo.Create(t.Context(), client, names); err != nil {
			t.Fatal(err)
		}
	}
	copied := func() restore.Copied {
		t.Helper()
		c, err := restore.Copy(t.Context(), table(client, here.Main), table(client, there.Main), func(int) {})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	old, now := open(t, client, here), open(t, client, there)
	at := ledger.Clock(time.Now().Add(-time.Hour))
	p := made(t, old, before, "ORDER-1", at)
	first := copied()
	if first.Written == 0 || first.Same != 0 {
		t.Fatalf("%+v", first)
	}

	decision := payment.Decide(p.Payment, payment.Evidence{
		Source: payment.FromStatus, Verdict: payment.SaysSuccessful, FinancialTransactionID: "FTX-1", At: ledger.Clock(time.Now()),
	}, payment.Policy{Window: 24 * time.Hour, FirstCheck: time.Minute})
	if _, _, err := old.Apply(t.Context(), ledger.Change{Before: p, Decision: decision}); err != nil {
		t.Fatal(err)
	}
	made(t, old, after, "ORDER-2", ledger.Clock(time.Now()))
	if c := copied(); c.Written == 0 || c.Same == 0 {
		t.Fatalf("%+v", c)
	}
	for _, reference := range []string{before, after} {
		want, err := old.Story(t.Context(), reference)
		if err != nil {
			t.Fatal(err)
		}
		got, err := now.Story(t.Context(), reference)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(fmt.Sprintf("%+v", want), fmt.Sprintf("%+v", got)); diff != "" {
			t.Errorf("%s: %s", reference, diff)
		}
	}

	// What the new place has gone on with stays: the copy back writes nothing.
	if c, err := restore.Copy(t.Context(), table(client, there.Main), table(client, here.Main), func(int) {}); err != nil || c.Written != 0 {
		t.Fatalf("%+v %v", c, err)
	}
}
