package gateway_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"momoproxy/infra/standin/core"
	mtnstand "momoproxy/infra/standin/mtn"
	"momoproxy/infra/testbed"
	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
)

// slowToken is a provider whose token call takes its time, and fails.
type slowToken struct {
	provider.Provider
	begun time.Time
}

func (s *slowToken) Maintain(ctx context.Context) error {
	s.begun = time.Now()
	select {
	case <-time.After(20 * time.Second):
	case <-ctx.Done():
	}
	return fmt.Errorf("%w: login_failed", provider.ErrCredentials)
}

// The schedule has each provider renew what it needs. A slow one delays no
// question, and a failure is logged though no request has met it.
func TestScheduleMaintainsProviders(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		reference := accepted(t, w, "ORDER-1", "callback_lost")
		time.Sleep(30 * time.Second)
		if got := w.Status(reference); got != payment.Pending {
			t.Fatalf("it is %s before anybody asks", got)
		}
		slow := &slowToken{Provider: w.Gateway.Providers[0].Provider}
		w.Gateway.Providers[0] = testbed.Guarded(w.Gateway, slow)[0]
		began := time.Now()
		done := make(chan error)
		go func() { done <- w.Gateway.OnSchedule(t.Context(), nil) }()
		time.Sleep(5 * time.Second)
		if got := w.Status(reference); got != payment.Successful {
			t.Errorf("beside a slow token call it is %s", got)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
		if !slow.begun.Equal(began) || time.Since(began) != 20*time.Second {
			t.Errorf("begun at %s, ended after %s", slow.begun, time.Since(began))
		}
		if !strings.Contains(w.Log(), "provider.not_ready") || !strings.Contains(w.Log(), "refused the credentials") {
			t.Error("the failure is not told")
		}
	})
}

// Questions that waited for a token leave in turns all the same. MTN takes ten
// a second, and those that took their turn before would leave together.
func TestQuestionsAfterASlowTokenKeepTheLimit(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		for i := range 40 {
			accepted(t, w, fmt.Sprint("ORDER-", i), mtnstand.ScriptPending)
			time.Sleep(time.Second)
		}
		time.Sleep(2 * time.Hour) // the token has ended
		if err := w.Sandbox.AddRule(core.Rule{Route: mtnstand.RouteToken, DelayMs: 2500}); err != nil {
			t.Fatal(err)
		}
		w.Reconcile(t.Context())
		c := w.Sandbox.Counters()
		if c.Requests[mtnstand.RouteStatus] < 40 {
			t.Errorf("%d questions", c.Requests[mtnstand.RouteStatus])
		}
		if c.Limits[mtnstand.LimitGETs].Most > 10 {
			t.Errorf("%d questions within a second, of %d", c.Limits[mtnstand.LimitGETs].Most, 10)
		}
	})
}
