package main

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"momoproxy"
	"momoproxy/infra/dotenv"
	"momoproxy/infra/standin"
	"momoproxy/infra/standin/core"
	"momoproxy/shared/assembly/payments"
	"momoproxy/shared/assembly/providers"
	"momoproxy/shared/config"
	"momoproxy/shared/provider"
)

// providerAt names a provider and where it is asked.
type providerAt struct{ name, url string }

// errNeedsLive: an account moves real money, and -live is not given.
var errNeedsLive = errors.New("moves real money: start with -live, or use a test account")

// startProviders reads the retention time and the accounts out of the environment, a .env file and
// the file of -accounts. Without -live a stand-in of this process takes the
// place of each provider that has none.
func (s *system) startProviders(o options, ownURL string) error {
	variables := map[string]string{"CALLBACK_POLICY": string(o.policy), "VERSION": momoproxy.Version}
	if o.accounts != "" {
		variables["ACCOUNTS_FILE"] = o.accounts
	}
	if o.payouts != "" {
		variables["PAYOUTS_FILE"] = o.payouts
	}
	beside, err := dotenv.Beside(os.Getenv, dotenv.File)
	if err != nil {
		return err
	}
	getenv := func(name string) string {
		if v, ok := variables[name]; ok {
			return v
		}
		return beside(name)
	}
	retention, err := config.Retention(beside)
	if err != nil {
		return err
	}
	s.parts.Ledger = s.store.ledger(retention)
	s.parts.Providers = providers.All()
	if !o.live {
		if getenv("PUBLIC_BASE_URL") == "" {
			variables["PUBLIC_BASE_URL"] = ownURL
		}
		own := s.parts
		_ = own.LocalAccounts(getenv) // its faults are told below
		for _, r := range s.parts.Providers {
			if slices.ContainsFunc(own.Accounts, func(a provider.Account) bool { return a.Provider == r.Name }) {
				continue
			}
			if err := s.startStandin(r.Name, variables, getenv("PUBLIC_BASE_URL")); err != nil {
				return err
			}
		}
	}
	c, err := config.Read(getenv, config.Provider)
	s.parts.Config = c
	if err := errors.Join(err, s.parts.LocalAccounts(getenv)); err != nil {
		return err
	}
	if o.live && !strings.HasPrefix(c.PublicBaseURL, "https://") {
		return errors.New("-live: PUBLIC_BASE_URL must be https: providers send their callbacks there, each with its secret in the path")
	}
	if len(s.parts.Accounts) == 0 {
		return errors.New("-live: no account is configured: set the variables of one (docs/testing.md lists them), or name a file with -accounts")
	}
	return s.checkMoney(o)
}

// checkMoney keeps real money and play money apart.
func (s *system) checkMoney(o options) error {
	all, err := payments.Providers(s.parts)
	if err != nil {
		return err
	}
	var faults []error
	for _, p := range all {
		c := p.Capabilities()
		s.providers = append(s.providers, providerAt{c.Name, c.BaseURL})
		if c.Production && !o.live {
			account := "the account of " + c.Name
			if c.Account != "" {
				account = "account " + c.Account + " of " + c.Name
			}
			faults = append(faults, fmt.Errorf("%s %w", account, errNeedsLive))
		}
	}
	refunders, err := payments.Refunders(s.parts)
	for id, r := range refunders {
		if r.Capabilities().Production && !o.live {
			faults = append(faults, fmt.Errorf("the payouts of account %s %w", id, errNeedsLive))
		}
	}
	return errors.Join(append(faults, err)...)
}

// startStandin starts a provider's, if it has one, and adds the variables of
// its account. Its payments are kept in the data folder: after a restart it
// must know those that are open here.
func (s *system) startStandin(provider string, variables map[string]string, publicURL string) error {
	for _, kind := range standin.All() {
		if kind.Name != provider {
			continue
		}
		stand, err := kind.Start(core.Options{Now: s.clock.Now, AfterFunc: s.clock.AfterFunc}, publicURL)
		if err != nil {
			return err
		}
		s.standins.of(provider, stand)
		s.stops = append(s.stops, stand.Close)
		if s.data != ":memory:" {
			err = stand.Keep(filepath.Join(s.data, "standin-"+provider+".jsonl"), func(err error) {
				s.parts.Log.Error("standin.not_kept", "provider", provider, "error", err.Error())
			})
		}
		if err != nil {
			return err
		}
		address, stop, err := standin.Serve(stand.Handler(), "127.0.0.1:0")
		if err != nil {
			return err
		}
		s.stops = append(s.stops, stop)
		maps.Copy(variables, stand.Variables(address))
		maps.Copy(variables, stand.PayoutVariables(address))
	}
	return nil
}
