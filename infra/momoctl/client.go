package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strings"
	"time"

	"momoproxy/shared/ledger"
	"momoproxy/shared/webhook"
)

// maxName bounds a client's name, in bytes.
const maxName = 100

var clientCreate = &command{
	name: "client create", short: "make a client with its API key and signing secret",
	long: `Prints the API key and the signing secret once; neither can be shown again.
Payments without a callbackUrl of their own are announced to the callback URL.`,
	flags: func(f *flag.FlagSet, c *call) {
		f.StringVar(&c.name, "name", "", "`name` of the app, for people; required")
		f.StringVar(&c.callbackURL, "callback-url", "", "`url` that its callbacks go to")
	},
	check: func(c *call) error {
		if c.name = strings.TrimSpace(c.name); c.name == "" || len(c.name) > maxName || printable(c.name) != c.name {
			return usageError(fmt.Sprintf("--name must be given: one line of at most %d bytes", maxName))
		}
		return nil
	},
	run: createClient,
}

var clientShow = &command{
	name: "client show", args: []string{"ID"}, short: "show a client",
	long: "Its secrets are not shown.",
	run: func(ctx context.Context, s *session) error {
		c, err := s.client(ctx)
		if err != nil {
			return err
		}
		return s.showClient(c)
	},
}

var clientDisable = &command{
	name: "client disable", args: []string{"ID"}, short: "refuse a client's requests from now on",
	long: `Takes effect within 10 seconds. Its open payments go on, and what becomes of them
is still delivered.`,
	run: func(ctx context.Context, s *session) error { return s.activate(ctx, false) },
}

var clientEnable = &command{
	name: "client enable", args: []string{"ID"}, short: "let a client's requests in again",
	long: "Takes effect within 10 seconds.",
	run:  func(ctx context.Context, s *session) error { return s.activate(ctx, true) },
}

var clientSetCallbackURL = &command{
	name: "client set-callback-url", args: []string{"ID", "URL"}, short: "change where a client's callbacks go",
	long: `Takes effect within 10 seconds, for what is still to be delivered too. An empty
URL ("") leaves it without one. Deliveries that are held stay so: see delivery resend.`,
	run: func(ctx context.Context, s *session) error {
		url := s.args[1]
		if url != "" {
			if err := s.checkURL(url); err != nil {
				return err
			}
		}
		c, err := s.client(ctx)
		if err != nil {
			return err
		}
		if err := s.ledger.SetCallbackURL(ctx, c, url); err != nil {
			return err
		}
		c.CallbackURL = url
		return s.showClient(c)
	},
}

// clientView is a client as it may be seen.
type clientView struct {
	ID          string    `json:"id"`
	Name        string    `json:"name"`
	Active      bool      `json:"active"`
	CallbackURL string    `json:"callbackUrl"`
	CreatedAt   time.Time `json:"createdAt"`
	// Only of a client just made.
	APIKey        string `json:"apiKey,omitempty"`
	SigningSecret string `json:"signingSecret,omitempty"`
}

func viewOf(c ledger.Client) clientView {
	return clientView{ID: c.ID, Name: c.Name, Active: c.Active, CallbackURL: c.CallbackURL, CreatedAt: c.CreatedAt}
}

func createClient(ctx context.Context, s *session) error {
	if s.callbackURL != "" {
		if err := s.checkURL(s.callbackURL); err != nil {
			return err
		}
	}
	secret, err := webhook.NewSecret(s.random)
	if err != nil {
		return err
	}
	c, err := s.ledger.CreateClient(ctx, ledger.Client{
		ID: ledger.NewClientID(s.random), Name: s.name, CallbackURL: s.callbackURL, Active: true, CreatedAt: s.clock(),
		APIKey: ledger.NewAPIKey(s.random), SigningSecrets: []string{secret.Reveal()},
	})
	if err != nil {
		return err
	}
	view := viewOf(c)
	view.APIKey, view.SigningSecret = c.APIKey, secret.Reveal()
	if err := s.showNewClient(view); err != nil {
		return fmt.Errorf("client %s was made, but its secrets could not be shown: disable it and make another (%w)", c.ID, err)
	}
	return nil
}

func (s *session) showNewClient(v clientView) error {
	if s.json {
		return s.printJSON(v)
	}
	t := &text{}
	t.line("Client %s (%s) is made.", v.ID, v.Name)
	t.line("")
	t.line("  API key         %s", v.APIKey)
	t.line("  signing secret  %s", v.SigningSecret)
	t.line("  callback URL    %s", orNone(v.CallbackURL))
	t.line("")
	t.line("Key and secret are shown this once. The app sends the key as X-Proxy-Api-Key with each request, and")
	t.line("verifies each callback's webhook-signature with the secret, by any Standard Webhooks library.")
	if v.CallbackURL == "" {
		t.line("Its requests must name a callbackUrl, until \"momoctl client set-callback-url %s URL\" sets one.", v.ID)
	}
	return s.print(t)
}

func (s *session) showClient(c ledger.Client) error {
	v := viewOf(c)
	if s.json {
		return s.printJSON(v)
	}
	state := "disabled"
	if v.Active {
		state = "active"
	}
	t := &text{}
	t.line("Client %s is %s", v.ID, state)
	t.line("  name          %s", v.Name)
	t.line("  callback URL  %s", orNone(v.CallbackURL))
	t.line("  created       %s", stamp(v.CreatedAt))
	return s.print(t)
}

func (s *session) activate(ctx context.Context, active bool) error {
	c, err := s.client(ctx)
	if err != nil {
		return err
	}
	if err := s.ledger.SetClientActive(ctx, c, active); err != nil {
		return err
	}
	c.Active = active
	return s.showClient(c)
}

// client reads the client that the first argument names.
func (s *session) client(ctx context.Context) (ledger.Client, error) {
	c, err := s.ledger.Client(ctx, s.args[0])
	if errors.Is(err, ledger.ErrNotFound) {
		return c, fmt.Errorf("client %s is %w", s.args[0], err)
	}
	return c, err
}

func (s *session) checkURL(url string) error {
	if err := webhook.CheckURL(url, s.rules); err != nil {
		return usageError(err.Error())
	}
	return nil
}
