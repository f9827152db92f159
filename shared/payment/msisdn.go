package payment

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
)

// ErrMSISDN is wrapped by every refusal of ParseMSISDN.
var ErrMSISDN = errors.New("invalid MSISDN")

// MSISDN is a phone number in E.164 form without the plus: digits, country
// code first.
type MSISDN string

// NumberPlan names the mobile numbers that an account takes: a country by its
// ISO 3166 code, or PlanAnyMarket.
type NumberPlan string

const (
	// PlanAnyMarket takes a mobile number of any country that has a plan. It is
	// for test environments, whose country is not known.
	PlanAnyMarket NumberPlan = "*"

	PlanAngola      NumberPlan = "AO"
	PlanEswatini    NumberPlan = "SZ"
	PlanSouthAfrica NumberPlan = "ZA"
)

// numberPlan is a country's part of libphonenumber's metadata.
type numberPlan struct {
	code    string // country code
	trunk   string // what a national form has in front of the number; empty: nothing
	mobile  string // pattern of the number without code and trunk prefix
	example string // such a number

	compiled sync.Once // at the first use: a function's start is waited for
	pattern  *regexp.Regexp
}

func (p *numberPlan) matches(national string) bool {
	p.compiled.Do(func() { p.pattern = regexp.MustCompile(`^(?:` + p.mobile + `)$`) })
	return p.pattern.MatchString(national)
}

// takes says whether digits are one of the plan's numbers in international
// form.
func (p *numberPlan) takes(digits string) bool {
	national, ok := strings.CutPrefix(digits, p.code)
	return ok && p.matches(national)
}

// international guesses which number a national or doubled form means. Only
// the country's own trunk prefix is dropped: elsewhere a leading 0 is part of
// the number.
func (p *numberPlan) international(digits string) (string, bool) {
	digits = strings.TrimPrefix(digits, "00")
	forms := []string{digits, strings.TrimPrefix(digits, p.trunk)}
	if rest, ok := strings.CutPrefix(digits, p.code); ok {
		forms = append(forms, rest, strings.TrimPrefix(rest, p.trunk))
	}
	for _, national := range forms {
		if p.matches(national) {
			return p.code + national, true
		}
	}
	return "", false
}

// ParseMSISDN cleans a leading plus, spaces and dashes and checks what is
// left against the plan. A national form is refused, with the international
// form in the message. The error wraps ErrMSISDN.
func ParseMSISDN(s string, plan NumberPlan) (MSISDN, error) {
	digits, err := CleanMSISDN(s)
	if err != nil {
		return "", err
	}
	if plan == PlanAnyMarket {
		for _, p := range plans {
			if p.takes(digits) {
				return MSISDN(digits), nil
			}
		}
		return "", fmt.Errorf("%w: is not a mobile number with its country code of any country served here, such as %q", ErrMSISDN, plans[PlanEswatini].code+plans[PlanEswatini].example)
	}
	p, known := plans[plan]
	if !known {
		return "", fmt.Errorf("%w: cannot be checked: no numbering plan of %q is known", ErrMSISDN, plan)
	}
	if p.takes(digits) {
		return MSISDN(digits), nil
	}
	if whole, ok := p.international(digits); ok {
		return "", fmt.Errorf("%w: must be in international form, which is %q for this number", ErrMSISDN, whole)
	}
	return "", fmt.Errorf("%w: is not a mobile number of this provider's country, such as %q", ErrMSISDN, p.code+p.example)
}

// Country is the plan of the country that digits are a mobile number of, with its
// country code; empty: of none that is known here.
func Country(digits string) NumberPlan {
	for country, p := range plans {
		if p.takes(digits) {
			return country // country codes differ, so it is the only one
		}
	}
	return ""
}

// CleanMSISDN removes a leading plus, spaces and dashes. The error wraps
// ErrMSISDN: what is left is not 8 to 15 digits.
func CleanMSISDN(s string) (string, error) {
	if len(s) > 40 {
		return "", fmt.Errorf("%w: has too many characters", ErrMSISDN)
	}
	clean := strings.ReplaceAll(strings.ReplaceAll(s, " ", ""), "-", "")
	clean = strings.TrimPrefix(clean, "+")
	if !digits(clean) || len(clean) < 8 || len(clean) > 15 {
		return "", fmt.Errorf("%w: must be 8 to 15 digits with the country code, such as \"26876123456\"; of other characters only a leading +, spaces and dashes are removed", ErrMSISDN)
	}
	return clean, nil
}

// Forgotten stands for a payer's number that was erased. It has the form of a
// number, so that what reads one goes on; none begins with 0.
const Forgotten MSISDN = "000000000000"

// Masked keeps the country code and the last two digits, for logs.
func (m MSISDN) Masked() string {
	if len(m) < 6 {
		return strings.Repeat("*", len(m))
	}
	return string(m[:3]) + strings.Repeat("*", len(m)-5) + string(m[len(m)-2:])
}
