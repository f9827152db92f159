package mtn

import (
	"strings"

	"momoproxy/shared/payment"
)

// Sandbox is MTN's test environment: no real money, Swedish test payers.
const Sandbox = "sandbox"

// market is what a value of X-Target-Environment fixes. Country and currency
// are never inferred from anything else.
type market struct {
	currency string
	plan     payment.NumberPlan
}

// markets is the closed list of target environments: an unknown one is a
// configuration fault, because MTN would refuse every payment with
// NOT_ALLOWED_TARGET_ENVIRONMENT. Sources: ERR82 and MTN's published lists;
// Rwanda, Nigeria and South Sudan are in the later lists only.
var markets = map[string]market{
	Sandbox:            {"EUR", payment.PlanAnyMarket},
	"mtnswaziland":     {"SZL", "SZ"},
	"mtnuganda":        {"UGX", "UG"},
	"mtnghana":         {"GHS", "GH"},
	"mtnivorycoast":    {"XOF", "CI"},
	"mtnzambia":        {"ZMW", "ZM"},
	"mtncameroon":      {"XAF", "CM"},
	"mtnbenin":         {"XOF", "BJ"},
	"mtncongo":         {"XAF", "CG"},
	"mtnguineaconakry": {"GNF", "GN"},
	"mtnsouthafrica":   {"ZAR", "ZA"},
	"mtnliberia":       {"LRD", "LR"},
	"mtnrwanda":        {"RWF", "RW"},
	"mtnnigeria":       {"NGN", "NG"},
	"mtnsouthsudan":    {"SSP", "SS"},
}

// testPayer says whether digits are one of the sandbox's payers: MTN's own
// (testing page), and those that the stand-in adds beside them.
func testPayer(digits string) bool {
	return digits == "56733123453" || digits >= "46733123450" && digits <= "46733123464" ||
		len(digits) == 11 && strings.HasPrefix(digits, "4673399")
}
