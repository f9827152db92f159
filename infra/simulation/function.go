package simulation

import (
	"context"
	"runtime/debug"
	"slices"
	"strconv"
	"time"

	"momoproxy/shared/assembly"
	"momoproxy/shared/assembly/payments"
	"momoproxy/shared/assembly/providers"
	"momoproxy/shared/assembly/routes"
	"momoproxy/shared/config"
	"momoproxy/shared/forwarder"
	"momoproxy/shared/gateway"
	"momoproxy/shared/host"
	"momoproxy/shared/httpapi"
	"momoproxy/shared/ledger"
)

// role is one deployed function.
type role string

const (
	requestToPay role = "request"
	status       role = "status"
	paymentsOf   role = "payments"
	callback     role = "callback"
	facturaHook  role = "factura"
	momentHook   role = "moment"
	forwarding   role = "forwarder"
	reconciler   role = "reconciler"
)

// timeouts are the functions' own, as template.yaml has them.
var timeouts = map[role]time.Duration{
	requestToPay: 28 * time.Second, status: 20 * time.Second, paymentsOf: 15 * time.Second, callback: 20 * time.Second,
	facturaHook: 20 * time.Second, momentHook: 20 * time.Second,
	refunding: 28 * time.Second, forwarding: 30 * time.Second, reconciler: 50 * time.Second,
}

// instance is one running copy of a function, with caches, token and clock of
// its own. It serves one invocation at a time and dies when that is killed.
type instance struct {
	role   role
	number int
	skew   time.Duration
	busy   bool
	// outdated: another configuration has been deployed since it started.
	outdated bool
	gateway  *gateway.Gateway
	refunds  *gateway.Refunds
	api      *httpapi.API
	forward  *forwarder.Forwarder
	sweep    *forwarder.Sweeper
	beat     func(context.Context) error
}

// invocation is one run of a function.
type invocation struct {
	*instance
	name     string
	deadline time.Time
	// dead: killed. Nothing it does from then on may have an effect, whatever
	// recovers what.
	dead bool
	// asked are the references it sent to the provider as new payments.
	asked []string
}

// plainSealer seals nothing: what a sealed value holds is not simulated.
type plainSealer struct{}

func (plainSealer) Seal(plain []byte, _ string) (string, error)  { return string(plain), nil }
func (plainSealer) Open(sealed string, _ string) ([]byte, error) { return []byte(sealed), nil }

// plainHash hides nothing either.
func plainHash(payer string) string { return payer }

// newInstance starts a function: cold, with empty caches.
func (w *world) newInstance(r role) *instance {
	i := &instance{role: r, number: len(w.pools[r])}
	if w.rates.skew > 0 {
		i.skew = w.between(-w.rates.skew, w.rates.skew)
	}
	now := func() time.Time { return time.Now().Add(i.skew) }
	o := ledger.Options{Random: bytesOf{w.rng}, Parallel: w.sideBySide}
	if r == requestToPay {
		o.HashPayer = plainHash
	}
	l := ledger.New(tableWire{w}, plainSealer{}, o)
	parts := assembly.Parts{
		Config: config.Config{
			PublicBaseURL: publicURL, CallbackPolicy: config.Confirm, Version: "simulated",
		},
		Providers: providers.All(), Table: tableWire{w}, Queue: queueWire{w}, Ledger: l, Log: w.log(), Apps: appWire{w},
		Host: w.host(now),
	}
	i.gateway = payments.Over(parts, w.adapters(l, now))
	i.refunds = payments.RefundsOver(parts, w.refunders(l, now))
	i.api = routes.Over(parts, i.gateway, i.refunds)
	i.forward, i.sweep, i.beat = parts.Forwarder(), parts.Sweeper(), parts.Beat
	w.pools[r] = append(w.pools[r], i)
	return i
}

// host is the machine of an instance with that clock.
func (w *world) host(now func() time.Time) host.Host {
	return host.Host{
		Now: now, Sleep: w.sleep, AfterFunc: w.functionAfterFunc, Parallel: w.sideBySide,
		NewLock: func() host.Lock { return &lock{w: w} }, Random: bytesOf{w.rng}, Jitter: w.rng.Float64,
	}
}

// sideBySide is the executor: tasks are processes of the invocation.
func (w *world) sideBySide(limit, n int, task func(i int)) {
	if n == 1 || w.options.Nested {
		for i := range n {
			task(i)
		}
		return
	}
	next := 0
	workers := make([]*process, min(limit, n))
	for i := range workers {
		workers[i] = w.spawn(w.current, "task "+strconv.Itoa(i+1), func() {
			for next < n {
				next++
				task(next - 1)
			}
		})
	}
	for _, p := range workers {
		w.await(p)
	}
	w.mayDie()
}

// lock is one of an instance's own.
type lock struct {
	w       *world
	held    bool
	waiting []*process
}

func (l *lock) Acquire(ctx context.Context) error {
	w := l.w
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		if !l.held {
			l.held = true
			return nil
		}
		p := w.running
		l.waiting = append(l.waiting, p)
		if deadline, ok := ctx.Deadline(); ok {
			w.waitFor(time.Until(deadline) + 1)
		} else {
			w.suspend()
		}
		l.waiting = slices.DeleteFunc(l.waiting, func(o *process) bool { return o == p })
		w.mayDie()
	}
}

func (l *lock) Release() {
	l.held = false
	if len(l.waiting) > 0 {
		l.w.wake(l.waiting[0])
	}
}

// functionAfterFunc is a function's own timer. What it calls runs as part of
// the invocation that set it, beside whatever that is waiting for, and not at
// all once that is dead.
func (w *world) functionAfterFunc(d time.Duration, f func()) (stop func() bool) {
	inv := w.current
	p := &process{name: "timer", inv: inv, turn: make(chan struct{}, 1)}
	e := w.after(d, "timer", func() {
		if inv == nil || inv.dead {
			return
		}
		w.result.Stats.Timers++
		f()
	})
	e.process = p
	return func() bool {
		if !e.dead {
			e.dead = true
			return true
		}
		w.await(p)
		w.mayDie()
		return false
	}
}

// sleep is the gateway's: the world goes on meanwhile.
func (w *world) sleep(ctx context.Context, d time.Duration) error {
	if d > 0 {
		if deadline, ok := ctx.Deadline(); ok {
			d = min(d, time.Until(deadline)+1)
		}
		w.waitFor(d)
	}
	w.mayDie()
	return ctx.Err()
}

// instanceOf finds an idle instance, or starts one.
func (w *world) instanceOf(r role) *instance {
	if !w.chance(w.rates.coldly) {
		for _, i := range w.pools[r] {
			if !i.busy && !i.outdated {
				return i
			}
		}
	}
	return w.newInstance(r)
}

// invoke runs a function once. ok is false when it was killed, or ran out of
// time: then nobody learns what it would have answered.
func (w *world) invoke(r role, f func(context.Context, *instance)) (inv *invocation, ok bool) {
	if w.halted {
		return &invocation{dead: true}, false
	}
	i := w.instanceOf(r)
	w.books.invocations++
	inv = &invocation{instance: i, name: string(r) + "." + strconv.Itoa(w.books.invocations), deadline: time.Now().Add(timeouts[r])}
	i.busy = true
	w.note("invoke", inv.name)
	w.await(w.spawn(inv, "", func() {
		ctx, cancel := context.WithDeadline(context.Background(), inv.deadline)
		defer cancel()
		defer func() {
			if p := recover(); p != nil && !inv.dead && !w.halted {
				w.violate(NoPanic, "%s: %v\n%s", inv.name, p, debug.Stack())
			}
		}()
		f(ctx, i)
		if time.Now().After(inv.deadline) {
			inv.dead = true // it answered too late to be heard
			return
		}
		ok = true
	}))
	i.busy = false
	if !ok {
		inv.dead = true
		w.bury(i)
	}
	w.note("return", inv.name, map[bool]string{true: "ok", false: "lost"}[ok])
	return inv, ok
}

// bury takes a killed instance out of service.
func (w *world) bury(i *instance) {
	pool := w.pools[i.role]
	for n, other := range pool {
		if other == i {
			w.pools[i.role] = append(pool[:n:n], pool[n+1:]...)
			return
		}
	}
}

// mayDie is called around everything that a function does to the world
// outside. It ends an invocation that is dead already, is out of time, or is
// killed now.
func (w *world) mayDie() {
	inv := w.current
	switch {
	case w.halted:
		w.die()
	case inv == nil:
		return
	case inv.dead:
	case time.Now().After(inv.deadline):
		w.note("timed out")
	case w.chance(w.rates.kill):
		w.note("killed")
		w.result.Stats.Kills++
	default:
		return
	}
	inv.dead = true
	w.die()
}

// before is the way of a call to the outside, after its way back.
func (w *world) before() {
	w.result.Stats.Calls++
	if w.result.Stats.Calls > maxCalls && !w.halted {
		w.violate(Rest, "the system made more than %d calls", maxCalls)
		w.halted = true
	}
	w.mayDie()
	w.pass()
	w.mayDie()
}

func (w *world) afterwards() {
	w.mayDie()
	w.pass()
	w.mayDie()
}
