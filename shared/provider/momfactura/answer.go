package momfactura

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
	"momoproxy/shared/provider/wire"
)

// CodeIncomplete is the Evidence.Code of an answer that says success without
// what makes it one.
const CodeIncomplete = "SUCCESS_INCOMPLETE"

// readSubmit gives the meaning of the answer to a submission. SaysNothing
// stands for whatever does not settle it.
func readSubmit(r wire.Reply, method string, now time.Time) payment.Evidence {
	body, e := open(r)
	if body != nil && r.Code < 300 && succeeded(body) {
		return created(body, method, now)
	}
	if r.Code == 0 {
		return e
	}
	return refusal(r, body, e.Reason)
}

// open returns the body of an answer of the provider's own; nil with what
// there is to say when it is none: no answer, half an answer, a page.
func open(r wire.Reply) (wire.Object, payment.Evidence) {
	nothing := payment.Evidence{Verdict: payment.SaysNothing, Code: "HTTP_" + strconv.Itoa(r.Code)}
	switch {
	case r.Code == 0:
		nothing.Code, nothing.Reason = "", "no answer from Mom Factura ("+r.Class+")"
		return nil, nothing
	case r.Class != "":
		nothing.Reason = fmt.Sprintf("Mom Factura's answer (HTTP %d) broke off (%s)", r.Code, r.Class)
		return nil, nothing
	}
	body, err := wire.ReadObject(r.Body)
	if err != nil {
		nothing.Reason = fmt.Sprintf("Mom Factura's answer (HTTP %d) is unreadable: %v", r.Code, err)
		return nil, nothing
	}
	return body, payment.Evidence{}
}

// limitCodes say that the request limit is spent, under whatever HTTP status.
var limitCodes = map[string]bool{"RATE_LIMIT_EXCEEDED": true, "PAYMENT_RATE_LIMIT_EXCEEDED": true}

// refusal reads an answer that is no success by the decision table. A code
// counts only in the provider's own error form; body is nil where there is no
// such form.
func refusal(r wire.Reply, body wire.Object, why string) payment.Evidence {
	e := payment.Evidence{Verdict: payment.SaysNothing, Reason: why}
	if body != nil {
		e.Code, e.Reason = errorIn(body)
	}
	key := strings.ToUpper(e.Code)
	foreign := wire.HTML(r.Body) || r.Class != "" || key != "" && !failed(body)
	rule, known := decisions.Find(provider.OnSubmit, r.Code, key, foreign)
	if known {
		e.Verdict, e.AccountFault = rule.Verdict, rule.AccountFault
	}
	if r.Code == http.StatusUnauthorized && !foreign {
		e.AccountFault = true // whether or not its code says what became of the payment
	}
	switch {
	case e.Code == "" && rule.AccountFault:
		e.Code, e.Reason = provider.CodeCredentials, "Mom Factura refused the credentials"
	case rule.HTTP == http.StatusTooManyRequests, known && limitCodes[key]:
		e.Reason = wire.Clean(strings.Trim(e.Code+": "+e.Reason, ": "), longestReason)
		e.Code = provider.CodeLimitSpent
	case e.Code == "":
		e.Code = "HTTP_" + strconv.Itoa(r.Code)
	}
	return e
}

// errorIn reads {"success":false,"error":"message","code":"ERROR_CODE"}
// (skill).
func errorIn(body wire.Object) (code, message string) {
	code, _ = body.Text("code")
	message, _ = body.Text("error")
	return wire.Clean(code, longestCode), wire.Clean(message, longestReason)
}

func succeeded(body wire.Object) bool { return string(body["success"]) == "true" }

func failed(body wire.Object) bool { return string(body["success"]) == "false" }

// created reads the answer to a submission that worked. One without what the
// payer needs in order to pay, or for MCX without the id of the payment, is
// not taken for one: an app would have nothing to show, an operator nothing
// to ask the provider about. Nobody can pay such a reference; of the others
// nobody knows.
func created(body wire.Object, method string, now time.Time) payment.Evidence {
	e := payment.Evidence{Verdict: payment.SaysAccepted, Particulars: payment.Particulars{IDs: idsIn(body, method == MethodEkwanza)}}
	var needed []string
	switch method {
	case MethodMCX:
		// Paid at once (skill). Should a status come with it one day, as the
		// other methods' have one, it has to say so too.
		e.Verdict = payment.SaysSuccessful
		if word, has := statusWord(body); has && decisions.Word(strings.ToLower(word)) != payment.SaysSuccessful {
			return payment.Evidence{
				Verdict: payment.SaysNothing, Code: wire.Clean(word, longestCode),
				Reason: "Mom Factura answered success with another status",
			}
		}
		e.FinancialTransactionID = e.IDs["transactionId"]
		e.InvoiceURL = invoiceIn(body)
		needed = []string{e.IDs["transactionId"]}
	case MethodEkwanza:
		e.Instructions, e.ExpiresAt = ekwanzaInstructions(body, now)
		needed = []string{e.IDs["code"]}
	default:
		e.Instructions, e.ExpiresAt = referenceInstructions(body, now)
		needed = []string{e.IDs["operationId"], e.Instructions["entity"], e.Instructions["referenceNumber"]}
	}
	for _, value := range needed {
		if value == "" {
			return payment.Evidence{
				Verdict: payment.SaysNothing, Code: CodeIncomplete,
				Reason: "Mom Factura answered success without what the payment needs",
			}
		}
	}
	return e
}
