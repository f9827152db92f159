package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"momoproxy"
	"momoproxy/infra/engines/engine"
	"momoproxy/infra/standin/core"
	mtnstand "momoproxy/infra/standin/mtn"
	"momoproxy/shared/config"
)

// checkDemo reads what a demonstration printed.
func checkDemo(t *testing.T, printed string, more ...string) {
	t.Helper()
	for _, text := range append(more,
		"verified both signatures", "timeline of", "payment created", "INBOUND_FROM_APP", "OUTBOUND_TO_", "INBOUND_FROM_",
		"payment SUCCESSFUL by", "OUTBOUND_TO_APP", "event 1, attempt 1: answered 200", "demo: done in",
	) {
		if !strings.Contains(printed, text) {
			t.Errorf("it does not say %q", text)
		}
	}
	if t.Failed() {
		t.Log(printed)
	}
}

func TestDemo(t *testing.T) {
	for provider, says := range map[string][]string{
		"mtn":         {"payment SUCCESSFUL by status", "150.00 SZL", "/callback/"},
		"mom-factura": {"payment SUCCESSFUL by status", "15000.00 AOA", "referenceNumber", "/webhooks/mom-factura/***"},
		"momentpay":   {"payment SUCCESSFUL by signed_webhook", "150.00 ZAR", `"link":"https://`, "/webhooks/momentpay"},
	} {
		t.Run(provider, func(t *testing.T) {
			o, err := readOptions([]string{"-demo", "-provider", provider}, io.Discard)
			if err != nil {
				t.Fatal(err)
			}
			var out bytes.Buffer
			if err := run(t.Context(), o, &out); err != nil {
				t.Fatalf("%v\n%s", err, out.String())
			}
			checkDemo(t, out.String(), says...)
		})
	}
}

func TestDemoAsAProgram(t *testing.T) {
	binary(t)
	p := launch(t, nil, "-demo")
	select {
	case <-p.ended:
	case <-time.After(patience):
		t.Fatal("it goes on and on")
	}
	if !p.cmd.ProcessState.Success() {
		t.Errorf("%s", p.cmd.ProcessState)
	}
	checkDemo(t, p.printed())
}

// A demonstration whose payment does not end well says so.
func TestDemoFails(t *testing.T) {
	world := mtnstand.New(mtnstand.Options{Options: core.Options{Choose: func(core.Call) (core.Script, bool) {
		return core.Script{Name: "refused", Refusal: "PAYER_NOT_FOUND"}, true
	}}})
	defer world.Close()
	setProvider(t, world)
	o, err := readOptions([]string{"-demo"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if err := run(t.Context(), o, io.Discard); err == nil {
		t.Error("no error")
	}
}

// setProvider points the environment at a world of the test's own.
func setProvider(t *testing.T, world *mtnstand.Standin) {
	t.Helper()
	for name, value := range providerEnvironment(t, world) {
		t.Setenv(name, value)
	}
}

// engineEnvironment starts the engines that -aws uses.
func engineEnvironment(t *testing.T) {
	t.Helper()
	for _, s := range engine.Services {
		e := engine.For(t, s)
		t.Logf("%s is %s", s, e.Name)
		t.Setenv(s.EndpointVariable(), e.Endpoint)
	}
	t.Setenv("AWS_REGION", "us-east-1")
	t.Setenv("AWS_ACCESS_KEY_ID", "local")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "local")
}

func TestDemoOverDynamoDBAndSQS(t *testing.T) {
	engineEnvironment(t)
	o := options{listen: "127.0.0.1:0", data: t.TempDir(), policy: config.Confirm, aws: true, demo: true, provider: "mtn",
		template: momoproxy.Template, name: "local-" + strings.ToLower(rand.Text()[:10])}
	// The second time tables, queue and client are there.
	for range 2 {
		var out bytes.Buffer
		if err := run(t.Context(), o, &out); err != nil {
			t.Fatalf("%v\n%s", err, out.String())
		}
		checkDemo(t, out.String())
		if !strings.Contains(out.String(), "DynamoDB table "+o.name+" and SQS") {
			t.Error("it does not say where it keeps things")
		}
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		arguments    []string
		listen, data string
	}{
		{nil, "127.0.0.1:8080", ".local"},
		{[]string{"-demo"}, "127.0.0.1:0", ":memory:"},
		{[]string{"-demo", "-data", "d", "-listen", "127.0.0.1:1"}, "127.0.0.1:1", "d"},
		// Tables outlive the run, and so must the key of what is sealed in them.
		{[]string{"-demo", "-aws"}, "127.0.0.1:0", ".local"},
	} {
		o, err := readOptions(c.arguments, io.Discard)
		if err != nil || o.listen != c.listen || o.data != c.data || o.policy != config.Confirm {
			t.Errorf("%v: %+v, %v", c.arguments, o, err)
		}
	}
	for _, arguments := range [][]string{{"-callback-policy", "believe"}, {"-provider", "visa"}, {"demo"}, {"-unknown"}} {
		var out bytes.Buffer
		if _, err := readOptions(arguments, &out); err == nil || !strings.Contains(out.String(), err.Error()) {
			t.Errorf("%v: %v, saying %q", arguments, err, out.String())
		}
	}
}

// The template decides what runs: what it names must be here.
func TestTemplateAndProgramAgree(t *testing.T) {
	t.Parallel()
	template := string(momoproxy.Template)
	for name, change := range map[string][2]string{
		"unknown route":    {"Path: /payments\n", "Path: /pay\n"},
		"unknown method":   {"Method: PUT\n            Path: /callback\n", "Method: DELETE\n            Path: /callback\n"},
		"unknown function": {"CodeUri: functions/status/", "CodeUri: functions/state/"},
		"unknown consumer": {"CodeUri: functions/forwarder/", "CodeUri: functions/forward/"},
		"unknown schedule": {"CodeUri: functions/reconciler/", "CodeUri: functions/reconcile/"},
	} {
		if !strings.Contains(template, change[0]) {
			t.Errorf("%s: the template does not hold %q", name, change[0])
			continue
		}
		o := options{listen: "127.0.0.1:0", data: ":memory:", policy: config.Confirm, template: []byte(strings.Replace(template, change[0], change[1], 1))}
		s, err := start(t.Context(), o, io.Discard)
		if err == nil {
			s.stop()
			t.Errorf("%s: it starts", name)
		} else if !strings.Contains(err.Error(), "template") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTrustIsRefusedForProduction(t *testing.T) {
	t.Setenv("MTN_BASE_URL", "https://proxy.momoapi.mtn.com")
	t.Setenv("MTN_TARGET_ENV", "mtnswaziland")
	for _, name := range []string{"MTN_API_USER", "MTN_API_KEY", "MTN_SUBSCRIPTION_KEY"} {
		t.Setenv(name, "3f2a1b0c-4d5e-4f60-8a7b-9c0d1e2f3a4b")
	}
	o := options{listen: "127.0.0.1:0", data: ":memory:", policy: config.Trust, template: momoproxy.Template}
	s, err := start(t.Context(), o, io.Discard)
	if err == nil {
		s.stop()
		t.Fatal("it starts")
	}
	if !strings.Contains(err.Error(), "trust is refused") {
		t.Error(err)
	}
}

func TestPortInUse(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	data := filepath.Join(t.TempDir(), "data")
	p := refused(t, nil, "-listen", l.Addr().String(), "-data", data)
	if code := p.cmd.ProcessState.ExitCode(); code != 1 {
		t.Errorf("it ends with %d", code)
	}
	if printed := p.printed(); !strings.Contains(printed, l.Addr().String()) || !strings.Contains(printed, "in use") || !strings.Contains(printed, "-listen") {
		t.Errorf("it says %q", printed)
	}
	if _, err := os.Stat(data); !os.IsNotExist(err) {
		t.Errorf("it made the folder all the same: %v", err)
	}
}

// What was stored in one run is there in the next, whichever way the first
// one ended, and nobody else on the machine can read it.
func TestSecondStartOnTheSameFolder(t *testing.T) {
	t.Parallel()
	world := mtnstand.New(mtnstand.Options{})
	defer world.Close()
	var environment []string
	for name, value := range providerEnvironment(t, world) {
		environment = append(environment, name+"="+value)
	}
	data := filepath.Join(t.TempDir(), "deep", "data")
	variables := map[string]string{"API_KEY": demoKey, "ORDER": "BEFORE", "PAYER": mtnstand.Payer(mtnstand.ScriptPending)}
	for round, signal := range []os.Signal{os.Interrupt, syscall.SIGTERM, os.Kill, syscall.SIGTERM} {
		p := launch(t, environment, "-listen", "127.0.0.1:0", "-data", data)
		variables["PROXY_BASE"] = p.URL
		if round == 0 {
			code, body := readCurl(t, "request to pay", variables).run(t)
			if variables["REF"], _ = body["referenceId"].(string); code != 202 {
				t.Fatalf("%d %v", code, body)
			}
		}
		if code, body := readCurl(t, "status", variables).run(t); code != 200 || body["status"] != "PENDING" {
			t.Errorf("round %d: %d %v", round, code, body)
		}
		checkPrivate(t, data)
		p.end(t, signal)
		if signal != os.Kill && (!p.cmd.ProcessState.Success() || !strings.Contains(p.printed(), "stopping")) {
			t.Errorf("%s: %s\n%s", signal, p.cmd.ProcessState, p.printed())
		}
	}
	if entry, _ := world.Payment(variables["REF"]); entry.Asks != 1 {
		t.Errorf("MTN was asked %d times", entry.Asks)
	}
}

// checkPrivate demands that only the owner can read what is in the folder.
func checkPrivate(t *testing.T, data string) {
	t.Helper()
	info, err := os.Stat(data)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%s: %v %v", data, info.Mode(), err)
	}
	seen := map[string]bool{}
	err = filepath.WalkDir(data, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		seen[entry.Name()] = true
		info, err := entry.Info()
		if err == nil && strings.Contains("sealing.key payer.key log.jsonl", entry.Name()) && info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v", path, info.Mode())
		}
		return err
	})
	if err != nil || !seen["momo-proxy.db"] || !seen["sealing.key"] || !seen["payer.key"] || !seen["log.jsonl"] {
		t.Errorf("the folder holds %v (%v)", seen, err)
	}
}

// stop is called by start itself when it fails half way; nothing may hang.
func TestStartAndStopLeaveNothing(t *testing.T) {
	t.Parallel()
	for range 3 {
		s := up(t, nil)
		done := make(chan struct{})
		go func() { s.stop(); close(done) }()
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		select {
		case <-done:
		case <-ctx.Done():
			t.Error("it does not stop")
		}
		cancel()
		if conn, err := net.Dial("tcp", strings.TrimPrefix(s.gatewayURL, "http://")); err == nil {
			conn.Close()
			t.Error("somebody still listens")
		}
	}
}
