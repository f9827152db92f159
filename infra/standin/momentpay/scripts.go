package momentpay

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"momoproxy/infra/standin/core"
)

// DefaultTimes has a payer who pays after a second.
func DefaultTimes() core.Times {
	return core.Times{Approve: time.Second, Slow: 30 * time.Second, Late: 10 * time.Minute, Repeat: time.Minute}
}

// Names of scripts that code asks for by name.
const (
	ScriptPaid   = "success"
	ScriptUnpaid = "unpaid"
)

// Kinds of events.
const (
	KindCreated = "created"
	KindUpdated = "updated"
	KindPaid    = "paid"
	KindStrange = "strange"
)

// catalogue lists every script; a code is an amount's cents, or the last two
// digits of a push's number.
func catalogue(t core.Times) []core.Script {
	var all []core.Script
	add := func(code int, name, meaning string, sc core.Script) {
		sc.For, sc.Name, sc.Meaning = []string{forCode(code)}, name, meaning
		all = append(all, sc)
	}
	ends := func(after time.Duration, status, reason string, n ...core.Notice) core.Script {
		for i := range n {
			n[i].After += after
		}
		return core.Script{Steps: []core.Step{{After: after, Status: status, Reason: reason}}, Callbacks: n}
	}
	paid := func(n ...core.Notice) core.Script { return ends(t.Approve, Paid, "", n...) }
	failed := func(n ...core.Notice) core.Script { return ends(t.Approve, Failed, "INSUFFICIENT_FUNDS", n...) }
	told := core.Notice{Kind: KindPaid}

	add(0, ScriptPaid, "paid after Approve, with its webhook; also every code not listed", paid(told))
	add(51, ScriptUnpaid, "nobody pays: expired by the clock, without a webhook", core.Script{})
	add(52, "failed", "failed (INSUFFICIENT_FUNDS) after Approve; no webhook is documented for that", failed())
	add(53, "failed_told", "the same, with a payment_request.updated", failed(core.Notice{Kind: KindUpdated}))
	add(54, "slow", "paid after Slow", ends(t.Slow, Paid, "", told))

	add(61, "webhook_lost", "paid; no webhook ever", paid())
	add(62, "webhook_late", "paid; the webhook comes Late after it", paid(core.Notice{Kind: KindPaid, After: t.Late}))
	add(63, "webhook_double", "paid; the webhook comes twice, Repeat apart", paid(told, core.Notice{Kind: KindPaid, After: t.Repeat, Again: true}))
	forged := ends(t.Approve, Failed, "DECLINED")
	for _, how := range Forgeries() {
		forged.Callbacks = append(forged.Callbacks, core.Notice{Kind: KindPaid, Status: Paid, Forged: how})
	}
	add(64, "webhook_forged", "somebody without the secret posts paid at once, in every way there is; the truth is failed after Approve", forged)
	add(65, "webhook_updated", "paid; told by an updated event whose status says paid", paid(core.Notice{Kind: KindUpdated}))
	add(66, "url_spelling", "paid; the link is spelled url", paid(told))
	add(67, "webhook_bare", "paid; the webhook says neither amount nor currency", paid(core.Notice{Kind: KindPaid, Bare: true}))
	add(68, "webhook_strange", "paid; an event nobody documented comes before the true one", paid(core.Notice{Kind: KindStrange}, core.Notice{Kind: KindPaid, After: time.Second}))
	shown := paid(told)
	shown.Status = WrongAmount
	add(69, "wrong_amount", "paid, but another amount than was asked for", shown)

	submit := func(code int, name, meaning string, f core.Fault, times int, n ...core.Notice) {
		sc := paid(n...)
		sc.Submit, sc.SubmitTimes = f, times
		add(code, name, meaning, sc)
	}
	submit(71, "reset_before", "every request meets a reset, nothing is made", core.ResetBefore, 0)
	submit(72, "reset_after", "made, then a reset, the first time", core.ResetAfter, 1, told)
	submit(73, "timeout_after", "made, and no answer the first time", core.TimeoutAfter, 1, told)
	submit(74, "answers_lost", "made, and three answers and the webhook are lost", core.ResetAfter, 3)
	submit(75, "error_kept", "made, and 500 for as long as the key is known", KeptErrorAfter, 0, told)
	submit(76, "error_once", "500 the first time, nothing made; the second is taken", core.Error500Before, 1, told)
	submit(77, "html200", "200 with a web page every time, nothing made", core.HTML200Before, 0)
	submit(78, "error429_once", "429 the first time; the second is taken", core.Error429Before, 1, told)
	add(79, "refused", "422 invalid_request", core.Script{Refusal: "invalid_request"})
	return all
}

func forCode(code int) string { return fmt.Sprintf("%02d", code) }

// PushNumber is the number whose pushes follow the script of that code, with
// its plus.
func PushNumber(code int) string { return pushPrefix + forCode(code%100) }

const pushPrefix = "+278200000"

// scriptOf is the script that a request asks for; nil: none.
func (s *Standin) scriptOf(a ask) *core.Script {
	if s.opts.Manual {
		return &core.Script{Name: ScriptUnpaid}
	}
	if code, ok := strings.CutPrefix(a.payer(), pushPrefix); ok && code != forCode(0) {
		if sc := s.Catalogue().For(code); sc != nil {
			return sc
		}
	}
	amount, _ := strconv.Atoi(string(a.Amount))
	return s.Catalogue().For(forCode(amount % 100))
}

// life is a script as a request lives it: a link never fails, and what nobody
// has paid is expired when its time has come.
func life(sc core.Script, p *payment, at time.Time) core.Script {
	left := p.Own.ExpiresAt.Sub(at)
	steps, callbacks := []core.Step{}, []core.Notice{{Kind: KindCreated, Status: Active, Always: true}}
	for _, st := range sc.Steps {
		if st.Status == Failed && p.Method == Link {
			st.Status, st.Reason = Expired, ""
		}
		if st.After < left {
			steps = append(steps, st)
		}
	}
	for _, n := range sc.Callbacks {
		if len(steps) > 0 || n.Forged != "" {
			callbacks = append(callbacks, n)
		}
	}
	if len(steps) == 0 {
		steps = append(steps, core.Step{After: left, Status: Expired})
	}
	sc.Steps, sc.Callbacks = steps, callbacks
	return sc
}

// settle: any of the four statuses, by hand.
func (s *Standin) settle(p *payment, to core.State) ([]core.State, error) {
	switch to.Status {
	case Active:
		return []core.State{to, {At: p.Own.ExpiresAt, Status: Expired}}, nil
	case Paid, Expired:
		to.Reason = ""
	case Failed:
		if p.Method == Link && to.Reason == "" {
			to.Reason = "DECLINED"
		}
	default:
		return nil, fmt.Errorf("%w: no such status: %q", core.ErrWord, to.Status)
	}
	p.Own.UpdatedAt = to.At
	return []core.State{to}, nil
}

func announce(_ *payment, to core.State) []core.Notice {
	switch to.Status {
	case Active:
		return nil
	case Paid:
		return []core.Notice{{Kind: KindPaid}}
	}
	return []core.Notice{{Kind: KindUpdated}}
}
