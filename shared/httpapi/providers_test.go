package httpapi_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"momoproxy/infra/cloud"
	"momoproxy/infra/standin/core"
	mtnstand "momoproxy/infra/standin/mtn"
	"momoproxy/infra/testbed"
	"momoproxy/shared/httpapi"
	"momoproxy/shared/table"
)

// getProviders is GET /providers under an API key.
func getProviders(t *testing.T, w *testbed.World, key string) testbed.Answer {
	t.Helper()
	r := cloud.Request("GET /providers")
	r.Headers["x-proxy-api-key"] = key
	return w.Call(t.Context(), r)
}

type listedProviders struct {
	Accounts []struct {
		Provider, Account, Status string
		Currency                  string
		Amount                    struct {
			Minimum, Maximum string
			Decimals         int
		}
		Methods []struct {
			Method         *string
			Default        bool
			RequiredFields []string
		}
	}
	Limits struct {
		BodyBytes, ExternalIDBytes, TextCharacters, MetadataEntries, MetadataNameBytes, MetadataValueBytes, CallbackURLBytes, IdempotencyKeyBytes int
	}
}

func readProviders(t *testing.T, a testbed.Answer) (l listedProviders) {
	t.Helper()
	if err := json.Unmarshal([]byte(a.Body), &l); err != nil || len(l.Accounts) != 3 {
		t.Fatalf("%v: %s", err, a.Body)
	}
	return l
}

// Each limit that the answer names is what a request to pay is checked with: at
// the limit it is taken, and one beyond it is refused.
func TestProvidersLimitsAreThoseThatCheck(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		list := is(t, getProviders(t, w, testbed.ShopKey), 200, "")
		golden(t, "providers/quiet", list.Body)
		got := readProviders(t, list)
		order := 0
		try := func(field string, ok bool, change func(body map[string]any), headers ...string) {
			t.Helper()
			order++
			time.Sleep(20 * time.Second) // the providers' own limits
			body := map[string]any{"amount": "150.00", "externalId": fmt.Sprint("ORDER-", order), "payer": map[string]any{"partyIdType": "MSISDN", "partyId": good}}
			change(body)
			text, _ := json.Marshal(body)
			a := w.Pay(string(text), headers...)
			if refused := a.StatusCode == 422 && strings.Contains(a.Body, `"field":"`+field); refused == ok || a.StatusCode >= 500 {
				t.Errorf("%s, to be taken: %t: %d %s", field, ok, a.StatusCode, a.Body)
			}
		}
		set := func(name string, value any) func(map[string]any) { return func(b map[string]any) { b[name] = value } }
		fill := func(n int) string { return strings.Repeat("x", n) }

		payers := map[string]string{"mtn": good, "mom-factura": "244923456789", "momentpay": "27823778084"}
		for _, acc := range got.Accounts {
			hasDefault := false
			for _, m := range acc.Methods {
				hasDefault = hasDefault || m.Default
			}
			for _, m := range acc.Methods {
				whole := func(b map[string]any) {
					b["provider"], b["account"] = acc.Provider, acc.Account
					b["payer"].(map[string]any)["partyId"] = payers[acc.Provider]
					if m.Method != nil {
						b["method"] = *m.Method
					}
				}
				and := func(name string, value any) func(map[string]any) {
					return func(b map[string]any) { whole(b); b[name] = value }
				}
				max := acc.Amount.Maximum
				for _, c := range []struct {
					amount string
					ok     bool
				}{{acc.Amount.Minimum, true}, {"0", false}, {max, true}, {"1" + strings.Map(func(r rune) rune {
					if r == '9' {
						return '0'
					}
					return r
				}, max), false}, {"1." + strings.Repeat("1", acc.Amount.Decimals+1), false}} {
					try("amount", c.ok, and("amount", c.amount))
				}
				if acc.Amount.Decimals > 0 {
					try("amount", true, and("amount", "1."+strings.Repeat("1", acc.Amount.Decimals)))
				}
				try("currency", true, and("currency", acc.Currency))
				try("currency", false, and("currency", "KES"))
				for _, name := range []string{"amount", "externalId", "payer", "method"} {
					if name == "method" && hasDefault {
						continue // without it the default is taken
					}
					required := strings.Contains(strings.Join(m.RequiredFields, " "), name)
					try(name, !required, func(b map[string]any) { whole(b); delete(b, name) })
				}
				if m.Default {
					try("method", true, func(b map[string]any) { whole(b); delete(b, "method") })
				}
			}
		}
		l := got.Limits
		try("externalId", true, set("externalId", fill(l.ExternalIDBytes)))
		try("externalId", false, set("externalId", fill(l.ExternalIDBytes+1)))
		for _, name := range []string{"payerMessage", "payeeNote"} {
			try(name, true, set(name, strings.Repeat("é", l.TextCharacters)))
			try(name, false, set(name, strings.Repeat("é", l.TextCharacters+1)))
		}
		entries := func(n int) map[string]string {
			m := map[string]string{}
			for i := range n {
				m[fmt.Sprint("k", i)] = "v"
			}
			return m
		}
		try("metadata", true, set("metadata", entries(l.MetadataEntries)))
		try("metadata", false, set("metadata", entries(l.MetadataEntries+1)))
		try("metadata", true, set("metadata", map[string]string{fill(l.MetadataNameBytes): "v"}))
		try("metadata", false, set("metadata", map[string]string{fill(l.MetadataNameBytes + 1): "v"}))
		try("metadata", true, set("metadata", map[string]string{"k": fill(l.MetadataValueBytes)}))
		try("metadata", false, set("metadata", map[string]string{"k": fill(l.MetadataValueBytes + 1)}))
		const host = "https://shop.example.com/"
		try("callbackUrl", true, set("callbackUrl", host+fill(l.CallbackURLBytes-len(host))))
		try("callbackUrl", false, set("callbackUrl", host+fill(l.CallbackURLBytes-len(host)+1)))
		try("Idempotency-Key", true, func(map[string]any) {}, "idempotency-key", fill(l.IdempotencyKeyBytes))
		try("Idempotency-Key", false, func(map[string]any) {}, "idempotency-key", fill(l.IdempotencyKeyBytes+1))
		big := func(n int) testbed.Answer {
			body := testbed.Order("BIG", good)
			return w.Pay(strings.Repeat(" ", n-len(body)) + body)
		}
		is(t, big(l.BodyBytes+1), 413, "body_too_large")
		is(t, big(l.BodyBytes), 202, "")
	})
}

// The evidence is of the app's own payments, of the last minutes.
func TestProvidersEvidence(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		evidence := func(key string) string {
			t.Helper()
			_, rest, _ := strings.Cut(is(t, getProviders(t, w, key), 200, "").Body, `"evidence":`)
			text, _, _ := strings.Cut(rest, `,"currency"`)
			return text
		}
		for i := range 4 {
			is(t, w.Pay(testbed.Order(fmt.Sprint("ORDER-", i), mtnstand.Payer(mtnstand.ScriptSuccess))), 202, "")
			w.Pass(15 * time.Second)
		}
		time.Sleep(16 * time.Second)
		got := evidence(testbed.ShopKey)
		if !strings.Contains(got, `"payments":4,"unknownShare":0,"medianSecondsToEnd":`) || !strings.Contains(got, `"lastSuccessAt":"20`) || strings.Contains(got, `ToEnd":null`) {
			t.Errorf("%s", got)
		}
		if other := evidence(testbed.OtherKey); !strings.Contains(other, `"payments":0,"unknownShare":0,"medianSecondsToEnd":null,"lastSuccessAt":null`) {
			t.Errorf("another app sees %s", other)
		}
		// MTN's answers are lost: the payments are there, and unknown.
		if err := w.Sandbox.AddRule(core.Rule{Route: mtnstand.RouteRequestToPay, Fault: core.Error500After}); err != nil {
			t.Fatal(err)
		}
		if err := w.Sandbox.AddRule(core.Rule{Route: mtnstand.RouteStatus, Fault: core.HTML200Before}); err != nil {
			t.Fatal(err)
		}
		for i := range 4 {
			is(t, w.Pay(testbed.Order(fmt.Sprint("LOST-", i), mtnstand.Payer("callback_lost"))), 202, "")
		}
		time.Sleep(16 * time.Second)
		lost := is(t, getProviders(t, w, testbed.ShopKey), 200, "")
		if got := readProviders(t, lost); got.Accounts[0].Status != "delayed" || !strings.Contains(lost.Body, `"payments":8,"unknownShare":0.5`) {
			t.Errorf("%s", lost.Body)
		}
		time.Sleep(time.Hour)
		if got := evidence(testbed.ShopKey); !strings.Contains(got, `"payments":0`) {
			t.Errorf("an hour later: %s", got)
		}
		w.Sandbox.ClearRules()
		outage(t, w)
		time.Sleep(6 * time.Second)
		down := is(t, getProviders(t, w, testbed.ShopKey), 200, "")
		if got := readProviders(t, down); got.Accounts[0].Status != "unavailable" || got.Accounts[1].Status != "operational" || !strings.Contains(down.Body, `"unavailableSince":"20`) {
			t.Errorf("%s", down.Body)
		}
	})
}

func TestProvidersRefused(t *testing.T) {
	var down atomic.Bool
	o := tableDown(&down, table.ErrUnavailable)
	o.Limits = httpapi.NewRateLimit(1, 3)
	bubble(t, o, func(t *testing.T, w *testbed.World) {
		is(t, getProviders(t, w, ""), 401, "unauthorized")
		a := is(t, w.Pay(testbed.Order("ORDER-1", good)), 202, "")
		for _, r := range w.Records() {
			if r.Partition == "payment#"+a.Reference() && r.Sort == "payment" {
				r.Attributes["amount_minor"] = "a lot"
				if err := w.Memory.Write(t.Context(), table.Put(r)); err != nil {
					t.Fatal(err)
				}
			}
		}
		is(t, getProviders(t, w, testbed.ShopKey), 500, "internal")
		is(t, getProviders(t, w, testbed.ShopKey), 500, "internal")
		is(t, getProviders(t, w, testbed.ShopKey), 429, "rate_limited")
		time.Sleep(5 * time.Second)
		down.Store(true)
		wait(t, is(t, getProviders(t, w, testbed.ShopKey), 503, "unavailable"))
	})
}
