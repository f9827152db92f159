package gateway_test

import (
	"errors"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	mtnstand "momoproxy/infra/standin/mtn"
	"momoproxy/infra/testbed"
	"momoproxy/shared/gateway"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
)

// down is a connection to MTN that can be cut.
type down struct {
	http.RoundTripper
	cut atomic.Bool
}

var errCut = errors.New("no route to host")

func (d *down) RoundTrip(r *http.Request) (*http.Response, error) {
	if d.cut.Load() {
		return nil, errCut
	}
	return d.RoundTripper.RoundTrip(r)
}

// A person's question is asked at once, within the provider's limits, and its
// answer goes the way of any other.
func TestCheck(t *testing.T) {
	link := &down{}
	o := testbed.Options{MTN: func(rt http.RoundTripper) http.RoundTripper { link.RoundTripper = rt; return link }}
	bubble(t, o, func(t *testing.T, w *testbed.World) {
		reference := accepted(t, w, "ORDER-1", "callback_lost")
		time.Sleep(5 * time.Second) // the payer has approved, and nobody has told us
		link.cut.Store(true)
		p, err := w.Gateway.Check(t.Context(), reference)
		if !errors.Is(err, gateway.ErrUnanswered) || p.Status != payment.Pending || p.Checks != 1 {
			t.Fatalf("cut off: %s after %d checks, %v", p.Status, p.Checks, err)
		}
		link.cut.Store(false)
		if _, err := w.Gateway.Check(t.Context(), reference); !errors.Is(err, gateway.ErrPostponed) {
			t.Errorf("too soon: %v", err)
		}
		time.Sleep(10 * time.Second)
		if p, err = w.Gateway.Check(t.Context(), reference); err != nil || p.Status != payment.Successful || p.EndedBy != payment.FromStatus {
			t.Errorf("it is %s by %s, %v", p.Status, p.EndedBy, err)
		}
		// The trail says what was decided on which version, whatever the times are.
		trail, err := w.Ledger.AuditTrail(t.Context(), reference)
		if err != nil {
			t.Fatal(err)
		}
		asked := slices.DeleteFunc(trail, func(a ledger.AuditRecord) bool { return a.Method != http.MethodGet })
		if len(asked) != 2 || !asked[0].Unchanged || asked[0].Version == 0 || asked[1].Unchanged || asked[1].Version <= asked[0].Version {
			t.Errorf("the questions are on record as %+v", asked)
		}
		if _, err := w.Gateway.Check(t.Context(), "44444444-4444-4444-8444-444444444444"); !errors.Is(err, ledger.ErrNotFound) {
			t.Error(err)
		}
	})
}

// What a request is still at work on is left to it.
func TestCheckLeavesSubmittingAlone(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		reference := accepted(t, w, "ORDER-1", mtnstand.ScriptPending)
		p := w.Payment(reference)
		p.Phase, p.SubmitDeadline = payment.PhaseSubmitting, time.Now().Add(time.Minute)
		if _, err := w.Ledger.ClaimCheck(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Gateway.Check(t.Context(), reference); !errors.Is(err, gateway.ErrSubmitting) {
			t.Error(err)
		}
		time.Sleep(2 * time.Minute)
		if _, err := w.Gateway.Check(t.Context(), reference); err != nil {
			t.Error(err)
		}
	})
}
