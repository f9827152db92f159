package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"momoproxy/shared/ledger"
)

// statusView is the state of the whole system. Ages are in whole seconds and
// left out where there is nothing to be old.
type statusView struct {
	At time.Time `json:"at"`
	// Of a deployed stack: accepted or stopped.
	NewPayments string         `json:"newPayments,omitempty"`
	Truncated   bool           `json:"truncated"` // counts are lower bounds
	Payments    paymentCounts  `json:"payments"`
	Delivery    deliveryCounts `json:"deliveries"`
	Endpoints   int            `json:"endpointsUnwell"`
	Queue       queueCounts    `json:"queue"`
	Providers   []circuitView  `json:"providers"`
}

type paymentCounts struct {
	Open          int   `json:"open"`
	Waiting       int   `json:"attention"`
	OldestWaiting int64 `json:"oldestAttentionSeconds,omitempty"`
}

type deliveryCounts struct {
	Due               int   `json:"due"`
	OldestUndelivered int64 `json:"oldestUndeliveredSeconds,omitempty"`
	OldestOverdue     int64 `json:"oldestOverdueSeconds,omitempty"`
	Held              int   `json:"held"`
	OldestHeld        int64 `json:"oldestHeldSeconds,omitempty"`
	Exhausted         int   `json:"exhausted"`
}

type queueCounts struct {
	Waiting int `json:"waiting"`
	Dead    int `json:"dead"`
}

// circuitView is a provider's circuit: open while it leaves requests to pay
// unanswered. OpenFor is the one app that it keeps out; empty: all of them.
type circuitView struct {
	Provider string    `json:"provider"`
	Circuit  string    `json:"circuit"`
	OpenFor  string    `json:"openFor,omitempty"`
	Failures int       `json:"failures"`
	ProbeAt  time.Time `json:"probeAt,omitzero"`
}

func (c cli) status() *cobra.Command {
	return &cobra.Command{
		Use: "status", Short: "one screen: what waits, what is stuck, who is down",
		Long: `Shows on one screen how much waits and for how long, what is stuck, and which providers
and endpoints are down. It reads index entries only, at most 70 pages of them. An endpoint
that is being drained counts as not well.`,
		Args: takes(nil),
		RunE: c.over(func(ctx context.Context, s *session, _ []string) error { return s.showStatus(ctx) }),
	}
}

func (s *session) showStatus(ctx context.Context) error {
	now := s.clock()
	c, err := s.ledger.Backlog(ctx, now)
	if err != nil {
		return err
	}
	v := statusView{
		At: now, Truncated: c.Truncated,
		Payments: paymentCounts{c.OpenPayments, c.UnknownPayments, seconds(c.OldestUnknown)},
		Delivery: deliveryCounts{
			c.DueDeliveries, seconds(c.OldestUndelivered), seconds(c.OldestOverdue),
			c.HeldDeliveries, seconds(c.OldestHeld), c.ExhaustedDeliveries,
		},
	}
	v.Endpoints = c.OpenEndpoints + c.DisabledEndpoints
	if v.Queue.Waiting, v.Queue.Dead, err = s.queue.Depth(ctx); err != nil {
		return err
	}
	for _, p := range offline() {
		h, err := s.ledger.FreshHealth(ctx, p.Capabilities().Name)
		if err != nil {
			return err
		}
		v.Providers = append(v.Providers, viewOfCircuit(h))
	}
	if s.stack != nil {
		entrance, err := s.stack.newPayments(ctx)
		if err != nil {
			return err
		}
		v.NewPayments = entrance.NewPayments
	}
	return s.answer(v, func(t *text) { describeStatus(t, v, c) })
}

func viewOfCircuit(h ledger.Health) circuitView {
	v := circuitView{Provider: h.Provider, Circuit: "closed", OpenFor: h.OpenFor, Failures: h.Failures(), ProbeAt: h.ProbeAt()}
	if h.Open() {
		v.Circuit = "open"
	}
	return v
}

func seconds(d time.Duration) int64 { return int64(d / time.Second) }

func describeStatus(t *text, v statusView, c *ledger.Backlog) {
	t.line("At %s UTC", short(v.At))
	if v.NewPayments == newPaymentsStopped {
		t.line("NEW PAYMENTS ARE STOPPED: apps get 503. momoctl start ends that.")
	}
	if v.Truncated {
		t.line("There is more than is counted here: the counts are lower bounds.")
	}
	t.line("")
	rows := [][]string{{"WHAT", "COUNT", "OLDEST", "SEE"}}
	row := func(what string, n int, oldest time.Duration, see string) {
		age := "-"
		if n > 0 && oldest > 0 {
			age = ago(oldest)
		}
		if n == 0 {
			see = ""
		}
		rows = append(rows, []string{what, fmt.Sprint(n), age, see})
	}
	row("payments open", v.Payments.Open, 0, "")
	row("payments held or unknown", v.Payments.Waiting, c.OldestUnknown, "payment list --attention")
	row("deliveries due", v.Delivery.Due, c.OldestUndelivered, "")
	row("deliveries held", v.Delivery.Held, c.OldestHeld, "delivery list --status held")
	row("deliveries exhausted", v.Delivery.Exhausted, 0, "delivery list --status exhausted")
	row("endpoints not well", v.Endpoints, 0, "endpoint list")
	row("doorbells waiting", v.Queue.Waiting, 0, "")
	row("dead letters", v.Queue.Dead, 0, "dlq show")
	t.table(rows...)
	if c.OldestOverdue > time.Minute {
		t.line("")
		t.line("The most overdue attempt should have been made %s ago: the forwarder does not keep up.", ago(c.OldestOverdue))
	}
	t.line("")
	rows = [][]string{{"PROVIDER", "CIRCUIT", "FAILURES", "NEXT PROBE"}}
	for _, p := range v.Providers {
		circuit := p.Circuit
		if p.OpenFor != "" {
			circuit += " for " + p.OpenFor
		}
		rows = append(rows, []string{p.Provider, circuit, fmt.Sprint(p.Failures), short(p.ProbeAt)})
	}
	t.table(rows...)
}
