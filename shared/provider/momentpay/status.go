package momentpay

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
	"momoproxy/shared/provider/wire"
)

// keyLife is how long a request is repeated in order to learn its id.
// MomentPay knows a key for 24 hours from its first use (docs), which is never
// before the payment's creation; the hour is for clocks that differ. Beyond
// it the same request would be a new one.
const keyLife = 23 * time.Hour

// Status implements provider.Provider: one GET by MomentPay's id.
//
// Without an id, because the answer that held it was lost, there is nothing
// to ask by: MomentPay has no search. The request is then repeated under its
// key. MomentPay answers as it did the first time, or, if it never heard of
// it, takes it now: the payer can still pay until the expiry that was fixed
// at creation, or it is refused.
func (p *Provider) Status(ctx context.Context, pay payment.Payment) provider.Answer {
	var (
		answer provider.Answer
		trail  wire.Trail
	)
	id := pay.IDs["id"]
	switch {
	case ctx.Err() != nil:
		answer.Evidence = payment.Evidence{Verdict: payment.SaysNothing, Reason: "no time left to ask MomentPay"}
	case safeID(id):
		r := p.client.Do(ctx, &trail, p.authorised(http.MethodGet, requestPath+"/"+url.PathEscape(id)), p.cfg.AttemptTimeout)
		answer.Attempted, answer.AskAgain, answer.Evidence = !r.Unsent, r.Stale, readStatus(r, pay)
	default:
		why, may := p.mayRepeat(pay)
		if !may {
			answer.Evidence = why
			break
		}
		r := p.client.Do(ctx, &trail, p.requestFor(pay), p.cfg.AttemptTimeout)
		answer.Attempted, answer.AskAgain, answer.Evidence = !r.Unsent, r.Stale, readRepeat(r, pay, p.now())
	}
	answer.Exchanges = trail
	answer.Evidence.Source, answer.Evidence.At = payment.FromStatus, p.now()
	return answer
}

// mayRepeat says whether the request of a payment without an id is repeated,
// and if not, what is known of the payment.
func (p *Provider) mayRepeat(pay payment.Payment) (payment.Evidence, bool) {
	nothing := payment.Evidence{Verdict: payment.SaysNothing}
	now := p.now()
	switch {
	case pay.Status.Ended():
		nothing.Reason = "it has ended, and asking would be asking for it anew"
	case pay.Phase == payment.PhaseSubmitting && now.Before(pay.SubmitDeadline):
		nothing.Reason = "its first request may still be under way"
	case now.Sub(pay.CreatedAt) < keyLife:
		return payment.Evidence{}, true
	case pay.Method == MethodPush:
		// The payer may have approved it, and nobody's interface can tell.
		nothing.Verdict, nothing.Reason = payment.SaysUnanswerable, "MomentPay's id of the push was never learned"
	default:
		// Nobody was given the link, so nobody has paid by it.
		nothing.Reason = "MomentPay's id of the link was never learned"
	}
	return nothing, false
}

// readRepeat gives the meaning of the answer to a repeated request. It tells
// the id and not where the payment stands: it may be a day old.
//
// A refusal of the request itself means that it was never taken, in two
// cases: it is the first answer that the key ever got, or the request was
// still in time. One that came too late may have been refused for its expiry
// before its key was looked at; which comes first is not confirmed.
func readRepeat(r wire.Reply, pay payment.Payment, now time.Time) payment.Evidence {
	o := readSubmit(r, pay)
	switch o.evidence.Verdict {
	case payment.SaysAccepted:
		o.evidence.Verdict = payment.SaysPending
	case payment.SaysRefused:
		o.evidence.Verdict = payment.SaysNothing
		if o.bad && (o.kept || now.Before(expiry(pay))) {
			o.evidence.Verdict = payment.SaysNotFound
		}
	}
	return o.evidence
}

// readStatus gives the meaning of the answer to a status question about pay,
// whose id is known.
func readStatus(r wire.Reply, pay payment.Payment) payment.Evidence {
	nothing := payment.Evidence{Verdict: payment.SaysNothing}
	switch {
	case r.Code == 0:
		nothing.Reason = "no answer from MomentPay (" + r.Class + ")"
		return nothing
	case r.Class != "":
		nothing.Code, nothing.Reason = httpCode(r), "MomentPay's answer broke off ("+r.Class+")"
		return nothing
	}
	if r.Code != http.StatusOK {
		code, message, own := errorBody(r)
		nothing.Code, nothing.Reason = code, message
		if code == "" {
			nothing.Code = httpCode(r)
		}
		nothing.AccountFault = decisions.RefusesAccount(r.Code, code, !own)
		if r.Code == http.StatusUnauthorized && own {
			nothing.Code, nothing.Reason = CodeCredentials, "MomentPay refused the credentials"
		}
		if rule, known := decisions.Find(provider.OnStatus, r.Code, code, !own); known {
			nothing.Verdict = rule.Verdict
		}
		return nothing
	}
	nothing.Code = httpCode(r)
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
	case t.id != pay.IDs["id"], t.reference != "" && t.reference != pay.Reference:
		nothing.Code, nothing.Reason = CodeWrongReference, "MomentPay's answer is about another payment"
		return nothing
	case t.status == "":
		nothing.Reason = "MomentPay's answer has no status"
		return nothing
	}
	ev := t.about(pay)
	if ev.Verdict == payment.SaysSuccessful && !t.complete() {
		ev.Verdict, ev.Code = payment.SaysUnrecognised, CodeIncomplete
	}
	return ev
}
