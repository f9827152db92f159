package gateway_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	facturastand "momoproxy/infra/standin/momfactura"
	"momoproxy/infra/testbed"
	"momoproxy/shared/gateway"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
	"momoproxy/shared/table"
	"momoproxy/shared/table/tabletest"
)

// factura is a request to pay through Mom Factura; the amount's cents pick
// what the stand-in does.
func factura(externalID, method, amount string) string {
	return fmt.Sprintf(`{"provider":"mom-factura","method":%q,"amount":%q,"externalId":%q,"payer":{"partyIdType":"MSISDN","partyId":"244923456789"}}`,
		method, amount, externalID)
}

// paced repeats a request that the provider's limits refused, as the answer
// says.
func paced(t *testing.T, w *testbed.World, body string) testbed.Answer {
	t.Helper()
	for range 100 {
		a := w.Pay(body)
		if a.StatusCode != 503 {
			return a
		}
		wait, err := time.ParseDuration(a.Headers["retry-after"] + "s")
		if err != nil || wait <= 0 || wait > time.Minute {
			t.Fatalf("put off for %q", a.Headers["retry-after"])
		}
		w.Pass(wait)
	}
	t.Fatal("the request never had its turn")
	return testbed.Answer{}
}

// announced lists the events that the app got of a payment, in the order of
// their arrival, each once.
func announced(w *testbed.World, reference string) []string {
	var all []string
	for _, r := range w.App.About(reference) {
		if e := string(r.Content.Event); !slices.Contains(all, e) {
			all = append(all, e)
		}
	}
	return all
}

var paidWithInvoice = []string{"payment.successful", "invoice.created"}

func TestMomFacturaWays(t *testing.T) {
	for _, c := range []struct {
		name, method, amount string
		status               payment.Status
		events               []string
		within               time.Duration
	}{
		{"paid, both webhooks", "reference", "1500.00", payment.Successful, paidWithInvoice, 3 * time.Minute},
		{"webhooks lost", "reference", "1500.01", payment.Successful, paidWithInvoice, 5 * time.Minute},
		{"webhooks late", "reference", "1500.02", payment.Successful, paidWithInvoice, 30 * time.Minute},
		{"webhooks doubled", "reference", "1500.03", payment.Successful, paidWithInvoice, 5 * time.Minute},
		{"webhooks reversed", "reference", "1500.04", payment.Successful, paidWithInvoice, 5 * time.Minute},
		{"success forged, truly expired", "reference", "1500.05", payment.Cancelled, []string{"payment.cancelled"}, 5 * time.Minute},
		{"success forged, truly pending", "reference", "1500.06", payment.Pending, nil, 5 * time.Minute},
		{"failure forged, truly paid", "reference", "1500.07", payment.Successful, paidWithInvoice, 5 * time.Minute},
		{"paid without the word event", "reference", "1500.08", payment.Successful, paidWithInvoice, 5 * time.Minute},
		{"the invoice never comes", "reference", "1500.09", payment.Successful, []string{"payment.successful"}, 2 * time.Hour},
		{"cancelled", "reference", "1500.12", payment.Cancelled, []string{"payment.cancelled"}, 5 * time.Minute},
		{"failed", "reference", "1500.14", payment.Failed, []string{"payment.failed"}, 5 * time.Minute},
		{"error, then paid", "reference", "1500.16", payment.Successful, paidWithInvoice, 20 * time.Minute},
		{"an unknown word, then paid", "reference", "1500.17", payment.Successful, paidWithInvoice, 20 * time.Minute},
		{"webhooks before the status", "reference", "1500.18", payment.Successful, paidWithInvoice, 10 * time.Minute},
		{"e-kwanza", "ekwanza", "1500.00", payment.Successful, paidWithInvoice, 3 * time.Minute},
		{"e-kwanza, webhooks lost", "ekwanza", "1500.01", payment.Successful, paidWithInvoice, 5 * time.Minute},
		{"mcx", "mcx", "1500.00", payment.Successful, paidWithInvoice, time.Minute},
		{"mcx without funds", "mcx", "1500.14", payment.Failed, []string{"payment.failed"}, time.Minute},
		{"mcx, answer lost", "mcx", "1500.32", payment.Pending, nil, 2 * time.Hour},
		{"mcx, never arrived", "mcx", "1500.31", payment.Pending, nil, 2 * time.Hour},
		{"the limit refuses", "mcx", "1500.41", payment.Failed, []string{"payment.failed"}, time.Minute},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
				a := w.Pay(factura("ORDER-1", c.method, c.amount))
				reference := a.Reference()
				w.Pass(c.within)
				if got := w.Status(reference); got != c.status {
					t.Errorf("it is %s, not %s", got, c.status)
				}
				if diff := cmp.Diff(c.events, announced(w, reference)); diff != "" {
					t.Errorf("events (-want +announced):\n%s", diff)
				}
				if v := testbed.Standin[*facturastand.Standin](w).Counters(); v.Violations() > 0 {
					t.Errorf("limits broken: %+v", v)
				}
				if n := len(testbed.Standin[*facturastand.Standin](w).Ledger()); n > 1 {
					t.Errorf("%d payments at the provider", n)
				}
			})
		})
	}
}

// What nobody's interface can tell is put before the operator, never asked
// for again, and ended by the operator's word alone.
func TestMomFacturaUnanswerable(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		a := w.Pay(factura("ORDER-1", "mcx", "1500.32"))
		if a.StatusCode != 202 || a.Text("phase") != "in_reconciliation" {
			t.Fatalf("answered %d %s", a.StatusCode, a.Body)
		}
		reference := a.Reference()
		w.Pass(10 * 24 * time.Hour)
		p := w.Payment(reference)
		if p.Status != payment.Pending || !p.Unanswerable || !p.NextCheckAt.IsZero() {
			t.Fatalf("after ten days: %s, unanswerable %v, next check %v", p.Status, p.Unanswerable, p.NextCheckAt)
		}
		waiting, err := w.Ledger.Inbox(t.Context(), ledger.InboxQuery{Kind: ledger.AttentionPayment}, ledger.Paging{Limit: 10})
		if err != nil || len(waiting.Items) != 1 || waiting.Items[0].Reference != reference {
			t.Errorf("before the operator: %v, %v", waiting.Items, err)
		}
		// Its order is not free: it may have been paid.
		if again := w.Pay(factura("ORDER-1", "mcx", "1500.00")); again.StatusCode != 409 {
			t.Errorf("a second payment of the order was answered %d", again.StatusCode)
		}
		if _, err := w.Gateway.Settle(t.Context(), reference, gateway.Settlement{Verdict: payment.SaysFailed, Reason: "no word of it", Operator: "thandi"}); !errors.Is(err, gateway.ErrNotLookedUp) {
			t.Errorf("failed without a look: %v", err)
		}
		if _, err := w.Gateway.Settle(t.Context(), reference, gateway.Settlement{Verdict: payment.SaysSuccessful, Reason: "on the statement", Operator: "thandi"}); err != nil {
			t.Fatal(err)
		}
		w.Pass(time.Minute)
		if diff := cmp.Diff([]string{"payment.successful"}, announced(w, reference)); diff != "" {
			t.Errorf("events (-want +announced):\n%s", diff)
		}
	})
}

// Two hundred references whose webhooks are all lost reach their true end
// within the provider's four limits, over two apps.
func TestTwoHundredLostWebhooks(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		const payments = 200
		var references []string
		for i := range payments {
			a := paced(t, w, factura(fmt.Sprintf("ORDER-%d", i), "reference", "1500.01"))
			if a.StatusCode != 202 {
				t.Fatalf("payment %d answered %d %s", i, a.StatusCode, a.Body)
			}
			references = append(references, a.Reference())
		}
		w.Pass(30 * time.Minute)
		for _, reference := range references {
			if got := w.Status(reference); got != payment.Successful {
				t.Fatalf("%s is %s", reference, got)
			}
			if diff := cmp.Diff(paidWithInvoice, announced(w, reference)); diff != "" {
				t.Fatalf("events (-want +announced):\n%s", diff)
			}
		}
		c := testbed.Standin[*facturastand.Standin](w).Counters()
		if c.Violations() > 0 || c.Limits[facturastand.LimitRequests].Most > 100 || c.Limits[facturastand.LimitSubmits].Most > 20 {
			t.Errorf("the provider counted %+v", c)
		}
		t.Logf("%d references: at most %d requests and %d submissions in a minute", payments, c.Limits[facturastand.LimitRequests].Most, c.Limits[facturastand.LimitSubmits].Most)
	})
}

// Ten thousand forged webhooks, with and without the token, of every kind.
func TestABurstOfForgedFacturaWebhooks(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		reference := w.Pay(factura("ORDER-1", "reference", "1500.10")).Reference()
		ids := w.Payment(reference).IDs
		forge := []string{
			`{"event":"payment.confirmed","merchantTransactionId":%q,"operationStatus":"1"}`,
			`{"event":"invoice.created","merchantTransactionId":%q,"operationStatus":"1","invoiceUrl":"https://evil.example.com/1"}`,
			`{"merchantTransactionId":%q,"operationStatus":1}`,
			`{"merchantTransactionId":%q,"operationStatus":"4"}`,
			`{"merchantTransactionId":"ORDER-1","operationId":%q,"operationStatus":"3"}`,
			`{"merchantTransactionId":"` + reference + `","x":%q,"operationStatus":"1","event":"payment.confirmed"}`,
		}
		for i := range 10_000 {
			token := "guess"
			if i%2 == 0 {
				token = w.Account("mom-factura")["MOMFACTURA_WEBHOOK_TOKEN"] // as if it had leaked
			}
			id := ids["merchantTransactionId"]
			if i%3 == 0 || id == "" {
				id = ids["operationId"]
			}
			a := w.Webhook("POST /webhooks/mom-factura/{token}", token, http.Header{}, fmt.Sprintf(forge[i%len(forge)], id))
			if a.StatusCode != 200 || a.Body != `{"received":true}` {
				t.Fatalf("forged webhook %d was answered %d %s", i, a.StatusCode, a.Body)
			}
		}
		w.Pass(time.Hour)
		if got := w.Status(reference); got != payment.Pending {
			t.Errorf("it is %s", got)
		}
		if events := announced(w, reference); events != nil {
			t.Errorf("announced %v", events)
		}
		if v := testbed.Standin[*facturastand.Standin](w).Counters(); v.Violations() > 0 {
			t.Errorf("limits broken: %+v", v)
		}
		// The truth still arrives.
		if err := testbed.Standin[*facturastand.Standin](w).SetOutcome(ids["operationId"], facturastand.Paid, "", false); err != nil {
			t.Fatal(err)
		}
		w.Pass(2 * time.Hour)
		if got := w.Status(reference); got != payment.Successful {
			t.Errorf("the true outcome did not arrive: %s", got)
		}
	})
}

// One app cannot use up what the provider takes.
func TestMomFacturaSharesItsLimit(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		refused := 0
		for i := range 60 {
			if a := w.Pay(factura(fmt.Sprintf("ORDER-%d", i), "reference", "1500.00")); a.StatusCode == 503 {
				refused++
			}
		}
		if refused == 0 {
			t.Fatal("sixty at once were all taken")
		}
		if a := w.Pay(factura("OTHER-1", "reference", "1500.00"), "x-proxy-api-key", testbed.OtherKey); a.StatusCode != 202 {
			t.Errorf("the other app was answered %d %s", a.StatusCode, a.Body)
		}
		if v := testbed.Standin[*facturastand.Standin](w).Counters(); v.Violations() > 0 {
			t.Errorf("limits broken: %+v", v)
		}
	})
}

// The interval between two questions holds as the questions leave, however
// long the table takes between the claim of one and its leaving.
func TestASlowTableKeepsTheIntervalOfQuestions(t *testing.T) {
	var slow atomic.Bool
	faulty := func(inner table.Table) table.Table {
		return tabletest.Faulty(inner, func(op string, keys []table.Key) tabletest.Fault {
			if slow.Load() && op == "write" {
				time.Sleep(400 * time.Millisecond)
			}
			return tabletest.Fault{}
		})
	}
	bubble(t, testbed.Options{Table: faulty}, func(t *testing.T, w *testbed.World) {
		a := w.Pay(factura("ORDER-1", "ekwanza", "100.10"))
		if a.StatusCode != 202 {
			t.Fatalf("answered %d %s", a.StatusCode, a.Body)
		}
		reference := a.Reference()
		time.Sleep(time.Minute)
		slow.Store(true)
		w.Reconcile(t.Context())
		slow.Store(false)
		for range 100 {
			time.Sleep(100 * time.Millisecond)
			w.Ask(reference, testbed.ShopKey)
		}
		if n := testbed.Standin[*facturastand.Standin](w).Counters().Limits[facturastand.LimitEkwanza].Violations; n != 0 {
			t.Errorf("%d questions came too soon", n)
		}
		if p := w.Payment(reference); time.Since(p.CheckedAt) > 10*time.Second {
			t.Errorf("it was not asked about again: %s", p.CheckedAt)
		}
	})
}

// The provider charged it, its answer was lost and nobody can be asked: a word
// of failure frees the order to be charged again, so it needs a look.
func TestSettleNeedsALook(t *testing.T) {
	t.Parallel()
	lost := ledger.Payment{Payment: payment.Payment{Status: payment.Pending, Phase: payment.PhaseInReconciliation, Unanswerable: true}}
	ended := lost
	ended.Status = payment.Failed
	asked := lost
	asked.Unanswerable = false
	died := asked
	died.Phase = payment.PhaseSubmitting
	for name, c := range map[string]struct {
		p    ledger.Payment
		v    payment.Verdict
		want bool
	}{
		"failed": {lost, payment.SaysFailed, true}, "cancelled": {lost, payment.SaysCancelled, true}, "successful": {lost, payment.SaysSuccessful, false},
		"ended already": {ended, payment.SaysFailed, false}, "the provider can be asked": {asked, payment.SaysFailed, false},
		"the request died": {died, payment.SaysFailed, true},
	} {
		if got := gateway.NeedsLook(c.p, c.v); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}
