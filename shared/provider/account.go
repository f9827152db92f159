package provider

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Account is one set of credentials at a provider, with what else its adapter
// has to know. It prints without its values.
type Account struct {
	Provider string // the registration's name
	ID       string // empty: it is its provider's only one
	values   map[string]string
}

// ValidID says what an account's id is made of.
func ValidID(id string) bool {
	return id != "" && len(id) <= 40 && strings.Trim(id, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}

// NewAccount makes an account of values by the names of its variables.
func NewAccount(provider string, values map[string]string) Account {
	return Account{Provider: provider, values: values}
}

// String hides what the account holds, in all its forms.
func (a Account) String() string { return "[account of " + a.Provider + "]" }

// GoString is String.
func (a Account) GoString() string { return a.String() }

// MarshalJSON hides what the account holds.
func (a Account) MarshalJSON() ([]byte, error) { return json.Marshal(a.String()) }

// Text is a variable's value without white space around it.
func (a Account) Text(name string) string { return strings.TrimSpace(a.values[name]) }

// URL is a base URL without trailing slashes.
func (a Account) URL(name, otherwise string) string {
	return strings.TrimRight(cmp.Or(a.Text(name), otherwise), "/")
}

// Number is a whole number; 0 where none is set.
func (a Account) Number(name string) int {
	n, _ := strconv.Atoi(a.Text(name))
	return n
}

// Flag is true or false.
func (a Account) Flag(name string, otherwise bool) bool {
	if v := a.Text(name); v != "" {
		return v == "true"
	}
	return otherwise
}

// List are texts that were separated by white space.
func (a Account) List(name string) []string { return strings.Fields(a.values[name]) }

// Check says all that is wrong with an account's variables, without showing a
// value.
func (r Registration) Check(a Account) error {
	var faults []error
	for _, v := range r.Variables {
		if why := v.fault(a.Text(v.Name)); why != "" {
			faults = append(faults, errors.New(v.Name+" "+why))
		}
	}
	return errors.Join(faults...)
}

func (v Variable) fault(value string) string {
	if value == "" {
		if v.Optional {
			return ""
		}
		return "is not set"
	}
	switch v.Kind {
	case URL:
		if u, err := url.Parse(value); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
			return "must be an absolute http or https URL"
		}
	case Number:
		if n, err := strconv.Atoi(value); err != nil || n < 1 {
			return "must be a whole number, at least 1"
		}
	case Flag:
		if value != "true" && value != "false" {
			return "must be true or false"
		}
	}
	return ""
}

// ReadAccount reads an account's variables through getenv. found is false when
// none of them is set.
func (r Registration) ReadAccount(getenv func(string) string) (a Account, found bool) {
	a = Account{Provider: r.Name, values: map[string]string{}}
	for _, v := range r.Variables {
		if value := getenv(v.Name); value != "" {
			a.values[v.Name] = value
			found = found || !v.Beside
		}
	}
	return a, found
}

// Accounts returns the accounts that a JSON object holds by their ids: each is
// an object of variables. It is checked, and its error shows no value.
func (r Registration) Accounts(object string) ([]Account, error) {
	var byID map[string]map[string]any
	if json.Unmarshal([]byte(object), &byID) != nil || len(byID) == 0 {
		return nil, errors.New("not a JSON object by account id, of objects of an account's variables")
	}
	var all []Account
	var faults []error
	for _, id := range slices.Sorted(maps.Keys(byID)) {
		a := Account{Provider: r.Name, ID: id, values: map[string]string{}}
		err := r.fill(a, byID[id])
		if !ValidID(id) {
			err = errors.New("an id is of 1 to 40 lower-case letters, digits and -")
		}
		if err != nil {
			faults = append(faults, fmt.Errorf("account %s: %w", id, err))
			continue
		}
		all = append(all, a)
	}
	return all, errors.Join(faults...)
}

// fill gives a the variables of an object, and checks them.
func (r Registration) fill(a Account, fields map[string]any) error {
	var faults []error
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if !slices.ContainsFunc(r.Variables, func(v Variable) bool { return v.Name == name }) {
			faults = append(faults, fmt.Errorf("%s is no variable of %s", name, r.Name))
			continue
		}
		switch value := fields[name].(type) {
		case []any:
			texts := make([]string, len(value))
			for i, one := range value {
				texts[i] = fmt.Sprint(one)
			}
			a.values[name] = strings.Join(texts, " ")
		case string, bool, float64:
			a.values[name] = fmt.Sprint(value)
		default:
			faults = append(faults, errors.New(name+" is neither a text nor a list of texts"))
		}
	}
	for _, v := range r.Variables {
		if v.Stated && a.Text(v.Name) == "" {
			faults = append(faults, errors.New(v.Name+" is not set: say which it is"))
		}
	}
	return errors.Join(append(faults, r.Check(a))...)
}
