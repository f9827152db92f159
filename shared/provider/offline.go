package provider

import (
	"context"

	"momoproxy/shared/payment"
)

// Offline is a provider whose rules are known and whose account is not: it
// can be asked for nothing. Tools decide about its payments without its
// credentials. Capabilities that depend on the account are zero.
type Offline struct{ Known Capabilities }

var _ Provider = Offline{}

// Capabilities implements Provider.
func (o Offline) Capabilities() Capabilities { return o.Known }

// Ready implements Provider: it never is.
func (Offline) Ready(context.Context) error { return ErrCredentials }

// Maintain implements Provider.
func (Offline) Maintain(context.Context) error { return ErrCredentials }

// Submit implements Provider: nothing was attempted.
func (Offline) Submit(context.Context, payment.Payment, string) Answer { return notAttempted() }

// Status implements Provider: nothing was attempted.
func (Offline) Status(context.Context, payment.Payment) Answer { return notAttempted() }

// ParseCallback implements Provider: it reads none.
func (Offline) ParseCallback(Inbound) (Callback, error) { return Callback{}, ErrCallback }

// Native implements Provider: it has no words of its own.
func (Offline) Native(payment.Payment, payment.Event, []byte) []byte { return nil }

func notAttempted() Answer {
	return Answer{Evidence: payment.Evidence{Verdict: payment.SaysNothing, Reason: "no credentials"}}
}
