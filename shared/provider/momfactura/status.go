package momfactura

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
	"momoproxy/shared/provider/wire"
)

// CodeWrongPayment is the Evidence.Code of a status answer whose ids are
// another payment's.
const CodeWrongPayment = "WRONG_PAYMENT"

// statusTimeout bounds a status question, if the configured timeout does not
// already.
const statusTimeout = 8 * time.Second

// Status implements provider.Provider: one GET. Without the id of the lost
// answer nothing can be asked, and MCX has no status at all (skill): those
// answers come without an attempt, as Submit's do.
func (p *Provider) Status(ctx context.Context, pay payment.Payment) provider.Answer {
	method := p.Capabilities().Method(pay.Method).Name
	said := func(e payment.Evidence) payment.Evidence {
		e.Source, e.At = payment.FromStatus, p.now()
		return e
	}
	path, why := statusPath(pay, method)
	if path == "" {
		return provider.Answer{Evidence: said(why)}
	}
	if ctx.Err() != nil {
		return provider.Answer{Evidence: said(payment.Evidence{Verdict: payment.SaysNothing, Reason: "Mom Factura was not asked: no time was left"})}
	}
	var trail wire.Trail
	r := p.client.Do(ctx, &trail, wire.Call{Method: http.MethodGet, Path: path, Headers: p.headers()}, min(p.cfg.AttemptTimeout, statusTimeout))
	return provider.Answer{Evidence: said(readStatus(r, pay)), Exchanges: trail, Attempted: !r.Unsent}
}

// statusPath is where to ask about a payment; empty with what there is to
// say instead.
func statusPath(pay payment.Payment, method string) (string, payment.Evidence) {
	switch method {
	case MethodReference:
		id := pay.IDs["operationId"]
		if id == "" {
			return "", payment.Evidence{Verdict: payment.SaysNothing, Reason: "the answer with the reference was lost: nobody was told its number"}
		}
		path := "/api/payment/reference/status/" + url.PathEscape(id)
		// "Recommended" with the order's transaction id, says the SDK; the
		// skill does without.
		for _, name := range []string{"merchantTransactionId", "transactionId"} {
			if id := pay.IDs[name]; id != "" {
				return path + "?merchantTransactionId=" + url.QueryEscape(id), payment.Evidence{}
			}
		}
		return path, payment.Evidence{}
	case MethodEkwanza:
		if code := pay.IDs["code"]; code != "" {
			return "/api/payment/ekwanza/status/" + url.PathEscape(code), payment.Evidence{}
		}
	}
	return "", payment.Evidence{Verdict: payment.SaysUnanswerable, Reason: "Mom Factura offers no way to ask for the outcome; see its portal"}
}

// statusWord finds the word: {"payment":{"status":…}} for a reference and
// {"status":…} for E-kwanza (skill); either is read for both.
func statusWord(body wire.Object) (string, bool) {
	nested, _, _ := body.Child("payment")
	for _, from := range []wire.Object{nested, body} {
		if word, ok := wordIn(from); ok {
			return word, true
		}
	}
	return "", false
}

// wordIn: a number is no word; some interfaces repeat the HTTP code there.
func wordIn(body wire.Object) (string, bool) {
	word, ok := body.Text("status")
	return word, ok && word != "" && strings.HasPrefix(strings.TrimSpace(string(body["status"])), `"`)
}

// readStatus gives the meaning of the answer to a status question about pay.
// It names no amount: what was asked for under an operation cannot change,
// and the operation is in the question.
func readStatus(r wire.Reply, pay payment.Payment) payment.Evidence {
	body, e := open(r)
	if body == nil {
		e.Verdict = payment.SaysNothing // a status question is not refused, it is not answered
		return e
	}
	if r.Code != http.StatusOK || !succeeded(body) {
		e = refusal(r, body, "")
		e.Verdict = payment.SaysNothing
		if rule, known := decisions.Find(provider.OnStatus, r.Code, strings.ToUpper(e.Code), false); known && failed(body) {
			e.Verdict = rule.Verdict
		}
		return e
	}
	nested, isObject, err := body.Child("payment")
	if err != nil {
		return payment.Evidence{Verdict: payment.SaysNothing, Code: "HTTP_200", Reason: "Mom Factura's answer is unreadable: " + err.Error()}
	}
	ids := map[string]string{}
	for _, from := range []wire.Object{nested, body} {
		for name, id := range idsIn(from, false) {
			if known := pay.IDs[name]; known != "" && known != id && asked[name] {
				return payment.Evidence{Verdict: payment.SaysNothing, Code: CodeWrongPayment, Reason: "Mom Factura's answer is about another payment"}
			}
			ids[name] = id
		}
	}
	word, has := statusWord(body)
	if !has {
		return payment.Evidence{Verdict: payment.SaysNothing, Code: "HTTP_200", Reason: "Mom Factura's answer has no status"}
	}
	e = payment.Evidence{Verdict: decisions.Word(strings.ToLower(word)), Code: wire.Clean(word, longestCode), Particulars: payment.Particulars{IDs: ids}}
	if outer, ok := wordIn(body); ok && isObject && saysOther(outer, e.Verdict) {
		e.Verdict, e.Reason = payment.SaysUnrecognised, "Mom Factura's answer says two things at once"
		return e
	}
	message, _ := nested.Text("message")
	switch e.Verdict {
	case payment.SaysSuccessful:
		e.FinancialTransactionID = moved(pay.IDs, ids)
		if e.InvoiceURL = invoiceIn(body); e.InvoiceURL == "" && isObject {
			e.InvoiceURL = invoiceIn(nested)
		}
	case payment.SaysFailed, payment.SaysCancelled, payment.SaysUnrecognised:
		e.Reason = wire.Clean(message, longestReason)
	}
	return e
}

// saysOther says whether a word is known and means something else.
func saysOther(word string, v payment.Verdict) bool {
	other := decisions.Word(strings.ToLower(word))
	return other != payment.SaysUnrecognised && other != v
}

// asked are the ids of the operation itself. The others may be another
// system's under the same name, or be written in another way, and are only
// added to what is known.
var asked = map[string]bool{"operationId": true, "operationCode": true}

// moved names the id under which the provider's books have the money.
func moved(all ...map[string]string) string {
	for _, name := range []string{"transactionId", "merchantTransactionId", "operationId", "code"} {
		for _, ids := range all {
			if id := ids[name]; id != "" {
				return id
			}
		}
	}
	return ""
}
