package momentpay

import (
	"slices"
	"time"

	"momoproxy/infra/standin/core"
)

// Profile is what tools have to know of MomentPay.
func Profile() core.Profile {
	link := func(name, amount string) core.Order {
		return core.Order{Name: name, Provider: Name, Method: Link, Amount: amount}
	}
	return core.Profile{
		Demo:    link("", "150.00"),
		Offered: []core.Order{link("Payment link: you play the payer", "150.51"), link("Payment link, paid after a second", "150.00")},
		Share:   34,
		Load: []core.Way{
			{Method: Link, Cents: []int{0, 0, 0, 0, 52, 53, 54, 61, 62, 63, 64, 65, 66, 67, 68, 72, 73, 74, 75, 76, 78, 79}},
			{Method: Push, Payers: []string{PushNumber(0)}, Cents: []int{0, 0, 51, 52, 53, 61, 64, 68, 72, 74, 76}},
		},
		// A webhook is lost by its script alone: where the answer is kept as an
		// error as well, nothing else reports the payment.
		Troubles: slices.Concat(
			core.RulesOf(RouteCreate, core.ResetBefore, core.ResetAfter, core.TimeoutAfter, core.Error500Before,
				core.Error500After, core.Error503Before, core.Error429Before, core.Error409Before, core.HTML404Before,
				core.HTML200After, core.Truncated, core.Endless, NoLink, WrongReference),
			core.RulesOf(RouteRetrieve, core.ResetBefore, core.ResetAfter, core.Error500Before, core.TimeoutAfter,
				core.HTML200Before, core.HTML404Before, core.Error404Before, core.Truncated, UnknownStatus,
				OtherRequest, WrongReference, NoAmount, StringAmount, core.EchoBefore),
			core.RulesOf(core.RouteCallback, core.Repeated),
		),
		NoDecline: []string{Link},
		// A push that never arrived before its two minutes were over can be
		// paid by nobody, and ends by our clock.
		Unaskable: func(o core.Open) bool {
			return o.Method == Push && o.IDs["id"] == "" && o.Made == 0 && o.Age > 2*time.Minute
		},
	}
}
