package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"

	momentstand "momoproxy/infra/standin/momentpay"
	mtnstand "momoproxy/infra/standin/mtn"
	"momoproxy/shared/provider/momentpay"
	"momoproxy/shared/provider/momfactura"
)

// order is one request that an app makes, perhaps more than once.
type order struct {
	app             *app
	externalID, key string
	body            []byte
}

// What becomes of an order is chosen by the payer at MTN, by the amount's
// cents at the others (infra/standin/README.md). Most people pay. Scripts
// that leave a payment open without end, or hold it for an operator, are left
// out: nobody is here to end it.
var (
	mtnPayers = []string{
		mtnstand.ScriptSuccess, mtnstand.ScriptSuccess, mtnstand.ScriptSuccess, mtnstand.ScriptSuccess, "failed_approval_rejected", "mtn_453",
		"callback_lost", "callback_late", "callback_double", "callback_forged", "callback_forged_only", "callback_put",
		"callback_first", "reset_after", "error500_charged", "status_reset",
	}
	facturaCents = map[string][]int{
		momfactura.MethodReference: {0, 0, 0, 1, 2, 3, 4, 5, 7, 8, 9, 12, 14, 16, 17, 18, 62, 63, 64, 65},
		momfactura.MethodEkwanza:   {0, 0, 1, 2, 3, 5, 12, 13, 15, 34},
		momfactura.MethodMCX:       {0, 0, 0, 14, 15, 33, 34, 41, 43},
	}
	momentCents = map[string][]int{
		momentpay.MethodLink: {0, 0, 0, 0, 52, 53, 54, 61, 62, 63, 64, 65, 66, 67, 68, 72, 73, 74, 75, 76, 78, 79},
		momentpay.MethodPush: {0, 0, 51, 52, 53, 61, 64, 68, 72, 74, 76},
	}
)

// newOrder draws the n-th order of an app. Mom Factura gets few: it takes 20
// submissions a minute from everybody together, and somewhat more are tried.
func (w *world) newOrder(a *app, n int, random *rand.Rand) order {
	o := order{app: a, externalID: fmt.Sprintf("%s-%d", a.name, n)}
	if random.IntN(2) == 0 {
		o.key = "key of " + o.externalID
	}
	body := map[string]any{"externalId": o.externalID}
	if random.IntN(5) == 0 {
		body["callbackFormat"] = "provider"
	}
	payer := ""
	// An amount that no other order has: Mom Factura's books know a payment
	// by nothing else of ours.
	unique := func(cents []int) string {
		return fmt.Sprintf("%d.%02d", 1000+w.orders.Add(1), cents[random.IntN(len(cents))])
	}
	switch share := random.IntN(100); {
	case share < 6:
		method := []string{momfactura.MethodReference, momfactura.MethodReference, momfactura.MethodEkwanza, momfactura.MethodMCX}[random.IntN(4)]
		body["provider"], body["method"], body["amount"] = momfactura.Name, method, unique(facturaCents[method])
		payer = "244923456789"
	case share < 40:
		method := []string{momentpay.MethodLink, momentpay.MethodPush}[random.IntN(2)]
		body["provider"], body["method"], body["amount"] = momentpay.Name, method, unique(momentCents[method])
		if method == momentpay.MethodPush {
			payer = momentstand.PushNumber(0)
		}
	default:
		body["amount"], payer = "25.00", mtnstand.Payer(mtnPayers[random.IntN(len(mtnPayers))])
	}
	if payer != "" {
		body["payer"] = map[string]string{"partyIdType": "MSISDN", "partyId": payer}
	}
	var err error
	if o.body, err = json.Marshal(body); err != nil {
		panic(err) // strings only
	}
	return o
}
