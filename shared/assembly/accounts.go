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
	accounts, err := localAccounts(getenv, p.Providers, accountsFile)
	payouts, payoutsErr := localAccounts(getenv, p.payers(), payoutsFile)
	p.Accounts, p.Payouts = append(p.Accounts, accounts...), append(p.Payouts, payouts...)
	// The first is that of a request which names no provider.
	place := func(a provider.Account) int {
		return slices.IndexFunc(p.Providers, func(r provider.Registration) bool { return r.Name == a.Provider })
	}
	slices.SortStableFunc(p.Accounts, func(a, b provider.Account) int { return place(a) - place(b) })
	return errors.Join(err, payoutsErr)
}

// localAccounts reads the environment, and the file that a variable names.
func localAccounts(getenv func(string) string, providers []provider.Registration, fileVariable string) (all []provider.Account, err error) {
	var faults []error
	for _, r := range providers {
		if a, found := r.ReadAccount(getenv); found {
			all = append(all, a)
			faults = append(faults, invalid(r.Check(a)))
		}
	}
	if file := getenv(fileVariable); file != "" {
		kept, err := readAccounts(file, providers)
		all, faults = append(all, kept...), append(faults, err)
	}
	return all, errors.Join(faults...)
}

// payers are the providers that have a refund call, as their payout accounts see
// them.
func (p Parts) payers() (all []provider.Registration) {
	for _, r := range p.Providers {
		if r.NewRefunder != nil {
			all = append(all, r.PayoutAccounts())
		}
	}
	return all
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

// keptPayouts is the same of the payout accounts.
func (p Parts) keptPayouts() (names []string, providers []provider.Registration) {
	providers = p.payers()
	for _, r := range providers {
		names = append(names, p.Config.PayoutsPath+"/"+r.Name)
	}
	return names, providers
}

// addAccounts reads the accounts out of what is kept. A provider of which
// nothing is kept has none; the webhook of such a one has nothing to do. All
// faults are reported at once.
func (p *Parts) addAccounts(values map[string]string) error {
	names, kept := p.kept()
	accounts, err := readKept(values, names, kept)
	p.Accounts = append(p.Accounts, accounts...)
	if len(p.Accounts) == 0 && err == nil && p.Config.Provider == "" {
		err = invalid(fmt.Errorf("no provider has an account: store one as %s", strings.Join(names, " or ")))
	}
	return err
}

func readKept(values map[string]string, names []string, providers []provider.Registration) (all []provider.Account, _ error) {
	var faults []error
	for i, r := range providers {
		if values[names[i]] == "" {
			continue
		}
		accounts, err := r.Accounts(values[names[i]])
		all = append(all, accounts...)
		if err != nil {
			faults = append(faults, invalid(fmt.Errorf("%s: %w", names[i], err)))
		}
	}
	return all, errors.Join(faults...)
}

// The variables that name a file with further accounts of a program on one
// machine: a JSON object by provider, of objects by account id, of variables.
const (
	accountsFile = "ACCOUNTS_FILE"
	payoutsFile  = "PAYOUTS_FILE"
)

func readAccounts(file string, providers []provider.Registration) (all []provider.Account, _ error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var byProvider map[string]json.RawMessage
	if err := json.Unmarshal(text, &byProvider); err != nil {
		return nil, fmt.Errorf("%s: not a JSON object by provider", file)
	}
	for _, name := range slices.Sorted(maps.Keys(byProvider)) {
		i := slices.IndexFunc(providers, func(r provider.Registration) bool { return r.Name == name })
		if i < 0 {
			return nil, fmt.Errorf("%s: provider %q is not known, or not with such accounts", file, name)
		}
		accounts, err := providers[i].Accounts(string(byProvider[name]))
		if err != nil {
			return nil, invalid(fmt.Errorf("%s: %s: %w", file, name, err))
		}
		all = append(all, accounts...)
	}
	return all, nil
}

func invalid(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: %w", config.ErrInvalid, err)
}
