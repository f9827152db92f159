package payment_test

import (
	"testing"
	"time"

	"momoproxy/shared/payment"
)

// TestDecideNamesThePayment: a success ends the payment that it names. A
// signature over a body that names none, or another, is a reason to ask; the
// provider's answer about another payment says nothing.
func TestDecideNamesThePayment(t *testing.T) {
	t.Parallel()
	own := opened().Reference
	const other = "11111111-1111-4111-8111-111111111111"
	type outcome struct {
		status payment.Status
		ask    bool
	}
	var (
		paid    = outcome{payment.Successful, false}
		asked   = outcome{payment.Pending, true}
		nothing = outcome{payment.Pending, false}
	)
	for _, c := range []struct {
		name      string
		source    payment.Source
		reference string
		id        string
		want      outcome
	}{
		{"signed, its own", payment.FromSignedWebhook, own, "pr_1", paid},
		{"signed, its own, no id", payment.FromSignedWebhook, own, "", paid},
		{"signed, its own, another id", payment.FromSignedWebhook, own, "pr_2", asked},
		{"signed, another's", payment.FromSignedWebhook, other, "pr_1", asked},
		{"signed, nobody's", payment.FromSignedWebhook, "", "pr_1", asked},
		{"trusted, another's", payment.FromTrustedCallback, other, "", asked},
		{"trusted, nobody's", payment.FromTrustedCallback, "", "", paid},
		{"status, its own", payment.FromStatus, own, "pr_1", paid},
		{"status, nobody's", payment.FromStatus, "", "pr_1", paid},
		{"status, another's", payment.FromStatus, other, "pr_1", nothing},
		{"submit, another's", payment.FromSubmit, other, "pr_1", nothing},
	} {
		p := opened()
		p.IDs = map[string]string{"id": "pr_1"}
		e := payment.Evidence{Source: c.source, Verdict: payment.SaysSuccessful, Reference: c.reference, At: created.Add(time.Minute)}
		if c.id != "" {
			e.IDs = map[string]string{"id": c.id, "payment_id": "p_1"}
		}
		d := payment.Decide(p, e, policy)
		if got := (outcome{d.Payment.Status, d.Confirm}); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
		if learned := d.Payment.IDs["payment_id"] != ""; learned != (c.want == paid && c.id != "") {
			t.Errorf("%s: learned its ids: %v", c.name, learned)
		}
	}
}
