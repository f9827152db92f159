package main

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"momoproxy/shared/delivery"
	"momoproxy/shared/ledger"
)

// clientView is a client as it may be seen.
type clientView struct {
	ID              string    `json:"id"`
	Name            string    `json:"name"`
	Active          bool      `json:"active"`
	CallbackURL     string    `json:"callbackUrl"`
	LegacySignature bool      `json:"legacySignature"`
	Accounts        []string  `json:"accounts,omitempty"` // none: all
	CreatedAt       time.Time `json:"createdAt"`
	// Only of client show.
	Keys []keyView `json:"keys,omitempty"`
	// Only while two secrets sign.
	OldSecretUntil time.Time `json:"oldSecretUntil,omitzero"`
	// Only of a client just made.
	APIKey        string `json:"apiKey,omitempty"`
	SigningSecret string `json:"signingSecret,omitempty"`
	// Only of a changed callback URL: held events that go to the new one.
	Released int `json:"released,omitempty"`
	// Why nothing is sent to the callback URL, if so.
	EndpointDisabled string `json:"endpointDisabled,omitempty"`
}

// keyView names an API key by its fingerprint, which tells nothing of it.
type keyView struct {
	Fingerprint string    `json:"fingerprint"`
	CreatedAt   time.Time `json:"createdAt,omitzero"`
	LastUsedAt  time.Time `json:"lastUsedAt,omitzero"`
	Until       time.Time `json:"until,omitzero"`
}

func (s *session) viewOf(c ledger.Client) clientView {
	v := clientView{
		ID: c.ID, Name: c.Name, Active: c.Active, CallbackURL: c.CallbackURL, LegacySignature: !c.NoLegacySignature, Accounts: c.Accounts, CreatedAt: c.CreatedAt,
	}
	if len(c.LiveSecrets(s.clock())) > 1 {
		v.OldSecretUntil = c.OldSecretUntil
	}
	return v
}

func (c cli) clientShow() *cobra.Command {
	return &cobra.Command{
		Use: "show ID", Short: "show a client",
		Long:              "Shows a client. Its secrets are not shown; API keys are named by their fingerprints.",
		Args:              takes(nil),
		ValidArgsFunction: c.firstIsClient,
		RunE: c.over(func(ctx context.Context, s *session, args []string) error {
			client, err := s.client(ctx, args[0])
			if err != nil {
				return err
			}
			return s.showClient(ctx, client, 0)
		}),
	}
}

func (s *session) showClient(ctx context.Context, c ledger.Client, released int) error {
	keys, err := s.ledger.Keys(ctx, c)
	if err != nil {
		return err
	}
	v := s.viewOf(c)
	v.Released = released
	if origin := delivery.Origin(c.CallbackURL); origin != "" {
		e, err := s.ledger.Endpoint(ctx, c.ID, origin, s.now())
		if err != nil {
			return err
		}
		if e.State == delivery.EndpointDisabled {
			v.EndpointDisabled = e.DisabledReason
		}
	}
	for _, k := range keys {
		if k.Until.IsZero() || s.clock().Before(k.Until) {
			v.Keys = append(v.Keys, keyView(k))
		}
	}
	return s.answer(v, func(t *text) {
		t.line("Client %s is %s", v.ID, activeWord(v.Active))
		t.line("  name          %s", v.Name)
		t.line("  callback URL  %s", orNone(v.CallbackURL))
		t.line("  created       %s", stamp(v.CreatedAt))
		for i, k := range v.Keys {
			head, until := "API key", ""
			if i > 0 {
				head, until = "old API key", ", until "+stamp(k.Until)
			}
			t.line("  %-12s  %s, last used %s%s", head, k.Fingerprint, lastUse(k.LastUsedAt), until)
		}
		if !v.OldSecretUntil.IsZero() {
			t.line("  old secret    signs until %s", stamp(v.OldSecretUntil))
		}
		if !v.LegacySignature {
			t.line("  callbacks     without X-MoMo-Proxy-Signature")
		}
		if len(v.Accounts) > 0 {
			t.line("  accounts      %s, no other", strings.Join(v.Accounts, ", "))
		}
		if v.Released > 0 {
			t.line("  released      %s to the new URL", plural(v.Released, "held event"))
		}
		if v.EndpointDisabled != "" {
			t.line("  DISABLED      nothing is sent there: %s; momoctl endpoint enable %s %s", v.EndpointDisabled, v.ID, v.CallbackURL)
		}
	})
}

// lastUse is to the hour, as it is kept.
func lastUse(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.UTC().Format("2006-01-02 15:04")
}

func activeWord(active bool) string {
	if active {
		return "active"
	}
	return "disabled"
}

type clientList struct {
	Clients []clientView `json:"clients"`
	Next    string       `json:"next,omitempty"`
}

func (c cli) clientList() *cobra.Command {
	var page pageFlags
	command := &cobra.Command{
		Use: "list", Short: "list all clients, oldest first",
		Long: "Lists all clients, oldest first. One whose secrets cannot be opened is listed as unreadable.",
		Args: takes(nil), PreRunE: func(*cobra.Command, []string) error { return page.check() },
		RunE: c.over(func(ctx context.Context, s *session, _ []string) error { return s.listClients(ctx, page) }),
	}
	page.add(command)
	return command
}

// unreadable stands for the name of a client whose record or secrets cannot
// be read.
const unreadable = "(unreadable)"

func (s *session) listClients(ctx context.Context, page pageFlags) error {
	list := clientList{Clients: []clientView{}, Next: page.after}
	for len(list.Clients) < page.limit {
		ids, err := s.ledger.ListClientIDs(ctx, ledger.Paging{Limit: min(page.limit-len(list.Clients), ledger.MaxListed), Cursor: list.Next})
		if err != nil {
			return badCursor("after", err)
		}
		for _, id := range ids.Items {
			c, err := s.ledger.Client(ctx, id)
			switch {
			case errors.Is(err, ledger.ErrNotFound): // the index lags
			case errors.Is(err, ledger.ErrCorrupt):
				list.Clients = append(list.Clients, clientView{ID: id, Name: unreadable})
			case err != nil:
				return err
			default:
				list.Clients = append(list.Clients, s.viewOf(c))
			}
		}
		if list.Next = ids.Next; ids.Next == "" {
			break
		}
	}
	err := s.answer(list, func(t *text) {
		rows := [][]string{{"CLIENT", "STATE", "CREATED", "NAME", "CALLBACK URL"}}
		for _, c := range list.Clients {
			rows = append(rows, []string{c.ID, activeWord(c.Active), short(c.CreatedAt), c.Name, orDash(c.CallbackURL)})
		}
		t.list("clients", rows)
	})
	if err == nil && !s.json {
		s.more(list.Next)
	}
	return err
}
