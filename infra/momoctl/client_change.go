package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"momoproxy/shared/ledger"
)

func (c cli) clientDisable() *cobra.Command {
	return c.activation("disable", false, "refuse a client's requests from now on",
		`Refuses a client's requests. Takes effect within 10 seconds. Its open payments go on,
and what becomes of them is still delivered.`)
}

func (c cli) clientEnable() *cobra.Command {
	return c.activation("enable", true, "let a client's requests in again",
		"Lets a client's requests in again. Takes effect within 10 seconds.")
}

func (c cli) activation(word string, active bool, short, long string) *cobra.Command {
	return &cobra.Command{
		Use: word + " ID", Short: short, Long: long, Args: takes(nil), ValidArgsFunction: c.firstIsClient,
		RunE: c.over(func(ctx context.Context, s *session, args []string) error {
			client, err := s.client(ctx, args[0])
			if err != nil {
				return err
			}
			if err := s.ledger.ChangeClient(ctx, client, ledger.ClientChange{Active: new(active)}); err != nil {
				return err
			}
			client.Active = active
			return s.showClient(ctx, client, 0)
		}),
	}
}

func (c cli) clientSetCallbackURL() *cobra.Command {
	return &cobra.Command{
		Use: "set-callback-url ID URL", Short: "change where a client's callbacks go",
		Long: `Changes where a client's callbacks go. Takes effect within 10 seconds, for what is still
to be delivered too. An empty URL ("") leaves it without one. Deliveries that are held
for the old address, or for want of one, are due at the new one then, oldest first; those
whose payment has a callback URL of its own are not.`,
		Example:           `  momoctl client set-callback-url cli_0a1b https://shop.example.com/momo`,
		Args:              takes(nil),
		ValidArgsFunction: c.firstIsClient,
		RunE: c.over(func(ctx context.Context, s *session, args []string) error {
			url := args[1]
			if url != "" {
				if err := s.checkURL(url); err != nil {
					return err
				}
			}
			client, err := s.client(ctx, args[0])
			if err != nil {
				return err
			}
			if err := s.ledger.ChangeClient(ctx, client, ledger.ClientChange{CallbackURL: new(url)}); err != nil {
				return err
			}
			old := client.CallbackURL
			client.CallbackURL = url
			released, err := s.releaseMoved(ctx, client, old)
			if err != nil {
				return fmt.Errorf("callbacks go to the new URL, and %s released; release the rest with momoctl delivery replay --client %s --status held: %w", plural(released, "held event"), client.ID, err)
			}
			return s.showClient(ctx, client, released)
		}),
	}
}

type resealView struct {
	Clients    int      `json:"clients"`
	Resealed   int      `json:"resealed"`
	Unreadable []string `json:"unreadable,omitempty"`
}

func (c cli) clientReseal() *cobra.Command {
	var yes bool
	command := &cobra.Command{
		Use: "reseal", Short: "seal every client's secrets under the newest sealing key",
		Long: `Seals the keys and secrets of every client anew under the newest sealing key, where an
older one was used. When it has been through, the older sealing keys can go. It can be
repeated, and interrupted, at any time.

Every function must know the newest sealing key first: one that has not read it yet
could open none of the clients that this has been through.`,
		Args: takes(nil),
		RunE: c.over(func(ctx context.Context, s *session, _ []string) error { return s.reseal(ctx, yes) }),
	}
	yesFlag(command, &yes)
	return command
}

func (s *session) reseal(ctx context.Context, yes bool) error {
	if !yes {
		if err := s.confirm(func(t *text) {
			t.line("Every client is sealed under the newest sealing key. A function that does not know that key yet can")
			t.line("then open none of them: its requests get 500. Has every function been deployed since it was stored?")
		}); err != nil {
			return err
		}
	}
	var v resealView
	for cursor := ""; ; {
		ids, err := s.ledger.ListClientIDs(ctx, ledger.Paging{Limit: ledger.MaxListed, Cursor: cursor})
		if err != nil {
			return err
		}
		for _, id := range ids.Items {
			done, err := s.ledger.ResealClient(ctx, id)
			switch {
			case errors.Is(err, ledger.ErrNotFound):
				continue
			case errors.Is(err, ledger.ErrStale): // whoever changed it has sealed it anew
			case errors.Is(err, ledger.ErrCorrupt):
				v.Unreadable = append(v.Unreadable, id)
			case err != nil:
				return fmt.Errorf("client %s, after %d: %w", id, v.Clients, err)
			}
			v.Clients++
			if done {
				v.Resealed++
			}
		}
		if cursor = ids.Next; ids.Next == "" {
			break
		}
	}
	if err := s.answer(v, func(t *text) {
		t.line("%s looked at, %d sealed anew.", plural(v.Clients, "client"), v.Resealed)
		for _, id := range v.Unreadable {
			t.line("  %s cannot be opened with any of the sealing keys", id)
		}
	}); err != nil {
		return err
	}
	if n := len(v.Unreadable); n > 0 {
		return fmt.Errorf("%s could not be opened; keep the older sealing keys", plural(n, "client"))
	}
	return nil
}
