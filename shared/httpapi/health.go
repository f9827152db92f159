package httpapi

import (
	"context"
	"time"

	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
)

// healthBody says of each part whether it is "ok". When one is not, it is an
// error answer too.
type healthBody struct {
	Error       string `json:"error,omitempty"`
	Code        string `json:"code,omitempty"`
	Status      string `json:"status"`
	Version     string `json:"version"`
	Table       string `json:"table"`
	Queue       string `json:"queue"`
	Reconciler  string `json:"reconciler"`
	HeartbeatAt string `json:"heartbeatAt,omitempty"`
}

// maxSilence is how old the reconciler's heartbeat, one a minute, may be. It
// is also how long a process waits for the first one of a new deployment.
const maxSilence = 3 * time.Minute

// fail keeps the first fault as the answer's error.
func (b *healthBody) fail(code, sentence string) {
	b.Status = "unavailable"
	if b.Code == "" {
		b.Code, b.Error = code, sentence
	}
}

// Health handles what anybody may call: /health, /openapi.json, and what no
// route takes.
type Health struct {
	*Base
	Ledger  *ledger.Ledger
	Version string
	// QueueCheck says whether the queue answers.
	QueueCheck func(context.Context) error
}

// Handler serves the routes of the health function by the event's route key.
func (h *Health) Handler() Handler {
	health, document, unknown := h.health(), h.document(), h.UnknownRoute()
	return func(ctx context.Context, r Request) (Response, error) {
		switch r.RouteKey {
		case DefaultRoute:
			return unknown(ctx, r)
		case "GET /openapi.json":
			return document(ctx, r)
		}
		return health(ctx, r)
	}
}

// health handles GET and HEAD of /health: 200 when the table answers, the
// queue answers and the reconciler's heartbeat is fresh, else 503. The
// heartbeat is a write: a full disk, or a table that takes no writes, shows.
func (h *Health) health() Handler {
	since := h.Now()
	return h.guard("GET /health", func(ctx context.Context, _ Request) Response {
		ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
		defer cancel()
		body := healthBody{Status: "ok", Version: h.Version, Table: "ok", Queue: "ok", Reconciler: "ok"}
		if beat, err := h.Ledger.Heartbeat(ctx); err != nil {
			h.Log.ErrorContext(ctx, "health.unreachable", "part", "table", "error", err.Error())
			body.Table, body.Reconciler = "unreachable", "unknown"
			body.fail("table_unreachable", "The table does not answer.")
		} else {
			body.judge(beat, since, h.Now())
		}
		if err := h.QueueCheck(ctx); err != nil {
			h.Log.ErrorContext(ctx, "health.unreachable", "part", "queue", "error", err.Error())
			body.Queue = "unreachable"
			body.fail("queue_unreachable", "The queue does not answer.")
		}
		if body.Code == "reconciler_silent" {
			h.Log.ErrorContext(ctx, "health.reconciler_silent", "heartbeat_at", body.HeartbeatAt)
		}
		if body.Status != "ok" {
			return respond(503, body)
		}
		return respond(200, body)
	})
}

// judge says what a heartbeat, zero for none ever, tells at a time. A new
// deployment has none in its first minutes: since is when this process began
// to wait for it.
func (b *healthBody) judge(beat, since, now time.Time) {
	if beat.IsZero() {
		b.Reconciler = "not_yet"
		if now.Sub(since) > maxSilence {
			b.Reconciler = "silent"
			b.fail("reconciler_silent", "The reconciler has never run, or cannot store that it did: see the log for reconcile and heartbeat.failed.")
		}
		return
	}
	b.HeartbeatAt = payment.Timestamp(beat)
	if now.Sub(beat).Abs() > maxSilence { // a clock that ran ahead hides no silence
		b.Reconciler = "silent"
		b.fail("reconciler_silent", "The reconciler has not run for over three minutes, or cannot store that it did: see the log for reconcile and heartbeat.failed.")
	}
}
