package console

import (
	"strings"
	"testing"
	"time"

	"momoproxy/infra/standin/core"
	facturastand "momoproxy/infra/standin/momfactura"
	"momoproxy/infra/testbed"
)

// While the payer may pay, or may have paid because the provider's answer was
// lost, a word of failure needs the operator's consent; where nobody can be
// asked, a look into the provider's portal as well.
func TestSettlePayable(t *testing.T) {
	bubble(t, nil, func(t *testing.T, d *desk) {
		if err := testbed.Standin[*facturastand.Standin](d.World).AddRule(core.Rule{Fault: core.TimeoutAfter}); err != nil {
			t.Fatal(err)
		}
		lost := d.World.Pay(`{"provider":"mom-factura","method":"mcx","amount":"15000.00","externalId":"ORDER-MCX","payer":{"partyIdType":"MSISDN","partyId":"244923456789"}}`).Reference()
		time.Sleep(time.Minute)
		for _, reference := range []string{d.pay("ORDER-1", "pending_forever"), d.pay("ORDER-2", "timeout_before"), lost} {
			settle := func(more string) (int, string) {
				return d.post("payments/"+reference+"/settle", `{"status":"FAILED","reason":"called off"`+more+`}`)
			}
			if code, text := settle(`,"seen":"no such payment"`); code == 200 || !strings.Contains(text, "free to be paid again") || !d.World.Payment(reference).Open() {
				t.Errorf("%s without consent: %d %s", reference, code, text)
			}
			code, text := settle(`,"allowDoublePayment":true`)
			if reference == lost {
				if code == 200 || !strings.Contains(text, "portal") {
					t.Errorf("without a look: %d %s", code, text)
				}
				code, text = settle(`,"allowDoublePayment":true,"seen":"no such payment"`)
			}
			if code != 200 || d.World.Payment(reference).Open() {
				t.Errorf("%s: %d %s", reference, code, text)
			}
		}
	})
}
