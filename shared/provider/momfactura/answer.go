package momfactura

import (
	"fmt"
	"net/http"
	"strconv"
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
	switch {
	case e.Verdict == payment.SaysRefused: // whatever the body
	case body == nil:
	case r.Code < 300 && succeeded(body):
		return created(body, method, now)
	default:
		return refusal(r, body, method)
	}
	return e
}

// open returns the body of an answer of the provider's own; nil with what
// there is to say when it is none: no answer, half an answer, a page.
func open(r wire.Reply) (wire.Object, payment.Evidence) {
	nothing := payment.Evidence{Verdict: payment.SaysNothing, Code: "HTTP_" + strconv.Itoa(r.Code)}
	switch {
	case r.Code == 0:
		nothing.Code, nothing.Reason = "", "no answer from Mom Factura ("+r.Class+")"
		return nil, nothing
	case r.Code == http.StatusTooManyRequests, r.Code == http.StatusUnauthorized:
		// A limiter and a check of keys stand before whatever acts, be they
		// the provider's own or a gateway's before it. So the number does,
		// with any body or none.
		return nil, refusedAtTheDoor(r)
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

// refusedAtTheDoor: 401 and 429, nothing was begun.
func refusedAtTheDoor(r wire.Reply) payment.Evidence {
	code, message := errorOf(r)
	if r.Code == http.StatusUnauthorized {
		return payment.Evidence{Verdict: payment.SaysRefused, Code: provider.CodeCredentials, Reason: "Mom Factura refused the credentials"}
	}
	if code == "" {
		code = "RATE_LIMIT_EXCEEDED"
	}
	return payment.Evidence{Verdict: payment.SaysRefused, Code: code, Reason: message}
}

// errorOf returns code and message of an error answer, empty when it has
// none.
func errorOf(r wire.Reply) (code, message string) {
	if r.Class != "" {
		return "", ""
	}
	body, err := wire.ReadObject(r.Body)
	if err != nil {
		return "", ""
	}
	return errorIn(body)
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
		if word, has := statusWord(body); has && verdictOf(word) != payment.SaysSuccessful {
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
