package console

import (
	"fmt"
	"strings"
	"time"

	"momoproxy/shared/payment"
)

// stamp writes a time into a sentence. The page shows it in the reader's zone.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

// Sentence says in a few words where a payment stands and whether its app
// knows.
func Sentence(s Story) string {
	return strings.TrimSpace(paymentSentence(s.Payment) + " " + deliverySentence(s))
}

func paymentSentence(p Payment) string {
	who := p.ProviderName
	switch p.Status {
	case "SUCCESSFUL":
		switch p.EndedBy {
		case "operator":
			return fmt.Sprintf("Paid. An operator recorded %s at %s.", p.Amount, stamp(p.EndedAt))
		case "signed_webhook":
			return fmt.Sprintf("Paid. %s confirmed %s in a signed message at %s.", who, p.Amount, stamp(p.EndedAt))
		case "trusted_callback":
			return fmt.Sprintf("Paid, by an unsigned callback that this system is set to trust: %s at %s.", p.Amount, stamp(p.EndedAt))
		}
		return fmt.Sprintf("Paid. %s confirmed %s at %s.", who, p.Amount, stamp(p.EndedAt))
	case "FAILED":
		if p.EndedBy == "operator" {
			return fmt.Sprintf("Not paid. An operator ended it at %s: %s.", stamp(p.EndedAt), p.Reason)
		}
		if p.Reason == "NOT_RECEIVED_BY_PROVIDER" {
			return fmt.Sprintf("Not paid. The request never reached %s; this was certain at %s.", who, stamp(p.EndedAt))
		}
		return fmt.Sprintf("Not paid. %s said at %s: %s", who, stamp(p.EndedAt), explain(p))
	case "CANCELLED":
		if p.EndedBy == "operator" {
			return fmt.Sprintf("Cancelled by an operator at %s: %s.", stamp(p.EndedAt), p.Reason)
		}
		return fmt.Sprintf("Cancelled. %s said so at %s.", who, stamp(p.EndedAt))
	case "TIMEOUT":
		return fmt.Sprintf("No answer in time. %s named no ending, so the proxy closed the payment at %s. If %s says later that it was paid, the payment becomes SUCCESSFUL.",
			who, stamp(p.EndedAt), who)
	}
	return openSentence(p)
}

func openSentence(p Payment) string {
	who := p.ProviderName
	switch p.Phase {
	case "submitting":
		return fmt.Sprintf("Started at %s. %s is being asked for %s.", stamp(p.CreatedAt), who, p.Amount)
	case "in_reconciliation":
		if p.Unanswerable {
			return fmt.Sprintf("Unknown. The answer of %s was lost at %s, and %s cannot be asked again: an operator has to look.", who, stamp(p.CreatedAt), who)
		}
		return fmt.Sprintf("Unknown. The answer of %s was lost; the proxy asks again%s.", who, nextAt(p))
	case "held":
		return fmt.Sprintf("Held. What %s says does not match what was asked for: an operator has to decide.", who)
	}
	return fmt.Sprintf("Waiting for the payer since %s. %s was asked for %s; the proxy asks again%s.", stamp(p.CreatedAt), who, p.Amount, nextAt(p))
}

func nextAt(p Payment) string {
	if p.NextCheckAt.IsZero() {
		return ""
	}
	return " at " + stamp(p.NextCheckAt)
}

// deliverySentence is about the latest event of the payment itself.
func deliverySentence(s Story) string {
	d, ok := announcement(s.Deliveries)
	if !ok {
		return ""
	}
	answer := "did not answer"
	switch {
	case d.LastError != "":
		answer = "could not be reached (" + d.LastError + ")"
	case d.LastCode != 0:
		answer = fmt.Sprintf("answered %d", d.LastCode)
	}
	switch d.State {
	case stateDelivered:
		return fmt.Sprintf("%s %s on attempt %d.", d.AppName, answer, max(d.Attempts, 1))
	case stateExhausted:
		return fmt.Sprintf("%s does not know: it %s, and all %s are used up.", d.AppName, answer, attempts(d.Attempts))
	case stateHeld:
		if d.HeldFor != "" {
			return fmt.Sprintf("%s does not know yet: its callbacks are held until %s answers again.", d.AppName, d.HeldFor)
		}
		return fmt.Sprintf("%s does not know: the callback is held (%s).", d.AppName, d.HeldReason)
	}
	if d.Attempts == 0 {
		return fmt.Sprintf("%s is being told.", d.AppName)
	}
	next := ""
	if !d.NextAttemptAt.IsZero() {
		next = " The next attempt is at " + stamp(d.NextAttemptAt) + "."
	}
	return fmt.Sprintf("%s does not know yet: it %s on attempt %d.%s", d.AppName, answer, d.Attempts, next)
}

// announcement is the latest delivery of an event of the payment itself.
func announcement(all []Delivery) (found Delivery, ok bool) {
	for _, d := range all {
		if strings.HasPrefix(d.Event, "payment.") {
			found, ok = d, true
		}
	}
	return found, ok
}

func attempts(n int) string {
	if n == 1 {
		return "1 attempt"
	}
	return fmt.Sprintf("%d attempts", n)
}

const again = "No money was taken. Please try again."

// explain says why a payment failed: the provider's word, and what it means.
func explain(p Payment) string {
	f, known := payment.FailureOf(p.FailureCode)
	switch {
	case p.Reason == "":
		return "it failed, without a reason."
	case !known || f.Code == payment.FailureUnspecified:
		return p.Reason + "."
	}
	return p.Reason + ". " + f.Meaning
}

// Tell is what support can say to the customer.
func Tell(p Payment) string {
	switch p.Status {
	case "SUCCESSFUL":
		text := fmt.Sprintf("We have your payment of %s for order %s. There is nothing more to do.", p.Amount, p.Order)
		if p.TransactionID != "" {
			text += fmt.Sprintf(" Your transaction number at %s is %s.", p.ProviderName, p.TransactionID)
		}
		return text
	case "FAILED":
		if p.EndedBy == "operator" {
			return fmt.Sprintf("Your payment of %s did not go through. %s", p.Amount, again)
		}
		if f, ok := payment.FailureOf(p.FailureCode); ok {
			return f.English
		}
		return fmt.Sprintf("Your payment of %s did not go through. %s", p.Amount, again)
	case "CANCELLED":
		return "The payment was cancelled. " + again
	case "TIMEOUT":
		return fmt.Sprintf("We have no confirmation of your payment from %s. If %s shows it as paid, send us that message: we will find it. Otherwise you can pay again.",
			p.ProviderName, p.ProviderName)
	}
	switch p.Phase {
	case "in_reconciliation", "held":
		return fmt.Sprintf("We are checking your payment of %s with %s. Please do not pay again until we tell you.", p.Amount, p.ProviderName)
	case "submitting":
		return "Your payment is being started. Please wait a moment."
	}
	if _, ok := p.Instructions["link"]; ok {
		return fmt.Sprintf("Open the payment link that you were sent and pay %s there.", p.Amount)
	}
	if len(p.Instructions) > 0 {
		var lines []string
		for _, name := range []string{"entity", "referenceNumber", "code"} {
			if v := p.Instructions[name]; v != "" {
				lines = append(lines, name+" "+v)
			}
		}
		return fmt.Sprintf("Please pay %s with %s.", p.Amount, strings.Join(lines, ", "))
	}
	return fmt.Sprintf("Please approve %s on your phone: %s has sent you a request. Enter your PIN there.", p.Amount, p.ProviderName)
}
