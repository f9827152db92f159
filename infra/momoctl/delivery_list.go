package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"momoproxy/shared/delivery"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
)

var (
	stateWords = []string{
		string(delivery.Waiting), string(delivery.Due), string(delivery.Delivered),
		string(delivery.Exhausted), string(delivery.Held),
	}
	attentionStates = []string{string(delivery.Held), string(delivery.Exhausted)}
)

type deliveryList struct {
	Deliveries []deliveryView `json:"deliveries"`
	Next       string         `json:"next,omitempty"`
}

// selection is which deliveries are meant, as given.
type selection struct {
	client string
	states []string
	events []string
	window window
}

func (sel *selection) add(c cli, command *cobra.Command, states []string) {
	f := command.Flags()
	f.StringVar(&sel.client, "client", "", "of the client with this `id`")
	f.StringSliceVar(&sel.states, "status", states, "in one of these `states`, by commas: "+strings.Join(stateWords, ", "))
	f.StringSliceVar(&sel.events, "event", nil, "of one of these `events`, by commas, as payment.successful")
	sel.window.add(command, "of events that came about")
	completeFlag(command, "client", c.clientIDs)
	completeFlag(command, "status", fixed(stateWords))
}

// filter checks the flags and makes the ledger's filter of them.
func (sel *selection) filter(c cli) (ledger.DeliveryFilter, error) {
	since, until, err := sel.window.read(c.now())
	if err != nil {
		return ledger.DeliveryFilter{}, err
	}
	f := ledger.DeliveryFilter{ClientID: sel.client, From: since, To: until}
	for _, word := range sel.states {
		if err := oneOf("status", word, stateWords); err != nil {
			return f, err
		}
		f.States = append(f.States, delivery.State(word))
	}
	for _, word := range sel.events {
		f.Events = append(f.Events, payment.Event(word))
	}
	return f, nil
}

// walk makes the walk of a filter.
func (s *session) walk(f ledger.DeliveryFilter) walker[delivery.Delivery] {
	return walker[delivery.Delivery]{
		session: s, client: f.ClientID, one: f.Indexed(),
		fetch: func(ctx context.Context, client string, p ledger.Paging) (ledger.Page[delivery.Delivery], error) {
			f.ClientID = client
			return s.ledger.ListDeliveries(ctx, f, p)
		},
	}
}

func (c cli) deliveryList() *cobra.Command {
	var sel selection
	var page pageFlags
	var attention bool
	command := &cobra.Command{
		Use: "list", Short: "list deliveries",
		Long: `Lists deliveries, each the announcement of one event. With --attention those that do not
go on by themselves, or not before their endpoint is well: held and exhausted, of all
clients. The events of one payment are listed together, though that exceed the limit.`,
		Example: `  momoctl delivery list --attention
  momoctl delivery list --client cli_0a1b --status due,waiting`,
		Args: takes(nil),
		PreRunE: func(*cobra.Command, []string) error {
			if attention && len(sel.states) > 0 {
				return usageError("--attention is --status " + strings.Join(attentionStates, ","))
			}
			if attention {
				sel.states = attentionStates
			}
			if _, err := sel.filter(c); err != nil {
				return err
			}
			return page.check()
		},
		RunE: c.over(func(ctx context.Context, s *session, _ []string) error { return s.listDeliveries(ctx, sel, page) }),
	}
	sel.add(c, command, nil)
	command.Flags().BoolVar(&attention, "attention", false, "that are held or exhausted")
	page.add(command)
	return command
}

func (s *session) listDeliveries(ctx context.Context, sel selection, page pageFlags) error {
	f, err := sel.filter(s.cli)
	if err != nil {
		return err
	}
	if sel.client != "" {
		if err := s.known(ctx, sel.client); err != nil {
			return err
		}
	}
	found, next, err := s.walk(f).collect(ctx, page)
	if err != nil {
		return badCursor("after", err)
	}
	list := deliveryList{Deliveries: []deliveryView{}, Next: next}
	for _, d := range found {
		list.Deliveries = append(list.Deliveries, viewOfDelivery(d, false))
	}
	err = s.answer(list, func(t *text) {
		rows := [][]string{{"REFERENCE", "SEQ", "EVENT", "CAME ABOUT", "CLIENT", "STATE", "ATTEMPTS", "LAST ANSWER"}}
		for _, d := range found {
			state := string(d.State)
			if d.HeldReason != "" {
				state += " " + d.HeldReason
			}
			rows = append(rows, []string{
				d.Reference, fmt.Sprint(d.Sequence), string(d.Event), short(d.CreatedAt), d.ClientID, state, fmt.Sprint(d.Claims), lastAnswer(d),
			})
		}
		t.list("deliveries", rows)
	})
	if err == nil && !s.json {
		s.more(next)
	}
	return err
}

func lastAnswer(d delivery.Delivery) string {
	switch {
	case d.Last().Error != "":
		return d.Last().Error
	case d.Last().Code != 0:
		return fmt.Sprint(d.Last().Code)
	}
	return "-"
}
