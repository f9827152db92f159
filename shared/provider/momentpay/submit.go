package momentpay

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
	"momoproxy/shared/provider/wire"
)

const (
	// longestRetryAfter: MomentPay asking for a longer wait gets no repeat;
	// a status question follows anyway.
	longestRetryAfter = 3 * time.Second
	// leastAttempt is the time an attempt needs to make sense.
	leastAttempt = 500 * time.Millisecond
)

// outcome is the meaning of one answer to a request.
type outcome struct {
	evidence payment.Evidence
	repeat   bool // worth another attempt under the same key
	clear    bool // certain that this attempt started nothing
	// bad: the request itself was found wanting, so it was not taken.
	bad bool
	// kept: MomentPay repeated the first answer that this key ever got.
	kept bool
}

// readSubmit gives the meaning of one answer to a request for pay, seen
// alone. No answer to a request ends a payment well: it may be the first one
// kept, from when nobody had paid.
func readSubmit(r wire.Reply, pay payment.Payment) outcome {
	o := outcome{
		evidence: payment.Evidence{Verdict: payment.SaysNothing},
		kept:     r.Repeated(),
	}
	ev := &o.evidence
	switch {
	case r.Code == 0:
		ev.Reason = "no answer from MomentPay (" + r.Class + ")"
		o.repeat = r.Class != wire.ClassCanceled && r.Class != wire.ClassTransport
		o.clear = r.Unsent
		return o
	case r.Class != "":
		ev.Code = httpCode(r)
		ev.Reason = fmt.Sprintf("MomentPay's answer (HTTP %d) broke off (%s)", r.Code, r.Class)
		o.repeat = r.Class != wire.ClassTooLarge
		return o
	case r.Code/100 == 2:
		o.evidence = readAccepted(r, pay)
		return o
	}
	code, message, own := errorBody(r)
	ev.Code, ev.Reason = code, message
	if ev.Code == "" {
		ev.Code = httpCode(r)
	}
	rule, known := decisions.Find(provider.OnSubmit, r.Code, code, !own)
	switch {
	case known:
		ev.Verdict, ev.AccountFault = rule.Verdict, rule.AccountFault
		o.clear = rule.Verdict == payment.SaysRefused
		o.bad = o.clear && !rule.AccountFault
		o.repeat = rule.Repeat && !o.kept
		if r.Code == http.StatusUnauthorized {
			ev.Code, ev.Reason = CodeCredentials, "MomentPay refused the credentials"
		}
	case r.Code == http.StatusTooManyRequests, r.Code == http.StatusRequestTimeout, r.Code == http.StatusTooEarly, r.Code >= 500:
		// The first answer is kept for 24 hours, a failure too (docs): one
		// that is already a repetition comes again, and what it hides stays
		// unknown.
		o.repeat = !o.kept
	}
	return o
}

// readAccepted reads the 2xx answer to a request for pay. With an id it says
// that MomentPay has it; a link that is missing can still come with a status
// answer.
func readAccepted(r wire.Reply, pay payment.Payment) payment.Evidence {
	nothing := payment.Evidence{Verdict: payment.SaysNothing, Code: httpCode(r)}
	body, err := wire.ReadObject(r.Body)
	if err != nil {
		nothing.Reason = "MomentPay's answer is unreadable: " + err.Error()
		return nothing
	}
	t, err := readRequest(body)
	switch {
	case err != nil:
		nothing.Reason = "MomentPay's answer is unreadable: " + err.Error()
		return nothing
	case t.reference != "" && t.reference != pay.Reference:
		nothing.Code, nothing.Reason = CodeWrongReference, "MomentPay's answer is about another payment"
		return nothing
	}
	ev := t.about(pay)
	ev.Verdict, ev.Code, ev.Reason, ev.FinancialTransactionID = payment.SaysAccepted, "", "", ""
	return ev
}

func httpCode(r wire.Reply) string { return "HTTP_" + strconv.Itoa(r.Code) }

// errorBody returns code and message of an error answer. Its shape is not
// confirmed: at the top or under "error", and what is under other names is
// left. own: it is a JSON object, hence not the page of a gateway on the way.
func errorBody(r wire.Reply) (code, message string, own bool) {
	body, err := wire.ReadObject(r.Body)
	if err != nil {
		return "", "", false
	}
	if inner, ok, _ := body.Child("error"); ok {
		body = inner
	}
	for _, name := range []string{"code", "error_code", "type"} {
		if code, _ = body.Text(name); code != "" {
			break
		}
	}
	message, _ = body.Text("message")
	return wire.Clean(code, longestCode), wire.Clean(message, longestReason), true
}

// Submit implements provider.Provider. It sends the request up to three times
// under one Idempotency-Key, which is safe: MomentPay answers a known key
// with the first answer and does nothing (docs). callbackURL is not used:
// our webhook is registered at MomentPay once, by hand.
//
// A refusal counts only if every attempt before it is certain to have started
// nothing; after an attempt whose outcome is unknown the Evidence says
// nothing, and the status question finds out. Attempted is false when no
// request left this machine.
func (p *Provider) Submit(ctx context.Context, pay payment.Payment, _ string) provider.Answer {
	var (
		trail     wire.Trail
		out       outcome
		attempted bool
		doubt     bool // an earlier attempt may have been accepted
		pause     time.Duration
	)
	c := p.requestFor(pay)
	for attempt := 1; ; attempt++ {
		if ctx.Err() != nil {
			out = outcome{evidence: payment.Evidence{Verdict: payment.SaysNothing, Reason: "no time left to ask MomentPay"}}
			break
		}
		r := p.client.Do(ctx, &trail, c, p.cfg.AttemptTimeout)
		out = readSubmit(r, pay)
		pause = wire.RetryAfter(r)
		attempted = attempted || !r.Unsent
		if out.evidence.Verdict != payment.SaysNothing {
			break
		}
		wait, again := p.again(ctx, attempt, out, r)
		if !again || p.sleep(ctx, wait) != nil {
			break
		}
		doubt = doubt || !out.clear
	}
	ev := out.evidence
	if ev.Verdict == payment.SaysRefused && doubt {
		ev.Verdict = payment.SaysNothing
	}
	ev.Source, ev.At = payment.FromSubmit, p.now()
	return provider.Answer{Evidence: ev, Exchanges: trail, Attempted: attempted, RetryAfter: pause}
}

// again says whether another attempt follows and after which wait: the
// outcome is worth it, attempts are left, and so is time before the deadline.
func (p *Provider) again(ctx context.Context, attempt int, out outcome, r wire.Reply) (time.Duration, bool) {
	if !out.repeat || attempt >= attempts {
		return 0, false
	}
	wait := p.backoff(attempt)
	if asked := r.Header.Get("Retry-After"); asked != "" {
		// Seconds; the form with a date is not worth a repeat here.
		seconds, err := strconv.Atoi(strings.TrimSpace(asked))
		if err != nil || seconds < 0 || seconds > int(longestRetryAfter/time.Second) {
			return 0, false
		}
		wait = max(wait, time.Duration(seconds)*time.Second)
	}
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < wait+leastAttempt {
		return 0, false
	}
	return wait, true
}
