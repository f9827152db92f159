package payment

import "time"

// Source says where evidence comes from and with that how far it is
// believed.
type Source string

const (
	// FromSubmit: the provider's answer to our request to pay.
	FromSubmit Source = "submit"
	// FromStatus: the provider's own answer to a status question of ours.
	// The only source that may correct an ended payment.
	FromStatus Source = "status"
	// FromSignedWebhook: a webhook whose signature was verified.
	FromSignedWebhook Source = "signed_webhook"
	// FromTrustedCallback: an unsigned callback under CALLBACK_POLICY=trust.
	FromTrustedCallback Source = "trusted_callback"
	// FromCallback: an unsigned callback under CALLBACK_POLICY=confirm. A
	// hint: it can make us ask, never end a payment.
	FromCallback Source = "callback"
	// FromOperator: a person, with a reason in the audit log.
	FromOperator Source = "operator"
	// FromClock and FromAbsence are no evidence of the provider's: our own
	// window has passed, or the provider has never heard of the reference.
	// They stand only in Payment.EndedBy.
	FromClock   Source = "clock"
	FromAbsence Source = "absence"
)

// Verdict is what the evidence says about the payment.
type Verdict string

const (
	// SaysNothing: no usable answer (timeout, reset, 5xx, HTML, nonsense).
	SaysNothing Verdict = "nothing"
	// SaysAccepted: the provider knows the reference and will work on it.
	SaysAccepted Verdict = "accepted"
	// SaysPending: the provider knows the reference and it has not ended.
	SaysPending Verdict = "pending"
	// SaysUnrecognised: the provider knows the reference and used a status
	// word nobody here knows. Open, and an alarm.
	SaysUnrecognised Verdict = "unrecognised"
	// SaysSuccessful, SaysFailed and SaysCancelled are the provider's endings.
	SaysSuccessful Verdict = "successful"
	SaysFailed     Verdict = "failed"
	SaysCancelled  Verdict = "cancelled"
	// SaysRefused (FromSubmit only): refused for good, nothing was charged.
	SaysRefused Verdict = "refused"
	// SaysNotFound (FromStatus only): the provider does not know the reference.
	SaysNotFound Verdict = "not_found"
	// SaysUnanswerable (FromSubmit, FromStatus): the outcome is unknown, and
	// the provider offers no way to ask for it.
	SaysUnanswerable Verdict = "unanswerable"
)

// Evidence is one statement about a payment. Fields the source did not carry
// are zero; those it carried are compared with the payment.
type Evidence struct {
	Source  Source
	Verdict Verdict

	// Reference is the payment's reference as the source names it; empty:
	// it names none. Signed evidence is believed about this payment alone.
	Reference string

	// Amount is the amount as reported, in major units ("100"), with
	// Currency as reported. Empty: not reported.
	Amount   string
	Currency string
	Payer    string // digits as reported; empty: not reported

	Particulars // as far as reported

	FinancialTransactionID string
	Code                   string // the provider's own code or status word, verbatim
	Reason                 string // human-readable; stands for Code where there is none
	// AccountFault: the provider refused our account, and neither the payer
	// nor this request: credentials, callback host, source address, currency,
	// target environment. It says nothing about money; Verdict does.
	AccountFault bool
	At           time.Time
}
