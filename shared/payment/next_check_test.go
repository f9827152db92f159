package payment_test

import (
	"testing"
	"time"

	"momoproxy/shared/payment"
)

func TestNewsNeverPutsAPlannedCheckOff(t *testing.T) {
	t.Parallel()
	policy := payment.Policy{FirstCheck: 10 * time.Second, MaxInterval: time.Hour, Window: 24 * time.Hour,
		LateInterval: 24 * time.Hour, GiveUp: 7 * 24 * time.Hour, NotFoundGrace: 2 * time.Minute, NotFoundSpacing: 30 * time.Second}
	created := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	planned := created.Add(10 * time.Second)
	open := payment.Payment{Status: payment.Pending, Phase: payment.PhaseSubmitting, CreatedAt: created,
		SubmitDeadline: created.Add(30 * time.Second), NextCheckAt: planned}

	accepted := payment.Evidence{Source: payment.FromSubmit, Verdict: payment.SaysAccepted, At: created.Add(time.Second)}
	if got := payment.Decide(open, accepted, policy).Payment.NextCheckAt; !got.Equal(planned) {
		t.Errorf("after good news the check is at %v, not at %v as planned", got, planned)
	}
	late := accepted
	late.At = planned.Add(time.Minute)
	if got := payment.Decide(open, late, policy).Payment.NextCheckAt; !got.After(late.At) {
		t.Errorf("a check that has passed stays at %v", got)
	}
	ended := payment.Evidence{Source: payment.FromStatus, Verdict: payment.SaysSuccessful, At: created.Add(time.Second)}
	if got := payment.Decide(open, ended, policy).Payment.NextCheckAt; !got.IsZero() {
		t.Errorf("a successful payment is checked again at %v", got)
	}
}
