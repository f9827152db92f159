package console

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"momoproxy/infra/standin/core"
	mtnstand "momoproxy/infra/standin/mtn"
	"momoproxy/infra/testbed"
	"momoproxy/shared/webhook"
)

// texts are what needs action.
func (d *desk) needs() (all []string) {
	for _, n := range get[overview](d, "overview").Needs {
		if n.Next == "" {
			d.t.Errorf("%s has no next step", n.Text)
		}
		all = append(all, n.Kind+": "+n.Text)
	}
	return all
}

func TestNeeds(t *testing.T) {
	bubble(t, nil, func(t *testing.T, d *desk) {
		d.pay("ORDER-1", "success")
		if needs := d.needs(); len(needs) != 0 {
			t.Errorf("all is well, and it says %q", needs)
		}
		d.pay("ORDER-2", "status_wrong_amount")
		if err := d.Sandbox.AddRule(core.Rule{Route: mtnstand.RouteStatus, Fault: core.Error503Before}); err != nil {
			t.Fatal(err)
		}
		d.pay("ORDER-3", "timeout_before")
		d.Pass(3 * time.Minute)
		has := func(want string) {
			t.Helper()
			if got := strings.Join(d.needs(), "\n"); !strings.Contains(got, want) {
				t.Errorf("no %q in\n%s", want, got)
			}
		}
		has("held: What MTN says does not match the payment")
		has("unanswered: Payment without an answer of MTN")
		d.Sandbox.ClearRules()
		d.App.Answer(func(int, testbed.Received) webhook.Result { return webhook.Result{Code: 500} })
		d.pay("ORDER-4", "success")
		has("late: Shop did not take a callback: it answered 500")
		for i := range 12 {
			d.pay(fmt.Sprintf("MORE-%d", i), "success")
		}
		d.Pass(time.Hour)
		has("app: Shop does not answer: ")
	})
}

// Two payments of one order that both succeed are listed: the first was given
// up by our clock and paid after all.
func TestPaidTwice(t *testing.T) {
	bubble(t, nil, func(t *testing.T, d *desk) {
		d.pay("ORDER-1", "corrected") // FAILED at first
		d.pay("ORDER-1", "success")
		d.Pass(48 * time.Hour)
		got := strings.Join(d.needs(), "\n")
		if !strings.Contains(got, "twice: Order paid 2 times") {
			t.Errorf("not in\n%s", got)
		}
	})
}

func TestCounts(t *testing.T) {
	bubble(t, nil, func(t *testing.T, d *desk) {
		d.pay("ORDER-1", "success")
		d.pay("ORDER-2", "failed_expired")
		d.pay("ORDER-3", "pending_forever")
		v := get[overview](d, "overview")
		if v.Today.Started != 3 || v.Today.Paid != 1 || v.Today.Failed != 1 || v.Today.Open != 1 || len(v.Payments) != 3 {
			t.Errorf("%+v", v.Today)
		}
		if p := v.Providers[0]; p.DisplayName != "MTN" || p.Started != 3 || p.Paid != 1 || p.OpenPayments != 1 || p.MedianMs == 0 {
			t.Errorf("%+v", p)
		}
	})
}

// A list goes on where the page before it ended, over both apps, and has each
// payment once.
func TestPages(t *testing.T) {
	bubble(t, nil, func(t *testing.T, d *desk) {
		const n = 250
		for i := range n {
			key := testbed.ShopKey
			if i%3 == 0 {
				key = testbed.OtherKey
			}
			d.World.Pay(testbed.Order(fmt.Sprintf("ORDER-%d", i), "26876992002"), "X-Proxy-Api-Key", key)
			if i%7 == 0 { // several in one millisecond
				time.Sleep(time.Second)
			}
		}
		d.Pass(time.Minute)
		seen, last := map[string]bool{}, time.Now()
		for after := ""; ; {
			v := get[paymentList](d, "payments?after="+after)
			for _, p := range v.Payments {
				if seen[p.Order] || p.CreatedAt.After(last) {
					t.Fatalf("%s is there twice, or out of its order", p.Order)
				}
				seen[p.Order], last = true, p.CreatedAt
			}
			if after = v.Next; after == "" {
				break
			}
		}
		if len(seen) != n {
			t.Errorf("%d payments, want %d", len(seen), n)
		}
		if w := d.send("GET", "/api/payments?after=nonsense", ""); w.Code != http.StatusConflict {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	})
}
