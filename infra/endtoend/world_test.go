package endtoend

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	awssqs "github.com/aws/aws-sdk-go-v2/service/sqs"

	"momoproxy/infra/cloud"
	"momoproxy/infra/engines/engine"
	momentstand "momoproxy/infra/standin/momentpay"
	facturastand "momoproxy/infra/standin/momfactura"
	mtnstand "momoproxy/infra/standin/mtn"
	"momoproxy/shared/assembly"
	"momoproxy/shared/config"
	"momoproxy/shared/host"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
	"momoproxy/shared/queue/sqs"
	"momoproxy/shared/seal"
	"momoproxy/shared/table/dynamo"
	"momoproxy/shared/webhook"
)

// until asks again and again until something outside this process is so.
func (w *world) until(t *testing.T, what string, so func() bool) {
	t.Helper()
	tick, late := time.NewTicker(20*time.Millisecond), time.NewTimer(patience)
	defer tick.Stop()
	defer late.Stop()
	for !so() {
		select {
		case <-tick.C:
		case <-late.C:
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

const (
	region = "eu-west-1"
	appKey = "APP_CHANGE_THIS" // of the events under events/
	// otherKey belongs to an app whose callback URL is on this machine.
	otherKey = "OTHER_APP_CHANGE_THIS"
	// facturaAppKey and heldKey are of apps like the first. An app may send
	// Mom Factura three requests at once; and one app's endpoint is to fail.
	facturaAppKey = "FACTURA_APP_CHANGE_THIS"
	heldKey       = "HELD_APP_CHANGE_THIS"
	// retention is the template's parameter.
	retention = 90 * 24 * time.Hour
	// patience bounds every wait for another process.
	patience = 30 * time.Second
)

// world is the deployed system, running.
type world struct {
	stack     *stack
	binaries  map[string]string
	processes map[string]*process
	// environments are what each process was started with.
	environments map[string]map[string]string
	payouts      map[string]string // the account that gives money back at MTN
	recorder     *recorder
	store        *parameterStore
	accounts     map[string]map[string]any // what the store holds, by provider
	sandbox      *mtnstand.Standin         // MTN
	factura      *facturastand.Standin
	facturaClock facturaClock
	moment       *momentstand.Standin
	front        string // URL of the API
	handled      chan string
	queue        *sqs.Queue
	ledger       *ledger.Ledger
	parts        assembly.Parts // over the same engines, with loopback allowed
	app          *app
	clients      map[string]string // ids by API key
	secrets      map[string]string // what nobody may print, by name
}

var session = aws.Credentials{AccessKeyID: "AKIDENDTOEND", SecretAccessKey: "endtoend-secret", SessionToken: "endtoend-session-token"}

// awsConfig serves the test's own clients, past the recorder.
func awsConfig() aws.Config {
	return aws.Config{Region: region, Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return session, nil })}
}

// newWorld deploys the template on this machine: tables, queues, parameters,
// clients, functions, and the providers on the other side.
func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{handled: make(chan string, 1000), processes: map[string]*process{}, environments: map[string]map[string]string{}}
	w.binaries = hostBinaries(t)
	tables, queues := engine.For(t, engine.DynamoDB), engine.For(t, engine.SQS)
	t.Logf("DynamoDB is %s, SQS is %s", tables.Name, queues.Name)
	name := uniqueName()

	dynamoClient := dynamodb.NewFromConfig(awsConfig(), func(o *dynamodb.Options) { o.BaseEndpoint = &tables.Endpoint })
	names := dynamo.Names{Main: name + "-MainTable", Audit: name + "-AuditTable"}
	if err := dynamo.Create(t.Context(), dynamoClient, names); err != nil {
		t.Fatal(err)
	}
	sqsClient := awssqs.NewFromConfig(awsConfig(), func(o *awssqs.Options) { o.BaseEndpoint = &queues.Endpoint })
	var err error
	if w.queue, err = sqs.Create(t.Context(), sqsClient, name, 5); err != nil {
		t.Fatal(err)
	}
	queueURL, deadURL := w.queue.URLs()

	publicURL := w.startFront(t)
	w.accounts = map[string]map[string]any{
		"mtn": w.startMTN(t), "mom-factura": w.startMomFactura(t, publicURL), "momentpay": w.startMomentPay(t, publicURL),
	}
	w.stack = deploy(t, name, map[string]string{
		"PublicBaseUrl": publicURL, "Version": "e2e", "RetentionDays": fmt.Sprint(int(retention.Hours() / 24)),
		"DeliveryQueue": queueURL, "DeadLetterQueue": deadURL,
	})
	w.recorder = newRecorder(map[string]string{
		names.Main: "arn:MainTable", names.Audit: "arn:AuditTable",
		queueURL: "arn:DeliveryQueue", deadURL: "arn:DeadLetterQueue",
	})
	sealing, payer := base64.StdEncoding.EncodeToString(randomBytes(32)), base64.StdEncoding.EncodeToString(randomBytes(32))
	w.store = &parameterStore{credentials: session, recorder: w.recorder, values: map[string]string{
		"/" + name + "/sealing-keys": sealing, "/" + name + "/payer-key": payer,
	}}
	for provider, account := range w.accounts {
		w.store.values["/"+name+"/accounts/"+provider] = object(t, map[string]any{provider: account})
	}

	w.store.values["/"+name+"/payouts/mtn"] = object(t, map[string]any{"mtn": w.payouts})

	w.startLedger(t, names, tables.Endpoint, sealing, payer)
	for function, d := range w.stack.functions(t) {
		environment := map[string]string{
			"AWS_ENDPOINT_URL_DYNAMODB": w.recorder.between(t, function, tables.Endpoint),
			"AWS_ENDPOINT_URL_SQS":      w.recorder.between(t, function, queues.Endpoint),
			"AWS_ENDPOINT_URL_SSM":      serve(t, w.store.handler(function)),
			"AWS_ACCESS_KEY_ID":         session.AccessKeyID, "AWS_SECRET_ACCESS_KEY": session.SecretAccessKey,
			"AWS_SESSION_TOKEN": session.SessionToken,
		}
		for variable, value := range d.Environment.Variables {
			environment[variable] = value
		}
		w.environments[function] = environment
		w.processes[function] = launch(t, function, w.binaries[function], d.timeout(), environment)
	}
	w.secrets = map[string]string{
		"the app's key": appKey, "the other app's key": otherKey, "Mom Factura's app's key": facturaAppKey, "the sealing key": sealing, "the payer key": payer, "MTN's API key": w.accounts["mtn"]["MTN_API_KEY"].(string),
		"MTN's subscription key": w.accounts["mtn"]["MTN_SUBSCRIPTION_KEY"].(string), "AWS's secret": session.SecretAccessKey,
		"AWS's session token": session.SessionToken, "the signing secret": w.app.secret.Reveal(),
		"Mom Factura's API key": facturaKey, "Mom Factura's webhook token": facturaToken,
		"MomentPay's secret key": w.accounts["momentpay"]["MOMENTPAY_SECRET_KEY"].(string), "MomentPay's webhook secret": w.accounts["momentpay"]["MOMENTPAY_WEBHOOK_SECRETS"].([]string)[0],
	}
	return w
}

// uniqueName keeps runs over the same engine apart.
func uniqueName() string { return "e2e-" + strings.ToLower(rand.Text()[:10]) }

func randomBytes(n int) []byte {
	b := make([]byte, n)
	rand.Read(b) // never fails
	return b
}

// startFront serves the template's routes with the functions' processes.
func (w *world) startFront(t *testing.T) string {
	t.Helper()
	template, err := os.ReadFile(filepath.Join(root, "template.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	wiring, err := cloud.Read(template)
	if err != nil {
		t.Fatal(err)
	}
	w.front = serve(t, cloud.Gateway(wiring.Routes, func(ctx context.Context, r cloud.Route, event events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
		var answer events.APIGatewayV2HTTPResponse
		err := w.processes[r.Function].call(ctx, event, &answer)
		if r.Function == "mtn-callback" {
			w.handled <- event.PathParameters["referenceId"]
		}
		return answer, err
	}))
	// MTN takes no IP address in a callback URL.
	return strings.Replace(w.front, "127.0.0.1", "localhost", 1)
}

// object writes a parameter's value.
func object(t *testing.T, fields map[string]any) string {
	t.Helper()
	text, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func serve(t *testing.T, h http.Handler) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: h}
	go server.Serve(l)
	t.Cleanup(func() { _ = server.Close() })
	return "http://" + l.Addr().String()
}

// startLedger opens the tables as an operator would and makes the apps.
func (w *world) startLedger(t *testing.T, names dynamo.Names, endpoint, sealing, payer string) {
	t.Helper()
	keys, err := seal.ParseKeys(sealing)
	if err != nil {
		t.Fatal(err)
	}
	payers, err := seal.ParseHasher(payer)
	if err != nil {
		t.Fatal(err)
	}
	table := assembly.DynamoDB(awsConfig(), config.Config{TableName: names.Main, AuditTableName: names.Audit}, func(string) string { return endpoint })
	w.ledger = ledger.New(table, keys, ledger.Options{HashPayer: payers.Hash, Retention: retention})
	w.parts = assembly.Parts{
		Table: table, Queue: w.queue, Ledger: w.ledger, Host: host.Machine(), Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Rules: webhook.Rules{AllowLoopback: true},
	}
	secret, err := webhook.NewSecret(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	w.app = startApp(t, secret)
	w.clients = map[string]string{}
	for key, url := range map[string]string{
		appKey:        w.app.url(appKey),
		otherKey:      strings.Replace(w.app.url(otherKey), "http://", "https://", 1),
		facturaAppKey: w.app.url(facturaAppKey),
		heldKey:       w.app.url(heldKey),
	} {
		client := ledger.Client{ID: ledger.NewClientID(rand.Reader), Name: key, CallbackURL: url, Active: true,
			CreatedAt: ledger.Clock(time.Now()), APIKey: key, SigningSecrets: []string{secret.Reveal()},
			RefundsPerDay: []payment.Money{{Minor: 1_000_00, Currency: "EUR"}}}
		if _, err := w.ledger.CreateClient(t.Context(), client); err != nil {
			t.Fatal(err)
		}
		w.clients[key] = client.ID
	}
}

// awaitCallbacks waits until MTN's callbacks about these payments have been
// handled.
func (w *world) awaitCallbacks(t *testing.T, references ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	missing := map[string]bool{}
	for _, r := range references {
		missing[r] = true
	}
	for len(missing) > 0 {
		select {
		case r := <-w.handled:
			delete(missing, r)
		case <-ctx.Done():
			t.Fatalf("no callback about %v", missing)
		}
	}
}

// story reads all that is kept about a payment.
func (w *world) story(t *testing.T, reference string) ledger.Story {
	t.Helper()
	s, err := w.ledger.Story(t.Context(), reference)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
