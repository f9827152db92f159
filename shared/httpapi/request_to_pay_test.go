package httpapi_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"momoproxy/infra/standin/core"
	facturastand "momoproxy/infra/standin/momfactura"
	mtnstand "momoproxy/infra/standin/mtn"
	"momoproxy/infra/testbed"
	"momoproxy/shared/delivery"
	"momoproxy/shared/httpapi"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
	"momoproxy/shared/table"
)

// good is a payer who pays.
const good = "26876123456"

// wait is the seconds an answer's Retry-After says.
func wait(t *testing.T, a testbed.Answer) time.Duration {
	t.Helper()
	d, err := time.ParseDuration(a.Headers["retry-after"] + "s")
	if err != nil || d < time.Second {
		t.Fatalf("%d has Retry-After %q", a.StatusCode, a.Headers["retry-after"])
	}
	return d
}

func TestRequestToPayMalformedJSON(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		for name, body := range map[string]string{
			"cut": `{"amount":"150.00",`, "empty": ``, "array": `[]`, "two": `{}{}`, "word": `null`, "text": `"x"`,
			"comma": `{"amount":1,}`, "single quotes": `{'amount':1}`, "not UTF-8": "{\"externalId\":\"\xff\"}",
			"raw NUL": "{\"externalId\":\"a\x00b\"}", "NUL behind": "{}\x00", "deep": strings.Repeat(`{"a":`, 100) + "1" + strings.Repeat("}", 100),
			"number": `{"amount":1e}`, "leading zero": `{"amount":01}`,
		} {
			if a := w.Pay(body); a.StatusCode != 400 || a.Code() != "malformed_json" {
				t.Errorf("%s: %d %s", name, a.StatusCode, a.Body)
			}
		}
		golden(t, "error/400-malformed-json", w.Pay(`{"amount":"150.00",`).Body)
		nothingCreated(t, w)
	})
}

func TestRequestToPayWrongType(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		a := is(t, w.Pay(`{"amount":true,"currency":5,"externalId":[],"payer":"26876123456","payerMessage":{},"metadata":{"a":1}}`), 422, "validation_failed")
		golden(t, "error/422-wrong-types", a.Body)
		nothingCreated(t, w)
	})
}

func TestRequestToPayOver64KiB(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		fill := func(n int) string {
			return strings.Repeat(" ", n-len(testbed.Order("BIG", good))) + testbed.Order("BIG", good)
		}
		a := is(t, w.Pay(fill(httpapi.MaxBody+1)), 413, "body_too_large")
		golden(t, "error/413-body-too-large", a.Body)
		is(t, w.Pay(strings.Repeat("x", 1<<20)), 413, "body_too_large")
		nothingCreated(t, w)
		is(t, w.Pay(fill(httpapi.MaxBody)), 202, "")
	})
}

func TestRequestToPayKeyMissingUnknownOrInactive(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		if _, err := w.Ledger.CreateClient(t.Context(), ledger.Client{ID: "cli_gone", APIKey: "inactive-key"}); err != nil {
			t.Fatal(err)
		}
		bodies := map[string]bool{}
		for name, key := range map[string]string{
			"unknown": "NOT_A_KEY", "inactive": "inactive-key", "near": testbed.ShopKey + "x", "hash": ledger.KeyHash(testbed.ShopKey),
		} {
			a := w.Pay(testbed.Order("ORDER-1", good), "x-proxy-api-key", key)
			if a.StatusCode != 401 || a.Code() != "unauthorized" {
				t.Errorf("%s: %d %s", name, a.StatusCode, a.Body)
			}
			bodies[a.Body] = true
		}
		if len(bodies) != 1 {
			t.Errorf("the answers tell the cases apart: %v", bodies)
		}
		for body := range bodies {
			golden(t, "error/401-unauthorized", body)
		}
		for _, c := range []struct{ name, value, want string }{
			{"x-proxy-api-key", "", "is missing."},
			{"authorization", "Bearer " + testbed.ShopKey, "a key in Authorization is not read"},
			{"x-api-key", testbed.ShopKey, "a key in X-Api-Key is not read"},
			{"x-proxy-api-key", "Bearer " + testbed.ShopKey, "without quotes, spaces or the word Bearer"},
			{"x-proxy-api-key", `"` + testbed.ShopKey + `"`, "without quotes, spaces or the word Bearer"},
			{"x-proxy-api-key", testbed.ShopKey + " ", "without quotes, spaces or the word Bearer"},
			{"x-proxy-api-key", strings.Repeat("k", 100_000), "does not hold a key"},
		} {
			a := is(t, w.Pay(testbed.Order("ORDER-1", good), "x-proxy-api-key", "", c.name, c.value), 401, "unauthorized")
			if !strings.Contains(a.Body, c.want) || strings.Contains(a.Body, testbed.ShopKey) {
				t.Errorf("%s: %.20s: %s", c.name, c.value, a.Body)
			}
		}
		is(t, w.Pay(testbed.Order("ORDER-1", good), "x-proxy-api-key", "", "X-Proxy-Api-Key", testbed.ShopKey), 202, "")
	})
}

func TestRequestToPayExternalIDHeldByLivePayment(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		first := is(t, w.Pay(testbed.Order("ORDER-1", good)), 202, "")
		a := is(t, w.Pay(testbed.Order("ORDER-1", good)), 409, "duplicate_external_id")
		if a.Reference() != first.Reference() || a.Text("status") != "PENDING" {
			t.Errorf("%s; the holder is %s", a.Body, first.Reference())
		}
		golden(t, "error/409-duplicate-external-id", a.Body)
		// Another app's ids are its own.
		is(t, w.Pay(testbed.Order("ORDER-1", good), "x-proxy-api-key", testbed.OtherKey), 202, "")
		is(t, w.Pay(testbed.Order("ORDER-2", good)), 202, "")
	})
}

func TestRequestToPayExternalIDHeldBySuccessfulPayment(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		first := is(t, w.Pay(testbed.Order("ORDER-1", good)), 202, "")
		w.Pass(10 * 24 * time.Hour)
		a := is(t, w.Pay(testbed.Order("ORDER-1", good)), 409, "duplicate_external_id")
		if a.Reference() != first.Reference() || a.Text("status") != "SUCCESSFUL" {
			t.Errorf("%s; the holder is %s", a.Body, first.Reference())
		}
	})
}

// A paid order is not charged again after its payment has expired.
func TestRequestToPayExternalIDHeldByExpiredPayment(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		first := is(t, w.Pay(testbed.Order("ORDER-1", good)), 202, "")
		w.Pass(time.Hour)
		for _, rec := range w.Records() {
			if rec.Partition == "payment#"+first.Reference() && rec.Space == table.Main {
				if err := w.Memory.Write(t.Context(), table.Delete(rec.Key, rec.Version)); err != nil {
					t.Fatal(err)
				}
			}
		}
		is(t, w.Ask(first.Reference(), testbed.ShopKey), 404, "not_found")
		a := is(t, w.Pay(testbed.Order("ORDER-1", good)), 409, "duplicate_external_id")
		if a.Reference() != first.Reference() || a.Text("status") != "SUCCESSFUL" || w.Charged() != 1 {
			t.Errorf("%s; charged %d times", a.Body, w.Charged())
		}
	})
}

func TestRequestToPayExternalIDFreed(t *testing.T) {
	for _, c := range []struct {
		status payment.Status
		payer  string
		after  time.Duration
		end    string // word that MTN ends it with; empty: its script's
	}{
		{payment.Failed, mtnstand.Payer("failed_not_enough_funds"), time.Minute, ""},
		{payment.Cancelled, mtnstand.Payer(mtnstand.ScriptPending), time.Minute, "CANCELLED"},
		{payment.Timeout, mtnstand.Payer(mtnstand.ScriptPending), 26 * time.Hour, ""},
	} {
		t.Run(string(c.status), func(t *testing.T) {
			bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
				first := is(t, w.Pay(testbed.Order("ORDER-1", c.payer)), 202, "")
				if c.end != "" {
					if err := w.Sandbox.SetOutcome(first.Reference(), c.end, "", true); err != nil {
						t.Fatal(err)
					}
				}
				w.Pass(c.after)
				status := is(t, w.Ask(first.Reference(), testbed.ShopKey), 200, "")
				if status.Text("status") != string(c.status) {
					t.Fatalf("%s; want %s", status.Body, c.status)
				}
				golden(t, "status/"+strings.ToLower(string(c.status)), status.Body)
				if timeline := is(t, own(t, w, timelineRoute, first.Reference(), testbed.ShopKey), 200, ""); timeline.Text("failureCode") != status.Text("failureCode") {
					t.Errorf("the timeline says %q", timeline.Text("failureCode"))
				}
				got := w.App.About(first.Reference())
				if len(got) != 1 {
					t.Fatalf("the app received %d callbacks", len(got))
				}
				golden(t, "callback/payment."+strings.ToLower(string(c.status)), got[0].Body)
				second := is(t, w.Pay(testbed.Order("ORDER-1", good)), 202, "")
				if second.Reference() == first.Reference() {
					t.Error("the same reference again")
				}
			})
		})
	}
}

func TestRequestToPayAccepted(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		a := is(t, w.Pay(`{"amount":"150.00","currency":"SZL","externalId":"ORDER-98765","payer":{"partyIdType":"MSISDN","partyId":"+268 7612-3456"},`+
			`"payerMessage":"Order 98765","payeeNote":"Web shop <1>","callbackUrl":"https://shop.example.com/momo/98765?k=v","provider":"mtn","metadata":{"cart":"4711"}}`), 202, "")
		golden(t, "request-to-pay/202-accepted", a.Body)
		golden(t, "status/awaiting-payer", is(t, w.Ask(a.Reference(), testbed.ShopKey), 200, "").Body)
		w.Pass(time.Minute)
		golden(t, "status/successful", is(t, w.Ask(a.Reference(), testbed.ShopKey), 200, "").Body)
		got := w.App.Got()
		if len(got) != 1 || got[0].URL != "https://shop.example.com/momo/98765?k=v" {
			t.Fatalf("the app received %v", got)
		}
		golden(t, "callback/payment.successful", got[0].Body)
		if e, _ := w.Sandbox.Payment(a.Reference()); e.Asks != 1 || e.Charges != 1 || e.Payer != good {
			t.Errorf("MTN's books: %+v", e)
		}
	})
}

func TestRequestToPayAmountAsNumberAndNulls(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		a := is(t, w.Pay(`{"amount":150.5,"currency":null,"externalId":"N","payer":{"partyIdType":"MSISDN","partyId":"26876123456"},"metadata":null,"callbackUrl":null}`), 202, "")
		if a.Text("amount") != "150.50" {
			t.Errorf("%s", a.Body)
		}
	})
}

// MTN answers 409 to a resend after the first answer was lost: that is
// acceptance, and one charge.
func TestRequestToPayMTN409OnResend(t *testing.T) {
	for _, plan := range []string{"timeout_after", "reset_after", "error503_charged"} {
		t.Run(plan, func(t *testing.T) {
			bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
				a := is(t, w.Pay(testbed.Order("ORDER-1", mtnstand.Payer(plan))), 202, "")
				if a.Text("phase") != "awaiting_payer" {
					t.Errorf("%s", a.Body)
				}
				if e, _ := w.Sandbox.Payment(a.Reference()); e.Duplicates != 1 {
					t.Errorf("MTN's books: %+v", e)
				}
				endsOnce(t, w, a.Reference(), payment.Successful, time.Hour)
			})
		})
	}
}

func TestRequestToPayRefusedForGood(t *testing.T) {
	for plan, want := range map[string]struct {
		status       int
		code         string
		providerCode string
	}{
		"refused_payer_not_found": {422, "provider_refused", "PAYER_NOT_FOUND"},
		"mtn_456":                 {502, "provider_account", "PAYEE_NOT_ALLOWED_TO_RECEIVE"},
		"mtn_457":                 {502, "provider_account", "NOT_ALLOWED"},
		"mtn_458":                 {502, "provider_account", "NOT_ALLOWED_TARGET_ENVIRONMENT"},
		"mtn_459":                 {502, "provider_account", "INVALID_CALLBACK_URL_HOST"},
		"mtn_460":                 {502, "provider_account", "INVALID_CURRENCY"},
		"error403":                {502, "provider_account", "FORBIDDEN_IP"},
	} {
		t.Run(plan, func(t *testing.T) {
			bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
				a := is(t, w.Pay(testbed.Order("ORDER-1", mtnstand.Payer(plan)), "idempotency-key", "k"), want.status, want.code)
				if a.Text("providerCode") != want.providerCode || a.Text("status") != "FAILED" {
					t.Errorf("%s", a.Body)
				}
				if plan == "refused_payer_not_found" {
					golden(t, "error/422-provider-refused", a.Body)
				}
				if alarmed := strings.Contains(w.Log(), `"provider.account"`); alarmed != (want.code == "provider_account") {
					t.Errorf("provider.account logged: %t", alarmed)
				}
				again := is(t, w.Pay(testbed.Order("ORDER-1", mtnstand.Payer(plan)), "idempotency-key", "k"), want.status, want.code)
				if again.Body != a.Body || again.Headers["idempotent-replayed"] != "true" {
					t.Errorf("replayed %v %s; want %s", again.Headers, again.Body, a.Body)
				}
				is(t, w.Pay(testbed.Order("ORDER-1", good)), 202, "") // the id is free
				endsOnce(t, w, a.Reference(), payment.Failed, time.Hour)
			})
		})
	}
}

// orderMCX is a Mom Factura payment whose outcome is its answer.
const orderMCX = `{"provider":"mom-factura","method":"mcx","amount":"15000.00","externalId":"ORDER-MCX","payer":{"partyIdType":"MSISDN","partyId":"244923456789"}}`

// A code that nobody documented proves nothing. The provider charged the
// payer: the order stays taken, and the provider is asked once.
func TestRequestToPayUnknownCode(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		if err := testbed.Standin[*facturastand.Standin](w).AddRule(core.Rule{Fault: facturastand.UnknownCodeAfter}); err != nil {
			t.Fatal(err)
		}
		a := is(t, w.Pay(orderMCX), 202, "")
		if a.Text("phase") != "in_reconciliation" || a.Text("status") != "PENDING" {
			t.Errorf("%s", a.Body)
		}
		again := is(t, w.Pay(orderMCX), 409, "duplicate_external_id")
		if again.Reference() != a.Reference() {
			t.Errorf("%s; want %s", again.Body, a.Reference())
		}
		if charged := len(testbed.Standin[*facturastand.Standin](w).Ledger()); charged != 1 {
			t.Errorf("asked to charge %d times", charged)
		}
	})
}

// A request limit that is spent in mid-request: nothing was charged, and the
// payment that was stored has FAILED.
func TestRequestToPayNotStarted(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		if err := testbed.Standin[*facturastand.Standin](w).AddRule(core.Rule{Fault: core.Error429Before, Times: 1}); err != nil {
			t.Fatal(err)
		}
		a := is(t, w.Pay(orderMCX, "idempotency-key", "k"), 502, "payment_not_started")
		wait(t, a)
		golden(t, "error/502-payment-not-started", a.Body)
		again := is(t, w.Pay(orderMCX, "idempotency-key", "k"), 502, "payment_not_started")
		if again.Body != a.Body || again.Headers["retry-after"] != a.Headers["retry-after"] {
			t.Errorf("replayed %v %s; want %v %s", again.Headers, again.Body, a.Headers, a.Body)
		}
		time.Sleep(wait(t, a))
		is(t, w.Pay(orderMCX, "idempotency-key", "k2"), 202, "") // the order is free
	})
}

// A 200 is answered as a likely duplicate and proves nothing: the payment is
// reconciled to its true end.
func TestRequestToPayMTN200(t *testing.T) {
	for plan, end := range map[string]payment.Status{"json200_charged": payment.Successful, "json200": payment.Failed} {
		t.Run(plan, func(t *testing.T) {
			bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
				a := is(t, w.Pay(testbed.Order("ORDER-1", mtnstand.Payer(plan)), "idempotency-key", "k"), 502, "provider_likely_duplicate")
				if a.Text("status") != "PENDING" || w.Status(a.Reference()) != payment.Pending {
					t.Errorf("%s; stored %s", a.Body, w.Status(a.Reference()))
				}
				golden(t, "error/502-provider-likely-duplicate", a.Body)
				again := is(t, w.Pay(testbed.Order("ORDER-1", mtnstand.Payer(plan)), "idempotency-key", "k"), 502, "provider_likely_duplicate")
				if again.Body != a.Body || again.Headers["idempotent-replayed"] != "true" {
					t.Errorf("replayed %v %s", again.Headers, again.Body)
				}
				endsOnce(t, w, a.Reference(), end, time.Hour)
			})
		})
	}
}

func TestRequestToPayOutcomeUnknown(t *testing.T) {
	for plan, end := range map[string]payment.Status{
		"timeout_before": payment.Failed, "reset_before": payment.Failed, "error500": payment.Failed, "error503": payment.Failed,
		"html200": payment.Failed, "html200_charged": payment.Successful, "error500_charged": payment.Successful, "error429": payment.Failed,
	} {
		t.Run(plan, func(t *testing.T) {
			bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
				a := is(t, w.Pay(testbed.Order("ORDER-1", mtnstand.Payer(plan))), 202, "")
				if a.Text("phase") != "in_reconciliation" {
					t.Errorf("%s", a.Body)
				}
				if plan == "error500" {
					golden(t, "request-to-pay/202-in-reconciliation", a.Body)
					golden(t, "status/in-reconciliation", is(t, w.Ask(a.Reference(), testbed.ShopKey), 200, "").Body)
				}
				if e, _ := w.Sandbox.Payment(a.Reference()); e.Asks > 3 {
					t.Errorf("asked %d times", e.Asks)
				}
				endsOnce(t, w, a.Reference(), end, time.Hour)
			})
		})
	}
}

// outage has MTN leave the requests to pay of three payers unanswered.
func outage(t *testing.T, w *testbed.World) {
	t.Helper()
	if err := w.Sandbox.AddRule(core.Rule{Route: mtnstand.RouteRequestToPay, Fault: core.Error503Before}); err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		is(t, w.Pay(testbed.Order(fmt.Sprint("DOWN-", i), fmt.Sprint("2687612345", i%3))), 202, "")
	}
}

func TestRequestToPayCircuitOpen(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		outage(t, w)
		payments := len(w.Sandbox.Ledger())
		a := is(t, w.Pay(testbed.Order("ORDER-1", good), "idempotency-key", "k"), 503, "provider_unavailable")
		golden(t, "error/503-provider-unavailable", a.Body)
		if len(w.Sandbox.Ledger()) != payments || stored(t, w, "ORDER-1") != 0 {
			t.Error("a payment was created")
		}
		w.Sandbox.ClearRules()
		// One probe is let through; it closes the circuit.
		time.Sleep(wait(t, a))
		is(t, w.Pay(testbed.Order("ORDER-1", good), "idempotency-key", "k"), 202, "")
		is(t, w.Pay(testbed.Order("ORDER-2", good)), 202, "")
	})
}

func TestRequestToPayCredentialsRefused(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		if err := w.Sandbox.AddRule(core.Rule{Route: mtnstand.RouteToken, Fault: mtnstand.LoginFailed}); err != nil {
			t.Fatal(err)
		}
		a := is(t, w.Pay(testbed.Order("ORDER-1", good)), 503, "provider_unavailable")
		wait(t, a)
		nothingCreated(t, w)
		w.Sandbox.ClearRules()
		time.Sleep(10 * time.Second)
		is(t, w.Pay(testbed.Order("ORDER-1", good)), 202, "")
	})
}

func TestRequestToPayRateLimited(t *testing.T) {
	bubble(t, testbed.Options{Limits: httpapi.NewRateLimit(1, 3)}, func(t *testing.T, w *testbed.World) {
		for i := range 3 {
			is(t, w.Pay(testbed.Order(fmt.Sprint("ORDER-", i), good)), 202, "")
		}
		a := is(t, w.Pay(testbed.Order("ORDER-3", good)), 429, "rate_limited")
		golden(t, "error/429-rate-limited", a.Body)
		is(t, w.Ask("00000000-0000-4000-8000-000000000000", testbed.ShopKey), 429, "rate_limited")
		// One app's haste is not another's.
		is(t, w.Pay(testbed.Order("ORDER-3", good), "x-proxy-api-key", testbed.OtherKey), 202, "")
		time.Sleep(wait(t, a))
		is(t, w.Pay(testbed.Order("ORDER-3", good)), 202, "")
	})
}

// nothingCreated: no payment is stored and MTN has not been asked.
func nothingCreated(t *testing.T, w *testbed.World) {
	t.Helper()
	if n := len(w.Sandbox.Ledger()); n != 0 {
		t.Errorf("MTN was asked for %d payments", n)
	}
	page, err := w.Memory.Query(context.Background(), table.Query{Space: table.Main, Index: ledger.IndexList, Partition: "client#" + w.Shop.ID})
	if err != nil || len(page.Records) != 0 {
		t.Errorf("%d payments are stored; %v", len(page.Records), err)
	}
}

// stored counts the payments of Shop that hold an external id.
func stored(t *testing.T, w *testbed.World, externalID string) int {
	t.Helper()
	found, err := w.Ledger.FindPayments(context.Background(), ledger.ID{Named: externalID})
	if err != nil {
		t.Fatal(err)
	}
	return len(found)
}

// endsOnce lets a while pass; then the payment has ended so, charged at most
// once and exactly when it succeeded, and its app got one event.
func endsOnce(t *testing.T, w *testbed.World, reference string, end payment.Status, within time.Duration) {
	t.Helper()
	w.Pass(within)
	if got := w.Status(reference); got != end {
		t.Errorf("%s after %s; want %s", got, within, end)
	}
	e, _ := w.Sandbox.Payment(reference)
	if charges := e.Charges; charges > 1 || (charges == 1) != (end == payment.Successful) {
		t.Errorf("charged %d times", charges)
	}
	got := w.App.About(reference)
	if len(got) != 1 || got[0].Content.Status != string(end) || got[0].Content.Sequence != 1 {
		t.Errorf("the app received %d callbacks: %v", len(got), got)
	}
}

// Credentials that stop working between two requests: the token in hand is
// refused, and so is the wish for another.
func TestRequestToPayCredentialsRefusedOnTheWay(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		is(t, w.Pay(testbed.Order("ORDER-0", good)), 202, "")
		for _, r := range []core.Rule{
			{Route: mtnstand.RouteRequestToPay, Fault: core.Error401Before}, {Route: mtnstand.RouteToken, Fault: mtnstand.LoginFailed},
		} {
			if err := w.Sandbox.AddRule(r); err != nil {
				t.Fatal(err)
			}
		}
		a := is(t, w.Pay(testbed.Order("ORDER-1", good), "Idempotency-Key", "key-1"), 502, "provider_account")
		golden(t, "error/502-provider-account", a.Body)
		if w.Status(a.Reference()) != payment.Failed {
			t.Errorf("it is %s", w.Status(a.Reference()))
		}
		again := is(t, w.Pay(testbed.Order("ORDER-1", good), "Idempotency-Key", "key-1"), 502, "provider_account")
		if again.Body != a.Body || again.Headers["idempotent-replayed"] != "true" {
			t.Errorf("the replay is %v %s", again.Headers, again.Body)
		}
		is(t, w.Pay(testbed.Order("ORDER-2", good)), 503, "provider_unavailable") // and now no payment at all
		w.Sandbox.ClearRules()
		time.Sleep(time.Minute)
		is(t, w.Pay(testbed.Order("ORDER-1", good)), 202, "") // the order is free
		if w.Charged() > 2 {
			t.Errorf("charged %d times", w.Charged())
		}
	})
}

// The queue carries hints only: without it payments go on, and their
// callbacks come once it is back.
func TestRequestToPayWithoutAQueue(t *testing.T) {
	bubble(t, testbed.Options{Queue: deaf}, func(t *testing.T, w *testbed.World) {
		a := is(t, w.Pay(testbed.Order("ORDER-1", good)), 202, "")
		time.Sleep(time.Minute)
		if w.Status(a.Reference()) != payment.Successful {
			t.Fatalf("it is %s", w.Status(a.Reference()))
		}
		d := w.Story(a.Reference()).Deliveries
		if len(d) != 1 || d[0].State != delivery.Due || d[0].NextAttemptAt.IsZero() {
			t.Errorf("its event is not due: %+v", d)
		}
	})
}

// A provider's limit that is spent is no outage, and is not reported as one.
func TestRequestToPayProviderBusy(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		for i := range 30 {
			a := w.Pay(factura(fmt.Sprint("ORDER-", i)))
			if a.StatusCode == 202 {
				continue
			}
			golden(t, "error/503-provider-busy", is(t, a, 503, "provider_busy").Body)
			time.Sleep(wait(t, a))
			is(t, w.Pay(factura(fmt.Sprint("ORDER-", i))), 202, "")
			return
		}
		t.Error("30 payments at once are within the limit")
	})
}
