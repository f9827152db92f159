package mtn

import (
	"maps"
	"slices"
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
	// prefixes are those of MTN's own numbers in the market, with the country
	// code (google/libphonenumber @f7e3e88, its carrier table). They predict and
	// prove nothing: numbers are portable. South Africa's say nothing at all.
	prefixes string
}

// markets is the closed list of target environments: an unknown one is a
// configuration fault, because MTN would refuse every payment with
// NOT_ALLOWED_TARGET_ENVIRONMENT. Sources: ERR82 and MTN's published lists;
// Rwanda, Nigeria and South Sudan are in the later lists only.
var markets = map[string]market{
	Sandbox:            {"EUR", payment.PlanAnyMarket, ""},
	"mtnswaziland":     {"SZL", "SZ", "26876 26878"},
	"mtnuganda":        {"UGX", "UG", "25676 25677 25678 256790 256791 256792 256793 256794 256724 256737"},
	"mtnghana":         {"GHS", "GH", "23324 23325 23353 23354 23355 23359"},
	"mtnivorycoast":    {"XOF", "CI", "22505"},
	"mtnzambia":        {"ZMW", "ZM", "26096 26076 26056"},
	"mtncameroon":      {"XAF", "CM", "23767 237650 237651 237652 237653 237654 237680 237681 237682 237683"},
	"mtnbenin":         {"XOF", "BJ", "2290142 2290146 229015 2290161 2290162 2290166 2290167 2290169 2290190 2290191 2290196 2290197"},
	"mtncongo":         {"XAF", "CG", "24206"},
	"mtnguineaconakry": {"GNF", "GN", "22466"},
	"mtnsouthafrica":   {"ZAR", "ZA", ""},
	"mtnliberia":       {"LRD", "LR", "231555 2318 2316"},
	"mtnrwanda":        {"RWF", "RW", "25078 25079"},
	"mtnnigeria":       {"NGN", "NG", "234703 234704 234706 234707 234803 234806 234810 234813 234814 234816 234903 234906 234913 234916 2347025 2347026"},
	"mtnsouthsudan":    {"SSP", "SS", "21192 21199"},
}

// testPayer says whether digits are one of the sandbox's payers: MTN's own
// (testing page), and those that the stand-in adds beside them.
func testPayer(digits string) bool {
	return digits == "56733123453" || digits >= "46733123450" && digits <= "46733123464" ||
		len(digits) == 11 && strings.HasPrefix(digits, "4673399")
}

// predicts says whether digits probably are a number of MTN's: in a market by
// its prefixes, in the sandbox by those of every market.
func (p *Provider) predicts(digits string) bool {
	among := []market{p.market}
	if !p.cfg.Production() {
		if testPayer(digits) {
			return true
		}
		among = slices.Collect(maps.Values(markets))
	}
	return slices.ContainsFunc(among, func(m market) bool {
		return slices.ContainsFunc(strings.Fields(m.prefixes), func(prefix string) bool { return strings.HasPrefix(digits, prefix) })
	})
}
