package sandbox

import (
	"mime"
	"strings"
	"time"
)

// requestToPay is POST /collection/v1_0/requesttopay.
func (s *Sandbox) requestToPay(r *request) reply {
	if r.hasNoLength() {
		return lengthRequired
	}
	if a, fault := readAsk(r.body); fault == "" && a.stopped() {
		return requestRejected // it stands before whatever else looks at a request
	}
	u, no, ok := s.authorized(r)
	if !ok {
		return no
	}
	reference := strings.ToLower(r.Header.Get("X-Reference-Id"))
	if !isUUID4(reference) {
		return badRequest("X-Reference-Id must be a UUID version 4.")
	}
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != typeJSON {
		return gatewayError(415, "Content-Type must be application/json.")
	}
	callback := r.Header.Get("X-Callback-Url")
	if present(r.Header, "X-Callback-Url") {
		if no, bad := callbackFault(callback, u.host, s.opts.CallbackScheme); bad {
			return no
		}
	}
	a, fault := readAsk(r.body)
	if fault == "" {
		fault = a.faultOf()
	}
	if fault != "" {
		return badRequest(fault)
	}
	if a.Currency != u.currency {
		return refusals["INVALID_CURRENCY"]
	}
	places := 2
	if wholeUnits[u.currency] {
		places = 0
	}
	amount, ok := normalAmount(a.Amount, places)
	if !ok {
		return badRequest("amount must be a decimal string in major units, greater than zero.")
	}
	if a.Payer.PartyIDType == "MSISDN" && !isMSISDN(a.Payer.PartyID) {
		return refusals["PAYER_NOT_FOUND"]
	}

	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.payment(reference)
	p.asks++
	if p.live(r.at, s.opts.Remember) {
		p.duplicates++
		return refusals["RESOURCE_ALREADY_EXIST"]
	}
	if !p.planned {
		p.planned, p.plan = true, s.planFor(r, reference, a)
	}
	p.account, p.ask, p.amount, p.callbackURL = u, a, amount, callback
	p.tries++
	f := faults[""]
	if p.plan.SubmitTimes == 0 || p.tries <= p.plan.SubmitTimes {
		f = faults[p.plan.Submit]
	}
	if f.before {
		return f.answer(reply{})
	}
	if no, refused := refusals[p.plan.Refusal]; refused {
		return no
	}
	s.accept(p, r.at)
	s.keep(p)
	if f.answer != nil {
		return f.answer(reply{code: 202})
	}
	return reply{code: 202}
}

// planFor picks the script: a rule, Options.Choose, the payer's number, or
// the ordinary success.
func (s *Sandbox) planFor(r *request, reference string, a ask) Plan {
	if p, ok := s.scripts.plans[r.rule.Plan]; ok {
		return p
	}
	if s.opts.Choose != nil {
		c := Call{Provider: "mtn", Route: RouteRequestToPay, Reference: reference, Payer: a.Payer.PartyID, Amount: a.Amount}
		if p, ok := s.opts.Choose(c); ok {
			return p
		}
	}
	if name, ok := s.scripts.numbers[a.Payer.PartyID]; ok {
		return s.scripts.plans[name]
	}
	return s.scripts.plans[PlanSuccess]
}

// ever is later than anything that can be scheduled.
var ever = time.Unix(1<<40, 0)

// accept starts the payment's life and schedules what it will tell us.
func (s *Sandbox) accept(p *payment, at time.Time) {
	p.pastCharges = p.charges(ever) // what was forgotten may still be paid
	p.forgotten = false
	p.accepted++
	p.acceptedAt = at
	p.transactionID = s.transactionID()
	p.steps = p.steps[:0]
	for _, st := range p.plan.Steps {
		p.steps = append(p.steps, moment{at.Add(st.After), st.Status, st.Reason})
	}
	if len(p.steps) == 0 || p.plan.Steps[0].After > 0 {
		p.steps = append([]moment{{at: at, status: "PENDING"}}, p.steps...)
	}
	for _, n := range p.plan.Callbacks {
		s.notify(p, n, n.After, 0)
	}
}

// lost notes a request that was swallowed before it was acted on.
func (s *Sandbox) lost(c Call) {
	if c.Route != RouteRequestToPay || !isUUID4(c.Reference) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.payment(c.Reference).asks++
}

// payment finds or starts the record of a reference. Call with s.mu held.
func (s *Sandbox) payment(reference string) *payment {
	p := s.mtn.payments[reference]
	if p == nil {
		p = &payment{reference: reference}
		s.mtn.payments[reference] = p
		s.mtn.order = append(s.mtn.order, p)
	}
	return p
}
