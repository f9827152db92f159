package upgrade

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"momoproxy/infra/standin"
	"momoproxy/infra/standin/core"
	mtnstand "momoproxy/infra/standin/mtn"
	"momoproxy/infra/testbed"
	"momoproxy/shared/delivery"
	"momoproxy/shared/forwarder"
	"momoproxy/shared/httpapi"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
	"momoproxy/shared/queue"
	"momoproxy/shared/refund"
	"momoproxy/shared/webhook"
)

// Where the apps of the fixture are called back beside testbed.ShopURL.
const (
	goneURL   = "https://gone.example.com/momo"
	movedURL  = "https://moved.example.com/momo"
	brokenURL = "https://broken.example.com/momo"
	slowURL   = "https://slow.example.com/momo"
)

// These orders are in flight when the fixture is written.
const (
	orderOpen    = "IN-FLIGHT-OPEN"    // the payer has not answered
	orderWaiting = "IN-FLIGHT-WAITING" // it is paid, and the app has answered 503
)

// live has a system go through a week that leaves every kind of record behind.
// It runs in a bubble.
func live(t *testing.T) *testbed.World {
	limits := httpapi.NewRateLimit(50, 100)
	w := testbed.New(t, testbed.Options{Limits: limits})
	for _, url := range []string{goneURL, movedURL, brokenURL, slowURL} {
		w.App.Add(url, testbed.OtherKey, testbed.OtherSecret)
	}
	answers := map[string]webhook.Result{
		goneURL:          {Code: 410, Excerpt: "gone"},
		movedURL:         {Code: 301, Location: "https://new.example.com/momo"},
		brokenURL:        {Class: webhook.ClassTLS, TLSFault: "expired"},
		slowURL:          {Class: webhook.ClassTimeout},
		testbed.OtherURL: {Code: 500, Excerpt: strings.Repeat("no. ", 50)},
	}
	w.App.Answer(func(_ int, r testbed.Received) webhook.Result {
		for url, result := range answers {
			if strings.HasPrefix(r.URL, url) {
				time.Sleep(200 * time.Millisecond)
				return result
			}
		}
		if r.Content.ExternalID == orderWaiting {
			return webhook.Result{Code: 503}
		}
		return webhook.Result{Code: 200, Excerpt: `{"ok":true}`}
	})
	ctx, operator := t.Context(), w.Ledger.AsOperator("nomsa")
	check := func(err error) {
		if err != nil {
			t.Helper()
			t.Fatal(err)
		}
	}
	pay := func(o core.Order, order string, more map[string]any, headers ...string) string {
		t.Helper()
		a := w.Pay(string(o.Body(order, more)), headers...)
		w.Pass(4 * time.Second) // a provider may take 20 a minute
		return a.Reference()
	}
	asOther := []string{"X-Proxy-Api-Key", testbed.OtherKey}

	for account, percent := range map[string]int{"mtn-sz": 25, "mtn-sz-old": 75} {
		check(operator.SetNewPayments(ctx, account, percent, ledger.AuditRecord{At: time.Now(), Direction: ledger.InboundFromApp, Method: "OPERATOR", Note: "share"}))
	}

	paid, never := core.Order{Provider: mtnstand.Name, Payer: mtnstand.Payer(mtnstand.ScriptSuccess), Amount: "90.00"},
		core.Order{Provider: mtnstand.Name, Payer: mtnstand.Payer(mtnstand.ScriptPending), Amount: "90.00"}
	large := map[string]any{"payerMessage": "Rent of January", "payeeNote": "flat 3", "metadata": map[string]string{
		"tenant": strings.Repeat("t", 200), "month": strings.Repeat("1", 100)}}
	small := map[string]any{"payerMessage": "Thank you", "payeeNote": "stall 12", "metadata": map[string]string{"table": "7"}}

	// A payer who will ask to be forgotten.
	forgotten := pay(paid, "FORGOTTEN", small)

	// An order that nobody pays.
	pay(never, "NEVER", nil)

	// Paid twice: the first try has timed out, and the payer approves both.
	first := pay(never, "TWICE", nil)
	w.Pass(26 * time.Hour)
	pay(paid, "TWICE", nil)
	check(w.Sandbox.SetOutcome(first, core.Approve, "", true))
	w.Pass(4 * 24 * time.Hour)

	// An order in every way that a person is offered, and some that a load test
	// asks for: every provider, and every end.
	n := 0
	for _, kind := range standin.All() {
		profile := kind.Profile()
		orders := profile.Offered
		for _, way := range profile.Load {
			for cents := 0; cents < len(way.Cents); cents += 7 {
				orders = append(orders, way.Order(kind.Name, 5, cents))
			}
		}
		if profile.Invoiced.Amount != "" {
			orders = append(orders, profile.Invoiced)
		}
		for _, o := range orders {
			n++
			pay(o, fmt.Sprintf("ORDER-%d", n), []map[string]any{nil, small, large}[n%3])
		}
	}
	pay(paid, "IN-THEIR-FORM", map[string]any{"callbackFormat": "provider"})

	// Apps that fail in each way.
	for i, url := range []string{"", goneURL, movedURL, brokenURL, slowURL} {
		for j := range 2 {
			pay(paid, fmt.Sprintf("TROUBLE-%d-%d", i, j), map[string]any{"callbackUrl": url}, asOther...)
		}
	}

	// Answers of providers that never came.
	for i, script := range []string{"error503", "reset_before", "callback_forged_only", "status_unknown"} {
		o := paid
		if o.Payer = mtnstand.Payer(script); o.Payer != "" {
			pay(o, fmt.Sprintf("DOUBT-%d", i), nil)
		}
	}

	w.Pass(15 * time.Minute)

	// Keys and secrets are rotated, and the app has used its new key.
	rotate := func(of ledger.Rotated, fresh string) {
		other, err := w.Ledger.Client(ctx, "cli_other")
		check(err)
		_, err = operator.Rotate(ctx, other, ledger.Rotation{Of: of, Fresh: fresh, Now: time.Now(), Until: time.Now().Add(7 * 24 * time.Hour)})
		check(err)
	}
	rotate(ledger.APIKey, "other-key-rotated-0123456789abcdef0123456789")
	rotate(ledger.SigningSecret, "whsec_cm90YXRlZHJvdGF0ZWRyb3RhdGVkcm90YXRlZHJvdGE=")
	_, err := operator.CreateClient(ctx, ledger.Client{ID: "cli_third", Name: "Third", APIKey: "third-key-0123456789abcdef0123456789abcdef",
		Accounts: []string{"mtn-sz", "mtn-sz-old"}, NoLegacySignature: true, CreatedAt: ledger.Clock(time.Now())})
	check(err)
	third, err := w.Ledger.Client(ctx, "cli_third")
	check(err)
	check(operator.ChangeClient(ctx, third, ledger.ClientChange{RefundsPerDay: &[]payment.Money{{Minor: 500_000, Currency: "SZL"}}}))

	check(operator.ForgetPayer(ctx, forgotten, ledger.AuditRecord{At: time.Now(), Direction: ledger.InboundFromApp, Reference: forgotten, Method: "OPERATOR", Note: "forget"}))

	last(t, w, paid, never, check)
	return w
}

// last is what happens in the last minute: nothing of it has ended.
func last(t *testing.T, w *testbed.World, paid, never core.Order, check func(error)) {
	ctx, now := t.Context(), ledger.Clock(time.Now())
	w.Pay(string(never.Body(orderOpen, nil)))
	w.Pay(string(paid.Body(orderWaiting, nil)))
	for _, kind := range standin.All() {
		w.Pay(string(kind.Profile().Offered[0].Body("OPEN-"+kind.Name, nil)))
	}
	w.Pass(8 * time.Second)
	for i, body := range []string{`{"externalId":"NOBODYS","status":"SUCCESSFUL"}`, fmt.Sprintf(`{"externalId":%q,"status":"SUCCESSFUL"}`, orderOpen)} {
		if a := w.CallBack("POST", "", body); a.StatusCode != 200 {
			t.Errorf("callback %d: %d", i, a.StatusCode)
		}
	}

	// What a fault or a rare moment leaves, in every field.
	_, err := w.Ledger.Create(ctx, ledger.Payment{
		Payment: payment.Payment{
			Reference: "0b7a3c1e-5d2f-4a6b-8c9d-0e1f2a3b4c5d", ClientID: "cli_shop", ExternalID: "EVERY-FIELD", Provider: mtnstand.Name, Account: "mtn-sz",
			Method: "phone", Amount: payment.Money{Minor: 12345, Currency: "SZL"}, Payer: "26876123456", PayerMessage: "m", PayeeNote: "n",
			CallbackURL: testbed.ShopURL + "/own", NativeCallbacks: true, Metadata: map[string]string{"a": "b"},
			Particulars: payment.Particulars{IDs: map[string]string{"id": "77"}, Instructions: map[string]string{"entity": "123"}, ExpiresAt: now.Add(time.Hour), InvoiceURL: "https://invoices.example.com/1"},
			Status:      payment.Ongoing, Phase: payment.PhaseHeld, FinancialTransactionID: "tx-77", Reason: "amount_mismatch", Sequence: 0,
			CreatedAt: now, UpdatedAt: now, EndedAt: now, EndedBy: payment.FromStatus, SubmitDeadline: now, Accepted: true, Unanswerable: true,
			NotFoundCount: 2, NotFoundAt: now, HintedAt: now, Checks: 3, CheckedAt: now, NextCheckAt: now.Add(7 * 24 * time.Hour),
		},
		CallbackTokenHash: "0123", RequestHash: "4567", AnswerKind: "accepted", AnswerDetail: "awaiting_payer",
	})
	check(err)
	_, err = w.Ledger.SaveEndpoint(ctx, delivery.Endpoint{
		ClientID: "cli_shop", Origin: "https://every-field.example.com", State: delivery.EndpointDisabled, Failures: 9, FailingSince: now, FirstFailed: "evt_1",
		InFlight: delivery.InFlight{Count: 2, GrewAt: now, FullAt: now, AnsweredAt: now}, OpenedAt: now, Probes: 3, ProbesSince: now, ProbeAt: now, Probing: "evt_2", Probed: "evt_3", NotifiedPercent: 50,
		DisabledAt: now, DisabledReason: delivery.DisabledFailing, ClosedAt: now, DrainedTo: now,
	}, now)
	check(err)
	health, err := w.Ledger.FreshHealth(ctx, "mtn-sz-old")
	check(err)
	health.OpenedAt, health.OpenFor = now, "cli_other"
	health.Apps = []ledger.AppHealth{{ClientID: "cli_other", AskedAt: now, Failures: 5, Payers: []string{"a", "b"}, ProbeAt: now.Add(time.Minute), LimitedUntil: now.Add(time.Second)}}
	check(w.Ledger.SaveHealth(ctx, health))
	refunds(ctx, w, check)
	parked(ctx, w, check)
}

// refunds leaves one that waits to be sent, and one with every field.
func refunds(ctx context.Context, w *testbed.World, check func(error)) {
	paid, err := w.Ledger.ListPayments(ctx, "cli_shop", ledger.PaymentFilter{Statuses: []payment.Status{payment.Successful}}, ledger.Paging{Limit: 2})
	check(err)
	now := ledger.Clock(time.Now())
	for i, p := range paid.Items {
		_, r, _, err := w.Ledger.RequestRefund(ctx, ledger.RefundRequest{
			Payment: p, RequestHash: "89ab",
			Ask:   refund.Ask{ID: fmt.Sprintf("refund-%d", i), Amount: payment.Money{Minor: 100, Currency: p.Amount.Currency}, Kind: refund.ByRefund, Reason: "returned", Operator: "nomsa", At: now},
			Audit: ledger.AuditRecord{At: now, Direction: ledger.InboundFromApp, Reference: p.Reference, ClientID: p.ClientID, Method: "OPERATOR", Note: "refund"},
		})
		check(err)
		if i == 0 {
			continue
		}
		full := r.Refund
		full.Status, full.Held, full.FinancialTransactionID, full.Code, full.Sends, full.AskedAt = refund.Unknown, true, "tx-88", "CODE", 2, now
		full.Accepted, full.Checks, full.EndedAt, full.EndedBy, full.NextCheckAt = true, 3, now, payment.FromStatus, now.Add(time.Hour)
		_, err = w.Ledger.ClaimRefund(ctx, r, full)
		check(err)
	}
}

// parked has deliveries asked for again, and a worker die with one.
func parked(ctx context.Context, w *testbed.World, check func(error)) {
	first := func(client string, state delivery.State) delivery.Delivery {
		found, err := w.Ledger.ListDeliveries(ctx, ledger.DeliveryFilter{ClientID: client, States: []delivery.State{state}}, ledger.Paging{})
		check(err)
		return found.Items[0]
	}
	now := ledger.Clock(time.Now())
	for range 2 { // the second is still asked for
		w.Pass(5 * time.Second)
		d := first("cli_shop", delivery.Delivered)
		now = ledger.Clock(time.Now())
		_, err := w.Ledger.ResendDelivery(ctx, d, now, ledger.AuditRecord{At: now, Direction: ledger.InboundFromApp, Reference: d.Reference, ClientID: d.ClientID, Note: "resend"})
		check(err)
		check(forwarder.Doorbell{Queue: w.Queue, Now: time.Now}.Ring(ctx, d))
	}
	_, err := w.Ledger.SaveDelivery(ctx, first("cli_other", delivery.Held).Claim(now.Add(time.Minute)))
	check(err)
}

// messages takes what is in the queue.
func messages(ctx context.Context, w *testbed.World) (all []queue.Message, err error) {
	time.Sleep(10 * time.Second) // some are delayed
	for {
		got, err := w.Messages.Receive(ctx, 10, time.Hour, 0)
		if err != nil || len(got) == 0 {
			return all, err
		}
		for _, m := range got {
			all = append(all, queue.Message{Body: m.Body, Group: m.Group})
		}
	}
}
