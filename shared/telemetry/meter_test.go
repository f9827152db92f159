package telemetry_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"log/slog"
	"math"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"momoproxy/shared/delivery"
	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
	"momoproxy/shared/telemetry"
)

var update = flag.Bool("update", false, "write the golden files anew")

type word string // as the product's own types of text are

// write logs one line at a fixed time and returns it as written.
func write(t *testing.T, log *slog.Logger, out *bytes.Buffer, message string, args ...any) string {
	t.Helper()
	out.Reset()
	r := slog.NewRecord(time.Date(2026, 11, 21, 10, 0, 0, 5e6, time.UTC), slog.LevelInfo, message, 0)
	r.Add(args...)
	if err := log.Handler().Handle(context.Background(), r); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func metered(namespace string) (*slog.Logger, *bytes.Buffer) {
	var out bytes.Buffer
	return telemetry.WithMetrics(telemetry.New(&out, slog.LevelInfo), namespace), &out
}

// TestMetricLines shows each metric as it leaves the function.
func TestMetricLines(t *testing.T) {
	t.Parallel()
	log, out := metered("momo-proxy")
	var all strings.Builder
	for _, m := range telemetry.Metrics {
		var args []any
		for _, name := range m.By {
			args = append(args, name, word("some "+name))
		}
		for _, c := range m.When {
			args = append(args, c.Attribute, c.Is+c.Contains)
		}
		if m.Value != "" {
			args = append(args, m.Value, 1500)
		}
		line := write(t, log, out, m.Line, args...)
		checkFormat(t, line)
		if !strings.Contains(line, `"`+m.Name+`":`) {
			t.Errorf("no %s in %s", m.Name, line)
		}
		all.WriteString(line)
	}
	const golden = "testdata/metrics.jsonl"
	if *update {
		if err := os.WriteFile(golden, []byte(all.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(all.String(), "\n")); d != "" {
		t.Errorf("-want +got (run with -update if meant):\n%s", d)
	}
}

// checkFormat holds a line to what the embedded metric format demands.
func checkFormat(t *testing.T, line string) {
	t.Helper()
	var root map[string]any
	if err := json.Unmarshal([]byte(line), &root); err != nil {
		t.Fatalf("%v: %s", err, line)
	}
	var meta struct {
		AWS struct {
			Timestamp         int64
			CloudWatchMetrics []struct {
				Namespace  string
				Dimensions [][]string
				Metrics    []struct {
					Name, Unit        string
					StorageResolution int
				}
			}
		} `json:"_aws"`
	}
	d := json.NewDecoder(strings.NewReader(line))
	if err := d.Decode(&meta); err != nil {
		t.Fatalf("%v: %s", err, line)
	}
	if len(meta.AWS.CloudWatchMetrics) == 0 || meta.AWS.Timestamp < 1e11 {
		t.Errorf("no metrics, or no time in milliseconds: %s", line)
	}
	for _, m := range meta.AWS.CloudWatchMetrics {
		if !regexp.MustCompile(`^[A-Za-z0-9._/#:-]{1,255}$`).MatchString(m.Namespace) {
			t.Errorf("namespace %q", m.Namespace)
		}
		if len(m.Dimensions) == 0 || len(m.Metrics) == 0 || len(m.Metrics) > 100 {
			t.Errorf("%d dimension sets, %d metrics: %s", len(m.Dimensions), len(m.Metrics), line)
		}
		for _, set := range m.Dimensions {
			if set == nil || len(set) > 30 {
				t.Errorf("dimension set %v", set)
			}
			for _, name := range set {
				if value, ok := root[name].(string); !ok || value == "" || len(value) > 1024 {
					t.Errorf("dimension %s is %v", name, root[name])
				}
			}
		}
		for _, d := range m.Metrics {
			if _, ok := root[d.Name].(float64); !ok {
				t.Errorf("metric %s is %v", d.Name, root[d.Name])
			}
			if !slices.Contains([]string{"Count", "Milliseconds"}, d.Unit) {
				t.Errorf("unit %q", d.Unit)
			}
		}
	}
}

func TestMetricTable(t *testing.T) {
	t.Parallel()
	shape := map[string]telemetry.Metric{}
	for _, m := range telemetry.Metrics {
		if !regexp.MustCompile(`^[A-Z][A-Za-z0-9]*$`).MatchString(m.Name) {
			t.Errorf("%q could be an attribute of a line", m.Name)
		}
		for _, c := range m.When {
			set := 0
			for _, s := range []string{c.Is, c.Not, c.Contains} {
				if s != "" {
					set++
				}
			}
			if set != 1 || c.Attribute == "" {
				t.Errorf("%s: condition %+v", m.Name, c)
			}
		}
		// Lines with one metric have it in one unit and under the
		// same dimensions.
		if other, ok := shape[m.Name]; ok && (other.Unit != m.Unit || !cmp.Equal(other.DimensionSets(), m.DimensionSets())) {
			t.Errorf("%s comes in two shapes", m.Name)
		}
		shape[m.Name] = m
	}
}

// What conditions look for are words that the product uses.
func TestConditionsNameWhatThereIs(t *testing.T) {
	t.Parallel()
	words := map[string][]string{
		"source":  {string(payment.FromCallback)},
		"verdict": {string(payment.SaysNothing)},
		"status":  {string(payment.Failed)},
		"reason":  {delivery.HeldOpen, delivery.HeldDisabled, delivery.HeldGone},
	}
	for _, m := range telemetry.Metrics {
		for _, c := range m.When {
			if word := c.Is + c.Not; word != "" && !slices.Contains(words[c.Attribute], word) {
				t.Errorf("%s: is there a %s %q?", m.Name, c.Attribute, word)
			}
		}
	}
}

// What redaction leaves of the error is what the metric looks for.
func TestRefusedCredentialsAreCounted(t *testing.T) {
	t.Parallel()
	log, out := metered("n")
	refused := errors.Join(provider.ErrCredentials, errors.New("MTN token call: HTTP 401, Bearer abc"))
	for err, counts := range map[error]bool{refused: true, errors.New("timeout"): false} {
		line := write(t, log, out, "provider.not_ready", "provider", "mtn", "error", err.Error())
		if strings.Contains(line, `"LoginsRefused":1`) != counts || strings.Contains(line, "abc") {
			t.Error(line)
		}
	}
}

func TestMeter(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		log     func(*slog.Logger) *slog.Logger
		message string
		args    []any
		want    string // a metric's member; empty: the line is left as it is
	}{
		"counts":                      {nil, "breaker.opened", []any{"provider", "mtn"}, `"CircuitsOpened":1`},
		"another line":                {nil, "doorbell.lost", []any{"duration_ms", 5}, ""},
		"a value":                     {nil, "request", []any{"route", "GET /x", "duration_ms", int64(12)}, `"RequestMilliseconds":12`},
		"unsigned":                    {nil, "request", []any{"route", "GET /x", "duration_ms", uint64(12)}, `"RequestMilliseconds":12`},
		"a fraction":                  {nil, "request", []any{"route", "GET /x", "duration_ms", 0.5}, `"RequestMilliseconds":0.5`},
		"a bool":                      {nil, "request", []any{"route", "GET /x", "duration_ms", true}, `"RequestMilliseconds":1`},
		"no number":                   {nil, "request", []any{"route", "GET /x", "duration_ms", "12"}, ""},
		"not a number":                {nil, "request", []any{"route", "GET /x", "duration_ms", math.NaN()}, ""},
		"nanoseconds":                 {nil, "request", []any{"route", "GET /x", "duration_ms", time.Second}, ""},
		"no value":                    {nil, "request", []any{"route", "GET /x"}, ""},
		"no dimension":                {nil, "request", []any{"duration_ms", 12}, ""},
		"an empty dimension":          {nil, "request", []any{"route", "", "duration_ms", 12}, ""},
		"a dimension not a text":      {nil, "request", []any{"route", 7, "duration_ms", 12}, ""},
		"a dimension not ASCII":       {nil, "request", []any{"route", "/é", "duration_ms", 12}, ""},
		"a dimension too long":        {nil, "request", []any{"route", strings.Repeat("x", 1025), "duration_ms", 12}, ""},
		"a condition that holds":      {nil, "payment.anomaly", []any{"source", word("status")}, `"PaymentAnomalies":1`},
		"a condition that does not":   {nil, "payment.anomaly", []any{"source", word("callback")}, ""},
		"attributes of the logger":    {func(l *slog.Logger) *slog.Logger { return l.With("route", "GET /x") }, "request", []any{"duration_ms", 12}, `"RequestMilliseconds":12`},
		"not at the root":             {func(l *slog.Logger) *slog.Logger { return l.WithGroup("g") }, "request", []any{"route", "GET /x", "duration_ms", 12}, ""},
		"one of two metrics is wrong": {nil, "reconcile", []any{"oldest_due_ms", 5, "unanswered", "x", "put_off", 0}, `"ReconcileLagMilliseconds":5`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			log, out := metered("momo-proxy")
			if c.log != nil {
				log = c.log(log)
			}
			line := write(t, log, out, c.message, c.args...)
			if c.want == "" {
				if strings.Contains(line, "_aws") {
					t.Error(line)
				}
				return
			}
			checkFormat(t, line)
			if !strings.Contains(line, c.want) {
				t.Errorf("no %s in %s", c.want, line)
			}
		})
	}
	log, out := metered("")
	if line := write(t, log, out, "breaker.opened"); strings.Contains(line, "_aws") {
		t.Errorf("metrics without a namespace: %s", line)
	}
}

// Metrics bring nothing past redaction.
func TestMeteredLinesAreRedacted(t *testing.T) {
	t.Parallel()
	log, out := metered("momo-proxy")
	line := write(t, log, out, "request", "route", "POST /callback", "duration_ms", 3, "error", "Bearer abc", "api_key", "k-1", "body", `{"token":"t-1"}`)
	checkFormat(t, line)
	for _, secret := range []string{"abc", "k-1", "t-1"} {
		if strings.Contains(line, secret) {
			t.Errorf("%s shows: %s", secret, line)
		}
	}
}

func BenchmarkRequestLine(b *testing.B) {
	for name, namespace := range map[string]string{"plain": "", "metered": "momo-proxy"} {
		b.Run(name, func(b *testing.B) {
			log, out := metered(namespace)
			for b.Loop() {
				out.Reset()
				log.Info("request", "route", "POST /request-to-pay", "status", 202, "api_request", "x", "duration_ms", 12)
			}
		})
	}
}
