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
	"momoproxy/shared/ledger"
	"momoproxy/shared/webhook"
)

// An operator sees each account and what is open on it, tries the
// credentials, and sets a share, as with momoctl account.
func TestAccounts(t *testing.T) {
	bubble(t, nil, func(t *testing.T, d *desk) {
		one := d.pay("ORDER-1", mtnstand.ScriptPending)
		gone := d.World.Payment(one)
		gone.Reference, gone.ExternalID, gone.Account = "3f0c1f0a-6a52-4d0e-8d5e-0a1b2c3d4e5f", "ORDER-2", "mtn-gone"
		if _, err := d.World.Ledger.Create(t.Context(), gone); err != nil {
			t.Fatal(err)
		}
		byID := func() map[string]account {
			all := map[string]account{}
			for _, a := range get[accountList](d, "accounts").Accounts {
				all[a.ID] = a
			}
			return all
		}
		all := byID()
		if a := all["mtn"]; a.Open != 1 || a.NewPayments != nil || a.Missing || a.Checked || a.Shared || a.Currency != "SZL" || a.ProviderName != "MTN" {
			t.Errorf("%+v", a)
		}
		if a := all["mtn-gone"]; a.Open != 1 || !a.Missing {
			t.Errorf("%+v", a)
		}
		if len(all) != 4 {
			t.Errorf("%d accounts", len(all))
		}
		if code, answer := d.post("account", `{"account":"mtn","percent":0}`); code != http.StatusOK {
			t.Errorf("%d %s", code, answer)
		}
		if a := byID()["mtn"]; a.NewPayments == nil || *a.NewPayments != 0 {
			t.Errorf("%+v", a)
		}
		for _, body := range []string{`{"account":"mtn"}`, `{"account":"mtn","percent":101}`, `{"account":"mtn","percent":-1}`, `{"account":"visa","percent":1}`} {
			if code, _ := d.post("account", body); code != http.StatusConflict {
				t.Errorf("%s: %d", body, code)
			}
		}
		if code, answer := d.post("accounts/check", ""); code != http.StatusOK || strings.Count(answer, `"checked":true`) != 3 || strings.Count(answer, `"noToken":true`) != 2 || strings.Contains(answer, `"error"`) {
			t.Errorf("%d %s", code, answer)
		}
		// A token that is in store says nothing of the credentials.
		if err := d.Sandbox.AddRule(core.Rule{Route: mtnstand.RouteToken, Fault: core.Error503Before}); err != nil {
			t.Fatal(err)
		}
		if code, answer := d.post("accounts/check", ""); code != http.StatusOK || strings.Count(answer, `"error"`) != 1 {
			t.Errorf("%d %s", code, answer)
		}
		noted, err := d.Console.Ledger.AuditPage(t.Context(), ledger.AuditQuery{Kind: ledger.AuditProvider, Hour: time.Now()})
		if err != nil || !strings.Contains(fmt.Sprintf("%+v", noted.Items), "operator thandi: 0 percent of the new payments") {
			t.Errorf("%+v %v", noted, err)
		}
	})
}

// Without the accounts the page still says where payments are open, and takes
// no action.
func TestAccountsNotAtHand(t *testing.T) {
	bubble(t, func(o *Options) { o.Ask, o.AskFault = nil, "Start it with --ask." }, func(t *testing.T, d *desk) {
		d.World.Pay(testbed.Order("ORDER-1", mtnstand.Payer(mtnstand.ScriptPending)))
		if all := get[accountList](d, "accounts").Accounts; len(all) != 1 || all[0].Open != 1 || all[0].ID != "mtn" {
			t.Errorf("%+v", all)
		}
		for _, path := range []string{"accounts/check", "account"} {
			if code, answer := d.post(path, `{"account":"mtn","percent":1}`); code != http.StatusConflict || !strings.Contains(answer, "--ask") {
				t.Errorf("%s: %d %s", path, code, answer)
			}
		}
	})
}

// A callback that failed is in the list of those that failed while it is
// tried again.
func TestFailedCallbacks(t *testing.T) {
	bubble(t, nil, func(t *testing.T, d *desk) {
		d.App.Answer(func(int, testbed.Received) webhook.Result { return webhook.Result{Code: 500} })
		reference := d.pay("ORDER-1", mtnstand.ScriptSuccess)
		v := get[deliveryList](d, "deliveries?state=failed")
		if len(v.Deliveries) != 1 || v.Deliveries[0].Reference != reference || v.Deliveries[0].Order != "ORDER-1" || v.Deliveries[0].LastCode != 500 {
			t.Errorf("%+v", v)
		}
	})
}
