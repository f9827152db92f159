package ledger_test

import (
	"context"
	"testing"
	"time"

	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
)

// Two providers may give the same id. A callback of one of them finds its own
// payment alone.
func TestIDsOfProvidersAreApart(t *testing.T) {
	t.Parallel()
	b := newBooks(t, nil)
	references := map[string]string{"mom-factura": payment.ReferenceFor(client, "1"), "momentpay": payment.ReferenceFor(client, "2")}
	for provider, reference := range references {
		p := newPayment(reference)
		p.Provider, p.ExternalID = provider, order+provider
		e := evidence(payment.SaysPending, time.Second)
		e.IDs = map[string]string{"id": "4711"}
		b.apply(t, b.create(t, p), e)
	}
	for provider, reference := range references {
		found, err := b.FindPayments(context.Background(), ledger.ID{Provider: provider, ProviderID: "4711"})
		if err != nil || len(found) != 1 || found[0].Reference != reference {
			t.Errorf("%s: %d payments, %v; want %s alone", provider, len(found), err, reference)
		}
	}
}
