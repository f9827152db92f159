package core

import (
	"encoding/json"
	"fmt"
	"maps"
	"time"
)

// Profile is what a tool that pays through the product has to know of a
// provider, so that the tool itself names none.
type Profile struct {
	// Demo is paid after Approve.
	Demo Order
	// Invoiced is paid likewise, and gets an invoice; without an amount: the
	// provider makes none.
	Invoiced Order
	// Offered are the ways to go that a person is offered.
	Offered []Order
	// Load is what a load test asks for; Share is its part of all payments, in
	// percent.
	Load  []Way
	Share int
	// Troubles are the rules that a load test adds. None of them leaves a
	// payment to an operator.
	Troubles []Rule
	// NoDecline are the methods whose payments nobody can decline.
	NoDecline []string
	// Nameless: the provider gets no reference of ours. It cannot tell a
	// repeated request from a new one, and its books know a payment by its
	// amount alone.
	Nameless bool
	// Unaskable says whether an open payment may stay open: nobody can ask the
	// provider what became of it. nil: none may.
	Unaskable func(Open) bool
}

// Order is a payment as an app asks for it.
type Order struct {
	Name     string // for people
	Provider string
	Method   string
	Payer    string // empty: none is named
	Amount   string // major units
}

// Way is one way to pay, as a load test uses it: an order is of one of Payers,
// if there are any, and of an amount with one of Cents. Both choose scripts,
// and what stands twice is drawn twice as often.
type Way struct {
	Method string
	Payers []string
	Cents  []int
}

// Order is an order of a payer and of cents by their places in the lists,
// those below zero from the end; the cents are those of 150.
func (w Way) Order(provider string, payer, cents int) Order {
	place := func(i, n int) int { return (i + n) % n }
	o := Order{Provider: provider, Method: w.Method, Amount: fmt.Sprintf("150.%02d", w.Cents[place(cents, len(w.Cents))])}
	if len(w.Payers) > 0 {
		o.Payer = w.Payers[place(payer, len(w.Payers))]
	}
	return o
}

// Body is that of a POST /request-to-pay, with what else the caller sets.
func (o Order) Body(externalID string, more map[string]any) []byte {
	fields := map[string]any{"externalId": externalID, "provider": o.Provider, "amount": o.Amount}
	if o.Method != "" {
		fields["method"] = o.Method
	}
	if o.Payer != "" {
		fields["payer"] = map[string]string{"partyIdType": "MSISDN", "partyId": o.Payer}
	}
	maps.Copy(fields, more)
	body, err := json.Marshal(fields)
	if err != nil {
		panic(fmt.Sprintf("an order of plain values: %v", err))
	}
	return body
}

// Open is what the product knows of an open payment, and Made how often the
// provider made it.
type Open struct {
	Method       string
	IDs          map[string]string // the provider's own
	Unanswerable bool
	Age          time.Duration
	Made         int
}

// RulesOf makes a rule of each fault of a route, and one that answers late.
func RulesOf(route string, faults ...Fault) []Rule {
	all := []Rule{{Route: route, DelayMs: 2000}}
	for _, f := range faults {
		all = append(all, Rule{Route: route, Fault: f})
	}
	return all
}
