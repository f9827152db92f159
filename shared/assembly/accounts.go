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
// variables is set. All faults are reported at once.
func (p *Parts) LocalAccounts(getenv func(string) string) error {
	var faults []error
	for _, r := range p.Providers {
		if a, found := r.ReadAccount(getenv); found {
			p.Accounts = append(p.Accounts, a)
			faults = append(faults, invalid(r.Check(a, true)))
		}
	}
	if file := getenv(accountsFile); file != "" {
		faults = append(faults, p.readAccounts(file))
	}
	return errors.Join(faults...)
}

// deployedAccounts reads the accounts of a function less their credentials,
// and where those are kept. PROVIDER names the only one that a function is to
// know: one provider's webhook has no use for another's credentials. It may be
// one that is not configured; then the function has nothing to do.
func (p *Parts) deployedAccounts(getenv func(string) string) error {
	var faults []error
	var variables []string
	only := p.Config.Provider
	if _, known := p.Registration(only); only != "" && !known {
		faults = append(faults, invalid(fmt.Errorf("PROVIDER %q is not known", only)))
	}
	for _, r := range p.Providers {
		variables = append(variables, r.SecretVariable())
		a, found := r.ReadAccount(getenv)
		id := strings.TrimSpace(getenv(r.SecretVariable()))
		if id == "" && (!found || only != "") || only != "" && only != r.Name {
			continue
		}
		if id == "" {
			faults = append(faults, invalid(errors.New(r.SecretVariable()+" is not set")))
		}
		faults = append(faults, invalid(r.Check(a, false)))
		p.Accounts, p.secretIDs = append(p.Accounts, a), append(p.secretIDs, id)
	}
	if len(p.Accounts) == 0 && only == "" {
		faults = append(faults, invalid(fmt.Errorf("no provider is configured: set one of %s", strings.Join(variables, ", "))))
	}
	return errors.Join(faults...)
}

// addCredentials fills the accounts in. Where several are kept under one name
// they take the place of the one.
func (p *Parts) addCredentials(values map[string]string) error {
	var all []provider.Account
	for i, id := range p.secretIDs {
		several, err := p.Accounts[i].Several(values[id])
		if err != nil {
			return fmt.Errorf("%s: %w", id, err)
		}
		all = append(all, several...)
	}
	p.Accounts = all
	return nil
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
		several, err := provider.NewAccount(name, nil).Several(string(byProvider[name]))
		if err != nil {
			return fmt.Errorf("%s: %s: %w", file, name, err)
		}
		for _, a := range several {
			if err := r.Check(a, true); err != nil {
				return invalid(fmt.Errorf("%s: account %s: %w", file, a.ID, err))
			}
		}
		p.Accounts = append(p.Accounts, several...)
	}
	return nil
}

func invalid(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: %w", config.ErrInvalid, err)
}
