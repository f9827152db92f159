package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
)

// describeQuarrel says of a held payment what was asked for, what the
// provider first said that does not fit it, and what it says now if that is
// something else.
func describeQuarrel(t *text, p ledger.Payment, trail []ledger.AuditRecord) {
	if p.Phase != payment.PhaseHeld {
		return
	}
	var first, last string
	var since, at time.Time
	for _, a := range trail {
		if !strings.Contains(a.Note, string(payment.AnomalyMismatch)) {
			continue
		}
		said := a.ResponseBody
		if a.Direction == ledger.InboundFromProvider {
			said = a.RequestBody
		}
		last, at = toldOf(said, p.Payer), a.At
		if first == "" {
			first, since = last, at
		}
	}
	if first == "" {
		return
	}
	asked := "amount " + p.Amount.String()
	if r, _ := registration(p.Provider); r.Known.MinorUnits {
		asked += fmt.Sprintf(" (%d in minor units, as it counts)", p.Amount.Minor)
	}
	if p.Payer != "" {
		asked += ", payer " + p.Payer.Masked()
	}
	t.line("  asked for   %s", asked)
	t.line("  told        %s, at %s", first, stamp(since))
	if last != first {
		t.line("  told last   %s, at %s", last, stamp(at))
	}
}

// toldOf picks out of a provider's words what a payment is compared by: amount,
// currency, payer and status, under the names that the providers have for
// them. Numbers of payers are masked.
func toldOf(body string, asked payment.MSISDN) string {
	d := json.NewDecoder(bytes.NewReader([]byte(body)))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return "what cannot be read here; --json has it"
	}
	var found []string
	var walk func(name string, v any)
	walk = func(name string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for _, key := range slices.Sorted(maps.Keys(v)) {
				walk(key, v[key])
			}
		case []any:
			for _, one := range v {
				walk(name, one)
			}
		case string, json.Number:
			if text := told(name, fmt.Sprint(v), asked); text != "" {
				found = append(found, text)
			}
		}
	}
	walk("", v)
	if len(found) == 0 {
		return "neither amount, currency, payer nor status"
	}
	return strings.Join(found, ", ")
}

func told(name, value string, asked payment.MSISDN) string {
	switch strings.ToLower(strings.ReplaceAll(name, "_", "")) {
	case "amount", "currency", "status", "operationstatus":
		return name + " " + value
	case "partyid", "phonenumber", "msisdn":
		payer := payment.MSISDN(strings.TrimPrefix(value, "+"))
		if payer == asked {
			return name + " " + payer.Masked()
		}
		return name + " " + payer.Masked() + " (another)"
	}
	return ""
}
