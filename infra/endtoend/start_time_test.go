package endtoend

import (
	"bufio"
	"crypto/rand"
	"flag"
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"momoproxy/infra/engines/engine"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
)

var (
	starts = flag.Int("starts", 1, "how often TestStartTime starts each function; more than once measures, and holds the bound")
	warm   = flag.Int("warm", 1, "how many requests TestStartTime gives each function afterwards")
)

// mostOfHello bounds a function's own start beside that of a function which
// does nothing, in `make bench-start` alone: a time is only worth something on
// a machine that does nothing else, which a test may not ask for. What was
// found on one is in docs/benchmarks.md.
const mostOfHello = 6

// firstEvents take no table, queue or provider where there is such an event.
// workEvents are what the function is there for. None waits for a provider's
// limits but the first refund: a status needs no question, a refund asked for
// again neither, a callback is about a payment that has
// ended, the doorbells are for what does not exist, and nothing is due.
var (
	firstEvents = map[string]string{
		"request-to-pay": "request-to-pay/missing-key", "status": "status/missing-key",
		"mtn-callback": "mtn-callback/post-with-token-empty-body", "forwarder": "forwarder/unreadable-message",
		"payments": "payments/missing-key", "refunds": "refunds/missing-key",
	}
	workEvents = map[string]string{
		"request-to-pay": "request-to-pay/accepted", "status": "status/known", "mtn-callback": "mtn-callback/post-bare",
		"forwarder": "forwarder/batch", "payments": "payments/timeline", "refunds": "refunds/not-paid",
	}
)

// TestStartTime measures the functions as built for Lambda beside a function
// that does nothing. First, from the start of the process to its first question
// for work and its first answer. The table answers at once, so that the time is
// the function's own. This is done over plain HTTP, and as in Lambda, where
// table and Parameter Store speak TLS. Then with the engine, to the first answer
// and to the first that is work. Then requests one after another, and memory.
// Without flags it does each once, which shows that it can still be measured.
func TestStartTime(t *testing.T) {
	w := newWorld(t)
	paid := w.api(t, "request-to-pay", event(t, "request-to-pay/accepted"))
	w.awaitCallbacks(t, paid.reference())
	for _, p := range w.processes {
		p.stop()
	}
	// Straight to the engines: the recorder between costs time.
	tables, queues := engine.For(t, engine.DynamoDB), engine.For(t, engine.SQS)
	for _, environment := range w.environments {
		environment["AWS_ENDPOINT_URL_DYNAMODB"], environment["AWS_ENDPOINT_URL_SQS"] = tables.Endpoint, queues.Endpoint
	}
	w.binaries["hello"], w.environments["hello"] = buildHello(t), nil
	apps := measuredApps(t, w, *warm+1)

	names := slices.Sorted(maps.Keys(w.environments))
	ready, own, secure, answered, worked := timings{}, timings{}, timings{}, timings{}, timings{}
	empty := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		fmt.Fprint(w, "{}") // nothing found, or stored
	})
	instant := map[string]string{"AWS_ENDPOINT_URL_DYNAMODB": serve(t, empty)}
	trusted := newCertificateStore(t)
	overTLS := map[string]map[string]string{}
	table := trusted.serve(t, empty)
	for name, environment := range w.environments {
		overTLS[name] = trusted.variables(environment)
		overTLS[name]["AWS_ENDPOINT_URL_DYNAMODB"], overTLS[name]["AWS_ENDPOINT_URL_SSM"] = table, trusted.serve(t, w.store.handler(name))
	}
	// In turns, so that a slow moment of the machine hits all alike.
	for range *starts {
		for _, name := range names {
			first := eventOf(t, firstEvents, name, apps[0])
			_, a := start(t, w, name, first, instant)
			own[name] = append(own[name], a)
			r, a := start(t, w, name, first, overTLS[name])
			ready[name], secure[name] = append(ready[name], r), append(secure[name], a)
			_, a = start(t, w, name, first, nil)
			answered[name] = append(answered[name], a)
			_, a = start(t, w, name, eventOf(t, workEvents, name, apps[0]), nil)
			worked[name] = append(worked[name], a)
		}
	}
	t.Logf("%s; medians of %d starts, then %d requests", machine(), *starts, *warm)
	t.Logf("%-20s %8s %8s %8s %8s %8s %10s %8s %11s %8s %8s", "function", "own ms", "x hello", "TLS: ready", "answer", "x hello", "engine ms", "work ms", "requests/s", "CPU us", "peak MB")
	// What does nothing does it alike each time.
	nothing := timings{"hello": slices.Concat(own["hello"], secure["hello"], answered["hello"], worked["hello"])}.median("hello")
	for _, name := range names {
		perSecond, cpu, peak := running(t, w, name, apps)
		// health and reconciler have no event that asks nobody: what counts is
		// when they ask for their first.
		counted := secure
		if firstEvents[name] == "" && !strings.HasSuffix(name, "webhook") {
			counted = ready
		}
		ownShare, share := own.median(name)/nothing, counted.median(name)/nothing
		t.Logf("%-20s %8.1f %8.2f %8.1f %8.1f %8.2f %10.1f %8.1f %11.0f %8d %8.1f", name, own.median(name), ownShare, ready.median(name), secure.median(name),
			share, answered.median(name), worked.median(name), perSecond, cpu.Microseconds(), float64(peak)/1e6)
		if *starts > 1 && share > mostOfHello {
			t.Errorf("%s takes %.1f times as long as a function that does nothing", name, share)
		}
	}
}

// measuredApp has a payment that has ended.
type measuredApp struct{ key, reference string }

// measuredApps are enough for so many requests, within each app's limit.
func measuredApps(t *testing.T, w *world, requests int) []measuredApp {
	t.Helper()
	var apps []measuredApp
	for len(apps)*requestsPerApp < requests {
		key := fmt.Sprintf("MEASURED_APP_%04d", len(apps))
		now := ledger.Clock(time.Now())
		client := ledger.Client{ID: ledger.NewClientID(rand.Reader), Name: key, Active: true, CreatedAt: now, APIKey: key,
			RefundsPerDay: []payment.Money{{Minor: 1_000_00, Currency: "EUR"}}}
		if _, err := w.ledger.CreateClient(t.Context(), client); err != nil {
			t.Fatal(err)
		}
		p := ledger.Payment{Payment: payment.Payment{
			ClientID:  client.ID,
			Reference: payment.NewReference(rand.Reader), ExternalID: "MEASURED", Provider: "mtn",
			Amount: payment.Money{Minor: 15000, Currency: "EUR"}, Payer: "26876123456", Status: payment.Successful,
			CreatedAt: now, UpdatedAt: now, EndedAt: now, Accepted: true,
		}}
		if _, err := w.ledger.Create(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		apps = append(apps, measuredApp{key, p.Reference})
	}
	return apps
}

const requestsPerApp = 30 // an app may send 40 at once

// eventOf is the function's event, from that app. A function without a chosen
// one gets its first file.
func eventOf(t *testing.T, chosen map[string]string, name string, app measuredApp) []byte {
	t.Helper()
	if name == "hello" {
		return []byte(`{}`)
	}
	file := chosen[name]
	if file == "" {
		files, err := filepath.Glob(filepath.Join(root, "events", name, "*.json"))
		if err != nil || len(files) == 0 {
			t.Fatalf("no event for %s: %v", name, err)
		}
		file = name + "/" + strings.TrimSuffix(filepath.Base(files[0]), ".json")
	}
	text := strings.NewReplacer(appKey, app.key, "7d0f5b0e-6c1e-4b0a-9a57-2f0f3f3b1c55", app.reference, "EVENT-CALLBACK", "EVENT-ACCEPTED",
		"EVENT-ACCEPTED", "MEASURED-"+rand.Text()).Replace(string(event(t, file)))
	return []byte(text)
}

// start runs a function until its first answer, and ends it.
func start(t *testing.T, w *world, name string, event []byte, change map[string]string) (ready, answered time.Duration) {
	t.Helper()
	environment := map[string]string{}
	maps.Copy(environment, w.environments[name])
	if name != "hello" {
		maps.Copy(environment, change)
	}
	p := launch(t, name, w.binaries[name], patience, environment)
	defer p.stop()
	if _, err := p.invoke(t.Context(), event); err != nil {
		t.Fatal(err)
	}
	answered = time.Since(p.started)
	return p.readyAfter(), answered
}

// running gives a function its work again and again, as one environment gets
// it: one request at a time.
func running(t *testing.T, w *world, name string, apps []measuredApp) (perSecond float64, cpu time.Duration, peak int64) {
	t.Helper()
	p := launch(t, name, w.binaries[name], patience, w.environments[name])
	defer p.stop()
	var at time.Time
	var before time.Duration
	for n := range *warm + 1 {
		answer, err := p.invoke(t.Context(), eventOf(t, workEvents, name, apps[n/requestsPerApp]))
		if err != nil {
			t.Fatal(err)
		}
		if workEvents[name] != "" && (strings.Contains(string(answer), `"statusCode":4`) || strings.Contains(string(answer), `"statusCode":5`)) {
			t.Fatalf("%s answered %s", name, answer)
		}
		if n == 0 { // the first is part of the start
			at, before = time.Now(), processorTime(t, p.cmd.Process.Pid)
		}
	}
	took := time.Since(at)
	cpu = processorTime(t, p.cmd.Process.Pid) - before
	return float64(*warm) / took.Seconds(), cpu / time.Duration(*warm), peakMemory(t, p.cmd.Process.Pid)
}

// timings are durations by function.
type timings map[string][]time.Duration

// median is in milliseconds.
func (all timings) median(name string) float64 {
	sorted := slices.Sorted(slices.Values(all[name]))
	return float64(sorted[len(sorted)/2]) / float64(time.Millisecond)
}

// buildHello builds the function that does nothing with the same flags.
func buildHello(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "hello")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "./infra/bench/hello")
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS="+makefile(t, `^LAMBDA_ENV\s*:=\s*CGO_ENABLED=0 GOFLAGS="(.*)"$`))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return binary
}

// machine names the processor; elsewhere than on Linux only its kind.
func machine() string {
	name := runtime.GOARCH
	if f, err := os.Open("/proc/cpuinfo"); err == nil {
		defer f.Close()
		for lines := bufio.NewScanner(f); lines.Scan(); {
			if key, value, ok := strings.Cut(lines.Text(), ":"); ok && strings.TrimSpace(key) == "model name" {
				name = strings.TrimSpace(value)
				break
			}
		}
	}
	return fmt.Sprintf("%s, %d cores, %s/%s, %s", name, runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version())
}

// processorTime is what a process has used so far, in user and kernel; 0
// elsewhere than on Linux. The kernel counts it in hundredths of a second.
func processorTime(t *testing.T, pid int) time.Duration {
	t.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	// The name before it is in parentheses and may hold anything.
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	ticks := 0
	for _, f := range fields[11:13] {
		n, err := strconv.Atoi(f)
		if err != nil {
			t.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

// peakMemory is the most that a process held at once, in bytes; 0 elsewhere
// than on Linux.
func peakMemory(t *testing.T, pid int) int64 {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if value, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return kib << 10
		}
	}
	return 0
}
