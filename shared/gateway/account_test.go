package gateway_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"momoproxy/infra/testbed"
	"momoproxy/shared/gateway"
	"momoproxy/shared/httpapi"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
	"momoproxy/shared/table"
	"momoproxy/shared/table/tabletest"
)

// platform is an account with books of its own: it knows the payments that it
// made and no other, and its payers approve when they are asked about.
type platform struct {
	provider.Provider
	caps provider.Capabilities
	mu   sync.Mutex
	made map[string]string // by reference, where it calls back
	// unknown are references that it was asked about and did not make.
	unknown []string
}

func newPlatform(like provider.Provider, change func(*provider.Capabilities)) *platform {
	p := &platform{Provider: like, caps: like.Capabilities(), made: map[string]string{}}
	change(&p.caps)
	return p
}

func (p *platform) Capabilities() provider.Capabilities { return p.caps }
func (p *platform) Ready(context.Context) error         { return nil }
func (p *platform) Maintain(context.Context) error      { return nil }

func (p *platform) Submit(_ context.Context, pay payment.Payment, callbackURL string) provider.Answer {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.made[pay.Reference] = callbackURL
	return provider.Answer{Attempted: true, Evidence: payment.Evidence{Verdict: payment.SaysAccepted}, Exchanges: []provider.Exchange{{Method: "POST", Code: 202, Started: time.Now()}}}
}

func (p *platform) Status(_ context.Context, pay payment.Payment) provider.Answer {
	p.mu.Lock()
	defer p.mu.Unlock()
	e := payment.Evidence{Verdict: payment.SaysSuccessful, Amount: pay.Amount.Decimal(), Currency: pay.Amount.Currency, Payer: string(pay.Payer), FinancialTransactionID: "T" + pay.Reference}
	if p.made[pay.Reference] == "" {
		p.unknown = append(p.unknown, pay.Reference)
		e = payment.Evidence{Verdict: payment.SaysNotFound}
	}
	return provider.Answer{Attempted: true, Evidence: e, Exchanges: []provider.Exchange{{Method: "GET", Code: 200, Started: time.Now()}}}
}

func (p *platform) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.made)
}

// A provider moves its API to another platform while payments go on: new ones
// follow what an operator sets, back and forth, and each payment is asked
// about where it was made.
func TestMigration(t *testing.T) {
	var old, next *platform
	o := testbed.Options{Change: func(g *gateway.Gateway, _ *httpapi.API) {
		old = newPlatform(g.Providers[0].Provider, func(c *provider.Capabilities) { c.Account = "mtn-old" })
		next = newPlatform(g.Providers[0].Provider, func(c *provider.Capabilities) { c.Account = "mtn-new" })
		g.Providers = testbed.Guarded(g, next, old)
	}}
	bubble(t, o, func(t *testing.T, w *testbed.World) {
		var all []string
		for step, c := range []struct{ percent, least, most int }{{0, 0, 0}, {10, 1, 9}, {100, 40, 40}, {0, 0, 0}} {
			if err := w.Ledger.SetNewPayments(t.Context(), "mtn-new", c.percent, ledger.AuditRecord{At: time.Now(), ClientID: "operator", Method: "OPERATOR"}); err != nil {
				t.Fatal(err)
			}
			time.Sleep(11 * time.Second) // everywhere
			before := next.count()
			for i := range 40 {
				a := w.Pay(testbed.Order(fmt.Sprintf("ORDER-%d-%d", step, i), "26876123456"))
				if a.StatusCode != 202 {
					t.Fatalf("answered %d %s", a.StatusCode, a.Body)
				}
				want := "mtn-old"
				if next.made[a.Reference()] != "" {
					want = "mtn-new"
				}
				if a.Text("account") != want || w.Payment(a.Reference()).Account != want {
					t.Errorf("%s was told and stored as %s and %s", want, a.Text("account"), w.Payment(a.Reference()).Account)
				}
				all = append(all, a.Reference())
				time.Sleep(time.Second)
			}
			if n := next.count() - before; n < c.least || n > c.most {
				t.Errorf("at %d percent the new platform got %d of 40", c.percent, n)
			}
		}
		w.Pass(time.Hour)
		for _, reference := range all {
			if s := w.Status(reference); s != payment.Successful {
				t.Errorf("%s is %s", reference, s)
			}
		}
		if len(old.unknown)+len(next.unknown) > 0 {
			t.Errorf("asked about another's: %v, %v", old.unknown, next.unknown)
		}
	})
}

// An account that is gone while it has open payments: they wait, nobody else
// is asked about them, and the operator is notified.
func TestMissingAccount(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		gone := newPlatform(w.MTN, func(c *provider.Capabilities) { c.Account = "mtn-gone" })
		left := newPlatform(w.MTN, func(c *provider.Capabilities) { c.Account = "mtn-left" })
		w.Gateway.Providers = testbed.Guarded(w.Gateway, gone)
		reference := w.Pay(testbed.Order("ORDER-1", "26876123456")).Reference()
		w.Gateway.Providers = testbed.Guarded(w.Gateway, left)
		if a := w.CallBack("POST", strings.TrimPrefix(gone.made[reference], w.Gateway.PublicBaseURL+"/callback/"), `{"status":"SUCCESSFUL"}`); a.StatusCode != 200 {
			t.Errorf("its callback is answered %d", a.StatusCode)
		}
		if !slices.ContainsFunc(w.Trail(reference), func(a ledger.AuditRecord) bool { return a.Note == "its account is not configured" }) {
			t.Error("its callback is not kept")
		}
		w.Pass(30 * time.Hour)
		if p := w.Payment(reference); !p.Open() || len(left.unknown) > 0 {
			t.Errorf("it is %s, and asked were %v", p.Status, left.unknown)
		}
		if !strings.Contains(w.Log(), `"code":"ACCOUNT_MISSING"`) {
			t.Error("nobody was told")
		}
		w.Gateway.Providers = testbed.Guarded(w.Gateway, left, gone)
		w.Pass(time.Hour)
		if s := w.Status(reference); s != payment.Successful {
			t.Errorf("its account is back, and it is %s", s)
		}
	})
}

// An operator has stopped new payments at an account. While its share cannot
// be read nothing new goes there.
func TestUnreadShare(t *testing.T) {
	var broken atomic.Bool
	faulty := func(inner table.Table) table.Table {
		return tabletest.Faulty(inner, func(op string, keys []table.Key) tabletest.Fault {
			if broken.Load() && keys[0].Partition == "account#mtn-stopped" {
				return tabletest.Fault{When: tabletest.Before, Err: table.ErrUnavailable}
			}
			return tabletest.Fault{}
		})
	}
	bubble(t, testbed.Options{Table: faulty}, func(t *testing.T, w *testbed.World) {
		stopped := newPlatform(w.MTN, func(c *provider.Capabilities) { c.Account = "mtn-stopped" })
		other := newPlatform(w.MTN, func(c *provider.Capabilities) { c.Account = "mtn-other" })
		w.Gateway.Providers = testbed.Guarded(w.Gateway, stopped, other)
		broken.Store(true)
		for i := range 20 {
			if a := w.Pay(testbed.Order(fmt.Sprint("ORDER-", i), "26876123456")); a.StatusCode != 202 {
				t.Fatalf("answered %d %s", a.StatusCode, a.Body)
			}
			time.Sleep(time.Second)
		}
		if stopped.count() != 0 || other.count() != 20 {
			t.Errorf("%d and %d payments", stopped.count(), other.count())
		}
	})
}

// An app that is limited to some accounts uses no other, named or not.
func TestAppMayUseSomeAccounts(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		var all []*platform
		for _, id := range []string{"mtn-old", "mtn-new", "mtn-test"} {
			all = append(all, newPlatform(w.MTN, func(c *provider.Capabilities) { c.Account = id }))
		}
		w.Gateway.Providers = append(testbed.Guarded(w.Gateway, all[0], all[1], all[2]), w.Gateway.Providers[1:]...)
		if err := w.Ledger.SetNewPayments(t.Context(), "mtn-new", 100, ledger.AuditRecord{At: time.Now(), ClientID: "operator", Method: "OPERATOR"}); err != nil {
			t.Fatal(err)
		}
		limit := func(accounts ...string) {
			t.Helper()
			client, err := w.Ledger.Client(t.Context(), w.Shop.ID)
			if err == nil {
				wanted := client
				wanted.Accounts = accounts
				err = w.Ledger.ChangeClient(t.Context(), client, ledger.ClientChange{Accounts: &wanted.Accounts})
			}
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(11 * time.Second) // everywhere
		}
		orders := 0
		pay := func(more string) testbed.Answer {
			orders++
			return w.Pay(strings.Replace(testbed.Order(fmt.Sprint("ORDER-", orders), "26876123456"), "{", "{"+more, 1))
		}
		for _, c := range []struct {
			may        []string
			more, says string
			account    string // empty: refused
		}{
			{nil, "", "", "mtn-new"},
			{nil, `"account":"mtn-test",`, "", "mtn-test"},
			{[]string{"mtn-old"}, "", "", "mtn-old"}, // though the other takes new payments
			{[]string{"mtn-old", "mtn-new"}, "", "", "mtn-new"},
			{[]string{"mtn-old"}, `"account":"mtn-old",`, "", "mtn-old"},
			{[]string{"mtn-old"}, `"account":"mtn-new",`, "this app may use; it may use: mtn-old", ""},
			{[]string{"mtn-old"}, `"provider":"momentpay",`, "has no account that this app may use; it may use: mtn-old", ""},
			{[]string{"gone"}, "", "it may use: none", ""},
			{[]string{"mtn-old"}, `"account":"mtn-new","amount":7.5,"payeeNote":4,`, "it may use: mtn-old", ""}, // beside a fault of form
		} {
			limit(c.may...)
			a := pay(c.more)
			if c.account == "" && (a.StatusCode != 422 || !strings.Contains(a.Body, c.says)) || c.account != "" && (a.StatusCode != 202 || a.Text("account") != c.account) {
				t.Errorf("limited to %v, %s: answered %d %s", c.may, c.more, a.StatusCode, a.Body)
			}
		}
		// What it has started elsewhere goes on.
		limit()
		reference := pay(`"account":"mtn-test",`).Reference()
		limit("mtn-old")
		w.Pass(time.Hour)
		if s := w.Status(reference); s != payment.Successful {
			t.Errorf("it is %s", s)
		}
	})
}

// The signature of one account says nothing about the payments of another.
func TestSignatureOfAnotherAccount(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		reference := w.Pay(moment("ORDER-1", "link", "150.51")).Reference()
		for i, prov := range w.Gateway.Providers {
			if prov.Capabilities().Name == "momentpay" {
				made := newPlatform(prov.Provider, func(c *provider.Capabilities) { c.Account = "moment-2" })
				w.Gateway.Providers = slices.Insert(slices.Clone(w.Gateway.Providers), i+1, testbed.Guarded(w.Gateway, made)...)
				break
			}
		}
		p := w.Payment(reference)
		p.Reference, p.ExternalID, p.IDs, p.Account = "3f0c1f0a-6a52-4d0e-8d5e-0a1b2c3d4e5f", "ORDER-2", nil, "moment-2"
		if _, err := w.Ledger.Create(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		signed(t, w, reference, reference, p.Reference)
		if after := w.Payment(p.Reference); after.Status != payment.Pending || !after.HintedAt.IsZero() {
			t.Errorf("it is %s by %q", after.Status, after.EndedBy)
		}
	})
}

// Two markets side by side: the payer's number says which, and a named account
// is taken at its word.
func TestMarkets(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		at := func(id, currency string, plan payment.NumberPlan) *platform {
			return newPlatform(w.MTN, func(c *provider.Capabilities) {
				c.Account, c.Currency, c.Plan, c.TestPayer, c.Production = id, currency, plan, nil, true
			})
		}
		w.Gateway.Providers = testbed.Guarded(w.Gateway, at("mtn-sz", "SZL", "SZ"), at("mtn-ug", "UGX", "UG"), at("mtn-ug-2", "UGX", "UG"))
		body := func(order, payer, more string) string {
			return fmt.Sprintf(`{"amount":"5000","externalId":%q,"payer":{"partyIdType":"MSISDN","partyId":%q}%s}`, order, payer, more)
		}
		for order, c := range map[string]struct {
			body    string
			account string
		}{
			"A": {body("A", "26876123456", ""), "mtn-sz"},
			"B": {body("B", "256772123456", ""), "mtn-ug"},
			"C": {body("C", "256772123456", `,"currency":"UGX"`), "mtn-ug"},
			"D": {body("D", "256772123456", `,"account":"mtn-ug-2"`), "mtn-ug-2"},
		} {
			if a := w.Pay(c.body); a.StatusCode != 202 || a.Text("account") != c.account {
				t.Errorf("%s: %d %s", order, a.StatusCode, a.Body)
			}
		}
		for order, c := range map[string]struct{ body, says string }{
			"E": {body("E", "26876123456", `,"account":"visa"`), "mtn-sz, mtn-ug, mtn-ug-2"},
			"F": {body("F", "26876123456", `,"currency":"UGX"`), "payer.partyId"},
			"G": {`{"amount":"5000","externalId":"G"}`, "mtn-sz, mtn-ug, mtn-ug-2"},
		} {
			if a := w.Pay(c.body); a.StatusCode != 422 || !strings.Contains(a.Body, c.says) {
				t.Errorf("%s: %d %s", order, a.StatusCode, a.Body)
			}
		}
		first, second := w.Pay(body("H", "256772123456", `,"account":"mtn-ug-2"`), "Idempotency-Key", "K"), w.Pay(body("H", "256772123456", ""), "Idempotency-Key", "K")
		if first.StatusCode != 202 || !slices.Contains([]int{409, 422}, second.StatusCode) {
			t.Errorf("the same key for another account: %d, then %d", first.StatusCode, second.StatusCode)
		}
	})
}
