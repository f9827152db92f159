package mtn

import (
	"slices"

	"momoproxy/infra/standin/core"
)

// payees are the numbers of MTN's testing page, and the script that a transfer
// to each follows. They mean something else than as payers.
var payees = map[string]string{
	"46733123450": "mtn_450", "46733123451": "mtn_451", "46733123452": "mtn_452", "46733123453": "ongoing", "46733123454": "mtn_454",
	"46733123455": "failed_not_enough_funds", "46733123456": "failed_payer_limit_reached", "46733123457": "refused_payee_not_found",
	"46733123458": "mtn_457", "46733123459": "mtn_458", "46733123460": "mtn_459", "46733123461": "mtn_460",
	"46733123462": "mtn_461", "46733123463": "mtn_462", "46733123464": "mtn_464",
}

// transfer is POST /disbursement/v1_0/transfer.
func (s *Standin) transfer(r *core.Request) core.Answer {
	u, a, no, ok := s.asked(r)
	if !ok {
		return no
	}
	return s.make(r, u, a, s.Catalogue().Named(payees[a.Payee.PartyID]))
}

// refundOf are the values of referenceIdToRefund on MTN's testing page, and
// the script that a refund follows.
var refundOf = map[string]string{
	"1": "refused_not_found", "2": "mtn_450", "3": "mtn_451", "4": "mtn_452", "5": "ongoing", "6": "mtn_454", "7": "mtn_457",
	"8": "mtn_458", "9": "mtn_459", "10": "mtn_460", "11": "mtn_461", "12": "mtn_462", "13": "mtn_463",
}

// refund is POST /disbursement/{v1_0|v2_0}/refund. What MTN does with a refund
// of more than was paid, or of what was not paid, is published nowhere: here
// it fails.
func (s *Standin) refund(r *core.Request) core.Answer {
	u, a, no, ok := s.asked(r)
	if !ok {
		return no
	}
	if script := refundOf[a.ReferenceIDToRefund]; script != "" {
		return s.make(r, u, a, s.Catalogue().Named(script))
	}
	s.Lock()
	script := ScriptSuccess
	switch paid := s.Find(r.Original); {
	case paid == nil || paid.Method != RouteRequestToPay || !s.live(paid, r):
		script = "refused_not_found"
	case paid.State(r.At).Status != successful, s.refunded(r, r.Original)+inHundredths(a.Amount) > inHundredths(paid.Amount):
		script = "mtn_463"
	default:
		r.Payer = paid.Payer
	}
	s.Unlock()
	return s.make(r, u, a, s.Catalogue().Named(script))
}

// refunded is what refunds of a payment have moved or may still move.
func (s *Standin) refunded(r *core.Request, original string) (hundredths int64) {
	for _, p := range s.Payments() {
		if p.Own.Original == original && p.Reference != r.Reference && p.Accepted > 0 && p.State(r.At).Status != failed {
			hundredths += inHundredths(p.Amount)
		}
	}
	return hundredths
}

// float is what a disbursement account holds at first, in hundredths.
const float = 1_000_000_00

// balance is GET /{product}/v1_0/account/balance[/{currency}]: what the
// account has collected here, or what is left of its float.
func (s *Standin) balance(r *core.Request) core.Answer {
	u, no, ok := s.authorized(r)
	if !ok {
		return no
	}
	if len(r.Args) == 2 && r.Args[1] != u.currency {
		return refusals["INVALID_CURRENCY"]
	}
	s.Lock()
	defer s.Unlock()
	var hundredths int64
	sign := int64(1)
	routes := []string{RouteRequestToPay}
	if r.Args[0] == disbursement {
		hundredths, sign, routes = float, -1, []string{RouteTransfer, RouteRefund}
	}
	for _, p := range s.Payments() {
		if p.Account == u.id && slices.Contains(routes, p.Method) {
			hundredths += sign * inHundredths(p.Amount) * int64(s.Charged(p, r.At))
		}
	}
	return core.JSON(200, struct {
		Available string `json:"availableBalance"`
		Currency  string `json:"currency"`
	}{decimal(hundredths), u.currency})
}
