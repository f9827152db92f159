package restore_test

import (
	"bytes"
	"crypto/rand"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"momoproxy/infra/engines/engine"
	"momoproxy/infra/restore"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
	"momoproxy/shared/seal"
	"momoproxy/shared/table/dynamo"
)

// moto knows RestoreTableToPointInTime, continuous backups and tags. DynamoDB
// Local does not: there a copy made at the moment stands for the restore, and
// only what happens to payments is rehearsed.
func isMoto(t *testing.T, endpoint string) bool {
	t.Helper()
	res, err := http.Get(endpoint + "/moto-api/data.json")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	return res.StatusCode == http.StatusOK
}

func open(t *testing.T, client *dynamodb.Client, names dynamo.Names) *ledger.Ledger {
	t.Helper()
	ring, err := seal.NewRing(bytes.Repeat([]byte{3}, seal.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	return ledger.New(dynamo.New(client, names), ring, ledger.Options{HashPayer: func(payer string) string { return payer }})
}

func table(client *dynamodb.Client, name string) restore.Table {
	return restore.Table{Client: client, Name: name}
}

// made stores a payment with the record of its request, as request-to-pay does.
func made(t *testing.T, l *ledger.Ledger, reference, order string, at time.Time) ledger.Payment {
	t.Helper()
	p, err := l.Create(t.Context(), ledger.Payment{Payment: payment.Payment{
		Reference: reference, ClientID: "cli_shop", ExternalID: order, Provider: "mtn", Amount: payment.Money{Minor: 15000, Currency: "SZL"},
		Payer: "26876123456", Status: payment.Pending, Phase: payment.PhaseAwaitingPayer, Accepted: true,
		CreatedAt: at, UpdatedAt: at, SubmitDeadline: at.Add(30 * time.Second), NextCheckAt: at.Add(time.Minute),
	}})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Audit(t.Context(), ledger.AuditRecord{
		At: at, Direction: ledger.InboundFromApp, Reference: reference, ClientID: "cli_shop", Method: "POST", URL: "/request-to-pay",
		RequestBody: `{"externalId":"` + order + `"}`, ResponseCode: 202,
	}); err != nil {
		t.Fatal(err)
	}
	return p
}

const (
	before = "11111111-1111-4111-8111-111111111111"
	after  = "22222222-2222-4222-8222-222222222222"
)

// TestRestore rehearses the runbook of docs/deploy.md, step by step.
func TestRestore(t *testing.T) {
	e := engine.For(t, engine.DynamoDB)
	client := dynamodb.New(dynamodb.Options{Region: "us-east-1", BaseEndpoint: &e.Endpoint, Credentials: credentials.NewStaticCredentialsProvider("local", "local", "")})
	id, moto := rand.Text(), isMoto(t, e.Endpoint)
	old := dynamo.Names{Main: "main-" + id, Audit: "audit-" + id}
	restored := dynamo.Names{Main: "main-restored-" + id, Audit: "audit-restored-" + id}
	if err := dynamo.Create(t.Context(), client, old); err != nil {
		t.Fatal(err)
	}
	if moto {
		for _, name := range []string{old.Main, old.Audit} {
			protect(t, client, name)
		}
	}
	running := open(t, client, old)
	at := ledger.Clock(time.Now().Add(-time.Hour))
	paid := made(t, running, before, "ORDER-1", at)
	t.Logf("1. A payment is made: %s is %s", before, paid.Status)

	for from, to := range map[string]string{old.Main: restored.Main, old.Audit: restored.Audit} {
		if moto {
			_, err := client.RestoreTableToPointInTime(t.Context(), &dynamodb.RestoreTableToPointInTimeInput{
				SourceTableName: aws.String(from), TargetTableName: aws.String(to), UseLatestRestorableTime: aws.Bool(true),
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	if !moto {
		copied(t, client, old, restored)
	}
	moment := time.Now()
	t.Logf("2. Both tables are restored to this moment: %s, %s (%s)", restored.Main, restored.Audit, e.Name)

	decision := payment.Decide(paid.Payment, payment.Evidence{
		Source: payment.FromStatus, Verdict: payment.SaysSuccessful, FinancialTransactionID: "FTX-1", At: ledger.Clock(time.Now()),
	}, payment.Policy{Window: 24 * time.Hour, FirstCheck: time.Minute})
	if _, _, err := running.Apply(t.Context(), ledger.Change{Before: paid, Decision: decision}); err != nil {
		t.Fatal(err)
	}
	made(t, running, after, "ORDER-2", ledger.Clock(time.Now()))
	t.Log("3. After it the payment succeeds, and another is made")

	if moto {
		for from, to := range map[string]string{old.Main: restored.Main, old.Audit: restored.Audit} {
			if err := restore.Check(t.Context(), table(client, from), table(client, to)); err == nil {
				t.Errorf("a table just restored lacks nothing, so that nothing was checked")
			} else {
				t.Logf("4. As restored: %v", err)
			}
			if err := restore.Settings(t.Context(), table(client, from), table(client, to)); err != nil {
				t.Fatal(err)
			}
		}
		t.Log("   Time to live, point-in-time recovery, deletion protection and tags are set again, and checked")
	}

	again := open(t, client, restored)
	p, err := again.Payment(t.Context(), before)
	if err != nil || p.Status != payment.Pending {
		t.Fatalf("%s %v", p.Status, err)
	}
	backlog, err := again.Backlog(t.Context(), time.Now())
	if err != nil || backlog.OpenPayments != 1 {
		t.Fatalf("%+v %v", backlog, err)
	}
	t.Logf("5. %s is %s again and due: the reconciler asks about it", before, p.Status)

	lost, err := restore.Missing(t.Context(), client, old, restored.Main, moment)
	if err != nil || len(lost) != 1 || lost[0].Reference != after || len(lost[0].Trail) != 1 {
		t.Fatalf("%+v %v", lost, err)
	}
	t.Logf("6. Made after the moment, and found by the old audit table: %s, %s", lost[0].Reference, lost[0].Trail[0].RequestBody)
}

// protect gives an old table what the template gives it.
func protect(t *testing.T, client *dynamodb.Client, name string) {
	t.Helper()
	if _, err := client.UpdateContinuousBackups(t.Context(), &dynamodb.UpdateContinuousBackupsInput{
		TableName: &name, PointInTimeRecoverySpecification: &types.PointInTimeRecoverySpecification{PointInTimeRecoveryEnabled: aws.Bool(true)},
	}); err != nil {
		t.Fatal(err)
	}
	out, err := client.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{TableName: &name, DeletionProtectionEnabled: aws.Bool(true)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.TagResource(t.Context(), &dynamodb.TagResourceInput{
		ResourceArn: out.TableDescription.TableArn, Tags: []types.Tag{{Key: aws.String("application"), Value: aws.String("momo-proxy")}},
	}); err != nil {
		t.Fatal(err)
	}
}

// copied stands for a restore where the engine has none.
func copied(t *testing.T, client *dynamodb.Client, old, restored dynamo.Names) {
	t.Helper()
	if err := dynamo.Create(t.Context(), client, restored); err != nil {
		t.Fatal(err)
	}
	for from, to := range map[string]string{old.Main: restored.Main, old.Audit: restored.Audit} {
		all, err := client.Scan(t.Context(), &dynamodb.ScanInput{TableName: aws.String(from)})
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range all.Items {
			if _, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String(to), Item: item}); err != nil {
				t.Fatal(err)
			}
		}
	}
}
