package judge

import (
	"encoding/json"
	"fmt"

	"momoproxy/shared/delivery"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
	"momoproxy/shared/refund"
)

// Refunded: no more is given back than was paid, each refund once, and what is
// told of it is true.
const Refunded Rule = "refunded"

// Refunds compares a payment's refunds with what its provider gave back: executed
// is how often it did one, by the reference that the provider has.
func Refunds(s ledger.Story, executed func(reference string) int) (faults []Fault) {
	fault := func(format string, args ...any) {
		faults = append(faults, Fault{Refunded, fmt.Sprintf(format, args...)})
	}
	p := s.Payment
	var moved, taken int64
	for _, f := range s.Refunds {
		times := executed(f.Reference)
		if f.Kind == refund.ByHand {
			times = 1
		}
		moved += int64(times) * f.Amount.Minor
		switch {
		case times > 1:
			fault("refund %s was executed %d times", f.ID, times)
		case f.Status == refund.Failed && times > 0:
			fault("refund %s failed by %s, and was executed", f.ID, f.EndedBy)
		case f.Status == refund.Successful && times == 0:
			fault("refund %s is SUCCESSFUL by %s, and was not executed", f.ID, f.EndedBy)
		}
		if f.Status != refund.Failed {
			taken += f.Amount.Minor
		}
	}
	switch {
	case len(s.Refunds) > 0 && p.Status != payment.Successful:
		fault("%s, and has %d refunds", p.Status, len(s.Refunds))
	case moved > p.Amount.Minor:
		fault("%d was given back of %s", moved, p.Amount)
	case taken != p.Refunds.Reserved:
		fault("refunds come to %d, and %d counts as taken", taken, p.Refunds.Reserved)
	}
	return faults
}

// refundEvents are the events of a refund's endings.
var refundEvents = map[refund.Status]payment.Event{
	refund.Successful: payment.EventRefundSuccessful, refund.Failed: payment.EventRefundFailed,
}

// refundTold is the id of the refund that an event is about; empty: it is about
// the payment.
func refundTold(d delivery.Delivery) string {
	if d.Event != payment.EventRefundSuccessful && d.Event != payment.EventRefundFailed {
		return ""
	}
	var body struct{ Refund struct{ RefundID string } }
	_ = json.Unmarshal([]byte(d.Body), &body) // what is no JSON names none
	return body.Refund.RefundID
}
