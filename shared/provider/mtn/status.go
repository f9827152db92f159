package mtn

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
	"momoproxy/shared/provider/wire"
)

// Status implements provider.Provider: one GET. A 401 says nothing, with
// CodeCredentials; where it got us a new token, asking again is worth while.
func (p *Provider) Status(ctx context.Context, pay payment.Payment) provider.Answer {
	s := session{p: p}
	r, renewed, err := s.ask(ctx, wire.Call{
		Method: http.MethodGet,
		Path:   "/collection/v1_0/requesttopay/" + url.PathEscape(pay.Reference),
	})
	answer := provider.Answer{Exchanges: s.trail, Attempted: !r.Unsent, AskAgain: r.Stale || renewed}
	if err != nil && r.Code == 0 {
		answer.Evidence.Verdict = payment.SaysNothing
		answer.Evidence.Code, answer.Evidence.Reason, answer.Evidence.AccountFault = notAsked(err)
	} else {
		answer.Evidence = readStatus(r, pay.Reference, decisions)
		answer.Evidence = complete(answer.Evidence, answer.Evidence.Payer)
	}
	answer.Evidence.Source, answer.Evidence.At = payment.FromStatus, p.now()
	return answer
}

// readStatus gives the meaning of the answer to a status question about
// reference, by the table of what was asked about.
func readStatus(r wire.Reply, reference string, table provider.Decisions) payment.Evidence {
	nothing := payment.Evidence{Verdict: payment.SaysNothing}
	switch {
	case r.Code == 0:
		nothing.Reason = "no answer from MTN (" + r.Class + ")"
		return nothing
	case r.Class != "":
		nothing.Code = "HTTP_" + strconv.Itoa(r.Code)
		nothing.Reason = "MTN's answer broke off (" + r.Class + ")"
		return nothing
	case r.Code != http.StatusOK:
		return statusError(r, table)
	}
	// A failed payment is a 200 too. So is a firewall's page.
	nothing.Code = "HTTP_200"
	body, err := wire.ReadObject(r.Body)
	if err != nil {
		nothing.Reason = "MTN's answer is unreadable: " + err.Error()
		return nothing
	}
	external, named := body.Text("externalId")
	if named && external != reference {
		nothing.Code = CodeWrongReference
		nothing.Reason = "MTN's answer is about another payment"
		return nothing
	}
	ev, err := report(body, table)
	if err != nil {
		nothing.Reason = "MTN's answer is unreadable: " + err.Error()
		return nothing
	}
	if ev.Verdict == payment.SaysNothing {
		nothing.Reason = "MTN's answer has no status"
		return nothing
	}
	ev.Reference = external
	return complete(ev, ev.Amount, ev.Currency)
}

// complete: every success seen or documented names these. One that does not
// cannot be compared with what was asked for, so it proves nothing.
func complete(ev payment.Evidence, named ...string) payment.Evidence {
	if ev.Verdict == payment.SaysSuccessful && slices.Contains(named, "") {
		ev.Verdict, ev.Code = payment.SaysUnrecognised, CodeIncomplete
	}
	return ev
}

// statusError: only MTN's own code says that a reference is unknown. A 404
// without it comes from a gateway on the way, in HTML or in JSON
// ({"statusCode":404,…}), and says nothing about the payment.
func statusError(r wire.Reply, table provider.Decisions) payment.Evidence {
	code, message := errorBody(r)
	ev := payment.Evidence{
		Verdict: payment.SaysNothing,
		Code:    wire.Clean(code, longestCode),
		Reason:  wire.Clean(message, longestReason),
	}
	ev.AccountFault = table.RefusesAccount(r.Code, code, wire.HTML(r.Body))
	rule, known := table.Find(provider.OnStatus, r.Code, code, wire.HTML(r.Body))
	switch {
	case known && r.Code >= 400:
		ev.Verdict = rule.Verdict
	case r.Code == http.StatusUnauthorized && !wire.HTML(r.Body):
		ev.Code, ev.Reason, ev.AccountFault = CodeCredentials, "MTN refused the credentials", true
	case ev.Code == "":
		ev.Code = "HTTP_" + strconv.Itoa(r.Code)
	}
	return ev
}
