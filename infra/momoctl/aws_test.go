package main

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	awssqs "github.com/aws/aws-sdk-go-v2/service/sqs"

	"momoproxy/infra/engines/engine"
	"momoproxy/infra/testbed"
	"momoproxy/shared/assembly"
	"momoproxy/shared/ledger"
	"momoproxy/shared/queue"
	"momoproxy/shared/queue/sqs"
	"momoproxy/shared/table/dynamo"
)

const sealingName, payerName, accountsPath = "/momoctl-test/sealing-keys", "/momoctl-test/payer-key", "/momoctl-test/accounts"

// parameterStore answers as Parameter Store does to the one question asked.
func parameterStore(t *testing.T) string {
	key := func() string {
		var random [32]byte
		rand.Read(random[:]) // never fails
		return base64.StdEncoding.EncodeToString(random[:])
	}
	parameters := []map[string]string{{"Name": sealingName, "Value": key()}, {"Name": payerName, "Value": key()}, {
		"Name":  accountsPath + "/mtn",
		"Value": `{"mtn-sz":{"MTN_BASE_URL":"https://mtn.example.com","MTN_TARGET_ENV":"mtnswaziland","MTN_API_USER":"6d2f4a1e-3b7c-4f5e-9a8d-0c1b2a3f4e5d","MTN_API_KEY":"k","MTN_SUBSCRIPTION_KEY":"k"}}`,
	}}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]any{"Parameters": parameters})
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// deployed makes tables and queues of this test's own in the engines, and a
// stack that names them.
func deployed(t *testing.T) (*sqs.Queue, *fakeAWS) {
	t.Helper()
	name := "momoctl-" + strings.ToLower(rand.Text())
	for variable, value := range map[string]string{
		"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local", "AWS_SESSION_TOKEN": "",
		"AWS_ENDPOINT_URL_DYNAMODB": engine.For(t, engine.DynamoDB).Endpoint, "AWS_ENDPOINT_URL_SQS": engine.For(t, engine.SQS).Endpoint,
		"AWS_ENDPOINT_URL_SSM": parameterStore(t), "AWS_EC2_METADATA_DISABLED": "true", "AWS_PROFILE": "", "AWS_CA_BUNDLE": "",
		"AWS_CONFIG_FILE": t.TempDir() + "/none", "AWS_SHARED_CREDENTIALS_FILE": t.TempDir() + "/none",
	} {
		t.Setenv(variable, value)
	}
	a := assembly.AWS(os.Getenv)
	a.HTTPClient = &http.Client{Timeout: time.Minute}
	client := dynamodb.NewFromConfig(a, func(o *dynamodb.Options) { o.BaseEndpoint = new(os.Getenv("AWS_ENDPOINT_URL_DYNAMODB")) })
	if err := dynamo.Create(t.Context(), client, dynamo.Names{Main: name, Audit: name + "-audit"}); err != nil {
		t.Fatal(err)
	}
	q, err := sqs.Create(t.Context(), awssqs.NewFromConfig(a, func(o *awssqs.Options) { o.BaseEndpoint = new(os.Getenv("AWS_ENDPOINT_URL_SQS")) }), name, 1)
	if err != nil {
		t.Fatal(err)
	}
	url, dead := q.URLs()
	fake := newAWS(t, map[string]string{
		"MainTableName": name, "AuditTableName": name + "-audit", "DeliveryQueueUrl": url, "DeadLetterQueueUrl": dead,
		"SealingSecretName": sealingName, "PayerSecretName": payerName, "AccountsPath": accountsPath, "RequestToPayShare": "400",
	})
	return q, fake
}

// TestAWS runs momoctl on DynamoDB and SQS: clients, a replay, dead letters.
func TestAWS(t *testing.T) {
	q, fake := deployed(t)
	must := func(args ...string) string {
		t.Helper()
		o := real(t, append(args, "--stack", "shop-stack")...)
		if o.code != exitOK || o.err != "" {
			t.Fatalf("%v: %+v", args, o)
		}
		return o.out
	}
	var made clientView
	if err := json.Unmarshal([]byte(must("client", "create", "--name", "Shop", "--callback-url", "https://shop.example.com/momo", "--json")), &made); err != nil {
		t.Fatal(err)
	}
	contains(t, "list", must("client", "list"), made.ID, "Shop")
	contains(t, "accounts", must("account", "list"), "mtn-sz", "SZL", "real", "https://mtn.example.com")
	contains(t, "audit", must("audit", "show", "--client", made.ID), "operator arn:aws:iam::123456789012:user/thandi")

	s, err := openStore(t.Context(), program{err: &bytes.Buffer{}, now: time.Now, operator: "test"}, options{stack: "shop-stack"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.ledger.CreateClient(t.Context(), ledger.Client{ID: "cli_shop", APIKey: "key", SigningSecrets: []string{testbed.ShopSecret},
		CallbackURL: testbed.ShopURL}); err != nil {
		t.Fatal(err)
	}
	at := ledger.Clock(time.Now().Add(-time.Hour))
	for i := range 3 {
		exhaust(t, s.ledger, i, at)
	}
	contains(t, "attention", must("delivery", "list", "--attention"), numbered(0), numbered(2), "exhausted")
	contains(t, "dry run", must("delivery", "replay"), "3 events would be sent again")
	contains(t, "replay", must("delivery", "replay", "--yes", "--rate", "1000"), "3 events sent again")
	contains(t, "again", must("delivery", "replay", "--yes"), "0 events sent again", "3 left out: an attempt is under way or asked for already")

	// The doorbells die: nobody answers them.
	eventually(t, "three doorbells", func() bool {
		if _, err := q.Receive(t.Context(), queue.MaxReceive, time.Second, time.Second); err != nil {
			t.Fatal(err)
		}
		return depth(t, q) == 3
	})
	contains(t, "dlq", must("dlq", "show"), "3 dead letters", numbered(1)+" 1")
	rung := 0
	eventually(t, "a redrive of all", func() bool { // what was just shown is hidden for a while
		var v redriveView
		if err := json.Unmarshal([]byte(must("dlq", "redrive", "--json")), &v); err != nil {
			t.Fatal(err)
		}
		rung += v.Rung
		return rung == 3
	})
	if n := depth(t, q); n != 0 {
		t.Errorf("%d dead letters are left", n)
	}
	contains(t, "status", must("status"), "deliveries exhausted", "dead letters")

	// A stop that stops, shown in status, and a start that gives the share back.
	if strings.Contains(must("status"), "STOPPED") {
		t.Error("status shows a stop before there is one")
	}
	contains(t, "stop", must("stop", "--yes"), "takes no new payments", "momoctl --stack shop-stack start")
	contains(t, "status", must("status"), "NEW PAYMENTS ARE STOPPED")
	contains(t, "status", must("status", "--json"), `"newPayments": "stopped"`)
	if fake.share() != "0" {
		t.Errorf("the share is %s", fake.share())
	}
	contains(t, "start", must("start"), "takes new payments")
	if fake.share() != "400" {
		t.Errorf("the share is %s", fake.share())
	}
	fake.outputs["RequestToPayShare"] = "none"
	must("stop", "--yes")
	if must("start"); fake.share() != "none" {
		t.Errorf("the share is %s", fake.share())
	}
	if o := real(t, "stop", "--stack", "shop-stack"); o.code != exitRefused || fake.share() != "none" {
		t.Errorf("not confirmed: %+v", o)
	}

	// What is wrong is said.
	for want, args := range map[string][]string{
		"Stack with id other-stack does not exist": {"status", "--stack", "other-stack"},
		"failed to get shared config profile":      {"status", "--stack", "shop-stack", "--profile", "nobody"},
	} {
		if o := real(t, args...); o.code != exitFailed || !strings.Contains(o.err, want) {
			t.Errorf("%v: %+v", args, o)
		}
	}
	t.Setenv("AWS_REGION", "")
	if o := real(t, "status", "--stack", "shop-stack"); o.code != exitFailed || !strings.Contains(o.err, "no AWS region: give --region") {
		t.Errorf("%+v", o)
	}
	contains(t, "status", must("status", "--region", "us-east-1"), "payments open")
	t.Setenv("AWS_REGION", "us-east-1")
	t.Setenv("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:1")
	if o := real(t, "client", "list", "--stack", "shop-stack"); o.code != exitFailed || o.out != "" {
		t.Errorf("out of reach: %+v", o)
	}
}

// depth counts the dead letters.
func depth(t *testing.T, q *sqs.Queue) int {
	t.Helper()
	_, dead, err := q.Depth(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return dead
}
