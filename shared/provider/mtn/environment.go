package mtn

import "momoproxy/shared/payment"

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
// Rwanda, Nigeria and South Sudan are in the later lists only. Markets whose
// numbering plan is not known here take any number.
var markets = map[string]market{
	Sandbox:            {"EUR", payment.PlanAny},
	"mtnswaziland":     {"SZL", payment.PlanEswatini},
	"mtnuganda":        {"UGX", payment.PlanAny},
	"mtnghana":         {"GHS", payment.PlanAny},
	"mtnivorycoast":    {"XOF", payment.PlanAny},
	"mtnzambia":        {"ZMW", payment.PlanAny},
	"mtncameroon":      {"XAF", payment.PlanAny},
	"mtnbenin":         {"XOF", payment.PlanAny},
	"mtncongo":         {"XAF", payment.PlanAny},
	"mtnguineaconakry": {"GNF", payment.PlanAny},
	"mtnsouthafrica":   {"ZAR", payment.PlanSouthAfrica},
	"mtnliberia":       {"LRD", payment.PlanAny},
	"mtnrwanda":        {"RWF", payment.PlanAny},
	"mtnnigeria":       {"NGN", payment.PlanAny},
	"mtnsouthsudan":    {"SSP", payment.PlanAny},
}
