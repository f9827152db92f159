package httpapi

import (
	"context"
	"time"
)

// healthBody says "ok" or "unreachable" of each part.
type healthBody struct {
	Status  string `json:"status"`
	Version string `json:"version"`
	Table   string `json:"table"`
	Queue   string `json:"queue"`
}

// Health handles GET /health: 200 when table and queue answer, else 503.
func (a *API) Health() Handler {
	return a.guard("GET /health", func(ctx context.Context, _ Request) Response {
		ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
		defer cancel()
		body := healthBody{Status: "ok", Version: a.Version, Table: "ok", Queue: "ok"}
		status := 200
		check := func(part *string, name string, ask func(context.Context) error) {
			if err := ask(ctx); err != nil {
				a.Log.ErrorContext(ctx, "health.unreachable", "part", name, "error", err.Error())
				*part, body.Status, status = "unreachable", "unavailable", 503
			}
		}
		check(&body.Table, "table", a.TableCheck)
		check(&body.Queue, "queue", a.QueueCheck)
		return respond(status, body)
	})
}

// StatusAndHealth serves the two GET routes of the status function by the
// event's route key.
func (a *API) StatusAndHealth() Handler {
	status, health := a.Status(), a.Health()
	return func(ctx context.Context, r Request) (Response, error) {
		if r.RouteKey == "GET /health" {
			return health(ctx, r)
		}
		return status(ctx, r)
	}
}
