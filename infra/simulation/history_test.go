package simulation_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/anishathalye/porcupine"

	mtnstand "momoproxy/infra/standin/mtn"
	"momoproxy/infra/testbed"
	"momoproxy/shared/payment"
	"momoproxy/shared/table"
	"momoproxy/shared/table/tabletest"
)

// operation is one thing done to a payment: by the provider ("ends"), by the
// system on somebody's prompting ("learns"), or by its app ("looks").
type operation struct {
	kind string
	to   payment.Status // for ends
}

// account is a payment as one sequential machine: what is true at the
// provider, and what the system has come to know of it.
type account struct{ truth, known payment.Status }

// learned is what the system knows after asking.
func (a account) learned() account {
	if !a.known.Ended() && a.truth.Ended() || a.known.Ended() && a.truth == payment.Successful {
		a.known = a.truth
	}
	return a
}

// sequential is the model that every history of a payment must fit: endings
// are absorbed, SUCCESSFUL for good, and nobody sees time go backwards.
var sequential = porcupine.NondeterministicModel{
	Init: func() []any { return []any{account{payment.Pending, payment.Pending}} },
	Step: func(state, input, output any) []any {
		a, op := state.(account), input.(operation)
		switch op.kind {
		case "ends":
			if a.truth != payment.Successful {
				a.truth = op.to
			}
			return []any{a}
		case "learns": // it may, or another may have been faster, or slower
			return []any{a, a.learned()}
		}
		var next []any
		for _, b := range []account{a, a.learned()} {
			if b.known == output.(payment.Status) {
				next = append(next, b)
			}
		}
		return next
	},
	Equal: func(a, b any) bool { return a == b },
	DescribeOperation: func(input, output any) string {
		return fmt.Sprintf("%+v -> %v", input, output)
	},
	DescribeState: func(state any) string { return fmt.Sprintf("%+v", state) },
}

// history notes operations with the order in which they began and ended.
type history struct {
	clock atomic.Int64
	mu    sync.Mutex
	all   []porcupine.Operation
}

func (h *history) do(client int, op operation, f func() any) {
	call := h.clock.Add(1)
	out := f()
	back := h.clock.Add(1)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.all = append(h.all, porcupine.Operation{ClientId: client, Input: op, Call: call, Output: out, Return: back})
}

// linearizable says whether the history fits the model.
func (h *history) linearizable() porcupine.CheckResult {
	return porcupine.CheckOperationsTimeout(sequential.ToModel(), h.all, 20*time.Second)
}

// TestHistories: requests, callbacks, reconcile runs and questions about one
// payment at once, each on its own goroutine over a table that takes its
// time, never show anything that one after the other could not have shown.
func TestHistories(t *testing.T) {
	t.Parallel()
	for seed := range uint64(60) {
		h := concurrentHistory(t, seed)
		if result := h.linearizable(); result != porcupine.Ok {
			t.Errorf("seed %d: %d operations are %s", seed, len(h.all), result)
			for _, op := range h.all {
				t.Logf("%3d to %3d by %d: %+v -> %v", op.Call, op.Return, op.ClientId, op.Input, op.Output)
			}
			return
		}
	}
}

func concurrentHistory(t *testing.T, seed uint64) *history {
	h := &history{}
	slow := func(inner table.Table) table.Table {
		return tabletest.Faulty(inner, func(string, []table.Key) tabletest.Fault {
			time.Sleep(rand.N(400 * time.Millisecond))
			return tabletest.Fault{}
		})
	}
	synctest.Test(t, func(t *testing.T) {
		w := testbed.New(t, testbed.Options{Table: slow, Seed: seed + 1})
		body := testbed.Order("ORDER-1", mtnstand.Payer(mtnstand.ScriptPending))
		first := w.Pay(body, "idempotency-key", "k")
		reference := first.Reference()
		if first.StatusCode != 202 {
			t.Fatalf("answered %d %s", first.StatusCode, first.Body)
		}
		path := w.CallbackPath(reference)
		random := rand.New(rand.NewPCG(seed, 1))
		var clients sync.WaitGroup
		for c := range 5 {
			plan := rand.New(rand.NewPCG(random.Uint64(), 2))
			clients.Go(func() {
				for range 6 {
					time.Sleep(time.Duration(plan.Int64N(int64(6 * time.Second))))
					step(t, w, h, c, plan.IntN(9), reference, path, body)
				}
			})
		}
		clients.Wait()
		time.Sleep(time.Minute)
		h.do(0, operation{kind: "looks"}, func() any { return looked(w, reference) })
	})
	return h
}

// step does one of the things that can be done to a payment.
func step(t *testing.T, w *testbed.World, h *history, client, what int, reference, path, body string) {
	ends := func(to payment.Status, reason string) {
		h.do(client, operation{kind: "ends", to: to}, func() any {
			_ = w.Sandbox.SetOutcome(reference, string(to), reason, false) // it may have succeeded already
			return nil
		})
	}
	learns := func(f func()) { h.do(client, operation{kind: "learns"}, func() any { f(); return nil }) }
	switch what {
	case 0:
		ends(payment.Failed, "EXPIRED")
	case 1:
		ends(payment.Successful, "")
	case 2:
		learns(func() { w.CallBack("POST", path, `{"status":"SUCCESSFUL"}`) })
	case 3:
		learns(func() { w.CallBack("PUT", "", `{"externalId":"ORDER-1","status":"FAILED"}`) })
	case 4, 5:
		learns(func() { w.Reconcile(t.Context()) })
	case 6:
		learns(func() {
			if a := w.Pay(body, "idempotency-key", "k"); a.Reference() != reference {
				t.Errorf("the same key led to %d %s", a.StatusCode, a.Body)
			}
		})
	default:
		h.do(client, operation{kind: "looks"}, func() any { return looked(w, reference) })
	}
}

func looked(w *testbed.World, reference string) payment.Status {
	return payment.Status(w.Ask(reference, testbed.ShopKey).Text("status"))
}

// A history that no sequence explains is recognised.
func TestHistoryThatIsNone(t *testing.T) {
	t.Parallel()
	for name, seen := range map[string][]payment.Status{
		"success is lost":       {payment.Successful, payment.Pending},
		"success out of thin":   {payment.Cancelled},
		"failure after success": {payment.Successful, payment.Failed},
	} {
		h := &history{}
		h.do(0, operation{kind: "ends", to: payment.Successful}, func() any { return nil })
		for _, s := range seen {
			h.do(1, operation{kind: "looks"}, func() any { return s })
		}
		if h.linearizable() != porcupine.Illegal {
			t.Errorf("%s: taken for a history", name)
		}
	}
}
