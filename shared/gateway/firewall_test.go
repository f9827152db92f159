package gateway_test

import (
	"strings"
	"testing"
	"time"

	"momoproxy/infra/testbed"
	"momoproxy/shared/payment"
)

// An app's text is never refused for its characters, and none of them meets
// MTN's firewall; the app's own text comes back to it.
func TestATextOfAnyCharactersIsPaid(t *testing.T) {
	for _, text := range []string{"General (Presale)", "Tom's & Jerry's", "Café; <b>São</b>", "支払い", ""} {
		t.Run(text, func(t *testing.T) {
			bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
				a := w.Pay(strings.TrimSuffix(testbed.Order("ORDER-1", "26876123456"), "}") + `,"payerMessage":"` + text + `","payeeNote":"` + text + `"}`)
				if a.StatusCode != 202 {
					t.Fatalf("%q was answered %d %s", text, a.StatusCode, a.Body)
				}
				w.Pass(time.Minute)
				if p := w.Payment(a.Reference()); p.Status != payment.Successful || p.PayerMessage != text || p.PayeeNote != text {
					t.Errorf("%q: %s, kept %q and %q", text, p.Status, p.PayerMessage, p.PayeeNote)
				}
			})
		})
	}
}
