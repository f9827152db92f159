package wire

import (
	"encoding/json"
	"testing"

	"momoproxy/shared/payment"
)

// An amount is this one as an exact decimal, in any spelling of it, or it is
// not passed on.
func TestAmountRules(t *testing.T) {
	t.Parallel()
	m := payment.Money{Minor: 15000, Currency: "SZL"}
	for amount, same := range map[string]bool{
		"150": true, "150.0": true, "150.00": true, "150.000": true,
		"149.99": false, "150.01": false, "0": false, "1": false, "15000": false, "150.001": false,
		"": false, "0150": false, "+150": false, "-150": false, " 150": false, "150 ": false, "150.": false, ".150": false,
		"1.5e2": false, "1,500": false, "150,00": false, "0x96": false, "null": false, "NaN": false,
	} {
		text, err := json.Marshal(amount)
		if err != nil {
			t.Fatal(err)
		}
		if AmountText(m)(text) != same {
			t.Errorf("text %s: passes %t", text, !same)
		}
		if AmountNumber(m)([]byte(amount)) != same {
			t.Errorf("number %s: passes %t", amount, !same)
		}
	}
	if AmountText(m)([]byte(`150`)) || AmountNumber(m)([]byte(`"150"`)) {
		t.Error("a number passes as text, or text as a number")
	}
	for number, same := range map[string]bool{"15000": true, "15001": false, "150000": false, "15000.0": false, "1.5e4": false, `"15000"`: false} {
		if Literal("15000")([]byte(number)) != same {
			t.Errorf("minor units %s: passes %t", number, !same)
		}
	}
	// The same digits are another amount where a currency has other places.
	if AmountText(payment.Money{Minor: 15000, Currency: "UGX"})([]byte(`"150.00"`)) || !AmountText(payment.Money{Minor: 150, Currency: "UGX"})([]byte(`"150.00"`)) {
		t.Error("places of UGX")
	}
}
