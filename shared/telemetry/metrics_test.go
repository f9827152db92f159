package telemetry_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"momoproxy/shared/telemetry"
)

var update = flag.Bool("update", false, "write the golden files anew")

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), string(got)); d != "" {
		t.Errorf("%s (go test -update writes it anew):\n%s", file, d)
	}
}

func clock() time.Time { return time.Date(2026, 11, 1, 12, 0, 0, 123e6, time.UTC) }

func TestMetricsGolden(t *testing.T) {
	t.Parallel()
	provider := telemetry.Dimension{Name: "provider", Value: "mtn"}
	for name, record := range map[string]func(m *telemetry.Metrics){
		"one.emf": func(m *telemetry.Metrics) {
			m.Count("payments", 1)
		},
		"several.emf": func(m *telemetry.Metrics) {
			m.Count("payments", 1, provider)
			m.Count("payments", 2, provider)
			m.Duration("provider_latency", 1234567*time.Nanosecond, provider)
			m.Duration("provider_latency", 80*time.Millisecond, provider)
			m.Observe("oldest_undelivered", telemetry.Seconds, 12.5)
			m.Count("deliveries", 1, telemetry.Dimension{Name: "outcome", Value: "ok"}, provider)
			m.Count("deliveries", 1, telemetry.Dimension{Name: "outcome", Value: ""}, provider)
		},
		"nothing.emf": func(*telemetry.Metrics) {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			m := telemetry.NewMetrics(&out, clock, telemetry.Dimension{Name: "service", Value: "forwarder"})
			record(m)
			if err := m.Flush(); err != nil {
				t.Error(err)
			}
			golden(t, name, out.Bytes())
			out.Reset()
			if err := m.Flush(); err != nil || out.Len() > 0 {
				t.Errorf("a second flush wrote %q, %v", out.String(), err)
			}
		})
	}
}

func TestMetricsWithoutDimensions(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	m := telemetry.NewMetrics(&out, clock)
	m.Count("x", 1)
	if err := m.Flush(); err != nil {
		t.Fatal(err)
	}
	golden(t, "bare.emf", out.Bytes())
}

// TestMetricsLimits: nothing is lost where the format needs several lines.
func TestMetricsLimits(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	m := telemetry.NewMetrics(&out, clock)
	for i := range 250 {
		m.Observe("age", telemetry.Seconds, float64(i))
	}
	for i := range 150 {
		m.Count(fmt.Sprintf("m%03d", i), 1)
	}
	if err := m.Flush(); err != nil {
		t.Fatal(err)
	}
	names, ages := map[string]int{}, map[float64]int{}
	for line := range strings.Lines(out.String()) {
		var doc map[string]any
		if err := json.Unmarshal([]byte(line), &doc); err != nil {
			t.Fatal(err)
		}
		directive := doc["_aws"].(map[string]any)["CloudWatchMetrics"].([]any)[0].(map[string]any)
		metrics := directive["Metrics"].([]any)
		if len(metrics) > 100 {
			t.Errorf("%d metrics in a line", len(metrics))
		}
		for _, d := range metrics {
			name := d.(map[string]any)["Name"].(string)
			names[name]++
			if values, ok := doc[name].([]any); ok {
				if len(values) > 100 {
					t.Errorf("%d values in a line", len(values))
				}
				for _, v := range values {
					ages[v.(float64)]++
				}
			}
		}
	}
	if len(names) != 151 || names["m000"] != 1 || names["age"] != 3 || len(ages) != 250 {
		t.Errorf("%d names, age in %d lines with %d values", len(names), names["age"], len(ages))
	}
}

func TestMetricsMisuse(t *testing.T) {
	t.Parallel()
	dimension := func(name string) telemetry.Dimension { return telemetry.Dimension{Name: name, Value: "v"} }
	var many []telemetry.Dimension
	for i := range 31 {
		many = append(many, dimension(fmt.Sprint(i)))
	}
	for name, record := range map[string]func(m *telemetry.Metrics){
		"no name":             func(m *telemetry.Metrics) { m.Count("", 1) },
		"reserved name":       func(m *telemetry.Metrics) { m.Count("_aws", 1) },
		"long name":           func(m *telemetry.Metrics) { m.Count(strings.Repeat("x", 1025), 1) },
		"name of a dimension": func(m *telemetry.Metrics) { m.Count("d", 1, dimension("d")) },
		"not a number":        func(m *telemetry.Metrics) { m.Observe("x", telemetry.Seconds, math.NaN()) },
		"infinite":            func(m *telemetry.Metrics) { m.Observe("x", telemetry.Seconds, math.Inf(-1)) },
		"other unit":          func(m *telemetry.Metrics) { m.Count("good", 1); m.Observe("good", telemetry.Bytes, 1) },
		"nameless dimension":  func(m *telemetry.Metrics) { m.Count("x", 1, dimension("")) },
		"colon dimension":     func(m *telemetry.Metrics) { m.Count("x", 1, dimension(":x")) },
		"dimension twice":     func(m *telemetry.Metrics) { m.Count("x", 1, dimension("d"), dimension("d")) },
		"too many dimensions": func(m *telemetry.Metrics) { m.Count("x", 1, many...) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			m := telemetry.NewMetrics(&out, clock)
			record(m)
			m.Count("other", 1)
			if err := m.Flush(); err == nil {
				t.Error("Flush gave no error")
			}
			if !strings.Contains(out.String(), `"other":1`) {
				t.Errorf("the good metric is lost: %s", out.String())
			}
			if err := m.Flush(); err != nil {
				t.Errorf("the error came again: %v", err)
			}
		})
	}
}

// TestMetricsKeepsSeriesApart: dimensions that look alike when printed.
func TestMetricsKeepsSeriesApart(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	m := telemetry.NewMetrics(&out, clock)
	m.Count("x", 1, telemetry.Dimension{Name: "a", Value: "b c:d"})
	m.Count("x", 1, telemetry.Dimension{Name: "a", Value: "b"}, telemetry.Dimension{Name: "c", Value: "d"})
	if err := m.Flush(); err != nil || strings.Count(out.String(), "\n") != 2 {
		t.Errorf("%v, %s", err, out.String())
	}
}

func TestMetricsConcurrent(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	m := telemetry.NewMetrics(&out, clock)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 100 {
				m.Count("x", 1)
			}
		})
	}
	wg.Wait()
	if err := m.Flush(); err != nil || !strings.Contains(out.String(), `"x":800}`) {
		t.Errorf("%v, %s", err, out.String())
	}
}

func TestMetricsNil(t *testing.T) {
	t.Parallel()
	var m *telemetry.Metrics
	m.Count("x", 1)
	m.Duration("x", time.Second)
	if err := m.Flush(); err != nil {
		t.Error(err)
	}
}

type brokenWriter struct{}

var errBroken = errors.New("broken pipe")

func (brokenWriter) Write([]byte) (int, error) { return 0, errBroken }

func TestMetricsWriterFails(t *testing.T) {
	t.Parallel()
	m := telemetry.NewMetrics(brokenWriter{}, clock)
	m.Count("x", 1)
	if err := m.Flush(); !errors.Is(err, errBroken) {
		t.Errorf("Flush = %v", err)
	}
}
