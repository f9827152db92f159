package gateway_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"momoproxy/infra/standin/core"
	mtnstand "momoproxy/infra/standin/mtn"
	"momoproxy/infra/testbed"
	"momoproxy/shared/gateway"
	"momoproxy/shared/httpapi"
	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
)

// lateToken is an account whose token takes longer than anybody waits, now
// and then.
type lateToken struct {
	provider.Provider
	slow *atomic.Bool
}

func (s lateToken) Ready(ctx context.Context) error {
	if s.slow.Load() {
		<-ctx.Done()
		return ctx.Err()
	}
	return s.Provider.Ready(ctx)
}

// The provider takes a failure back and calls to say so, while a token takes
// longer than a callback's question may. The schedule asks.
func TestCorrectionWithoutAToken(t *testing.T) {
	plan := core.Script{
		Steps:     []core.Step{{After: time.Second, Status: "FAILED", Reason: "EXPIRED"}, {After: 10 * time.Minute, Status: "SUCCESSFUL"}},
		Callbacks: []core.Notice{{After: time.Second}, {After: 10 * time.Minute}},
	}
	var slow atomic.Bool
	o := testbed.Options{
		Sandbox: func(o *mtnstand.Options) { o.Choose = func(core.Call) (core.Script, bool) { return plan, true } },
		Change: func(g *gateway.Gateway, _ *httpapi.API) {
			g.Providers[0] = testbed.Guarded(g, lateToken{g.Providers[0].Provider, &slow})[0]
		},
	}
	bubble(t, o, func(t *testing.T, w *testbed.World) {
		reference := accepted(t, w, "ORDER-1", mtnstand.ScriptSuccess)
		w.Pass(9 * time.Minute)
		if s := w.Status(reference); s != payment.Failed {
			t.Fatalf("it is %s", s)
		}
		slow.Store(true)
		w.Pass(70 * time.Second)
		slow.Store(false)
		w.Pass(5 * time.Minute)
		if p := w.Payment(reference); p.Status != payment.Successful {
			t.Errorf("it is %s", p.Status)
		}
	})
}
