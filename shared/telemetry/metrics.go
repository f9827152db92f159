package telemetry

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"
	"time"
)

// Namespace is where CloudWatch keeps the metrics.
const Namespace = "MoMoProxy"

// Unit is CloudWatch's name of a metric's unit.
type Unit string

const (
	Count        Unit = "Count"
	Milliseconds Unit = "Milliseconds"
	Seconds      Unit = "Seconds"
	Bytes        Unit = "Bytes"
	Percent      Unit = "Percent"
	None         Unit = "None"
)

// Dimension tells series of a metric apart. Values must be few and known
// (a provider, an outcome), never ids: each combination is a metric that is
// paid for.
type Dimension struct{ Name, Value string }

// Metrics gathers numbers and writes them in CloudWatch's Embedded Metric
// Format, which CloudWatch Logs turns into metrics without a call of ours. A
// nil *Metrics takes everything and writes nothing. Safe for concurrent use.
//
// Source of the format and its limits: "Specification: Embedded metric
// format" in the CloudWatch user guide.
type Metrics struct {
	w      io.Writer
	now    func() time.Time
	common []Dimension

	mu     sync.Mutex
	series map[string]*series // by their dimensions
	faults []error
}

// series are the metrics of one set of dimensions: one line.
type series struct {
	dimensions map[string]string
	metrics    map[string]*metric
}

type metric struct {
	unit   Unit
	values []float64
}

// The format's limits.
const (
	maxMetrics    = 100 // of one line
	maxValues     = 100 // of one metric in one line
	maxDimensions = 30
	maxName       = 1024 // of a metric
	maxDimension  = 250  // a dimension's name
	maxValue      = 1024 // a dimension's value
)

// NewMetrics writes to w, stamped with now; the common dimensions are on
// every metric. In Lambda w is os.Stdout.
func NewMetrics(w io.Writer, now func() time.Time, common ...Dimension) *Metrics {
	return &Metrics{w: w, now: now, common: common, series: map[string]*series{}}
}

// Count adds n to a counter. Counts between two flushes become one number.
func (m *Metrics) Count(name string, n int, dimensions ...Dimension) {
	m.record(name, Count, float64(n), true, dimensions)
}

// Observe notes one value: a duration, an age, a size. Each is kept, so that
// percentiles can be told.
func (m *Metrics) Observe(name string, unit Unit, value float64, dimensions ...Dimension) {
	m.record(name, unit, value, false, dimensions)
}

// Duration observes d in milliseconds.
func (m *Metrics) Duration(name string, d time.Duration, dimensions ...Dimension) {
	m.Observe(name, Milliseconds, float64(d.Microseconds())/1000, dimensions...)
}

func (m *Metrics) record(name string, unit Unit, value float64, sum bool, dimensions []Dimension) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	set, err := dimensionSet(append(slices.Clone(m.common), dimensions...))
	if err == nil {
		err = checkMetric(name, value, set)
	}
	if err != nil {
		m.faults = append(m.faults, fmt.Errorf("metric %q: %w", name, err))
		return
	}
	key := fmt.Sprintf("%q", set) // fmt prints maps in the order of their keys
	s := m.series[key]
	if s == nil {
		s = &series{dimensions: set, metrics: map[string]*metric{}}
		m.series[key] = s
	}
	v := s.metrics[name]
	switch {
	case v == nil:
		s.metrics[name] = &metric{unit: unit, values: []float64{value}}
	case v.unit != unit:
		m.faults = append(m.faults, fmt.Errorf("metric %q: unit %s, was %s", name, unit, v.unit))
	case sum:
		v.values[0] += value
	default:
		v.values = append(v.values, value)
	}
}

func dimensionSet(dimensions []Dimension) (map[string]string, error) {
	set := map[string]string{}
	for _, d := range dimensions {
		switch _, twice := set[d.Name]; {
		case d.Name == "" || len(d.Name) > maxDimension || d.Name == "_aws" || strings.HasPrefix(d.Name, ":"):
			return nil, fmt.Errorf("dimension name %q", d.Name)
		case twice:
			return nil, fmt.Errorf("dimension %q twice", d.Name)
		case strings.TrimSpace(d.Value) == "":
			d.Value = "none" // CloudWatch takes no empty value
		}
		set[d.Name] = cutAt(strings.ToValidUTF8(d.Value, "?"), maxValue)
	}
	if len(set) > maxDimensions {
		return nil, fmt.Errorf("%d dimensions, at most %d", len(set), maxDimensions)
	}
	return set, nil
}

func checkMetric(name string, value float64, dimensions map[string]string) error {
	_, clash := dimensions[name]
	switch {
	case name == "" || len(name) > maxName || name == "_aws":
		return errors.New("bad name")
	case clash:
		return errors.New("is a dimension's name too")
	case math.IsNaN(value) || math.IsInf(value, 0):
		return fmt.Errorf("value %v", value)
	}
	return nil
}

// Flush writes what was gathered, one JSON line for each set of dimensions
// (more where the format's limits ask for it), and begins anew. Call it once
// per invocation. The error joins the writer's and every misuse since the
// last Flush; metrics are never a reason to fail the work itself.
func (m *Metrics) Flush() error {
	if m == nil {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	faults := m.faults
	all := m.series
	m.faults, m.series = nil, map[string]*series{}
	for _, key := range slices.Sorted(maps.Keys(all)) {
		for _, line := range all[key].lines(m.now().UnixMilli()) {
			text, err := json.Marshal(line)
			if err == nil {
				_, err = m.w.Write(append(text, '\n'))
			}
			if err != nil {
				faults = append(faults, fmt.Errorf("metrics: %w", err))
			}
		}
	}
	return errors.Join(faults...)
}

// lines are the series in EMF, as many objects as the limits ask for.
func (s *series) lines(at int64) []map[string]any {
	type definition struct{ Name, Unit string }
	type directive struct {
		Namespace  string
		Dimensions [][]string
		Metrics    []definition
	}
	type part struct {
		name   string
		unit   Unit
		values []float64
	}
	var lines []map[string]any
	// The nth hundred of a metric's values goes into the nth line or later:
	// a line names a metric once.
	for round := 0; ; round++ {
		var parts []part
		for name, v := range s.metrics {
			if from := round * maxValues; from < len(v.values) {
				parts = append(parts, part{name, v.unit, v.values[from:min(from+maxValues, len(v.values))]})
			}
		}
		if len(parts) == 0 {
			return lines
		}
		slices.SortFunc(parts, func(a, b part) int { return cmp.Compare(a.name, b.name) })
		for chunk := range slices.Chunk(parts, maxMetrics) {
			d := directive{Namespace: Namespace, Dimensions: [][]string{slices.Sorted(maps.Keys(s.dimensions))}}
			if len(s.dimensions) == 0 {
				d.Dimensions = [][]string{{}}
			}
			line := map[string]any{}
			for name, value := range s.dimensions {
				line[name] = value
			}
			for _, p := range chunk {
				d.Metrics = append(d.Metrics, definition{p.name, string(p.unit)})
				if len(p.values) == 1 {
					line[p.name] = p.values[0]
				} else {
					line[p.name] = p.values
				}
			}
			line["_aws"] = map[string]any{"Timestamp": at, "CloudWatchMetrics": []directive{d}}
			lines = append(lines, line)
		}
	}
}
