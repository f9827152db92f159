package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"momoproxy/shared/delivery"
	"momoproxy/shared/ledger"
)

type endpointView struct {
	ClientID       string    `json:"clientId"`
	Endpoint       string    `json:"endpoint"`
	State          string    `json:"state"`
	Failures       int       `json:"failures"`
	FailingSince   time.Time `json:"failingSince,omitzero"`
	OpenedAt       time.Time `json:"openedAt,omitzero"`
	Probes         int       `json:"probes"`
	ProbeAt        time.Time `json:"probeAt,omitzero"`
	DisabledAt     time.Time `json:"disabledAt,omitzero"`
	DisabledReason string    `json:"disabledReason,omitempty"`
	ClosedAt       time.Time `json:"closedAt,omitzero"`
}

func viewOfEndpoint(e delivery.Endpoint) endpointView {
	return endpointView{
		e.ClientID, e.Origin, string(e.State), e.Failures, e.FailingSince, e.OpenedAt, e.Probes, e.ProbeAt,
		e.DisabledAt, e.DisabledReason, e.ClosedAt,
	}
}

type endpointList struct {
	Endpoints []endpointView `json:"endpoints"`
}

func (c cli) endpointList() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "list the endpoints that are not well, of all clients",
		Long: `Lists the endpoints whose circuit is open or which are disabled; and apart from them those
that are well again and are being drained: what was held for them goes out little by
little. An endpoint is the origin of a callback URL: scheme, host and port.`,
		Args: takes(nil),
		RunE: c.over(func(ctx context.Context, s *session, _ []string) error { return s.listEndpoints(ctx) }),
	}
}

func (s *session) listEndpoints(ctx context.Context) error {
	var all []delivery.Endpoint
	for _, kind := range []ledger.AttentionKind{ledger.AttentionEndpoint, ledger.AttentionDisabled} {
		for cursor, more := "", true; more; more = cursor != "" {
			page, err := s.ledger.Inbox(ctx, ledger.InboxQuery{Kind: kind}, ledger.Paging{Limit: maxLimit, Cursor: cursor})
			if err != nil {
				return err
			}
			for _, a := range page.Items {
				e, err := s.ledger.Endpoint(ctx, a.ClientID, a.Endpoint, s.now())
				if err != nil {
					return err
				}
				if e.State != delivery.EndpointClosed {
					all = append(all, e)
				}
			}
			cursor = page.Next
		}
	}
	return s.answer(viewOfEndpoints(all), func(t *text) {
		unwell, draining := split(all, delivery.Endpoint.Blocked)
		if len(unwell) == 0 {
			t.line("Every endpoint is well.")
		} else {
			endpointTable(t, unwell)
		}
		if len(draining) > 0 {
			t.line("")
			t.line("Well again, and being sent what was held:")
			endpointTable(t, draining)
		}
	})
}

// split keeps the order.
func split(all []delivery.Endpoint, is func(delivery.Endpoint) bool) (yes, no []delivery.Endpoint) {
	for _, e := range all {
		if is(e) {
			yes = append(yes, e)
		} else {
			no = append(no, e)
		}
	}
	return yes, no
}

func (c cli) endpointShow() *cobra.Command {
	return &cobra.Command{
		Use: "show CLIENT", Short: "show how well a client's endpoints are",
		Long: `Shows each origin that the client's callbacks have ever failed at. One that has never
failed is not among them, and is well.`,
		Args: takes(nil), ValidArgsFunction: c.firstIsClient,
		RunE: c.over(func(ctx context.Context, s *session, args []string) error {
			if err := s.known(ctx, args[0]); err != nil {
				return err
			}
			all, err := s.ledger.Endpoints(ctx, args[0])
			if err != nil {
				return err
			}
			return s.showEndpoints(all)
		}),
	}
}

func (s *session) showEndpoints(all []delivery.Endpoint) error {
	return s.answer(viewOfEndpoints(all), func(t *text) { endpointTable(t, all) })
}

func viewOfEndpoints(all []delivery.Endpoint) endpointList {
	list := endpointList{Endpoints: []endpointView{}}
	for _, e := range all {
		list.Endpoints = append(list.Endpoints, viewOfEndpoint(e))
	}
	return list
}

func endpointTable(t *text, all []delivery.Endpoint) {
	rows := [][]string{{"CLIENT", "ENDPOINT", "STATE", "FAILURES", "FAILING SINCE", "NEXT PROBE"}}
	for _, e := range all {
		state, probe := string(e.State), "-"
		if e.DisabledReason != "" {
			state += " " + e.DisabledReason
		}
		if e.State == delivery.EndpointOpen {
			probe = short(e.ProbeAt)
		}
		rows = append(rows, []string{e.ClientID, e.Origin, state, fmt.Sprint(e.Failures), short(e.FailingSince), probe})
	}
	t.list("endpoints", rows)
}

func (c cli) endpointEnable() *cobra.Command {
	return c.endpointChange("enable", "let an endpoint be sent to again",
		`Lets an endpoint be sent to again, whatever it was blocked for. What was held for it goes
out little by little, oldest first, beginning with the next reconcile run. ENDPOINT is the
origin as endpoint show has it, or any callback URL of that origin.`,
		func(ctx context.Context, s *session, e delivery.Endpoint) (delivery.Endpoint, error) {
			return s.person().EnableEndpoint(ctx, e)
		})
}

func (c cli) endpointDisable() *cobra.Command {
	return c.endpointChange("disable", "send nothing to an endpoint until it is enabled",
		`Sends nothing to an endpoint until endpoint enable; its events are held, and none is
lost. Takes effect within 10 seconds.`,
		func(ctx context.Context, s *session, e delivery.Endpoint) (delivery.Endpoint, error) {
			return s.person().DisableEndpoint(ctx, e)
		})
}

// endpointChange makes a command that changes one endpoint.
func (c cli) endpointChange(word, short, long string, change func(context.Context, *session, delivery.Endpoint) (delivery.Endpoint, error)) *cobra.Command {
	return &cobra.Command{
		Use: word + " CLIENT ENDPOINT", Short: short, Long: long,
		Example: "  momoctl endpoint " + word + " cli_0a1b https://shop.example.com:443",
		Args: takes(func(args []string) error {
			if delivery.Origin(args[1]) == "" {
				return usageError(fmt.Sprintf("%q is not a URL", args[1]))
			}
			return nil
		}),
		ValidArgsFunction: c.firstIsClient,
		RunE: c.over(func(ctx context.Context, s *session, args []string) error {
			e, err := s.endpoint(ctx, args[0], delivery.Origin(args[1]))
			if err != nil {
				return err
			}
			if e, err = change(ctx, s, e); err != nil {
				return err
			}
			return s.showEndpoints([]delivery.Endpoint{e})
		}),
	}
}

// endpoint reads an endpoint that is known: the client's own, or one that has
// failed. A mistyped one must not look well.
func (s *session) endpoint(ctx context.Context, client, origin string) (delivery.Endpoint, error) {
	c, err := s.client(ctx, client)
	if err != nil && !errors.Is(err, ledger.ErrCorrupt) {
		return delivery.Endpoint{}, err
	}
	all, err := s.ledger.Endpoints(ctx, client)
	if err != nil {
		return delivery.Endpoint{}, err
	}
	for _, e := range all {
		if e.Origin == origin {
			return e, nil
		}
	}
	if delivery.Origin(c.CallbackURL) == origin {
		return s.ledger.Endpoint(ctx, client, origin, s.now())
	}
	return delivery.Endpoint{}, fmt.Errorf("endpoint %s of client %s is %w", origin, client, ledger.ErrNotFound)
}
