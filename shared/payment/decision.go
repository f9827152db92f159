package payment

// Event names an announcement to the app.
type Event string

// One event per ending. A correction announces EventSuccessful with the next
// sequence.
const (
	EventSuccessful Event = "payment.successful"
	EventFailed     Event = "payment.failed"
	EventTimeout    Event = "payment.timeout"
	EventCancelled  Event = "payment.cancelled"
	// EventInvoice: the provider has made the invoice of a payment that
	// succeeded. It always follows EventSuccessful.
	EventInvoice Event = "invoice.created"
	// EventRefundSuccessful and EventRefundFailed: a refund of a payment that
	// succeeded has ended.
	EventRefundSuccessful Event = "refund.successful"
	EventRefundFailed     Event = "refund.failed"
	// EventTest belongs to no payment: an app has asked for it.
	EventTest Event = "event.test"
)

// Anomaly names what an operator should look at. Empty: nothing.
type Anomaly string

const (
	// AnomalyCorrected: an ending other than SUCCESSFUL was corrected.
	AnomalyCorrected Anomaly = "corrected_to_successful"
	// AnomalyContradiction: evidence against an ending that stands.
	AnomalyContradiction Anomaly = "contradicts_ending"
	// AnomalyMismatch: amount, currency or payer differ from the payment.
	AnomalyMismatch Anomaly = "evidence_mismatch"
	// AnomalyUnrecognised: a status word nobody here knows.
	AnomalyUnrecognised Anomaly = "unrecognised_status"
	// AnomalyForgotten: the provider no longer knows a reference it accepted.
	AnomalyForgotten Anomaly = "provider_forgot"
	// AnomalyRefusedLate: the request was refused, and was asked about before.
	AnomalyRefusedLate Anomaly = "refused_late"
	// AnomalyUnanswerable: nobody's interface can tell how it ended; an
	// operator has to find out.
	AnomalyUnanswerable Anomaly = "outcome_unanswerable"
)

// ReasonNotReceived is the Reason of a payment that never reached the
// provider, as the provider says; ReasonNotSent that of one that certainly never
// left, because there was no connection, no token or no slot under the
// provider's limit; ReasonNoEnding that of a TIMEOUT.
const (
	ReasonNotReceived = "NOT_RECEIVED_BY_PROVIDER"
	ReasonNotSent     = "NOT_SENT"
	ReasonNoEnding    = "NO_ENDING_WITHIN_WINDOW"
)

// MaxReason bounds Payment.Reason and FinancialTransactionID, in bytes.
const MaxReason = 200

// Decision is what evidence does to a payment.
type Decision struct {
	// Payment is the payment as it should now be stored. Equal to the input
	// when Changed is false.
	Payment Payment
	Changed bool
	// Events are the announcements this decision makes, in order. With each,
	// Payment.Sequence has gone up by one; Sequence tells which is whose.
	Events []Event
	// Confirm: the evidence was not applied and may be right; ask the
	// provider. Never set by a status answer.
	Confirm bool
	Anomaly Anomaly
}

// Sequence is the number of the i-th of the decision's events.
func (d Decision) Sequence(i int) int { return d.Payment.Sequence - len(d.Events) + 1 + i }
