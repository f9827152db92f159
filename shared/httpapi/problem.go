package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"momoproxy/shared/gateway"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
	"momoproxy/shared/refund"
)

// errorBody is the one form of every error answer.
type errorBody struct {
	Error        string              `json:"error"` // a sentence a developer can act on
	Code         string              `json:"code"`  // snake_case, for programs
	Details      []detail            `json:"details,omitempty"`
	ReferenceID  string              `json:"referenceId,omitempty"`
	Status       payment.Status      `json:"status,omitempty"`
	ProviderCode string              `json:"providerCode,omitempty"`
	FailureCode  payment.FailureCode `json:"failureCode,omitempty"`
}

type detail struct {
	Field   string `json:"field"`
	Message string `json:"message"`
}

// respond makes an answer. The body is one of this package's structs, so
// encoding it cannot fail.
func respond(status int, body any) Response {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(body)
	return Response{
		StatusCode: status,
		Headers: map[string]string{
			"content-type":  "application/json",
			"cache-control": "no-store",
		},
		Body: string(bytes.TrimSuffix(b.Bytes(), []byte("\n"))),
	}
}

func problem(status int, code, sentence string) Response {
	return respond(status, errorBody{Error: sentence, Code: code})
}

// retryAfter adds the header, in whole seconds rounded up, at least one.
func retryAfter(r Response, wait time.Duration) Response {
	r.Headers["retry-after"] = strconv.Itoa(max(1, int(math.Ceil(wait.Seconds()))))
	return r
}

// fromError is the one place where an error becomes an answer.
func fromError(err error) Response {
	switch {
	case errors.Is(err, ledger.ErrNotFound):
		return problem(404, "not_found", "There is no payment with this referenceId. To look one up by your own order id, use GET /payments?externalId=ORDER.")
	case errors.Is(err, gateway.ErrForbidden):
		return problem(403, "forbidden", "This payment belongs to another app.")
	case errors.Is(err, gateway.ErrNoRefunder):
		return problem(501, "refund_is_manual", "Refunds of this payment's account are made by hand. Ask the operator, who books it: then it is listed here and announced.")
	case errors.Is(err, gateway.ErrRefundIDTaken):
		return problem(409, "refund_id_taken", "The payment has another refund with this refundId. Use a new UUID for a new refund.")
	case errors.Is(err, refund.ErrNotPaid):
		return problem(409, "payment_not_successful", "Only a payment that has succeeded can be refunded.")
	case errors.Is(err, refund.ErrOpen):
		return problem(409, "refund_open", "The payment has a refund that has not ended. Wait for its end, which is announced.")
	case errors.Is(err, refund.ErrTooMany):
		return problem(409, "refunds_used_up", fmt.Sprintf("A payment takes at most %d refunds. Ask the operator.", refund.MaxRefunds))
	case errors.Is(err, refund.ErrTooMuch):
		return problem(422, "refund_too_much", "The amount is more than is left: refunds that have not failed must not exceed the payment's amount.")
	case errors.Is(err, ledger.ErrRefundsPerDay):
		return problem(403, "refund_limit_reached", "With this refund the app would give back more in this currency than it may in a day (UTC). Wait, or ask the operator.")
	case errors.Is(err, ledger.ErrCorrupt):
		return problem(500, "internal", "Something went wrong on our side. It has been logged; please try again.")
	default: // the table or the queue does not answer
		return retryAfter(problem(503, "unavailable", "We cannot reach our storage, and nothing was charged; try again as Retry-After says."), 5*time.Second)
	}
}

// maxDetails bounds the answer to a body full of faults.
const maxDetails = 50

func invalid(faults []gateway.Fault) Response {
	body := errorBody{Error: "The request has faults; details names each.", Code: "validation_failed"}
	for _, f := range faults[:min(len(faults), maxDetails)] {
		body.Details = append(body.Details, detail{f.Field, f.Message})
	}
	return respond(422, body)
}
