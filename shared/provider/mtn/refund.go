package mtn

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
	"momoproxy/shared/provider/wire"
	"momoproxy/shared/refund"
)

// refundDecisions is the decision table of refunds and transfers. It is much
// shorter than that of a request to pay, because the money leaves us: neither
// "not found" nor a server error, whatever code it has, proves that nothing
// moved. What is not accepted or refused before MTN's payment system is unknown.
//
// Sources: MTN-Group/MoMoAPIs_Java_sdk @97fe086 for calls and status words, the
// testing page for what a sandbox refund answers. Whether MTN refuses a repeated
// reference is not confirmed, so none is repeated.
var refundDecisions = provider.Decisions{
	{Operation: provider.OnSubmit, HTTP: http.StatusConflict, Code: "RESOURCE_ALREADY_EXIST", Verdict: payment.SaysAccepted,
		Proof: "MTN knows this reference", Source: "ERR82, body observed"},
	{Operation: provider.OnSubmit, HTTP: http.StatusForbidden, Code: codeForbiddenIP, Verdict: payment.SaysRefused, AccountFault: true,
		Proof: "our address is not on MTN's allow-list", Source: "ERR82, of Disbursements"},
	{Operation: provider.OnSubmit, HTTP: http.StatusUnauthorized, Code: provider.AnyCode, Verdict: payment.SaysRefused, AccountFault: true,
		Proof: "subscription key or token refused at the gateway", Source: "ERR82"},

	{Operation: provider.OnStatus, Code: "RESOURCE_NOT_FOUND", Verdict: payment.SaysNotFound,
		Proof: "this platform does not know the reference", Source: "ERR82, body observed"},
	{Operation: provider.OnStatus, Code: "TRANSACTION_NOT_FOUND", Verdict: payment.SaysNotFound,
		Proof: "this platform does not know the reference", Source: "post 338"},

	{Operation: provider.OnWord, Code: "PENDING", Verdict: payment.SaysPending, Source: "Java SDK"},
	{Operation: provider.OnWord, Code: "CREATED", Verdict: payment.SaysPending, Source: "observed of payments, sandbox payer …454"},
	{Operation: provider.OnWord, Code: "SUCCESSFUL", Verdict: payment.SaysSuccessful, Source: "Java SDK"},
	{Operation: provider.OnWord, Code: "FAILED", Verdict: payment.SaysFailed, Proof: "MTN's own ending", Source: "Java SDK"},
}

// Disbursement is one MTN Disbursements account. It is safe for concurrent use.
type Disbursement struct{ p *Provider }

var _ provider.Refunder = (*Disbursement)(nil)

// NewDisbursement makes the adapter, as New does.
func NewDisbursement(cfg Config, store provider.TokenStore, client *http.Client, now func() time.Time, options ...Option) (*Disbursement, error) {
	cfg.product = "disbursement"
	p, err := New(cfg, store, client, now, options...)
	return &Disbursement{p}, err
}

// Capabilities implements provider.Refunder.
func (d *Disbursement) Capabilities() provider.Capabilities { return d.p.Capabilities() }

// Ready implements provider.Refunder.
func (d *Disbursement) Ready(ctx context.Context) error { return d.p.Ready(ctx) }

// Maintain implements provider.Refunder.
func (d *Disbursement) Maintain(ctx context.Context) error { return d.p.Maintain(ctx) }

// refundBody is the body of a refund (referenceIdToRefund) or of a transfer
// (payee); otherwise they are alike.
type refundBody struct {
	Amount              string `json:"amount"`
	Currency            string `json:"currency"`
	ExternalID          string `json:"externalId"`
	Payee               *party `json:"payee,omitempty"`
	PayerMessage        string `json:"payerMessage"`
	PayeeNote           string `json:"payeeNote"`
	ReferenceIDToRefund string `json:"referenceIdToRefund,omitempty"`
}

// refundText goes with the money in the place of the reason, which is ours.
const refundText = "Refund"

// refundPath is where refunds of a kind are made and asked about.
func refundPath(k refund.Kind) string {
	if k == refund.ByTransfer {
		return "/disbursement/v1_0/transfer"
	}
	return "/disbursement/v1_0/refund"
}

// Refund implements provider.Refunder. One request is sent; only after a 401, by
// which nothing was begun, a second one with a new token.
func (d *Disbursement) Refund(ctx context.Context, p payment.Payment, r refund.Refund) provider.Answer {
	body := refundBody{
		Amount: wireAmount(r.Amount), Currency: r.Amount.Currency, ExternalID: r.Reference,
		PayerMessage: refundText, PayeeNote: refundText, ReferenceIDToRefund: p.Reference,
	}
	if r.Kind == refund.ByTransfer {
		body.ReferenceIDToRefund, body.Payee = "", &party{"MSISDN", string(p.Payer)}
	}
	text, _ := json.Marshal(body) // strings always marshal
	s := session{p: d.p}
	call := wire.Call{
		Method: http.MethodPost, Path: refundPath(r.Kind), Body: text,
		Headers: map[string]string{"Content-Type": "application/json", "X-Reference-Id": r.Reference},
	}
	reply, renewed, err := s.ask(ctx, call)
	if renewed && readRefund(reply).Verdict == payment.SaysRefused {
		reply, _, err = s.ask(ctx, call)
	}
	e := payment.Evidence{Verdict: payment.SaysNothing}
	if err != nil && reply.Code == 0 {
		e.Code, e.Reason, e.AccountFault = notAsked(err)
	} else {
		e = readRefund(reply)
	}
	e.Source, e.At = payment.FromSubmit, d.p.now()
	return provider.Answer{Evidence: e, Exchanges: s.trail, Attempted: !reply.Unsent}
}

// readRefund gives the meaning of the answer to a refund or a transfer.
func readRefund(r wire.Reply) payment.Evidence {
	e := payment.Evidence{Verdict: payment.SaysNothing, Code: "HTTP_" + strconv.Itoa(r.Code)}
	switch {
	case r.Code == 0:
		e.Code, e.Reason = "", "no answer from MTN ("+r.Class+")"
		return e
	case r.Code == http.StatusAccepted: // the body is empty and carries no meaning
		return payment.Evidence{Verdict: payment.SaysAccepted}
	case r.Class != "":
		e.Reason = "MTN's answer broke off (" + r.Class + ")"
		return e
	}
	code, message := errorBody(r)
	if code != "" {
		e.Code = wire.Clean(code, longestCode)
	}
	e.Reason = wire.Clean(message, longestReason)
	if rule, known := refundDecisions.Find(provider.OnSubmit, r.Code, code, wire.HTML(r.Body)); known {
		e.Verdict, e.AccountFault = rule.Verdict, rule.AccountFault
	}
	return e
}

// RefundStatus implements provider.Refunder: one GET.
func (d *Disbursement) RefundStatus(ctx context.Context, r refund.Refund) provider.Answer {
	s := session{p: d.p}
	reply, renewed, err := s.ask(ctx, wire.Call{Method: http.MethodGet, Path: refundPath(r.Kind) + "/" + url.PathEscape(r.Reference)})
	answer := provider.Answer{Exchanges: s.trail, Attempted: !reply.Unsent, AskAgain: reply.Stale || renewed}
	if err != nil && reply.Code == 0 {
		answer.Evidence.Verdict = payment.SaysNothing
		answer.Evidence.Code, answer.Evidence.Reason, answer.Evidence.AccountFault = notAsked(err)
	} else {
		answer.Evidence = readStatus(reply, r.Reference, refundDecisions)
	}
	answer.Evidence.Source, answer.Evidence.At = payment.FromStatus, d.p.now()
	return answer
}
