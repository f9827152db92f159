package momfactura

import (
	"slices"

	"momoproxy/infra/standin/core"
)

// payer is an Angolan number.
const payer = "244923456789"

// Profile is what tools have to know of Mom Factura.
func Profile() core.Profile {
	bank := func(name, amount string) core.Order {
		return core.Order{Name: name, Provider: Name, Method: RouteReference, Amount: amount}
	}
	reference := core.Way{Method: RouteReference, Cents: []int{0, 0, 0, 1, 2, 3, 4, 5, 7, 8, 9, 12, 14, 16, 17, 18, 62, 63, 64, 65}}
	return core.Profile{
		Demo: bank("", "15000.00"), Invoiced: bank("", "15000.00"),
		Offered: []core.Order{bank("Bank reference: you play the payer", "15000.10"), bank("Bank reference, paid after a second", "15000.00")},
		Share:   6, // it takes 20 a minute from everybody together
		Load: []core.Way{
			reference, reference,
			{Method: RouteEkwanza, Payers: []string{payer}, Cents: []int{0, 0, 1, 2, 3, 5, 12, 13, 15, 34}},
			{Method: RouteMCX, Payers: []string{payer}, Cents: []int{0, 0, 0, 14, 15, 33, 34, 41, 43}},
		},
		Troubles: slices.Concat(
			core.RulesOf(RouteReference, core.ResetAfter, core.HTML200After, core.Error429Before),
			core.RulesOf(RouteEkwanza, core.Error500After, core.Truncated),
			core.RulesOf(RouteMCX, core.HTML504After, Incomplete, UnknownCodeAfter, core.TimeoutAfter),
			core.RulesOf(RouteStatus, core.ResetBefore, core.ResetAfter, core.Error500Before, core.HTML200Before,
				core.HTML404Before, core.Error404Before, core.Truncated, core.TimeoutAfter, UnknownWord, core.Error429Before, core.EchoBefore),
			core.RulesOf(core.RouteCallback, core.Lost, core.Repeated),
		),
		Nameless: true,
		// An E-kwanza or MCX payer may have paid. A bank reference whose number
		// nobody knows can be paid by nobody, and ends by our clock.
		Unaskable: func(o core.Open) bool {
			if o.Method == RouteReference {
				return o.IDs[OperationID] == ""
			}
			return o.Unanswerable
		},
	}
}
