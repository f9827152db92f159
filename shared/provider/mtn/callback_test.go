package mtn_test

import (
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
	"momoproxy/shared/provider/mtn"
	"momoproxy/shared/provider/providertest"
)

var callbackTime = time.Date(2026, 9, 16, 8, 0, 0, 0, time.UTC)

func callbackParser(t testing.TB) *mtn.Provider {
	p, err := mtn.New(config("https://x.example"), providertest.NewMemoryTokens(nil), nil, func() time.Time { return callbackTime })
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// seen is a callback as MTN's sandbox sent it (observed).
const seen = `{"externalId":"0b7e9a3e-6f7a-4d8b-9a1e-0f6f0f0a1b2c","amount":"100","currency":"EUR",` +
	`"payer":{"partyIdType":"MSISDN","partyId":"46733123451"},"payeeNote":"note","status":"FAILED","reason":"APPROVAL_REJECTED"}`

func TestParseCallback(t *testing.T) {
	t.Parallel()
	p := callbackParser(t)
	type ids = []string
	for _, c := range []struct {
		name string
		body string
		ids  ids
		want payment.Evidence
	}{
		{"as seen", seen, ids{"0b7e9a3e-6f7a-4d8b-9a1e-0f6f0f0a1b2c"},
			payment.Evidence{Verdict: payment.SaysFailed, Code: "APPROVAL_REJECTED", Amount: "100", Currency: "EUR", Payer: "46733123451"}},
		{"the contract's", `{"externalId":"ORDER-1","status":"SUCCESSFUL","financialTransactionId":"FTX-1"}`, ids{"ORDER-1"},
			payment.Evidence{Verdict: payment.SaysSuccessful, Code: "SUCCESSFUL", FinancialTransactionID: "FTX-1"}},
		{"externalId comes first", `{"referenceId":"B","externalId":"A","status":"PENDING"}`, ids{"A", "B"},
			payment.Evidence{Verdict: payment.SaysPending, Code: "PENDING"}},
		{"every name", `{"x-reference-id":"5","X-Reference-Id":"4","reference_id":"3","referenceId":"2","externalId":"1"}`, ids{"1", "2", "3", "4", "5"},
			payment.Evidence{Verdict: payment.SaysNothing}},
		{"same id twice", `{"referenceId":"A","externalId":"A","status":"PENDING"}`, ids{"A"},
			payment.Evidence{Verdict: payment.SaysPending, Code: "PENDING"}},
		{"number", `{"externalId":12345,"status":"PENDING"}`, ids{"12345"}, payment.Evidence{Verdict: payment.SaysPending, Code: "PENDING"}},
		{"status alone", `{"status":"SUCCESSFUL"}`, nil, payment.Evidence{Verdict: payment.SaysSuccessful, Code: "SUCCESSFUL"}},
		{"id alone", `{"externalId":"A"}`, ids{"A"}, payment.Evidence{Verdict: payment.SaysNothing}},
		{"unknown word", `{"externalId":"A","status":"DONE"}`, ids{"A"}, payment.Evidence{Verdict: payment.SaysUnrecognised, Code: "DONE"}},
		{"id that no store takes", `{"externalId":"A\u0000B","referenceId":"` + strings.Repeat("x", 300) + `","status":"PENDING"}`, nil,
			payment.Evidence{Verdict: payment.SaysPending, Code: "PENDING"}},
		{"unknown fields", `{"externalId":"A","extra":{"deep":[1,{"status":"FAILED"}]},"status":"PENDING"}`, ids{"A"},
			payment.Evidence{Verdict: payment.SaysPending, Code: "PENDING"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := p.ParseCallback(provider.Inbound{Body: []byte(c.body), At: callbackTime})
			if err != nil {
				t.Fatal(err)
			}
			c.want.Source, c.want.At = payment.FromCallback, callbackTime
			if diff := cmp.Diff(provider.Callback{IDs: c.ids, Evidence: c.want}, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	for _, body := range []string{
		`{"status":"FAILED","status":"SUCCESSFUL"}`, `{"externalId":"A","externalId":"B","status":"PENDING"}`,
		`{"status":"FAILED","reason":{"code":"A","code":"B"}}`, `{"status":null}`, `{"externalId":""}`, `{"Status":"SUCCESSFUL"}`,
		`{"externalId":"A","x":"` + strings.Repeat("x", 64<<10) + `"}`,
	} {
		if got, err := p.ParseCallback(provider.Inbound{Body: []byte(body), At: callbackTime}); !errors.Is(err, provider.ErrCallback) {
			t.Errorf("%.60s: %+v, %v", body, got, err)
		}
	}
}

func FuzzParseCallback(f *testing.F) {
	for _, body := range []string{
		seen, `{"externalId":"ORDER-1","status":"SUCCESSFUL","financialTransactionId":"FTX-1"}`,
		`{"status":"FAILED","reason":{"code":"EXPIRED","message":"x"}}`, `{"status":"PENDING","amount":1e9999}`,
		`{"status":"PENDING","status":"FAILED"}`, `{"payer":"1","status":7}`, `{"externalId":"\ud800","status":"\u0000"}`,
		"", "null", "[[[", "{", "\xef\xbb\xbf{}", "<html>",
	} {
		f.Add([]byte(body))
	}
	p := callbackParser(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		c, err := p.ParseCallback(provider.Inbound{Body: body, At: callbackTime})
		if err != nil {
			if !errors.Is(err, provider.ErrCallback) || len(c.IDs) > 0 || c.Evidence.Verdict != "" {
				t.Fatalf("%+v, %v", c, err)
			}
			return
		}
		if c.Evidence.Source != payment.FromCallback || c.Evidence.Verdict == "" {
			t.Fatalf("%+v", c.Evidence)
		}
		if c.Evidence.Verdict == payment.SaysSuccessful && !strings.Contains(string(body), "status") && !strings.Contains(string(body), `\u`) {
			t.Fatalf("success from %q", body)
		}
		for _, s := range append(c.IDs, c.Evidence.Amount, c.Evidence.Currency, c.Evidence.Payer, c.Evidence.FinancialTransactionID, c.Evidence.Code, c.Evidence.Reason) {
			if len(s) > 500 || !utf8.ValidString(s) || strings.ContainsRune(s, 0) {
				t.Fatalf("unfit text %q", s)
			}
		}
	})
}
