package sandbox

import (
	"fmt"
	"strings"
)

// statusBody is a status answer. Fields that are known to change their JSON
// type are any.
type statusBody struct {
	FinancialTransactionID any    `json:"financialTransactionId,omitempty"`
	ExternalID             string `json:"externalId"`
	Amount                 any    `json:"amount"`
	Currency               string `json:"currency"`
	Payer                  party  `json:"payer"`
	PayerMessage           string `json:"payerMessage,omitempty"`
	PayeeNote              string `json:"payeeNote,omitempty"`
	Status                 string `json:"status"`
	Reason                 any    `json:"reason,omitempty"`

	truth *payment
}

// status is GET /collection/v1_0/requesttopay/{referenceId}.
func (s *Sandbox) status(r *request) reply {
	u, no, ok := s.authorized(r)
	if !ok {
		return no
	}
	if !isUUID4(r.args[0]) {
		return badRequest("The reference id must be a UUID version 4.")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.mtn.payments[strings.ToLower(r.args[0])]
	if p == nil || p.account != u || !p.live(r.at, s.opts.Remember) {
		if p != nil {
			p.gets++
		}
		return refusals["RESOURCE_NOT_FOUND"]
	}
	p.gets++
	if r.at.Before(p.acceptedAt.Add(p.plan.Hidden)) {
		return refusals["RESOURCE_NOT_FOUND"]
	}
	f := faults[""]
	if p.plan.StatusTimes == 0 || p.gets <= p.plan.StatusTimes {
		f = faults[p.plan.Status]
	}
	if f.before {
		return f.answer(reply{})
	}
	b := p.tell(p.state(r.at.Add(-p.plan.Lag)))
	b.PayerMessage = p.ask.PayerMessage
	for _, f := range []faultKind{f, faults[r.rule.Fault]} {
		if f.bend != nil {
			f.bend(&b)
		}
	}
	a := jsonOf(200, b)
	if f.answer != nil {
		a = f.answer(a)
	}
	return a
}

// tell puts a state into the words of status answers and callbacks.
func (p *payment) tell(m moment) statusBody {
	b := statusBody{
		ExternalID: p.ask.ExternalID, Amount: p.amount, Currency: p.account.currency,
		Payer: p.ask.Payer, PayeeNote: p.ask.PayeeNote, Status: m.status, truth: p,
	}
	switch m.status {
	case "SUCCESSFUL":
		b.FinancialTransactionID = p.transactionID
	case "FAILED":
		b.Reason = m.reason
	}
	return b
}

// balance is GET /collection/v1_0/account/balance[/{currency}]: what the
// account has collected here.
func (s *Sandbox) balance(r *request) reply {
	u, no, ok := s.authorized(r)
	if !ok {
		return no
	}
	if len(r.args) == 1 && r.args[0] != u.currency {
		return refusals["INVALID_CURRENCY"]
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var hundredths int64
	for _, p := range s.mtn.order {
		if p.account == u {
			hundredths += inHundredths(p.amount) * int64(p.charges(r.at))
		}
	}
	return jsonOf(200, struct {
		Available string `json:"availableBalance"`
		Currency  string `json:"currency"`
	}{fmt.Sprintf("%d.%02d", hundredths/100, hundredths%100), u.currency})
}

// inHundredths reads a normalised amount. It may wrap beyond 18 digits: the
// balance is for people to look at.
func inHundredths(amount string) (n int64) {
	whole, part, _ := strings.Cut(amount, ".")
	for _, c := range whole + (part + "00")[:2] {
		n = n*10 + int64(c-'0')
	}
	return n
}

// holders are the numbers whose account answers otherwise than active
// (MTN's testing page).
var holders = map[string]reply{
	"46733123450": refusals["RESOURCE_NOT_FOUND"],
	"46733123451": jsonReply(200, `{"result":false}`),
	"46733123452": refusals["NOT_ALLOWED"],
	"46733123453": refusals["NOT_ALLOWED_TARGET_ENVIRONMENT"],
	"46733123454": refusals["INTERNAL_PROCESSING_ERROR"],
	"46733123455": refusals["SERVICE_UNAVAILABLE"],
}

// accountHolderActive is GET /collection/v1_0/accountholder/{type}/{id}/active.
// MTN's pages write the type in small letters, its clients in capitals.
func (s *Sandbox) accountHolderActive(r *request) reply {
	if _, no, ok := s.authorized(r); !ok {
		return no
	}
	switch strings.ToLower(r.args[0]) {
	case "msisdn", "email", "party_code":
	default:
		return badRequest("The account holder type must be msisdn, email or party_code.")
	}
	if a, ok := holders[r.args[1]]; ok {
		return a
	}
	return jsonReply(200, `{"result":true}`)
}
