// Package payment decides what a payment is and how it changes. It is
// pure: no clock, no network, no storage. Everything that can end a payment
// (a callback, a poll, reconciliation, an operator) goes through Decide.
package payment

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// ErrAmount is wrapped by every refusal of ParseMoney and ParseReported.
var ErrAmount = errors.New("invalid amount")

// MaxAmountDigits bounds the digits of an amount, minor units included. 15
// digits stay exact in int64 and in a JSON reader that uses float64.
const MaxAmountDigits = 15

// MinMinor and MaxMinor bound the amount of a payment, in minor units of its
// currency.
const (
	MinMinor = 1
	MaxMinor = 1_000_000_000_000_000 - 1 // MaxAmountDigits nines
)

// Money is an exact amount: minor units of an ISO 4217 currency. The zero
// value is no money. Compare with ==.
type Money struct {
	Minor    int64
	Currency string
}

// exponents holds the ISO 4217 minor unit exponent of every currency a
// configured provider can have (ISO 4217 list of 2026-02-01).
var exponents = map[string]int{
	"UGX": 0, "XAF": 0, "XOF": 0, "RWF": 0, "GNF": 0, "BIF": 0,
	"SZL": 2, "AOA": 2, "ZAR": 2, "EUR": 2, "USD": 2, "GHS": 2, "ZMW": 2,
	"LRD": 2, "NGN": 2, "SSP": 2, "LSL": 2, "MZN": 2, "MWK": 2, "TZS": 2,
	"KES": 2, "CDF": 2, "SLE": 2,
}

// Exponent returns the number of decimal places of an ISO 4217 currency code
// (upper case), and whether the currency is known here.
func Exponent(currency string) (int, bool) {
	e, ok := exponents[currency]
	return e, ok
}

// ParseMoney reads a strict decimal in major units, as an app sends it:
// ASCII digits with at most one point, digits on both sides of it, greater
// than zero, no sign, exponent, space or thousands mark. Zeros beyond the
// currency's places change nothing and are accepted; other digits there are
// not. The error wraps ErrAmount and says what to change.
func ParseMoney(amount, currency string) (Money, error) {
	if strings.HasPrefix(amount, "-") {
		return Money{}, fmt.Errorf("%w: must be greater than zero, without a sign", ErrAmount)
	}
	m, err := ParseReported(amount, currency)
	if err != nil {
		return Money{}, err
	}
	if m.Minor < MinMinor {
		return Money{}, fmt.Errorf("%w: must be greater than zero", ErrAmount)
	}
	return m, nil
}

// ParseReported reads an amount as a provider reports it, zero included.
// Providers normalise: "5.0" comes back as "5", or with more zeros.
func ParseReported(amount, currency string) (Money, error) {
	exp, ok := Exponent(currency)
	if !ok {
		return Money{}, fmt.Errorf("%w: unknown currency %q", ErrAmount, currency)
	}
	if len(amount) > 40 {
		return Money{}, fmt.Errorf("%w: has too many digits", ErrAmount)
	}
	whole, fraction, point := strings.Cut(amount, ".")
	if !digits(whole) || point && !digits(fraction) {
		return Money{}, fmt.Errorf("%w: must be digits with at most one decimal point, such as \"150.00\"", ErrAmount)
	}
	if len(whole) > 1 && whole[0] == '0' {
		return Money{}, fmt.Errorf("%w: must not start with a zero", ErrAmount)
	}
	if len(fraction) > exp && strings.Trim(fraction[exp:], "0") == "" {
		fraction = fraction[:exp]
	}
	if len(fraction) > exp {
		return Money{}, fmt.Errorf("%w: %s has %d decimal places, not %d", ErrAmount, currency, exp, len(fraction))
	}
	all := whole + fraction + strings.Repeat("0", exp-len(fraction))
	if len(all) > MaxAmountDigits {
		return Money{}, fmt.Errorf("%w: is too large: more than %d digits with its %d decimal places", ErrAmount, MaxAmountDigits, exp)
	}
	minor, err := strconv.ParseInt(all, 10, 64)
	if err != nil {
		return Money{}, fmt.Errorf("%w: %v", ErrAmount, err)
	}
	return Money{Minor: minor, Currency: currency}, nil
}

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// Decimal writes the amount in major units with exactly the currency's
// places ("150.00"; "1000" for a currency without minor units), without the
// currency. It is also a valid JSON number.
func (m Money) Decimal() string {
	exp := exponents[m.Currency]
	if exp == 0 {
		return strconv.FormatInt(m.Minor, 10)
	}
	s := strconv.FormatInt(m.Minor, 10)
	if len(s) <= exp {
		s = strings.Repeat("0", exp-len(s)+1) + s
	}
	return s[:len(s)-exp] + "." + s[len(s)-exp:]
}

// String writes the amount for people and logs: "150.00 SZL".
func (m Money) String() string { return m.Decimal() + " " + m.Currency }
