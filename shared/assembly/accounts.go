package assembly

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"momoproxy/shared/config"
	"momoproxy/shared/provider"
)

// Registration finds a provider by its name.
func (p Parts) Registration(name string) (provider.Registration, bool) {
	i := slices.IndexFunc(p.Providers, func(r provider.Registration) bool { return r.Name == name })
	if i < 0 {
		return provider.Registration{}, false
	}
	return p.Providers[i], true
}

// LocalAccounts reads the accounts of a program on one machine: its
// environment holds the credentials, too. An account is there when any of its
// variables is set. They are in the order of the providers, whatever names them.
// All faults are reported at once.
func (p *Parts) LocalAccounts(getenv func(string) string) error {
	var faults []error
	for _, r := range p.Providers {
		if a, found := r.ReadAccount(getenv); found {
			p.Accounts = append(p.Accounts, a)
			faults = append(faults, invalid(r.Check(a)))
		}
	}
	if file := getenv(accountsFile); file != "" {
		faults = append(faults, p.readAccounts(file))
	}
	// The first is that of a request which names no provider.
	place := func(a provider.Account) int {
		return slices.IndexFunc(p.Providers, func(r provider.Registration) bool { return r.Name == a.Provider })
	}
	slices.SortStableFunc(p.Accounts, func(a, b provider.Account) int { return place(a) - place(b) })
	return errors.Join(faults...)
}

// kept are the providers whose accounts a function reads, and where they are
// kept. PROVIDER names the only one that a function is to know: one provider's
// webhook has no use for another's credentials.
func (p Parts) kept() (names []string, providers []provider.Registration) {
	for _, r := range p.Providers {
		if only := p.Config.Provider; only == "" || only == r.Name {
			names, providers = append(names, p.Config.AccountsPath+"/"+r.Name), append(providers, r)
		}
	}
	return names, providers
}

// addAccounts reads the accounts out of what is kept. A provider of which
// nothing is kept has none; the webhook of such a one has nothing to do. All
// faults are reported at once.
func (p *Parts) addAccounts(values map[string]string) error {
	var faults []error
	names, kept := p.kept()
	for i, r := range kept {
		if values[names[i]] == "" {
			continue
		}
		accounts, err := r.Accounts(values[names[i]])
		p.Accounts = append(p.Accounts, accounts...)
		if err != nil {
			faults = append(faults, invalid(fmt.Errorf("%s: %w", names[i], err)))
		}
	}
	if len(p.Accounts) == 0 && len(faults) == 0 && p.Config.Provider == "" {
		faults = append(faults, invalid(fmt.Errorf("no provider has an account: store one as %s", strings.Join(names, " or "))))
	}
	return errors.Join(faults...)
}

// accountsFile names a file with further accounts of a program on one machine:
// a JSON object by provider, of objects by account id, of variables.
const accountsFile = "ACCOUNTS_FILE"

func (p *Parts) readAccounts(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var byProvider map[string]json.RawMessage
	if err := json.Unmarshal(text, &byProvider); err != nil {
		return fmt.Errorf("%s: not a JSON object by provider", file)
	}
	for _, name := range slices.Sorted(maps.Keys(byProvider)) {
		r, known := p.Registration(name)
		if !known {
			return fmt.Errorf("%s: provider %q is not known", file, name)
		}
		accounts, err := r.Accounts(string(byProvider[name]))
		if err != nil {
			return invalid(fmt.Errorf("%s: %s: %w", file, name, err))
		}
		p.Accounts = append(p.Accounts, accounts...)
	}
	return nil
}

func invalid(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: %w", config.ErrInvalid, err)
}
