package mtn

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"

	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
	"momoproxy/shared/provider/wire"
)

const (
	// longestRetryAfter: MTN asking for a longer wait gets no repeat; the
	// status question follows anyway.
	longestRetryAfter = 3 * time.Second
	// leastAttempt is the time an attempt needs to make sense.
	leastAttempt = 500 * time.Millisecond
)

// requestToPay is the request body (portal, Collection API).
type requestToPay struct {
	Amount       string `json:"amount"`
	Currency     string `json:"currency"`
	ExternalID   string `json:"externalId"`
	Payer        party  `json:"payer"`
	PayerMessage string `json:"payerMessage"`
	PayeeNote    string `json:"payeeNote"`
}

type party struct {
	PartyIDType string `json:"partyIdType"`
	PartyID     string `json:"partyId"`
}

func requestBody(pay payment.Payment) []byte {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	// Encoding strings into memory cannot fail.
	_ = enc.Encode(requestToPay{
		Amount:   wireAmount(pay.Amount),
		Currency: pay.Amount.Currency,
		// Our own reference, not the app's order id: MTN does not keep
		// externalId unique, and its callback carries nothing else, so two
		// apps with the same order id would be mixed up.
		ExternalID:   pay.Reference,
		Payer:        party{"MSISDN", string(pay.Payer)},
		PayerMessage: sendable(pay.PayerMessage),
		PayeeNote:    sendable(pay.PayeeNote),
	})
	return bytes.TrimRight(buf.Bytes(), "\n")
}

// wireAmount writes major units. A whole amount goes without its zeros
// ("150", as in MTN's own examples): whether every market takes decimals is
// not published, and none can object to a whole number.
func wireAmount(m payment.Money) string {
	text := m.Decimal()
	if whole, fraction, ok := strings.Cut(text, "."); ok && strings.Trim(fraction, "0") == "" {
		return whole
	}
	return text
}

// outcome is the meaning of one answer to a request to pay.
type outcome struct {
	verdict payment.Verdict
	code    string
	reason  string
	repeat  bool // worth another attempt under the same reference
	// clear: certain that this attempt started nothing.
	clear bool
	// account: MTN refused our account and not this request.
	account bool
}

// readSubmit gives the meaning of one answer, seen alone.
func readSubmit(r wire.Reply) outcome {
	switch {
	case r.Code == 0:
		return outcome{
			verdict: payment.SaysNothing,
			reason:  "no answer from MTN (" + r.Class + ")",
			repeat:  r.Class != wire.ClassCanceled && r.Class != wire.ClassTransport,
			clear:   r.Unsent,
		}
	case r.Code == http.StatusAccepted:
		// The body is empty and carries no meaning.
		return outcome{verdict: payment.SaysAccepted}
	case r.Class != "":
		return outcome{
			verdict: payment.SaysNothing,
			reason:  fmt.Sprintf("MTN's answer (HTTP %d) broke off (%s)", r.Code, r.Class),
			repeat:  r.Class != wire.ClassTooLarge,
		}
	}
	code, message := errorBody(r)
	o := outcome{
		verdict: payment.SaysNothing,
		code:    wire.Clean(code, longestCode),
		reason:  wire.Clean(message, longestReason),
	}
	page := wire.HTML(r.Body)
	rule, known := decisions.Find(provider.OnSubmit, r.Code, code, page)
	switch {
	case r.Code == http.StatusOK:
		// Documented nowhere for this call. A firewall's page (observed in
		// production) is no sign of a duplicate.
		if o.code = ""; !page {
			o.code = provider.CodeDuplicate // in the contract's word
		}
		o.reason = "MTN answered HTTP 200, which proves nothing"
	case known && r.Code >= 300:
		o.verdict, o.repeat, o.clear, o.account = rule.Verdict, rule.Repeat, rule.Verdict == payment.SaysRefused, rule.AccountFault
		if r.Code == http.StatusUnauthorized && rule.Code == "" {
			o.code, o.reason = CodeCredentials, "MTN refused the credentials"
		}
	case r.Code == http.StatusUnauthorized:
		o.account = !page // though its code says nothing of the payment
	case r.Code >= 500:
		// With a code unknown here a repeat would bring the same again.
		o.repeat = code == ""
	}
	if o.code == "" && o.verdict != payment.SaysAccepted {
		o.code = "HTTP_" + strconv.Itoa(r.Code)
	}
	return o
}

// Submit implements provider.Provider. It sends the request up to
// Config.Attempts times under one X-Reference-Id, which is MTN's idempotency
// key: an answer lost and then RESOURCE_ALREADY_EXIST means accepted.
//
// A refusal counts only if every attempt before it is certain to have
// started nothing; after an attempt whose outcome is unknown the Evidence
// says nothing. That holds for refused credentials too: a 401 charges
// nothing, so it is SaysRefused with CodeCredentials when nothing unknown
// came before it. Attempted is false when no request left this machine: no
// token, or no connection on any attempt.
func (p *Provider) Submit(ctx context.Context, pay payment.Payment, callbackURL string) provider.Answer {
	c := wire.Call{
		Method: http.MethodPost,
		Path:   "/collection/v1_0/requesttopay",
		Headers: map[string]string{
			"Content-Type":   "application/json",
			"X-Reference-Id": pay.Reference,
		},
		Body: requestBody(pay),
	}
	if callbackURL != "" { // present but empty is refused (laravel-mtn-momo issue 80)
		c.Headers["X-Callback-Url"] = callbackURL
		// The URL's last part is what makes a callback hard to forge.
		c.Secrets = append(make([]string, 0, 2), callbackURL)
		if last := path.Base(callbackURL); len(last) >= 16 && last != pay.Reference {
			c.Secrets = append(c.Secrets, last)
		}
	}
	s := session{p: p}
	var (
		out       outcome
		attempted bool
		doubt     bool // an earlier attempt may have been accepted
		pause     time.Duration
	)
	for attempt := 1; ; attempt++ {
		r, err := s.send(ctx, c)
		if err != nil && r.Code == 0 {
			out = outcome{verdict: payment.SaysNothing} // this attempt was never made
			out.code, out.reason, out.account = notAsked(err)
			break
		}
		out = readSubmit(r)
		pause = wire.RetryAfter(r)
		attempted = attempted || !r.Unsent
		if out.verdict != payment.SaysNothing {
			break
		}
		wait, again := p.again(ctx, attempt, out, r)
		if !again || p.host.Sleep(ctx, wait) != nil {
			break
		}
		doubt = doubt || !out.clear
	}
	verdict := out.verdict
	if verdict == payment.SaysRefused && doubt {
		verdict = payment.SaysNothing
	}
	return provider.Answer{
		Evidence: payment.Evidence{
			Source:       payment.FromSubmit,
			Verdict:      verdict,
			Code:         out.code,
			Reason:       out.reason,
			AccountFault: out.account,
			At:           p.now(),
		},
		Exchanges:  s.trail,
		RetryAfter: pause,
		Attempted:  attempted,
	}
}

// again says whether another attempt follows and after which wait: the
// outcome is worth it, attempts are left, and so is time before the deadline.
func (p *Provider) again(ctx context.Context, attempt int, out outcome, r wire.Reply) (time.Duration, bool) {
	if !out.repeat || attempt >= p.cfg.Attempts {
		return 0, false
	}
	wait := p.backoff(attempt)
	if r.Header.Get("Retry-After") != "" {
		// Seconds; the form with a date is not worth a repeat here.
		seconds, err := strconv.Atoi(strings.TrimSpace(r.Header.Get("Retry-After")))
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
