package providertest

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"momoproxy/shared/payment"
)

// CheckPassedOn reports whatever a callback that was passed on unchanged says
// beyond what is known of the payment. words are those of the provider's own
// that it may hold besides.
func CheckPassedOn(t testing.TB, raw []byte, pay payment.Payment, words ...string) {
	t.Helper()
	dec := json.NewDecoder(strings.NewReader(string(raw)))
	dec.UseNumber()
	var body any
	if err := dec.Decode(&body); err != nil {
		t.Fatalf("passed on what is no JSON: %q", raw)
	}
	known := append(words, pay.Reference, pay.ExternalID, pay.Amount.Currency, string(pay.Payer), "+"+string(pay.Payer),
		pay.PayerMessage, pay.PayeeNote, pay.Reason, pay.FinancialTransactionID, pay.InvoiceURL)
	known = slices.AppendSeq(known, maps.Values(pay.IDs))
	known = slices.AppendSeq(known, maps.Values(pay.Instructions))
	money := func(text string) bool {
		m, err := payment.ParseReported(text, pay.Amount.Currency)
		minor, minorErr := json.Number(text).Int64()
		return err == nil && m == pay.Amount || minorErr == nil && minor == pay.Amount.Minor
	}
	var walk func(key string, value any)
	walk = func(key string, value any) {
		switch v := value.(type) {
		case map[string]any:
			for k, inner := range v {
				walk(k, inner)
			}
		case []any:
			t.Errorf("%s is a list in %q", key, raw)
		case json.Number:
			if !money(v.String()) {
				t.Errorf("%s is %s in %q", key, v, raw)
			}
		case bool:
			t.Errorf("%s is %v in %q", key, v, raw)
		case string:
			_, err := time.Parse(time.RFC3339, v)
			moment := err == nil && strings.HasSuffix(key, "_at")
			event := key == "id" && strings.HasPrefix(v, "evt_")
			if !slices.Contains(known, v) && !(key == "amount" && money(v)) && !moment && !event {
				t.Errorf("%s is %q in %q", key, v, raw)
			}
		}
	}
	walk("", body)
}
