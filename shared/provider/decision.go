package provider

import "momoproxy/shared/payment"

// Operation says which kind of answer a Rule reads.
type Operation string

const (
	// OnSubmit: an error answer to a request to pay.
	OnSubmit Operation = "submit"
	// OnStatus: an error answer to a status question.
	OnStatus Operation = "status"
	// OnWord: a status word, in a status answer or a callback.
	OnWord Operation = "word"
)

// Rule is one row of an adapter's decision table: what one kind of answer says
// about the money.
type Rule struct {
	Operation Operation
	HTTP      int    // under this HTTP status only; 0: under any
	Code      string // the provider's own code or status word; empty: an answer without one; AnyCode
	Verdict   payment.Verdict
	// AccountFault: the provider refuses our account (payment.Evidence).
	AccountFault bool
	Repeat       bool   // worth sending again under the same reference
	Proof        string // why the verdict is safe
	Source       string // where the provider says so
}

// AnyCode is the Code of a Rule whose HTTP status alone decides, whatever code
// comes with it. A provider whose codes decide has none that ends a payment: a
// code that nobody knows would then end it too.
const AnyCode = "*"

// Decisions is an adapter's decision table. It is an allow-list: an answer
// that no row names is unknown, and never an ending. The first row that fits
// decides.
type Decisions []Rule

// Find returns the row for an answer. Code is the provider's own code in the
// case that the table uses; page says that the body is a web page, which
// comes from something on the way. Without a row the verdict is
// payment.SaysNothing.
func (d Decisions) Find(op Operation, http int, code string, page bool) (Rule, bool) {
	for _, r := range d {
		if r.Operation == op && !page && (r.HTTP == 0 || r.HTTP == http) && (r.Code == AnyCode || r.Code == code) {
			return r, true
		}
	}
	return Rule{Operation: op, Verdict: payment.SaysNothing}, false
}

// RefusesAccount says whether an answer to any question, with Find's
// arguments, refuses our account: what it says to a request to pay.
func (d Decisions) RefusesAccount(http int, code string, page bool) bool {
	r, _ := d.Find(OnSubmit, http, code, page)
	return r.AccountFault
}

// Word returns the verdict of a status word. A word without a row is open:
// payment.SaysUnrecognised.
func (d Decisions) Word(word string) payment.Verdict {
	if r, known := d.Find(OnWord, 0, word, false); known {
		return r.Verdict
	}
	return payment.SaysUnrecognised
}
