package telemetry

import "strings"

// Metric is a CloudWatch metric that is read off log lines: what happened is
// logged once, and no code reports it a second time. Its name becomes a member
// of the line beside the line's own attributes, which are lower_snake_case;
// so it is in CamelCase, and must not sound like a secret, or it is redacted.
type Metric struct {
	Name string
	Unit Unit
	// Line is the message of the lines it is read off.
	Line string
	// Value names the attribute that holds its value, a number or a bool.
	// Empty: each line counts as 1.
	Value string
	// By names the attributes whose values are its dimensions. CloudWatch
	// bills every combination of them as a metric of its own: only what our
	// code chooses from a short list may stand here, never an id and nothing
	// that an app or a stranger sends.
	By []string
	// Total publishes it without dimensions as well, for an alarm over all.
	Total bool
	// When must hold, every one of them, or the line says nothing about it…
	When []Condition
	// …or, with Share, says 0: its average is then the share of the lines
	// for which they hold.
	Share bool
}

// Unit is one of CloudWatch's words for a metric's unit.
type Unit string

// The units in use.
const (
	Count        Unit = "Count"
	Milliseconds Unit = "Milliseconds"
)

// Condition asks about one attribute of a line. Exactly one of Is, Not and
// Contains is set. An attribute that is missing is an empty text.
type Condition struct {
	Attribute string
	Is        string
	Not       string
	Contains  string
}

func (c Condition) holds(text string) bool {
	switch {
	case c.Is != "":
		return text == c.Is
	case c.Not != "":
		return text != c.Not
	default:
		return strings.Contains(text, c.Contains)
	}
}

// DimensionSets are the sets of dimensions that m is published under, as
// CloudWatch's format has them; the empty set is the total.
func (m Metric) DimensionSets() [][]string {
	switch {
	case len(m.By) == 0:
		return [][]string{{}}
	case m.Total:
		return [][]string{{}, m.By}
	}
	return [][]string{m.By}
}

// Metrics are all metrics there are. A name that stands here more than once
// is one metric that several lines have.
var Metrics = []Metric{
	// How long requests take, and by their number how many there are.
	{Name: "RequestMilliseconds", Unit: Milliseconds, Line: "request", Value: "duration_ms", By: []string{"route"}},

	// A panic never ends a process here, so Lambda counts no error for it.
	{Name: "Panics", Unit: Count, Line: "request.panic"},
	{Name: "Panics", Unit: Count, Line: "delivery.failed", When: []Condition{{Attribute: "error", Contains: "panic: "}}},
	{Name: "Panics", Unit: Count, Line: "reconcile.check_failed", When: []Condition{{Attribute: "error", Contains: "panic: "}}},

	{Name: "PaymentsEnded", Unit: Count, Line: "payment.ended", By: []string{"provider", "status"}},
	{Name: "PaymentsFailed", Unit: Count, Line: "payment.ended", When: []Condition{{Attribute: "status", Is: "FAILED"}}, Share: true},
	// A callback can be anybody's: nobody is woken for one. It is asked
	// about, and what the provider then says counts.
	{Name: "PaymentAnomalies", Unit: Count, Line: "payment.anomaly", When: []Condition{{Attribute: "source", Not: "callback"}}},
	{Name: "RefundAnomalies", Unit: Count, Line: "refund.anomaly"},
	{Name: "RefundAccountsMissing", Unit: Count, Line: "refund.account_missing"},
	{Name: "OrdersPaidTwice", Unit: Count, Line: "order.paid_twice"},
	{Name: "CallbacksUnmatched", Unit: Count, Line: "callback.unmatched", By: []string{"provider"}, Total: true},
	{Name: "CallbacksFailed", Unit: Count, Line: "callback.failed"},
	{Name: "RecordsLost", Unit: Count, Line: "audit.lost"},
	{Name: "RecordsLost", Unit: Count, Line: "payment.answer_not_stored"},

	{Name: "ProviderMilliseconds", Unit: Milliseconds, Line: "provider.asked", Value: "duration_ms", By: []string{"provider", "operation"}},
	{
		Name: "ProviderErrors", Unit: Count, Line: "provider.asked", By: []string{"provider"}, Total: true,
		When: []Condition{{Attribute: "verdict", Is: "nothing"}}, Share: true,
	},
	{Name: "CircuitsOpened", Unit: Count, Line: "breaker.opened"},
	{Name: "AccountsRefused", Unit: Count, Line: "provider.account"},
	{Name: "LoginsRefused", Unit: Count, Line: "provider.not_ready", When: []Condition{{Attribute: "error", Contains: "refused the credentials"}}},

	{Name: "Attempts", Unit: Count, Line: "delivery.attempted", By: []string{"reason"}},
	{Name: "AttemptMilliseconds", Unit: Milliseconds, Line: "delivery.attempted", Value: "duration_ms"},

	{Name: "DeliveriesExhausted", Unit: Count, Line: "delivery.exhausted"},
	// What is held for its endpoint goes on when that is back; anything else
	// waits for a person.
	{
		Name: "DeliveriesStopped", Unit: Count, Line: "delivery.held",
		When: []Condition{{Attribute: "reason", Not: "endpoint_open"}, {Attribute: "reason", Not: "endpoint_disabled"}, {Attribute: "reason", Not: "endpoint_gone"}},
	},
	{Name: "EndpointsFailing", Unit: Count, Line: "endpoint.failing"},
	{Name: "EndpointsOpened", Unit: Count, Line: "endpoint.opened"},
	{Name: "EndpointsOnTheWay", Unit: Count, Line: "endpoint.notice"},
	{Name: "EndpointsDisabled", Unit: Count, Line: "endpoint.disabled"},
	{Name: "EndpointsRecovered", Unit: Count, Line: "endpoint.recovered"},
	{Name: "OpenEndpoints", Unit: Count, Line: "sweep", Value: "open"},

	// A run always says both; when nothing says them the reconciler is dead.
	{Name: "ReconcileLagMilliseconds", Unit: Milliseconds, Line: "reconcile", Value: "oldest_due_ms"},
	{Name: "ChecksUnanswered", Unit: Count, Line: "reconcile", Value: "unanswered"},
	{Name: "ChecksPutOff", Unit: Count, Line: "reconcile", Value: "put_off"},

	// How much stands where.
	{Name: "OpenPayments", Unit: Count, Line: "backlog", Value: "open_payments"},
	{Name: "UnknownPayments", Unit: Count, Line: "backlog", Value: "unknown_payments"},
	{Name: "OldestUnknownMilliseconds", Unit: Milliseconds, Line: "backlog", Value: "oldest_unknown_ms"},
	{Name: "UnknownRefunds", Unit: Count, Line: "backlog", Value: "unknown_refunds"},
	{Name: "OldestUnknownRefundMilliseconds", Unit: Milliseconds, Line: "backlog", Value: "oldest_unknown_refund_ms"},
	{Name: "DueDeliveries", Unit: Count, Line: "backlog", Value: "due_deliveries"},
	{Name: "OldestUndeliveredMilliseconds", Unit: Milliseconds, Line: "backlog", Value: "oldest_undelivered_ms"},
	{Name: "OldestOverdueMilliseconds", Unit: Milliseconds, Line: "backlog", Value: "oldest_overdue_ms"},
	{Name: "HeldDeliveries", Unit: Count, Line: "backlog", Value: "held_deliveries"},
	{Name: "OldestHeldMilliseconds", Unit: Milliseconds, Line: "backlog", Value: "oldest_held_ms"},
	{Name: "ExhaustedDeliveries", Unit: Count, Line: "backlog", Value: "exhausted_deliveries"},
	{Name: "DisabledEndpoints", Unit: Count, Line: "backlog", Value: "disabled_endpoints"},
	{Name: "CircuitOpen", Unit: Count, Line: "backlog.provider", Value: "circuit_open", By: []string{"provider"}, Total: true},
}

var metricsOf = byLine(Metrics)

func byLine(all []Metric) map[string][]Metric {
	lines := map[string][]Metric{}
	for _, m := range all {
		lines[m.Line] = append(lines[m.Line], m)
	}
	return lines
}
