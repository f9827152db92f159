package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"momoproxy/shared/ledger"
	"momoproxy/shared/provider"
	"momoproxy/shared/webhook"
)

// maxName bounds a client's name, in bytes.
const maxName = 100

func (c cli) clientCreate() *cobra.Command {
	var name, callbackURL string
	var noLegacy bool
	var accounts []string
	command := &cobra.Command{
		Use: "create", Short: "make a client with its API key and signing secret",
		Long: `Makes a client. Prints its API key and signing secret once; neither can be shown again.
Payments without a callbackUrl of their own are announced to the callback URL.`,
		Example: `  momoctl client create --name "Corner shop" --callback-url https://shop.example.com/momo`,
		Args:    takes(nil),
		PreRunE: func(*cobra.Command, []string) error {
			if err := checkClientName(&name); err != nil {
				return err
			}
			return checkAccounts(accounts)
		},
		RunE: c.over(func(ctx context.Context, s *session, _ []string) error {
			return s.createClient(ctx, ledger.Client{Name: name, CallbackURL: callbackURL, NoLegacySignature: noLegacy, Accounts: accounts})
		}),
	}
	f := command.Flags()
	f.StringVar(&name, "name", "", "`name` of the app, for people; required")
	f.StringVar(&callbackURL, "callback-url", "", "`url` that its callbacks go to")
	f.BoolVar(&noLegacy, "no-legacy-signature", false, "leave X-MoMo-Proxy-Signature out of its callbacks")
	accountsFlag(command, &accounts)
	return command
}

// accountsFlag is the flag of create and update.
func accountsFlag(command *cobra.Command, accounts *[]string) {
	command.Flags().StringSliceVar(accounts, "accounts", nil, "the only `accounts` that its payments may use, by their ids; empty: all")
}

func checkAccounts(ids []string) error {
	for _, id := range ids {
		if !provider.ValidID(id) {
			return usageError(fmt.Sprintf("--accounts: %q is no account's id; momoctl account list shows them", id))
		}
	}
	return nil
}

func checkClientName(name *string) error {
	if *name = strings.TrimSpace(*name); *name == "" || len(*name) > maxName || printable(*name) != *name {
		return usageError(fmt.Sprintf("--name must be given: one line of at most %d bytes", maxName))
	}
	return nil
}

func (s *session) createClient(ctx context.Context, c ledger.Client) error {
	if c.CallbackURL != "" {
		if err := s.checkURL(c.CallbackURL); err != nil {
			return err
		}
	}
	secret, err := webhook.NewSecret(s.random)
	if err != nil {
		return err
	}
	c.ID, c.Active, c.CreatedAt = ledger.NewClientID(s.random), true, s.clock()
	c.APIKey, c.SigningSecrets = ledger.NewAPIKey(s.random), []string{secret.Reveal()}
	if c, err = s.ledger.CreateClient(ctx, c); err != nil {
		return err
	}
	view := s.viewOf(c)
	view.APIKey, view.SigningSecret = c.APIKey, secret.Reveal()
	err = s.answer(view, func(t *text) {
		t.line("Client %s (%s) is made.", c.ID, c.Name)
		t.line("")
		t.line("  API key         %s", view.APIKey)
		t.line("  signing secret  %s", view.SigningSecret)
		t.line("  callback URL    %s", orNone(c.CallbackURL))
		t.line("")
		t.line("Key and secret are shown this once. The app sends the key as X-Proxy-Api-Key with each request, and")
		t.line("verifies each callback's webhook-signature with the secret, by any Standard Webhooks library.")
		if c.CallbackURL == "" {
			t.line("Its requests must name a callbackUrl, until \"momoctl client set-callback-url %s URL\" sets one.", c.ID)
		}
	})
	if err != nil {
		return fmt.Errorf("client %s was made, but its secrets could not be shown: disable it and make another (%w)", c.ID, err)
	}
	return nil
}

// client reads a client by its id.
func (s *session) client(ctx context.Context, id string) (ledger.Client, error) {
	c, err := s.ledger.Client(ctx, id)
	if errors.Is(err, ledger.ErrNotFound) {
		return c, fmt.Errorf("client %s is %w", id, err)
	}
	return c, err
}

func (s *session) checkURL(url string) error {
	if err := webhook.CheckURL(url, s.rules); err != nil {
		return usageError(err.Error())
	}
	return nil
}
