package mtn

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
	"momoproxy/shared/provider/wire"
)

// Learned implements provider.Examiner.
func (p *Provider) Learned(pay payment.Payment, seen []provider.Seen) []provider.Finding {
	var found []provider.Finding
	learned := func(check, format string, args ...any) {
		found = append(found, provider.Finding{Check: check, State: provider.Fine, Found: fmt.Sprintf(format, args...)})
	}
	unknown := func(check, what string) {
		found = append(found, provider.Finding{Check: check, State: provider.Unknown, Found: what})
	}
	u, err := url.Parse(p.cfg.BaseURL)
	if err == nil && pay.Accepted {
		learned("production_host", "%s serves %s", u.Host, p.cfg.TargetEnvironment)
	} else {
		unknown("production_host", "the payment was not accepted")
	}
	if exponent, _ := payment.Exponent(pay.Amount.Currency); exponent > 0 && pay.Accepted {
		learned("decimals", "an amount written %s was taken", pay.Amount.Decimal())
	}
	var methods, fields []string
	for _, s := range seen {
		if !s.Callback {
			continue
		}
		methods = append(methods, s.Method)
		if body, err := wire.ReadObject([]byte(s.RequestBody)); err == nil {
			for name := range body {
				if !slices.Contains(fields, name) {
					fields = append(fields, name)
				}
			}
		}
	}
	slices.Sort(fields)
	if len(methods) == 0 {
		unknown("callback_method", "no callback came")
		found = append(found, provider.Finding{Check: "certificate_authority", State: provider.Doubt, Found: "no callback came",
			Next: "If the payment has ended, MTN may not know your certificate's issuer, or another callback host is registered."})
		return found
	}
	learned("callback_method", "callbacks that came: %d, by %s", len(methods), strings.Join(methods, ", "))
	learned("callback_fields", "a callback has %s", strings.Join(fields, ", "))
	if p.cfg.Production() { // a test environment may call back without one
		learned("certificate_authority", "MTN accepts the callback host's certificate")
	}
	return found
}
