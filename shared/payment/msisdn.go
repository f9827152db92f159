package payment

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// ErrMSISDN is wrapped by every refusal of ParseMSISDN.
var ErrMSISDN = errors.New("invalid MSISDN")

// MSISDN is a phone number in E.164 form without the plus: digits, country
// code first.
type MSISDN string

// NumberPlan names a country's mobile numbers. PlanAny takes any 8 to 15
// digits and is what a provider's sandbox needs (MTN's test payers are
// Swedish numbers).
type NumberPlan string

// The plans known here. Patterns from libphonenumber (2026-07-17).
const (
	PlanAny         NumberPlan = ""
	PlanEswatini    NumberPlan = "SZ"
	PlanAngola      NumberPlan = "AO"
	PlanSouthAfrica NumberPlan = "ZA"
)

var plans = map[NumberPlan]struct {
	pattern *regexp.Regexp
	example string
}{
	PlanEswatini:    {regexp.MustCompile(`^2687[5-9]\d{6}$`), "26876123456"},
	PlanAngola:      {regexp.MustCompile(`^2449[1-79]\d{7}$`), "244923456789"},
	PlanSouthAfrica: {regexp.MustCompile(`^27([67]\d{8}|8[1-4]\d{7})$`), "27823778084"},
}

// ParseMSISDN cleans a leading plus, spaces and dashes and checks what is
// left against the plan. The error wraps ErrMSISDN.
func ParseMSISDN(s string, plan NumberPlan) (MSISDN, error) {
	if len(s) > 40 {
		return "", fmt.Errorf("%w: has too many characters", ErrMSISDN)
	}
	clean := strings.NewReplacer(" ", "", "-", "").Replace(s)
	clean = strings.TrimPrefix(clean, "+")
	if !digits(clean) || len(clean) < 8 || len(clean) > 15 {
		return "", fmt.Errorf("%w: must be 8 to 15 digits with the country code, such as \"26876123456\"; of other characters only a leading +, spaces and dashes are removed", ErrMSISDN)
	}
	if p, ok := plans[plan]; ok && !p.pattern.MatchString(clean) {
		return "", fmt.Errorf("%w: is not a mobile number of this provider's country, such as %q", ErrMSISDN, p.example)
	}
	return MSISDN(clean), nil
}

// Masked keeps the country code and the last two digits, for logs.
func (m MSISDN) Masked() string {
	if len(m) < 6 {
		return strings.Repeat("*", len(m))
	}
	return string(m[:3]) + strings.Repeat("*", len(m)-5) + string(m[len(m)-2:])
}
