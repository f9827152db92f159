package mtn

import (
	"testing"

	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
)

// A callback in production shows that MTN accepts the certificate; one in the
// sandbox does not, and a payment without a callback leaves the question open.
func TestLearned(t *testing.T) {
	t.Parallel()
	callback := provider.Seen{Callback: true, Exchange: provider.Exchange{Method: "PUT", RequestBody: `{"externalId":"x","status":"SUCCESSFUL"}`}}
	for _, c := range []struct {
		environment string
		seen        []provider.Seen
		state       provider.FindingState // of certificate_authority; empty: nothing is said
	}{
		{"mtnswaziland", []provider.Seen{callback}, provider.Fine},
		{Sandbox, []provider.Seen{callback}, ""},
		{"mtnswaziland", nil, provider.Doubt},
	} {
		p, err := New(Config{BaseURL: "https://mtn.example.com", TargetEnvironment: c.environment, APIUser: "u", APIKey: "k", SubscriptionKey: "s"}, nil, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]provider.Finding{}
		for _, f := range p.Learned(payment.Payment{Accepted: true, Amount: payment.Money{Minor: 100, Currency: "SZL"}}, c.seen) {
			got[f.Check] = f
		}
		if got["certificate_authority"].State != c.state {
			t.Errorf("%s, %d callbacks: %+v", c.environment, len(c.seen), got)
		}
		if len(c.seen) > 0 && (got["callback_method"].Found != "callbacks that came: 1, by PUT" || got["callback_fields"].Found != "a callback has externalId, status") {
			t.Errorf("%+v", got)
		}
	}
}
