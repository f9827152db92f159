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

// clients is how many act on a payment at once.
const clients = 5

// operation is one thing done to a payment. The provider "ends" it. Whoever
// else acts first "asks" the provider and then either "learns", on somebody's
// prompting, or "looks", for the app. These are two moments: what was true
// when the question was answered is written later, and the provider may have
// changed its mind in between.
type operation struct {
	kind   string
	client int
	to     payment.Status // for ends
}

// account is a payment as one sequential machine: what is true at the
// provider, what the system has come to know of it, and what each client has
// been answered and not yet written.
type account struct {
	truth, known payment.Status
	answered     [clients]payment.Status
}

// after is the account when a client has finished what it began, with or
// without a write of what it was answered.
func (a account) after(client int) []account {
	answer := a.answered[client]
	a.answered[client] = ""
	written := a
	if !a.known.Ended() && answer.Ended() || a.known.Ended() && answer == payment.Successful {
		written.known = answer
	}
	return []account{a, written}
}

// sequential is the model that every history of a payment must fit: endings
// are absorbed, SUCCESSFUL for good, and nobody sees time go backwards.
var sequential = porcupine.NondeterministicModel{
	Init: func() []any { return []any{account{truth: payment.Pending, known: payment.Pending}} },
	Step: func(state, input, output any) []any {
		a, op := state.(account), input.(operation)
		switch op.kind {
		case "ends":
			if a.truth != payment.Successful {
				a.truth = op.to
			}
			return []any{a}
		case "asks":
			a.answered[op.client] = a.truth
			return []any{a}
		}
		if a.answered[op.client] == "" {
			return nil // nobody has asked yet
		}
		var next []any
		for _, b := range a.after(op.client) {
			if op.kind == "learns" || b.known == output.(payment.Status) {
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

func (h *history) do(op operation, f func() any) {
	call := h.clock.Add(1)
	out := f()
	h.add(op, call, out)
}

// add notes an operation that began at call and ends now; one that learns or
// looks has asked in the same span.
func (h *history) add(op operation, call int64, out any) {
	back := h.clock.Add(1)
	h.mu.Lock()
	defer h.mu.Unlock()
	noted := porcupine.Operation{ClientId: op.client, Input: op, Call: call, Output: out, Return: back}
	if op.kind != "ends" {
		asked := noted
		asked.Input = operation{kind: "asks", client: op.client}
		h.all = append(h.all, asked)
	}
	h.all = append(h.all, noted)
}

// linearizable says whether the history fits the model.
func (h *history) linearizable() porcupine.CheckResult {
	return porcupine.CheckOperationsTimeout(sequential.ToModel(), h.all, 0) // however long it takes
}

// TestHistories: requests, callbacks, reconcile runs and questions about one
// payment at once, each on its own goroutine over a table that takes its
// time, never show anything that one after the other could not have shown.
func TestHistories(t *testing.T) {
	t.Parallel()
	for seed := range uint64(200) {
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
		var group sync.WaitGroup
		for c := range clients {
			plan := rand.New(rand.NewPCG(random.Uint64(), 2))
			group.Go(func() {
				for range 6 {
					time.Sleep(time.Duration(plan.Int64N(int64(6 * time.Second))))
					step(t, w, h, c, plan.IntN(9), reference, path, body)
				}
			})
		}
		group.Wait()
		time.Sleep(time.Minute)
		h.do(operation{kind: "looks"}, func() any { return looked(w, reference) })
	})
	return h
}

// step does one of the things that can be done to a payment.
func step(t *testing.T, w *testbed.World, h *history, client, what int, reference, path, body string) {
	ends := func(to payment.Status, reason string) {
		h.do(operation{kind: "ends", client: client, to: to}, func() any {
			_ = w.Sandbox.SetOutcome(reference, string(to), reason, false) // it may have succeeded already
			return nil
		})
	}
	learns := func(f func()) { h.do(operation{kind: "learns", client: client}, func() any { f(); return nil }) }
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
		h.do(operation{kind: "looks", client: client}, func() any { return looked(w, reference) })
	}
}

func looked(w *testbed.World, reference string) payment.Status {
	return payment.Status(w.Ask(reference, testbed.ShopKey).Text("status"))
}

// A history that no sequence explains is recognised, and one is let through
// whose late answer is an earlier one's.
func TestHistoryThatIsNone(t *testing.T) {
	t.Parallel()
	// event is an operation that begins before the events with a later from
	// and ends after those with an earlier to.
	type event struct {
		from, to int64
		op       operation
		seen     payment.Status
	}
	ends := func(at int64, to payment.Status) event {
		return event{from: at, to: at + 1, op: operation{kind: "ends", to: to}}
	}
	looks := func(client int, from, to int64, seen payment.Status) event {
		return event{from: from, to: to, op: operation{kind: "looks", client: client}, seen: seen}
	}
	for name, tt := range map[string]struct {
		events []event
		want   porcupine.CheckResult
	}{
		"success is lost": {
			[]event{ends(0, payment.Successful), looks(1, 10, 20, payment.Successful), looks(1, 30, 40, payment.Pending)},
			porcupine.Illegal,
		},
		"success out of thin air": {
			[]event{ends(0, payment.Successful), looks(1, 10, 20, payment.Cancelled)},
			porcupine.Illegal,
		},
		"failure after success": {
			[]event{ends(0, payment.Successful), looks(1, 10, 20, payment.Successful), looks(1, 30, 40, payment.Failed)},
			porcupine.Illegal,
		},
		"a question begun after the correction brings the failure": {
			[]event{ends(0, payment.Failed), ends(10, payment.Successful), looks(1, 20, 30, payment.Failed)},
			porcupine.Illegal,
		},
		"a question begun before the correction brings the failure": {
			[]event{ends(0, payment.Failed), looks(1, 5, 30, payment.Failed), ends(10, payment.Successful)},
			porcupine.Ok,
		},
		"a slow question brings the failure after another saw success": {
			[]event{ends(0, payment.Failed), looks(1, 5, 50, payment.Failed), ends(10, payment.Successful),
				looks(2, 20, 30, payment.Successful)},
			porcupine.Ok, // answered before the other's write
		},
		"a slow question undoes the success": {
			[]event{ends(0, payment.Failed), looks(1, 5, 50, payment.Failed), ends(10, payment.Successful),
				looks(2, 20, 30, payment.Successful), looks(2, 60, 70, payment.Failed)},
			porcupine.Illegal,
		},
		"a slow question and nobody else, looked at twice": {
			[]event{ends(0, payment.Failed), looks(1, 5, 50, payment.Failed), ends(10, payment.Successful),
				looks(2, 60, 70, payment.Failed)},
			porcupine.Ok, // the second may answer what is stored
		},
	} {
		h := &history{}
		for _, e := range tt.events {
			h.clock.Store(e.to - 1)
			h.add(e.op, e.from, e.seen)
		}
		if got := h.linearizable(); got != tt.want {
			t.Errorf("%s: %s, want %s", name, got, tt.want)
		}
	}
}
