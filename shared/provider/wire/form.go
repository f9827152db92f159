package wire

import (
	"bytes"
	"encoding/json"
	"slices"
	"time"
	"unicode/utf8"

	"momoproxy/shared/payment"
)

// Form says what a body may hold that is passed on as it came: for each key,
// what its value must be. A key without a rule must not be there, whatever it
// holds. null says nothing and stands in for a missing key.
type Form map[string]Rule

// Rule says whether a value is what it must be.
type Rule func(json.RawMessage) bool

// Admits says whether body is one JSON object in UTF-8 that holds all keys of
// required and nothing that breaks a rule. No key stands twice, on any level.
func (f Form) Admits(body []byte, required ...string) bool {
	trimmed := bytes.TrimLeft(body, " \t\r\n") // no byte order mark: not every reader skips one
	if len(body) > MaxAnswer || !utf8.Valid(body) || len(trimmed) == 0 || trimmed[0] != '{' {
		return false
	}
	o, err := ReadObject(body)
	if err != nil {
		return false
	}
	for name, value := range o {
		rule, known := f[name]
		if !known || string(value) != "null" && !rule(value) {
			return false
		}
	}
	for _, name := range required {
		if value, has := o[name]; !has || string(value) == "null" {
			return false
		}
	}
	return true
}

// ID is a string that equals one of those known, byte for byte. An empty one
// is not known.
func ID(known ...string) Rule {
	return func(value json.RawMessage) bool {
		text, ok := text(value)
		return ok && text != "" && slices.Contains(known, text)
	}
}

// Text is a string that equals want, byte for byte.
func Text(want string) Rule {
	return func(value json.RawMessage) bool {
		text, ok := text(value)
		return ok && text == want
	}
}

// Like is a string of which is says yes.
func Like(is func(string) bool) Rule {
	return func(value json.RawMessage) bool {
		text, ok := text(value)
		return ok && is(text)
	}
}

// Literal is a value that is written just so, such as a number.
func Literal(want string) Rule {
	return func(value json.RawMessage) bool { return string(value) == want }
}

// AmountText is a string, and AmountNumber a number, that equals m as an exact
// decimal in major units.
func AmountText(m payment.Money) Rule {
	return func(value json.RawMessage) bool {
		text, ok := text(value)
		return ok && equals(text, m)
	}
}

// AmountNumber: see AmountText.
func AmountNumber(m payment.Money) Rule {
	return func(value json.RawMessage) bool { return equals(string(value), m) }
}

func equals(amount string, m payment.Money) bool {
	reported, err := payment.ParseReported(amount, m.Currency)
	return err == nil && reported == m
}

// Instant is a time in RFC 3339 that keeps the condition; nil: any.
func Instant(is func(time.Time) bool) Rule {
	return func(value json.RawMessage) bool {
		text, ok := text(value)
		at, err := time.Parse(time.RFC3339, text)
		return ok && err == nil && (is == nil || is(at))
	}
}

// Nested is an object of this form.
func Nested(f Form, required ...string) Rule {
	return func(value json.RawMessage) bool { return f.Admits(value, required...) }
}

// AnyOf keeps one of the rules.
func AnyOf(rules ...Rule) Rule {
	return func(value json.RawMessage) bool {
		return slices.ContainsFunc(rules, func(r Rule) bool { return r(value) })
	}
}

// text returns a JSON string's content.
func text(value json.RawMessage) (string, bool) {
	if len(value) == 0 || value[0] != '"' {
		return "", false
	}
	var s string
	err := json.Unmarshal(value, &s)
	return s, err == nil
}
