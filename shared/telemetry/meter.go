package telemetry

import (
	"context"
	"log/slog"
	"math"
	"reflect"
	"slices"
)

// WithMetrics returns a logger that adds to the lines in Metrics what
// makes CloudWatch Logs read the metrics off them: its embedded metric
// format, which needs no permission beyond writing logs. The namespace is
// CloudWatch's; empty: the lines stay as they are.
//
// The format is that of docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring,
// "Specification: Embedded metric format": a member _aws that says which of
// the line's own members are metrics and which are their dimensions. A metric
// whose value or dimension the line does not hold is left out, since one fault
// makes CloudWatch drop all metrics of a line.
func WithMetrics(log *slog.Logger, namespace string) *slog.Logger {
	if namespace == "" {
		return log
	}
	return slog.New(meter{Handler: log.Handler(), namespace: namespace})
}

type meter struct {
	slog.Handler
	namespace string
	bound     []slog.Attr // of the logger itself
	grouped   bool        // attributes no longer stand at the line's root
}

// embedded is the format's metadata object.
type embedded struct {
	Timestamp         int64 // milliseconds since 1970
	CloudWatchMetrics []directive
}

type directive struct {
	Namespace  string
	Dimensions [][]string
	Metrics    []definition
}

type definition struct {
	Name string
	Unit Unit
}

func (h meter) Handle(ctx context.Context, r slog.Record) error {
	metrics := metricsOf[r.Message]
	if len(metrics) == 0 || h.grouped {
		return h.Handler.Handle(ctx, r)
	}
	line := h.valuesOf(r)
	meta := embedded{Timestamp: r.Time.UnixMilli()}
	var values []slog.Attr
	for _, m := range metrics {
		value, ok := m.read(line)
		sets := line.carried(m.DimensionSets())
		if !ok || len(sets) == 0 {
			continue
		}
		meta.add(h.namespace, sets, definition{m.Name, m.Unit})
		values = append(values, slog.Attr{Key: m.Name, Value: value})
	}
	if len(values) > 0 {
		r = r.Clone()
		r.AddAttrs(values...)
		r.AddAttrs(slog.Any("_aws", meta))
	}
	return h.Handler.Handle(ctx, r)
}

func (e *embedded) add(namespace string, sets [][]string, d definition) {
	for i := range e.CloudWatchMetrics {
		if same := &e.CloudWatchMetrics[i]; slices.EqualFunc(same.Dimensions, sets, slices.Equal) {
			same.Metrics = append(same.Metrics, d)
			return
		}
	}
	e.CloudWatchMetrics = append(e.CloudWatchMetrics, directive{namespace, sets, []definition{d}})
}

func (h meter) WithAttrs(attrs []slog.Attr) slog.Handler {
	h.Handler = h.Handler.WithAttrs(attrs)
	if !h.grouped {
		h.bound = slices.Concat(h.bound, attrs)
	}
	return h
}

func (h meter) WithGroup(name string) slog.Handler {
	h.Handler = h.Handler.WithGroup(name)
	h.grouped = h.grouped || name != ""
	return h
}

// values are a line's attributes.
type values map[string]slog.Value

func (h meter) valuesOf(r slog.Record) values {
	v := make(values, len(h.bound)+r.NumAttrs())
	for _, a := range h.bound {
		v[a.Key] = a.Value.Resolve()
	}
	r.Attrs(func(a slog.Attr) bool {
		v[a.Key] = a.Value.Resolve()
		return true
	})
	return v
}

// text is an attribute that is a string, or of a type made of one; else empty.
func (v values) text(name string) string {
	value, ok := v[name]
	switch {
	case !ok:
	case value.Kind() == slog.KindString:
		return value.String()
	case value.Kind() == slog.KindAny:
		if word := reflect.ValueOf(value.Any()); word.Kind() == reflect.String {
			return word.String()
		}
	}
	return ""
}

// carried are the sets whose every dimension the line holds, in a form that
// CloudWatch takes: printable ASCII.
func (v values) carried(sets [][]string) [][]string {
	out := make([][]string, 0, len(sets))
	for _, set := range sets {
		if !slices.ContainsFunc(set, func(name string) bool { return !dimensionValue(v.text(name)) }) {
			out = append(out, set)
		}
	}
	return out
}

func dimensionValue(s string) bool {
	const most = 1024
	if s == "" || len(s) > most || s[0] == ':' {
		return false
	}
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// read returns what a line says m is; ok is false when it says nothing.
func (m Metric) read(line values) (value slog.Value, ok bool) {
	for _, c := range m.When {
		if !c.holds(line.text(c.Attribute)) {
			return slog.Int64Value(0), m.Share
		}
	}
	if m.Value == "" {
		return slog.Int64Value(1), true
	}
	value, ok = line[m.Value]
	if !ok {
		return value, false
	}
	switch value.Kind() {
	case slog.KindInt64, slog.KindUint64:
		return value, true
	case slog.KindFloat64:
		f := value.Float64()
		return value, !math.IsNaN(f) && !math.IsInf(f, 0)
	case slog.KindBool:
		if value.Bool() {
			return slog.Int64Value(1), true
		}
		return slog.Int64Value(0), true
	}
	return value, false
}
