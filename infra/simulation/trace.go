package simulation

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"
)

// trace is everything that happened, in order: as a hash always, as text on
// demand.
type trace struct {
	keep  bool
	start time.Time
	lines []string
	hash  uint64
}

func newTrace(keep bool, start time.Time) trace {
	return trace{keep: keep, start: start, hash: 14695981039346656037}
}

// mix is FNV-1a.
func (t *trace) mix(s string) {
	h := t.hash
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	t.hash = (h ^ 0xff) * 1099511628211
}

func (t *trace) sum() uint64 { return t.hash }

// note adds one line to the trace. Parts must not depend on anything but the
// seed.
func (w *world) note(parts ...string) {
	at := time.Since(w.trace.start)
	w.trace.hash = (w.trace.hash ^ uint64(at)) * 1099511628211
	for _, p := range parts {
		w.trace.mix(p)
	}
	if !w.trace.keep {
		return
	}
	w.trace.lines = append(w.trace.lines, fmt.Sprintf("%15s %-14s %s", at.Round(time.Microsecond), w.who(), strings.Join(parts, " ")))
}

// who does what is noted: a run of a function, and which of its tasks.
func (w *world) who() string {
	if w.current == nil {
		return ""
	}
	return strings.TrimSpace(w.current.name + " " + w.running.name)
}

// logHandler turns what the system logs into trace lines, and a panic that a
// handler caught into a violation.
type logHandler struct{ w *world }

func (h logHandler) Enabled(_ context.Context, level slog.Level) bool {
	return h.w.trace.keep || level >= slog.LevelError
}

func (h logHandler) Handle(_ context.Context, r slog.Record) error {
	var b strings.Builder
	panicked := r.Message == "request.panic"
	r.Attrs(func(a slog.Attr) bool {
		text := a.Value.String()
		if a.Key == "stack" || a.Key == "duration_ms" {
			return true
		}
		panicked = panicked || a.Key == "error" && strings.HasPrefix(text, "panic:")
		fmt.Fprintf(&b, " %s=%.160s", a.Key, text)
		return true
	})
	if dead := h.w.current != nil && h.w.current.dead; panicked && !dead && !h.w.halted {
		h.w.violate(NoPanic, "%s%s", r.Message, b.String())
	}
	if h.w.trace.keep { // not in the hash: it must not depend on the trace being kept
		h.w.trace.lines = append(h.w.trace.lines, fmt.Sprintf("%15s %-14s   log %s%s",
			time.Since(h.w.start).Round(time.Microsecond), h.w.who(), r.Message, b.String()))
	}
	return nil
}

func (h logHandler) WithAttrs([]slog.Attr) slog.Handler { return h }
func (h logHandler) WithGroup(string) slog.Handler      { return h }
