package main

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	awssqs "github.com/aws/aws-sdk-go-v2/service/sqs"
	"go.yaml.in/yaml/v3"

	"momoproxy"
	"momoproxy/infra/cloud"
	"momoproxy/infra/engines/engine"
	"momoproxy/infra/loopback"
	"momoproxy/infra/receiver"
	"momoproxy/infra/standin"
	"momoproxy/infra/standin/core"
	"momoproxy/shared/assembly"
	"momoproxy/shared/config"
	"momoproxy/shared/host"
	"momoproxy/shared/ledger"
	"momoproxy/shared/queue/sqs"
	"momoproxy/shared/seal"
	"momoproxy/shared/table/dynamo"
	"momoproxy/shared/telemetry"
	"momoproxy/shared/webhook"
)

const (
	region = "eu-west-1"
	// appKey is that of the files under events/.
	appKey = "APP_CHANGE_THIS"
	// callbackToken is that of the webhooks under events/, but for wrong-token.
	callbackToken = "kq1VZr0mT0yWq2c8oE6r3Q"
)

// world is what the functions find around them.
type world struct {
	o         options
	standins  []standin.Standin
	server    *http.Server
	identity  tls.Certificate
	endpoint  string            // of everything, as containers reach it
	variables string            // file for --env-vars
	functions map[string]string // logical id by folder
	wiring    cloud.Wiring
	parts     assembly.Parts // over the same engines, with this machine allowed
	stops     []func()
}

func newWorld(ctx context.Context, o options) (*world, error) {
	w := &world{o: o, functions: map[string]string{}}
	public := fmt.Sprintf("http://localhost:%d", o.port)
	for _, kind := range standin.All() {
		stand, err := kind.Start(core.Options{CallbackToken: callbackToken}, public)
		if err != nil {
			return nil, err
		}
		w.standins = append(w.standins, stand)
	}
	var template struct {
		Resources map[string]struct {
			Type       string `yaml:"Type"`
			Properties struct {
				CodeURI string `yaml:"CodeUri"`
			} `yaml:"Properties"`
		} `yaml:"Resources"`
	}
	if err := yaml.Unmarshal(momoproxy.Template, &template); err != nil {
		return nil, err
	}
	var err error
	if w.wiring, err = cloud.Read(momoproxy.Template); err != nil {
		return nil, err
	}
	for id, r := range template.Resources {
		if r.Type == "AWS::Serverless::Function" {
			w.functions[path.Base(r.Properties.CodeURI)] = id
		}
	}
	sealing := make([]byte, 32)
	rand.Read(sealing) // never fails
	keys := base64.StdEncoding.EncodeToString(sealing)
	parameters := cloud.Parameters{} // filled before anybody asks
	if err := w.listen(ctx, parameters); err != nil {
		return nil, err
	}
	parameters["/momo-proxy/sealing-keys"] = keys
	parameters["/momo-proxy/payer-key"] = keys
	for i, kind := range standin.All() {
		text, err := json.Marshal(map[string]any{kind.Name: w.standins[i].Variables(w.endpoint)})
		if err != nil {
			return nil, err
		}
		parameters["/momo-proxy/accounts/"+kind.Name] = string(text)
		if text, err = json.Marshal(map[string]any{kind.Name: w.standins[i].PayoutVariables(w.endpoint)}); err != nil {
			return nil, err
		}
		parameters["/momo-proxy/payouts/"+kind.Name] = string(text) // nobody reads that of a provider without refunds
	}
	queueURL, deadURL, names, err := w.makeStores(ctx, keys)
	if err != nil {
		return nil, err
	}
	set := map[string]string{
		"TABLE_NAME": names.Main, "AUDIT_TABLE_NAME": names.Audit, "QUEUE_URL": queueURL, "DEAD_LETTER_QUEUE_URL": deadURL,
		"SEALING_SECRET_ID": "/momo-proxy/sealing-keys", "PAYER_SECRET_ID": "/momo-proxy/payer-key", "ACCOUNTS_PATH": "/momo-proxy/accounts",
		"PAYOUTS_PATH":              "/momo-proxy/payouts",
		"PUBLIC_BASE_URL":           public,
		"AWS_ENDPOINT_URL_DYNAMODB": w.endpoint, "AWS_ENDPOINT_URL_SQS": w.endpoint, "AWS_ENDPOINT_URL_SSM": w.endpoint,
		"SSL_CERT_FILE": authority,
	}
	variables, err := json.MarshalIndent(map[string]map[string]string{"Parameters": set}, "", "  ")
	if err != nil {
		return nil, err
	}
	w.variables = filepath.Join(o.dir, "variables.json")
	return w, os.WriteFile(w.variables, variables, 0o600)
}

// writeTemplate is template.yaml for this machine's processor. It declares
// the variables that --env-vars could not add otherwise. Their values are in
// that file: a variable of this shell would win over the template's.
func (w *world) writeTemplate() (string, error) {
	text := string(momoproxy.Template)
	replace := func(old, new string) error {
		if strings.Count(text, old) != 1 {
			return fmt.Errorf("template.yaml holds %q %d times", old, strings.Count(text, old))
		}
		text = strings.Replace(text, old, new, 1)
		return nil
	}
	processor := map[string]string{"amd64": "x86_64", "arm64": "arm64"}[runtime.GOARCH]
	variable := "\n        VERSION: !Ref Version\n"
	undeclared := []string{"AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL_SQS", "AWS_ENDPOINT_URL_SSM", "SSL_CERT_FILE"}
	err := errors.Join(
		replace("Architectures: [arm64]", "Architectures: ["+processor+"]"),
		replace(variable, variable+"        "+strings.Join(undeclared, ": file\n        ")+": file\n"))
	file := filepath.Join(w.o.dir, "template.yaml")
	return file, errors.Join(err, os.WriteFile(file, []byte(text), 0o644))
}

// listen serves engines, Parameter Store and the providers on one port. On Linux a
// container reaches the bridge's own address; elsewhere Docker Desktop brings
// it to the loopback.
func (w *world) listen(ctx context.Context, parameters cloud.Parameters) error {
	address := "127.0.0.1"
	if runtime.GOOS == "linux" {
		out, err := exec.CommandContext(ctx, "docker", "network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Gateway}}").CombinedOutput()
		if err != nil {
			return fmt.Errorf("docker does not answer: %w\n%s", err, out)
		}
		address = strings.TrimSpace(string(out))
	}
	var err error
	if w.identity, err = certificate(); err != nil {
		return err
	}
	l, err := tls.Listen("tcp", net.JoinHostPort(address, "0"), &tls.Config{Certificates: []tls.Certificate{w.identity}})
	if err != nil {
		return err
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	w.endpoint = "https://" + net.JoinHostPort(machine, port)
	tables, err := proxy(engine.DynamoDB)
	if err != nil {
		return err
	}
	queues, err := proxy(engine.SQS)
	if err != nil {
		return err
	}
	w.server = &http.Server{Handler: http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		switch target := r.Header.Get("X-Amz-Target"); {
		case strings.HasPrefix(target, "DynamoDB_"):
			tables.ServeHTTP(rw, r)
		case strings.HasPrefix(target, "AmazonSQS."):
			queues.ServeHTTP(rw, r)
		case target == cloud.GetParameters:
			parameters.ServeHTTP(rw, r)
		default:
			i := slices.IndexFunc(w.standins, func(s standin.Standin) bool { return s.Knows(r) })
			w.standins[max(i, 0)].Handler().ServeHTTP(rw, r)
		}
	})}
	go func() { _ = w.server.Serve(l) }() // until it is closed
	return nil
}

func proxy(s engine.Service) (http.Handler, error) {
	target, err := url.Parse(os.Getenv(s.EndpointVariable()))
	if err != nil || target.Host == "" {
		return nil, fmt.Errorf("%s names no engine; run this under `go run ./infra/engines --`", s.EndpointVariable())
	}
	return httputil.NewSingleHostReverseProxy(target), nil
}

// makeStores makes tables, queue and the app of the events.
func (w *world) makeStores(ctx context.Context, keys string) (queueURL, deadURL string, names dynamo.Names, err error) {
	a := assembly.AWS(os.Getenv)
	base, name := os.Getenv(engine.DynamoDB.EndpointVariable()), fmt.Sprintf("sam-local-%d", time.Now().Unix())
	names = dynamo.Names{Main: name, Audit: name + "-audit"}
	if err := dynamo.Create(ctx, dynamodb.NewFromConfig(a, func(d *dynamodb.Options) { d.BaseEndpoint = &base }), names); err != nil {
		return "", "", names, err
	}
	a.HTTPClient = &http.Client{Timeout: 30 * time.Second} // a long poll outlasts a function's patience
	queues := os.Getenv(engine.SQS.EndpointVariable())
	q, err := sqs.Create(ctx, awssqs.NewFromConfig(a, func(s *awssqs.Options) { s.BaseEndpoint = &queues }), name, 5)
	if err != nil {
		return "", "", names, err
	}
	queueURL, deadURL = q.URLs()
	ring, err := seal.ParseKeys(keys)
	if err != nil {
		return "", "", names, err
	}
	secret, err := webhook.NewSecret(rand.Reader)
	if err != nil {
		return "", "", names, err
	}
	app, stop, err := loopback.Serve(w.app(receiver.Keys{APIKey: appKey, Secret: secret}), "127.0.0.1:0")
	if err != nil {
		return "", "", names, err
	}
	w.stops = append(w.stops, stop)
	table := assembly.DynamoDB(a, config.Config{TableName: names.Main, AuditTableName: names.Audit}, os.Getenv)
	w.parts = assembly.Parts{
		Table: table, Queue: q, Ledger: ledger.New(table, ring, ledger.Options{}), Host: host.Machine(),
		Log: telemetry.New(os.Stdout, slog.LevelWarn), Rules: webhook.Rules{AllowLoopback: true},
	}
	_, err = w.parts.Ledger.CreateClient(ctx, ledger.Client{
		ID: ledger.NewClientID(rand.Reader), Name: "Events", Active: true, CreatedAt: ledger.Clock(time.Now()),
		APIKey: appKey, SigningSecrets: []string{secret.Reveal()}, CallbackURL: app,
	})
	return queueURL, deadURL, names, err
}

func (w *world) close() {
	if w.server != nil {
		_ = w.server.Close()
	}
	for _, s := range w.standins {
		s.Close()
	}
	for _, stop := range w.stops {
		stop()
	}
}
