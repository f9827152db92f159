package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"momoproxy/infra/console"
	"momoproxy/infra/standin"
	"momoproxy/infra/standin/core"
	mtnstand "momoproxy/infra/standin/mtn"
)

// trigger is a payment that ends in the event it is named after.
type trigger struct {
	order func() core.Order
	says  string
	// before is done first, after when the payment has been accepted.
	before func(*playground) error
	after  func(*playground) error
}

// repeatedPayer is a number that is nobody else's.
const repeatedPayer = "26876123457"

// plan is a payer with a script of MTN's stand-in.
func plan(script string) func() core.Order {
	return func() core.Order {
		return core.Order{Provider: mtnstand.Name, Payer: mtnstand.Payer(script), Amount: "150.00"}
	}
}

// invoiced is a payment of the first provider that makes invoices.
func invoiced() (o core.Order) {
	for _, kind := range standin.All() {
		if o = kind.Profile().Invoiced; o.Amount != "" {
			break
		}
	}
	return o
}

var scenarios = map[string]trigger{
	"payment.successful": {order: plan(mtnstand.ScriptSuccess), says: "The payer approves in a second."},
	"payment.failed":     {order: plan("failed_approval_rejected"), says: "The payer declines in a second."},
	"payment.timeout": {
		order: plan(mtnstand.ScriptPending), says: "Nobody ends it, and the clock has moved on by 25 hours.",
		after: func(p *playground) error { return p.Forward(25 * time.Hour) },
	},
	"payment.held":    {order: plan("status_wrong_amount"), says: "The status names another amount: an operator has to decide."},
	"answer.lost":     {order: plan("reset_after"), says: "The answer to the request is lost, and the payer is charged: the proxy has to ask."},
	"callback.lost":   {order: plan("callback_lost"), says: "No callback comes: the proxy has to ask."},
	"callback.forged": {order: plan("callback_forged"), says: "Somebody else says SUCCESSFUL, and the payer declines."},
	"callback.repeated": {
		order: func() core.Order { return core.Order{Provider: mtnstand.Name, Payer: repeatedPayer, Amount: "150.00"} },
		says:  "The callback comes twice.",
		before: func(p *playground) error {
			return p.standins.byProvider[mtnstand.Name].AddRule(core.Rule{Route: core.RouteCallback, Fault: core.Repeated, Times: 1, Match: core.Match{Payer: repeatedPayer}})
		},
	},
	"invoice.created": {order: invoiced, says: "It is paid in a second, and the invoice follows."},
}

func triggerNames() []string { return slices.Sorted(maps.Keys(scenarios)) }

// Trigger starts a payment that ends in the event named.
func (p *playground) Trigger(ctx context.Context, event string) (console.Triggered, error) {
	t, ok := scenarios[event]
	if !ok {
		return console.Triggered{}, console.Refuse(fmt.Sprintf("There is no trigger %q. There are: %s.", event, strings.Join(triggerNames(), ", ")))
	}
	order := t.order()
	if standin, _ := p.Standin(order.Provider); !standin {
		return console.Triggered{}, console.Refuse("This needs the stand-in of " + order.Provider + ", and an account of its own is configured.")
	}
	if t.before != nil {
		if err := t.before(p); err != nil {
			return console.Triggered{}, err
		}
	}
	body := order.Body("TRIGGER-"+strings.ToUpper(strconv.FormatInt(p.clock.Now().UnixMicro(), 36)), nil)
	code, answer, err := p.Pay(ctx, body)
	if err != nil {
		return console.Triggered{}, err
	}
	var accepted struct {
		ReferenceID string `json:"referenceId"`
	}
	if err := json.Unmarshal(answer, &accepted); err != nil || accepted.ReferenceID == "" {
		return console.Triggered{}, console.Refuse(fmt.Sprintf("The API answered %d: %s", code, answer))
	}
	if t.after != nil {
		if err := t.after(p); err != nil {
			return console.Triggered{}, err
		}
	}
	return console.Triggered{Reference: accepted.ReferenceID, Text: t.says}, nil
}
