package momentpay

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Plan is the script of one payment request. It is picked by the amount's
// cents or by the last two digits of a push's number (see PushNumber).
type Plan struct {
	Code    int    `json:"code"` // cents, or last two digits
	Name    string `json:"name"`
	Meaning string `json:"meaning"`

	// Submit is what happens to the first SubmitTimes requests under one
	// reference (0: to all).
	Submit      Fault `json:"submit,omitempty"`
	SubmitTimes int   `json:"submitTimes,omitempty"`
	// Refusal is the code of a 422 answered instead of making a request.
	Refusal string `json:"refusal,omitempty"`
	// Shown bends every description of the request, webhooks included.
	Shown Fault `json:"shown,omitempty"`

	end      string // "" when nobody does anything
	reason   string
	after    func(Times) time.Duration
	webhooks func(Times) []notice // after the end
}

// Plans lists every script; the first is that of all other amounts.
func Plans() []Plan { return slices.Clone(plans) }

func approve(t Times) time.Duration { return t.Approve }
func slow(t Times) time.Duration    { return t.Slow }

func told(n ...notice) func(Times) []notice { return func(Times) []notice { return n } }

func paid(p Plan) Plan {
	p.end = "paid"
	if p.after == nil {
		p.after = approve
	}
	return p
}

var paidOnce = told(notice{kind: "paid"})

var plans = []Plan{
	paid(Plan{Code: 0, Name: "success", Meaning: "paid after Approve, with its webhook; also every code not listed", webhooks: paidOnce}),
	{Code: 51, Name: "unpaid", Meaning: "nobody pays: expired by the clock, without a webhook"},
	{Code: 52, Name: "failed", Meaning: "failed (INSUFFICIENT_FUNDS) after Approve; no webhook is documented for that", end: "failed", reason: "INSUFFICIENT_FUNDS", after: approve},
	{Code: 53, Name: "failed_told", Meaning: "the same, with a payment_request.updated", end: "failed", reason: "INSUFFICIENT_FUNDS", after: approve, webhooks: told(notice{kind: "updated"})},
	paid(Plan{Code: 54, Name: "slow", Meaning: "paid after Slow", after: slow, webhooks: paidOnce}),

	paid(Plan{Code: 61, Name: "webhook_lost", Meaning: "paid; no webhook ever"}),
	paid(Plan{Code: 62, Name: "webhook_late", Meaning: "paid; the webhook comes Late after it", webhooks: func(t Times) []notice {
		return []notice{{kind: "paid", after: t.Late}}
	}}),
	paid(Plan{Code: 63, Name: "webhook_double", Meaning: "paid; the webhook comes twice, Repeat apart", webhooks: func(t Times) []notice {
		return []notice{{kind: "paid"}, {kind: "paid", after: t.Repeat, again: true}}
	}}),
	{Code: 64, Name: "webhook_forged", Meaning: "somebody without the secret posts paid at once, in every way there is; the truth is failed after Approve", end: "failed", reason: "DECLINED", after: approve},
	paid(Plan{Code: 65, Name: "webhook_updated", Meaning: "paid; told by an updated event whose status says paid", webhooks: told(notice{kind: "updated"})}),
	paid(Plan{Code: 66, Name: "url_spelling", Meaning: "paid; the link is spelled url", webhooks: paidOnce}),
	paid(Plan{Code: 67, Name: "webhook_bare", Meaning: "paid; the webhook says neither amount nor currency", webhooks: told(notice{kind: "paid", bare: true})}),
	paid(Plan{Code: 68, Name: "webhook_strange", Meaning: "paid; an event nobody documented comes before the true one", webhooks: told(notice{kind: "strange"}, notice{kind: "paid", after: time.Second})}),
	paid(Plan{Code: 69, Name: "wrong_amount", Meaning: "paid, but another amount than was asked for", Shown: WrongAmount, webhooks: paidOnce}),

	paid(Plan{Code: 71, Name: "reset_before", Meaning: "every request meets a reset, nothing is made", Submit: ResetBefore}),
	paid(Plan{Code: 72, Name: "reset_after", Meaning: "made, then a reset, the first time", Submit: ResetAfter, SubmitTimes: 1, webhooks: paidOnce}),
	paid(Plan{Code: 73, Name: "timeout_after", Meaning: "made, and no answer the first time", Submit: TimeoutAfter, SubmitTimes: 1, webhooks: paidOnce}),
	paid(Plan{Code: 74, Name: "answers_lost", Meaning: "made, and three answers and the webhook are lost", Submit: ResetAfter, SubmitTimes: 3}),
	paid(Plan{Code: 75, Name: "error_kept", Meaning: "made, and 500 for as long as the key is known", Submit: KeptErrorAfter, webhooks: paidOnce}),
	paid(Plan{Code: 76, Name: "error_once", Meaning: "500 the first time, nothing made; the second is taken", Submit: Error500Before, SubmitTimes: 1, webhooks: paidOnce}),
	paid(Plan{Code: 77, Name: "html200", Meaning: "200 with a web page every time, nothing made", Submit: HTMLBefore}),
	paid(Plan{Code: 78, Name: "error429_once", Meaning: "429 the first time; the second is taken", Submit: TooMany, SubmitTimes: 1, webhooks: paidOnce}),
	{Code: 79, Name: "refused", Meaning: "422 invalid_request", Refusal: "invalid_request"},
}

// PushNumber is the number whose pushes follow the script of that code, with
// its plus.
func PushNumber(code int) string {
	n := strconv.Itoa(code % 100)
	return pushPrefix + strings.Repeat("0", 2-len(n)) + n
}

const pushPrefix = "+278200000"

// planOf picks the script of a request.
func (s *Sandbox) planOf(a ask) Plan {
	if a.Type == "push" && a.Push != nil {
		if code, err := strconv.Atoi(strings.TrimPrefix(a.Push.Capitec.PhoneNumber, pushPrefix)); err == nil && code != 0 {
			if i := slices.IndexFunc(plans, func(p Plan) bool { return p.Code == code }); i >= 0 {
				return plans[i]
			}
		}
	}
	amount, _ := a.Amount.Int64()
	if i := slices.IndexFunc(plans, func(p Plan) bool { return p.Code == int(amount%100) }); i >= 0 {
		return plans[i]
	}
	return plans[0]
}

// scripted is what a script has happen to this request itself.
func (s *Sandbox) scripted(in *incoming) Fault {
	var a ask
	if s.opts.Manual || json.Unmarshal(in.body, &a) != nil {
		return ""
	}
	plan := s.planOf(a)
	s.mu.Lock()
	defer s.mu.Unlock()
	if plan.SubmitTimes > 0 && s.asked[a.ExternalReference] >= plan.SubmitTimes {
		return ""
	}
	return plan.Submit
}

// play schedules what a request's script has happen. Call with s.mu held.
func (s *Sandbox) play(r *request) {
	p := r.plan
	if p.Name == "webhook_forged" {
		for _, how := range Forgeries() {
			s.tell(r, notice{kind: "paid", status: "paid", forged: how}, 0)
		}
	}
	s.end(r)
}

// end schedules a request's end, so long after it was made as its script says.
// Call with s.mu held.
func (s *Sandbox) end(r *request) {
	p := r.plan
	if p.end == "" {
		return
	}
	end := p.end
	if end == "failed" && r.kind == "link" {
		end = "expired" // a link is never failed
	}
	s.later(r.createdAt.Add(p.after(s.opts.Times)).Sub(s.opts.Now()), func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		now := s.opts.Now()
		if r.status(now) != "active" {
			return
		}
		r.finish(end, p.reason, now)
		s.tellEnd(r)
		s.keep(r)
	})
}

// tellEnd schedules the webhooks about a request's end. Call with s.mu held.
func (s *Sandbox) tellEnd(r *request) {
	if r.plan.webhooks == nil {
		return
	}
	for _, n := range r.plan.webhooks(s.opts.Times) {
		s.tell(r, n, n.after)
	}
}

// finish ends a request. Call with the Sandbox's mu held.
func (r *request) finish(status, reason string, at time.Time) {
	r.ended, r.reason, r.updatedAt = status, reason, at
	if status == "paid" {
		r.charges++
	}
}
