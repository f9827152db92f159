package main

import (
	"crypto/rand"
	"strings"
	"testing"
	"time"

	"momoproxy/infra/standin/core"
	facturastand "momoproxy/infra/standin/momfactura"
	mtnstand "momoproxy/infra/standin/mtn"
	"momoproxy/infra/testbed"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
)

// While the payer can still pay, a word of failure frees the order to be paid
// twice: that takes a person who has read so, or a flag that says so.
func TestSettlePayable(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, c *console) {
		reference := c.pay("ORDER-1", mtnstand.ScriptPending)
		settle := []string{"payment", "settle", reference, "--reason", "the shop called it off", "--status"}
		o := c.typed("no\n", append(settle, "cancelled")...)
		if o.code != exitRefused {
			t.Errorf("%+v", o)
		}
		contains(t, "the question", o.err, "Note: the payer can still pay it", "Once it is CANCELLED order ORDER-1 is free to be paid again")
		o = c.run(append(settle, "Failed", "--yes")...)
		if o.code != exitRefused || c.Status(reference) != payment.Pending {
			t.Errorf("%+v", o)
		}
		contains(t, "the refusal", o.err, "not settled: the payer can still pay it", "--although-payable")
		contains(t, "although", c.must(append(settle, "failed", "--yes", "--although-payable")...), "is FAILED")

		// Money that has moved frees no order.
		paid := c.pay("ORDER-2", mtnstand.ScriptPending)
		contains(t, "a success", c.must("payment", "settle", paid, "--status", "successful", "--reason", "on the statement", "--yes"), "is SUCCESSFUL")
	})
}

// A request under way is let finish: its outcome is not an operator's to say.
func TestSettleWhileSubmitting(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, c *console) {
		if err := c.Sandbox.AddRule(core.Rule{Route: mtnstand.RouteRequestToPay, Fault: core.TimeoutBefore}); err != nil {
			t.Fatal(err)
		}
		go c.Pay(testbed.Order("ORDER-1", mtnstand.Payer(mtnstand.ScriptSuccess)))
		time.Sleep(time.Second)
		payments, err := c.Ledger.ListPayments(t.Context(), "cli_shop", ledger.PaymentFilter{}, ledger.Paging{Limit: 1})
		if err != nil || len(payments.Items) != 1 {
			t.Fatal(payments.Items, err)
		}
		o := c.run("payment", "settle", payments.Items[0].Reference, "--status", "FAILED", "--reason", "in a hurry", "--yes")
		if o.code != exitRefused || !strings.Contains(o.err, "still under way, until 2000-01-01 00:00:") {
			t.Errorf("%+v", o)
		}
		time.Sleep(time.Minute)
	})
}

// The provider charged it, its answer was lost, and nobody can be asked: a word
// of failure needs a look into the provider's portal, which is recorded.
func TestSettleUnanswerable(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, c *console) {
		if err := testbed.Standin[*facturastand.Standin](c.World).AddRule(core.Rule{Fault: core.TimeoutAfter}); err != nil {
			t.Fatal(err)
		}
		a := c.Pay(`{"provider":"mom-factura","method":"mcx","amount":"15000.00","externalId":"ORDER-MCX","payer":{"partyIdType":"MSISDN","partyId":"244923456789"}}`)
		if a.StatusCode != 202 || !c.Payment(a.Reference()).Unanswerable {
			t.Fatalf("%d %s", a.StatusCode, a.Body)
		}
		time.Sleep(time.Minute)
		settle := []string{"payment", "settle", a.Reference(), "--reason", "not in the books", "--yes", "--status"}
		for _, status := range []string{"failed", "cancelled"} {
			o := c.run(append(settle, status)...)
			if o.code != exitRefused || !c.Payment(a.Reference()).Open() {
				t.Errorf("%s: %+v", status, o)
			}
			contains(t, "the refusal", o.err, "it may have charged the payer", "portal", "--seen")
		}
		seen := append(settle, "failed", "--seen", "no payment of 15000 Kz that day")
		o := c.run(seen...)
		if o.code != exitRefused || !c.Payment(a.Reference()).Open() {
			t.Errorf("seen: %+v", o)
		}
		contains(t, "the refusal of what was seen alone", o.err, "the provider's answer was lost, so the payer may have paid it or still can", "--although-payable")
		contains(t, "with a look", c.must(append(seen, "--although-payable")...), "is FAILED")
		var recorded bool
		for _, r := range c.Trail(a.Reference()) {
			recorded = recorded || strings.Contains(r.RequestBody, "no payment of 15000 Kz that day")
		}
		if !recorded {
			t.Error("what was seen is not in the audit log")
		}
	})
}

// The process that asked the provider died before it stored the answer, and
// nobody has asked since: the payer may have been charged.
func TestSettleAfterTheRequestDied(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, c *console) {
		now := time.Now()
		p := payment.Payment{
			Reference: payment.NewReference(rand.Reader), ClientID: c.Shop.ID, ExternalID: "ORDER-DIED", Provider: "mtn", Method: "push",
			Amount: payment.Money{Minor: 15000, Currency: "SZL"}, Payer: "26876123456", Status: payment.Pending, Phase: payment.PhaseSubmitting,
			CreatedAt: now.Add(-time.Minute), UpdatedAt: now.Add(-time.Minute), SubmitDeadline: now.Add(-30 * time.Second), NextCheckAt: now.Add(time.Hour),
		}
		if _, err := c.Ledger.Create(t.Context(), ledger.Payment{Payment: p}); err != nil {
			t.Fatal(err)
		}
		settle := []string{"payment", "settle", p.Reference, "--reason", "no answer", "--yes", "--status", "failed"}
		o := c.run(settle...)
		if o.code != exitRefused || !c.Payment(p.Reference).Open() {
			t.Errorf("%+v", o)
		}
		contains(t, "the refusal", o.err, "it may have charged the payer", "--seen")
		o = c.run(append(settle, "--seen", "nothing that day")...)
		if o.code != exitRefused || !c.Payment(p.Reference).Open() {
			t.Errorf("seen: %+v", o)
		}
		contains(t, "with a look", c.must(append(settle, "--seen", "nothing that day", "--although-payable")...), "is FAILED")
	})
}
