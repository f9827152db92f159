package httpapi_test

import (
	"testing"
	"time"

	mtnstand "momoproxy/infra/standin/mtn"
	"momoproxy/infra/testbed"
	"momoproxy/shared/ledger"
)

// The contract's signature changes over to a new key with the app, not with
// the operator: at its first request under the new key, or when the old one
// ends. The app here verifies each callback with the one key it has.
func TestLegacySignatureFollowsTheApp(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		paid := 0
		announced := func(order, key, secret string) {
			t.Helper()
			is(t, w.Pay(testbed.Order(order, mtnstand.Payer(mtnstand.ScriptSuccess)), "x-proxy-api-key", key), 202, "")
			w.App.Add(testbed.ShopURL, secret, testbed.ShopSecret)
			w.Pass(time.Minute)
			if paid++; len(w.App.Got()) != paid {
				t.Fatalf("%s: %d callbacks", order, len(w.App.Got()))
			}
		}
		rotate := func(fresh string) {
			t.Helper()
			shop, err := w.Ledger.Client(t.Context(), w.Shop.ID)
			if err == nil {
				_, err = w.Ledger.Rotate(t.Context(), shop, ledger.Rotation{Of: ledger.APIKey, Fresh: fresh, Now: time.Now(), Until: time.Now().Add(time.Hour)})
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		announced("BEFORE", testbed.ShopKey, testbed.ShopKey)
		rotate("second-key")
		announced("OLD-KEY", testbed.ShopKey, testbed.ShopKey)
		announced("NEW-KEY", "second-key", "second-key")
		announced("LAGGARD", testbed.ShopKey, "second-key")
		rotate("third-key")
		announced("THIRD", "second-key", "second-key")
		time.Sleep(time.Hour)
		is(t, w.Pay(testbed.Order("NEVER", good), "x-proxy-api-key", "second-key"), 401, "unauthorized")
		announced("SWITCHED-LATE", "third-key", "third-key")
	})
}
