package forwarder_test

import (
	"testing"
	"time"

	"momoproxy/infra/testbed"
	"momoproxy/shared/ledger"
	"momoproxy/shared/webhook"
)

// While a rotation's overlap lasts either secret verifies; from its end on
// only the new one, even from a worker that read the client before that.
func TestForwarderRotatesSecrets(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		one, two := due(t, w, "ORDER-1"), due(t, w, "ORDER-2")
		old, err := webhook.ParseSecret(testbed.ShopSecret)
		if err != nil {
			t.Fatal(err)
		}
		fresh, err := webhook.ParseSecret(testbed.OtherSecret)
		if err != nil {
			t.Fatal(err)
		}
		until := time.Now().Add(ledger.DefaultOverlap)
		if _, err := w.Ledger.Rotate(t.Context(), w.Shop, ledger.Rotation{Of: ledger.SigningSecret, Fresh: fresh.Reveal(), Now: time.Now(), Until: until}); err != nil {
			t.Fatal(err)
		}
		w.App.Add(testbed.ShopURL, testbed.ShopKey, fresh.Reveal()) // it verifies whatever comes

		verifies := func(reference string, secret webhook.Secret) bool {
			t.Helper()
			got := w.App.About(reference)
			if len(got) != 1 {
				t.Fatalf("%d attempts", len(got))
			}
			_, err := webhook.Verify(got[0].Header, []byte(got[0].Body), got[0].At, webhook.Tolerance, secret)
			return err == nil
		}
		time.Sleep(time.Until(until) - time.Second)
		ring(w, bell(one, 1)) // reads the client, for some seconds
		if !verifies(one, old) || !verifies(one, fresh) {
			t.Error("within the overlap not both secrets verify")
		}
		time.Sleep(time.Second)
		ring(w, bell(two, 1))
		if verifies(two, old) {
			t.Error("the old secret verifies after its overlap")
		}
		if !verifies(two, fresh) {
			t.Error("the new secret does not verify")
		}
	})
}
