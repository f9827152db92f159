package httpapi_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"momoproxy/infra/cloud"
	"momoproxy/infra/standin/core"
	mtnstand "momoproxy/infra/standin/mtn"
	"momoproxy/infra/testbed"
	"momoproxy/shared/gateway"
	"momoproxy/shared/httpapi"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
	"momoproxy/shared/refund"
	"momoproxy/shared/table"
)

const (
	refundRoute = "POST /payments/{referenceId}/refunds"
	refundsOf   = "GET /payments/{referenceId}/refunds"
	oneRefund   = "GET /payments/{referenceId}/refunds/{refundId}"
	refundID    = "3f1d7a52-8b0e-4f6c-9a57-0c2f8d1e7b11"
)

// giveBack asks for a refund with a body.
func giveBack(w *testbed.World, reference, key, body string) testbed.Answer {
	r := cloud.Request(refundRoute, reference)
	r.Headers["x-proxy-api-key"], r.Headers["content-type"] = key, "application/json"
	r.Body = body
	return w.Call(context.Background(), r)
}

func refundBody(id, amount string) string {
	if amount != "" {
		amount = fmt.Sprintf(`"amount":%q,`, amount)
	}
	return fmt.Sprintf(`{"refundId":%q,%s"reason":"it came back"}`, id, amount)
}

// mayRefund lets Shop refund so much a day.
func mayRefund(t *testing.T, w *testbed.World, szl int64) {
	t.Helper()
	client, err := w.Ledger.Client(t.Context(), w.Shop.ID)
	if err == nil {
		err = w.Ledger.ChangeClient(t.Context(), client, ledger.ClientChange{RefundsPerDay: &[]payment.Money{{Minor: szl * 100, Currency: "SZL"}}})
	}
	if err != nil {
		t.Fatal(err)
	}
}

// paidOrder is a payment of 150.00 that has succeeded.
func paidOrder(t *testing.T, w *testbed.World, order string) string {
	t.Helper()
	ref := is(t, w.Pay(testbed.Order(order, good)), 202, "").Reference()
	w.Pass(2 * time.Minute)
	if s := w.Status(ref); s != payment.Successful {
		t.Fatalf("the payment is %s", s)
	}
	return ref
}

// refundedAtMTN is what MTN has paid back, in its own words.
func refundedAtMTN(w *testbed.World) (amounts []string) {
	for _, p := range w.Sandbox.Payouts() {
		amounts = append(amounts, p.Amount)
	}
	return amounts
}

// A payment is given back in two parts. The app is told of each end, and reads
// both wherever the payment is read.
func TestRefund(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		mayRefund(t, w, 1000)
		ref := paidOrder(t, w, "ORDER-1")
		first := is(t, giveBack(w, ref, testbed.ShopKey, refundBody(refundID, "50.00")), 202, "")
		if first.Text("status") != "SUBMITTED" || first.Text("amountDecimal") != "50.00" || first.Text("reason") != "it came back" {
			t.Errorf("%s", first.Body)
		}
		is(t, giveBack(w, ref, testbed.ShopKey, refundBody(uuid.NewString(), "1.00")), 409, "refund_open")
		w.Pass(3 * time.Minute)
		again := is(t, giveBack(w, ref, testbed.ShopKey, refundBody(strings.ToUpper(refundID), "50.00")), 202, "")
		if again.Text("status") != "SUCCESSFUL" || again.Text("financialTxId") == "" {
			t.Errorf("%s", again.Body)
		}
		is(t, giveBack(w, ref, testbed.ShopKey, refundBody(refundID, "50.01")), 409, "refund_id_taken")
		is(t, giveBack(w, ref, testbed.ShopKey, refundBody(uuid.NewString(), "100.01")), 422, "refund_too_much")
		is(t, giveBack(w, ref, testbed.ShopKey, refundBody(uuid.NewString(), "")), 202, "") // all that is left
		w.Pass(3 * time.Minute)
		is(t, giveBack(w, ref, testbed.ShopKey, refundBody(uuid.NewString(), "0.01")), 422, "refund_too_much")
		if got := refundedAtMTN(w); fmt.Sprint(got) != "[50 100]" {
			t.Errorf("MTN gave back %v", got)
		}
		for _, a := range []testbed.Answer{w.Ask(ref, testbed.ShopKey), own(t, w, timelineRoute, ref, testbed.ShopKey)} {
			if is(t, a, 200, ""); a.Text("refundedAmount") != "150.00" || a.Text("status") != "SUCCESSFUL" || a.Fields["callbackForwarded"] != true {
				t.Errorf("%s", a.Body)
			}
		}
		if listed, _ := is(t, own(t, w, refundsOf, ref, testbed.ShopKey), 200, "").Fields["refunds"].([]any); len(listed) != 2 {
			t.Errorf("listed: %v", listed)
		}
		if shown, _ := own(t, w, timelineRoute, ref, testbed.ShopKey).Fields["refunds"].([]any); len(shown) != 2 {
			t.Errorf("in the timeline: %v", shown)
		}
		events := ""
		for _, r := range w.App.About(ref) {
			events += fmt.Sprint(r.Content.Event, r.Content.Sequence, " ")
		}
		if events != "payment.successful1 refund.successful2 refund.successful3 " {
			t.Errorf("the app got %s", events)
		}
		golden(t, "refund-event", masked(w, ref, w.App.About(ref)[1].Body))
	})
}

// slowToken gives money back once the schedule has had its token, which takes
// longer than anybody else waits.
type slowToken struct {
	provider.Refunder
	had bool
}

func (s *slowToken) Maintain(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(20 * time.Second):
	}
	s.had = true
	return s.Refunder.Maintain(ctx)
}

func (s *slowToken) Refund(ctx context.Context, p payment.Payment, r refund.Refund) provider.Answer {
	if !s.had {
		return provider.Answer{Evidence: payment.Evidence{Verdict: payment.SaysNothing, Reason: "no token"}}
	}
	return s.Refunder.Refund(ctx, p, r)
}

// On MTN's new platform a token takes 20 seconds. The schedule gets it, and the
// refund that waits for it leaves.
func TestRefundWithASlowToken(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		mayRefund(t, w, 1000)
		ref := paidOrder(t, w, "ORDER-1")
		slow := &slowToken{Refunder: w.Refunds.Refunders["mtn"]}
		w.Refunds.Refunders["mtn"] = slow
		if first := is(t, giveBack(w, ref, testbed.ShopKey, refundBody(refundID, "")), 202, ""); first.Text("status") != "PENDING" {
			t.Fatalf("without a token it is %s", first.Body)
		}
		w.Pass(10 * time.Minute)
		one := cloud.Request(oneRefund, ref, refundID)
		one.Headers["x-proxy-api-key"] = testbed.ShopKey
		if got := is(t, w.Call(t.Context(), one), 200, ""); !slow.had || got.Text("status") != "SUCCESSFUL" {
			t.Errorf("token %t, then %s", slow.had, got.Body)
		}
	})
}

// masked takes out of a text what differs from run to run.
func masked(w *testbed.World, reference, text string) string {
	text = strings.ReplaceAll(text, w.Payment(reference).FinancialTransactionID, "1234567890")
	for _, f := range w.Story(reference).Refunds {
		text = strings.ReplaceAll(text, f.FinancialTransactionID, "1234567891")
	}
	return text
}

// Every scripted outcome of a refund: what the app reads, and that MTN was
// asked to refund once.
func TestRefundOutcomes(t *testing.T) {
	for name, c := range map[string]struct {
		script string
		status string // as first answered
		ends   string // within a day
		code   string // of the first answer that has one
	}{
		"not found":          {"refused_not_found", "UNKNOWN", "UNKNOWN", "RESOURCE_NOT_FOUND"},
		"failed":             {"mtn_450", "SUBMITTED", "FAILED", "INTERNAL_PROCESSING_ERROR"},
		"rejected":           {"mtn_451", "SUBMITTED", "FAILED", "APPROVAL_REJECTED"},
		"expired":            {"mtn_452", "SUBMITTED", "FAILED", "EXPIRED"},
		"ongoing":            {"ongoing", "SUBMITTED", "SUBMITTED", ""},
		"delayed":            {"mtn_454", "SUBMITTED", "SUCCESSFUL", ""},
		"not allowed":        {"mtn_457", "UNKNOWN", "UNKNOWN", "NOT_ALLOWED"},
		"wrong environment":  {"mtn_458", "UNKNOWN", "UNKNOWN", "NOT_ALLOWED_TARGET_ENVIRONMENT"},
		"callback host":      {"mtn_459", "UNKNOWN", "UNKNOWN", "INVALID_CALLBACK_URL_HOST"},
		"currency":           {"mtn_460", "UNKNOWN", "UNKNOWN", "INVALID_CURRENCY"},
		"internal error":     {"mtn_461", "UNKNOWN", "UNKNOWN", "INTERNAL_PROCESSING_ERROR"},
		"unavailable":        {"mtn_462", "UNKNOWN", "UNKNOWN", "SERVICE_UNAVAILABLE"},
		"could not perform":  {"mtn_463", "SUBMITTED", "FAILED", "COULD_NOT_PERFORM_TRANSACTION"},
		"the answer is lost": {"timeout_after", "UNKNOWN", "SUCCESSFUL", "no answer from MTN (timeout)"},
		"lost before":        {"timeout_before", "UNKNOWN", "UNKNOWN", "no answer from MTN (timeout)"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
				mayRefund(t, w, 1000)
				ref := paidOrder(t, w, "ORDER-1")
				if err := w.Sandbox.AddRule(core.Rule{Route: mtnstand.RouteRefund, Outcome: c.script}); err != nil {
					t.Fatal(err)
				}
				a := is(t, giveBack(w, ref, testbed.ShopKey, refundBody(refundID, "")), 202, "")
				if a.Text("status") != c.status || c.status == "UNKNOWN" && a.Text("providerCode") != c.code {
					t.Errorf("answered %s", a.Body)
				}
				w.Pass(24 * time.Hour)
				r := cloud.Request(oneRefund, ref, refundID)
				r.Headers["x-proxy-api-key"] = testbed.ShopKey
				a = is(t, w.Call(t.Context(), r), 200, "")
				if a.Text("status") != c.ends || c.ends == "FAILED" && a.Text("providerCode") != c.code {
					t.Errorf("a day later %s", a.Body)
				}
				if n := w.Sandbox.Counters().Requests[mtnstand.RouteRefund]; n != 1 {
					t.Errorf("MTN was asked to refund %d times", n)
				}
				want := map[string]int{"SUCCESSFUL": 1, "FAILED": 1}[c.ends] // events
				if got := len(w.App.About(ref)) - 1; got != want {
					t.Errorf("the app got %d events of the refund", got)
				}
				if free := w.Payment(ref).Refunds.Reserved == 0; free != (c.ends == "FAILED") {
					t.Errorf("what was taken is free: %t", free)
				}
			})
		})
	}
}

// What is refused is not stored, and MTN is not asked.
func TestRefundRefused(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		ref := paidOrder(t, w, "ORDER-1")
		good := refundBody(refundID, "")
		is(t, giveBack(w, ref, testbed.ShopKey, good), 403, "refunds_not_allowed")
		mayRefund(t, w, 100)
		is(t, giveBack(w, ref, testbed.OtherKey, good), 403, "refunds_not_allowed")
		is(t, giveBack(w, ref, testbed.ShopKey, good), 403, "refund_limit_reached")
		is(t, giveBack(w, ref, "nobody", good), 401, "unauthorized")
		is(t, giveBack(w, uuid.NewString(), testbed.ShopKey, good), 404, "not_found")
		is(t, giveBack(w, ref, testbed.ShopKey, `{"refundId"`), 400, "malformed_json")
		is(t, giveBack(w, ref, testbed.ShopKey, strings.Repeat(" ", 65<<10)), 413, "body_too_large")
		r := cloud.Request(refundRoute, ref)
		r.Headers["x-proxy-api-key"], r.Headers["content-type"], r.Body = testbed.ShopKey, "text/plain", good
		is(t, w.Call(t.Context(), r), 415, "unsupported_content_type")
		for field, body := range map[string]string{
			"refundId": `{"refundId":"7","reason":"x"}`,
			"reason":   `{"refundId":"` + refundID + `","reason":"` + strings.Repeat("x", gateway.MaxRefundReason+1) + `"}`,
			"amount":   `{"refundId":"` + refundID + `","reason":"x","amount":"1.001"}`,
			"kind":     `{"refundId":"` + refundID + `","reason":"x","kind":"transfer"}`,
		} {
			if f := faults(t, giveBack(w, ref, testbed.ShopKey, body)); f[field] == "" || len(f) != 1 {
				t.Errorf("%s: %v", field, f)
			}
		}
		open := is(t, w.Pay(testbed.Order("ORDER-2", mtnstand.Payer(mtnstand.ScriptPending))), 202, "").Reference()
		is(t, giveBack(w, open, testbed.ShopKey, good), 409, "payment_not_successful")
		one := cloud.Request(oneRefund, ref, refundID)
		one.Headers["x-proxy-api-key"] = testbed.ShopKey
		is(t, w.Call(t.Context(), one), 404, "refund_not_found")

		invoiced := is(t, w.Pay(factura("ORDER-3")), 202, "").Reference()
		w.Pass(5 * time.Minute)
		client, err := w.Ledger.Client(t.Context(), w.Shop.ID)
		if err == nil {
			err = w.Ledger.ChangeClient(t.Context(), client, ledger.ClientChange{RefundsPerDay: &[]payment.Money{{Minor: 1e8, Currency: "AOA"}}})
		}
		if err != nil {
			t.Fatal(err)
		}
		is(t, giveBack(w, invoiced, testbed.ShopKey, good), 501, "refund_is_manual")
		for _, about := range []string{ref, open, invoiced} {
			if story := w.Story(about); len(story.Refunds) != 0 || len(w.Sandbox.Payouts()) != 0 {
				t.Errorf("stored %v, paid out %v", story.Refunds, w.Sandbox.Payouts())
			}
		}
	})
}

// Another app neither sees nor makes refunds of a payment.
func TestRefundOfAnotherApp(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		mayRefund(t, w, 1000)
		r := cloud.Request("POST /request-to-pay")
		r.Headers = map[string]string{"content-type": "application/json", "x-proxy-api-key": testbed.OtherKey}
		r.Body = testbed.Order("ORDER-1", good)
		ref := is(t, w.Call(t.Context(), r), 202, "").Reference()
		w.Pass(2 * time.Minute)
		is(t, giveBack(w, ref, testbed.ShopKey, refundBody(refundID, "")), 403, "forbidden")
		is(t, own(t, w, refundsOf, ref, testbed.ShopKey), 403, "forbidden")
	})
}

// A payment takes so many refunds, those that failed included.
func TestRefundsUsedUp(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		mayRefund(t, w, 10_000)
		ref := paidOrder(t, w, "ORDER-1")
		if err := w.Sandbox.AddRule(core.Rule{Route: mtnstand.RouteRefund, Outcome: "mtn_450"}); err != nil {
			t.Fatal(err)
		}
		for range refund.MaxRefunds {
			is(t, giveBack(w, ref, testbed.ShopKey, refundBody(uuid.NewString(), "")), 202, "")
			w.Pass(3 * time.Minute)
		}
		is(t, giveBack(w, ref, testbed.ShopKey, refundBody(uuid.NewString(), "")), 409, "refunds_used_up")
	})
}

// An order is paid twice when a payment that had ended otherwise is corrected,
// whichever of the two succeeds last. The operator is told, once.
func TestOrderPaidTwice(t *testing.T) {
	for name, last := range map[string]string{"the corrected one": "first", "the other": "second"} {
		t.Run(name, func(t *testing.T) {
			bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
				pay := func() string {
					return is(t, w.Pay(testbed.Order("TWICE", mtnstand.Payer(mtnstand.ScriptPending))), 202, "").Reference()
				}
				first := pay()
				w.Pass(26 * time.Hour)
				second := pay()
				for _, ref := range map[string][]string{"first": {second, first}, "second": {first, second}}[last] {
					if strings.Contains(w.Log(), "order.paid_twice") {
						t.Error("told after one success")
					}
					if err := w.Sandbox.SetOutcome(ref, core.Approve, "", true); err != nil {
						t.Fatal(err)
					}
					w.Pass(10 * time.Hour)
				}
				if n := strings.Count(w.Log(), "order.paid_twice"); n != 1 || w.Status(first) != payment.Successful || w.Status(second) != payment.Successful {
					t.Errorf("told %d times; %s %s", n, w.Status(first), w.Status(second))
				}
				mayRefund(t, w, 1000)
				is(t, giveBack(w, first, testbed.ShopKey, refundBody(refundID, "")), 202, "")
				w.Pass(time.Hour)
				if got := refundedAtMTN(w); len(got) != 1 {
					t.Errorf("MTN gave back %v", got)
				}
			})
		})
	}
}

// A refund whose account has lost its credentials waits, and the operator is
// told.
func TestRefundWithoutAccount(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		mayRefund(t, w, 1000)
		ref := paidOrder(t, w, "ORDER-1")
		refunder := w.Refunds.Refunders["mtn"]
		delete(w.Refunds.Refunders, "mtn")
		order := gateway.RefundOrder{Reference: ref, Operator: "thandi", ID: refundID, Kind: refund.ByRefund, Reason: "it came back"}
		if _, _, err := w.Refunds.Request(t.Context(), order); err != nil {
			t.Fatal(err)
		}
		w.Pass(5 * time.Minute)
		if f := w.Story(ref).Refunds[0]; f.Status != refund.Pending || !strings.Contains(w.Log(), "refund.account_missing") {
			t.Errorf("%s, and the log does not say why", f.Status)
		}
		w.Refunds.Refunders["mtn"] = refunder
		w.Pass(time.Hour)
		if f := w.Story(ref).Refunds[0]; f.Status != refund.Successful {
			t.Errorf("%s", f.Status)
		}
	})
}

// What an operator chooses is listed, too, with what it is.
func TestRefundsOfAnOperator(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		ref := paidOrder(t, w, "ORDER-1")
		for _, kind := range []refund.Kind{refund.ByHand, refund.ByTransfer} {
			_, _, err := w.Refunds.Request(t.Context(), gateway.RefundOrder{
				Reference: ref, Operator: "thandi", ID: uuid.NewString(), Kind: kind, Reason: "by hand", Amount: payment.Money{Minor: 100, Currency: "SZL"},
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		found := map[string]string{}
		for _, f := range is(t, own(t, w, refundsOf, ref, testbed.ShopKey), 200, "").Fields["refunds"].([]any) {
			r := cloud.Request(oneRefund, ref, f.(map[string]any)["refundId"].(string))
			r.Headers["x-proxy-api-key"] = testbed.ShopKey
			a := is(t, w.Call(t.Context(), r), 200, "")
			found[a.Text("kind")] = a.Text("status")
		}
		if found["manual"] != "SUCCESSFUL" || found["transfer"] != "PENDING" {
			t.Errorf("%v", found)
		}
		w.Pass(time.Hour)
		if got := refundedAtMTN(w); fmt.Sprint(got) != "[1]" || len(w.App.About(ref)) != 3 {
			t.Errorf("MTN gave back %v; the app got %d events", got, len(w.App.About(ref)))
		}
	})
}

// The table failing, records that cannot be read, haste, and no key.
func TestRefundFaults(t *testing.T) {
	var down atomic.Bool
	o := tableDown(&down, table.ErrUnavailable)
	o.Limits = httpapi.NewRateLimit(1, 30)
	bubble(t, o, func(t *testing.T, w *testbed.World) {
		mayRefund(t, w, 1000)
		ref := paidOrder(t, w, "ORDER-1")
		one := func(reference, key string) testbed.Answer {
			r := cloud.Request(oneRefund, reference, refundID)
			r.Headers["x-proxy-api-key"] = key
			return w.Call(t.Context(), r)
		}
		all := func(reference, key string) []testbed.Answer {
			return []testbed.Answer{giveBack(w, reference, key, refundBody(refundID, "")), own(t, w, refundsOf, reference, key), one(reference, key)}
		}
		each := func(answers []testbed.Answer, status int, code string) {
			t.Helper()
			for _, a := range answers {
				is(t, a, status, code)
			}
		}
		each(all(uuid.NewString(), testbed.ShopKey), 404, "not_found")
		each(all(ref, "nobody"), 401, "unauthorized")
		is(t, one(ref, testbed.OtherKey), 403, "forbidden")
		down.Store(true)
		each(all(ref, testbed.ShopKey), 503, "unavailable")
		down.Store(false)
		for _, r := range w.Records() {
			if r.Space == table.Main && r.Sort == "payment" {
				r.Attributes["amount_minor"] = "a lot"
				if err := w.Memory.Write(t.Context(), table.Put(r)); err != nil {
					t.Fatal(err)
				}
			}
		}
		each(all(ref, testbed.ShopKey), 500, "internal")
		for range 30 {
			_ = one(ref, testbed.ShopKey)
		}
		each(all(ref, testbed.ShopKey), 429, "rate_limited")
	})
}
