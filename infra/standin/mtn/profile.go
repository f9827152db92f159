package mtn

import (
	"slices"

	"momoproxy/infra/standin/core"
)

// Profile is what tools have to know of MTN.
func Profile() core.Profile {
	way := func(name, script string) core.Order {
		return core.Order{Name: name, Provider: Name, Payer: Payer(script), Amount: "150.00"}
	}
	var payers []string
	// Most people pay.
	for _, script := range []string{
		ScriptSuccess, ScriptSuccess, ScriptSuccess, ScriptSuccess, "failed_approval_rejected", "mtn_453",
		"callback_lost", "callback_late", "callback_double", "callback_forged", "callback_forged_only", "callback_put",
		"callback_first", "reset_after", "error500_charged", "status_reset",
	} {
		payers = append(payers, Payer(script))
	}
	return core.Profile{
		Demo: way("", ScriptSuccess),
		Offered: []core.Order{
			way("Does nothing: you play the payer", ScriptPending),
			way("Approves after a second", ScriptSuccess),
			way("Declines", "failed_approval_rejected"),
			way("Has too little money", "failed_not_enough_funds"),
			way("Approves, and the callback is lost", "callback_lost"),
			way("Declines, and somebody forges a callback", "callback_forged"),
			way("Approves, and the answer to the request is lost", "reset_after"),
			way("Never gets the request: the answer is an error", "error503"),
			way("Has no wallet: refused at once", "refused_payer_not_found"),
			way("Approves, but the status names another amount", "status_wrong_amount"),
		},
		Share: 60,
		Load:  []core.Way{{Payers: payers, Cents: []int{0}}},
		// Faults that bend what a status says of amount or payer are left out:
		// they hold a payment for an operator.
		Troubles: slices.Concat(
			core.RulesOf(RouteRequestToPay, core.ResetBefore, core.ResetAfter, core.TimeoutAfter, core.Error500After,
				core.Error503After, core.Error503Before, core.Error429Before, core.HTML200After, core.JSON200After, core.Truncated, core.Error401Before),
			core.RulesOf(RouteStatus, core.ResetBefore, core.ResetAfter, core.Error500Before, core.TimeoutAfter,
				core.HTML200After, UnknownStatus, core.Truncated, core.Error429Before, core.Error401Before, ReasonObject, NumberFields),
			core.RulesOf(RouteToken, core.Error503Before, core.ResetBefore),
			core.RulesOf(core.RouteCallback, core.Lost, core.Repeated),
		),
	}
}
