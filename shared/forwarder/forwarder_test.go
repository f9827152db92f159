package forwarder_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"

	mtnstand "momoproxy/infra/standin/mtn"
	"momoproxy/infra/testbed"
	"momoproxy/shared/delivery"
	"momoproxy/shared/forwarder"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
	"momoproxy/shared/queue"
	"momoproxy/shared/table"
	"momoproxy/shared/table/tabletest"
	"momoproxy/shared/webhook"
)

// bubble runs a test with a World of its own under virtual time.
func bubble(t *testing.T, o testbed.Options, test func(t *testing.T, w *testbed.World)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { test(t, testbed.New(t, o)) })
}

// due makes a payment that has just ended, its event due and its doorbell
// still in the queue.
func due(t *testing.T, w *testbed.World, externalID string, headers ...string) (reference string) {
	t.Helper()
	a := w.Pay(testbed.Order(externalID, "26876123456"), headers...)
	if a.StatusCode != 202 {
		t.Fatalf("%d %s", a.StatusCode, a.Body)
	}
	time.Sleep(2 * time.Second)
	synctest.Wait()
	if w.Status(a.Reference()) != payment.Successful {
		t.Fatalf("%s", w.Status(a.Reference()))
	}
	return a.Reference()
}

// bell is a message about an event.
func bell(reference string, sequence int) string {
	return fmt.Sprintf(`{"reference":%q,"sequence":%d}`, reference, sequence)
}

// ring hands messages to the forwarder and returns the ids of those that
// failed: their positions.
func ring(w *testbed.World, bodies ...string) []string {
	var batch events.SQSEvent
	for i, b := range bodies {
		batch.Records = append(batch.Records, events.SQSMessage{MessageId: fmt.Sprint(i), Body: b})
	}
	response, err := w.Forwarder.Handle(context.Background(), batch)
	if err != nil {
		return []string{err.Error()}
	}
	failed := []string{}
	for _, f := range response.BatchItemFailures {
		failed = append(failed, f.ItemIdentifier)
	}
	slices.Sort(failed)
	return failed
}

// passBeside lets time pass while the app gets other events too, often enough for its circuit to stay closed if it takes those.
func passBeside(t *testing.T, w *testbed.World, d time.Duration) {
	t.Helper()
	apart := 20 * time.Minute
	for began, n := time.Now(), 0; time.Since(began) < d; n++ {
		if time.Since(began) > 24*time.Hour {
			apart = 10 * time.Hour // events that fail are far apart by then
		}
		w.Pass(apart)
		due(t, w, fmt.Sprint("BESIDE-", n))
	}
	w.Pass(time.Second)
}

// but makes the app answer so to one payment's events, and 200 to others'.
func but(w *testbed.World, reference *string, answer webhook.Result) {
	w.App.Answer(func(_ int, r testbed.Received) webhook.Result {
		if *reference == "" || r.Content.ReferenceID == *reference {
			return answer
		}
		return webhook.Result{Code: 200}
	})
}

// Every row of the outcome table, to its end.
func TestForwarderOutcomes(t *testing.T) {
	full := delivery.MaxAttempts
	for name, c := range map[string]struct {
		answer   webhook.Result
		attempts int // made in ten days
		state    delivery.State
		held     string
	}{
		"200":             {webhook.Result{Code: 200}, 1, delivery.Delivered, ""},
		"204":             {webhook.Result{Code: 204}, 1, delivery.Delivered, ""},
		"410":             {webhook.Result{Code: 410}, 1, delivery.Held, delivery.HeldGone},
		"disable":         {webhook.Result{Code: 500, Control: "disable"}, 1, delivery.Held, delivery.HeldGone},
		"abort-message":   {webhook.Result{Code: 503, Control: "abort-message"}, 1, delivery.Exhausted, ""},
		"302":             {webhook.Result{Code: 302, RetryAfter: "1"}, full, delivery.Exhausted, ""},
		"400":             {webhook.Result{Code: 400}, full, delivery.Exhausted, ""},
		"404":             {webhook.Result{Code: 404}, full, delivery.Exhausted, ""},
		"408":             {webhook.Result{Code: 408}, full, delivery.Exhausted, ""},
		"425":             {webhook.Result{Code: 425}, full, delivery.Exhausted, ""},
		"429":             {webhook.Result{Code: 429, RetryAfter: "1"}, full, delivery.Exhausted, ""},
		"500":             {webhook.Result{Code: 500}, full, delivery.Exhausted, ""},
		"timeout":         {webhook.Result{Class: webhook.ClassTimeout}, full, delivery.Exhausted, ""},
		"reset":           {webhook.Result{Class: webhook.ClassReset}, full, delivery.Exhausted, ""},
		"refused address": {webhook.Result{Class: webhook.ClassRefused}, full, delivery.Exhausted, ""},
		"bad URL":         {webhook.Result{Class: webhook.ClassURL}, full, delivery.Exhausted, ""},
		"our DNS":         {webhook.Result{Class: webhook.ClassDNSOurs}, delivery.MaxFree + full, delivery.Exhausted, ""},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
				ref := due(t, w, "ORDER-1")
				but(w, &ref, c.answer)
				passBeside(t, w, 10*24*time.Hour)
				story := w.Story(ref)
				d, got := story.Deliveries[0], w.App.About(ref)
				if d.State != c.state || d.HeldReason != c.held || len(got) != c.attempts || len(story.Attempts) != min(c.attempts, delivery.KeptAttempts) {
					t.Errorf("%s %q after %d attempts, %d on record; want %s %q after %d",
						d.State, d.HeldReason, len(got), len(story.Attempts), c.state, c.held, c.attempts)
				}
				last := story.Attempts[len(story.Attempts)-1]
				if last.Code != c.answer.Code || last.Error != string(c.answer.Class) || last.Cause != delivery.CauseAutomatic {
					t.Errorf("the last attempt on record: %+v", last)
				}
				for i, g := range got {
					if g.Header.Get(forwarder.HeaderReference) != ref || g.Header.Get(forwarder.HeaderSequence) != "1" {
						t.Errorf("attempt %d says it is about %v", i+1, g.Header)
					}
					if g.EventID != payment.EventID(ref, 1) || g.Body != got[0].Body {
						t.Errorf("attempt %d was another message: %s", i+1, g.Body)
					}
				}
				if waiting, dead, _ := w.Messages.Depth(context.Background()); waiting+dead != 0 {
					t.Errorf("%d messages wait, %d are dead", waiting, dead)
				}
			})
		})
	}
}

// The attempts keep the schedule's times, with no jitter in this test.
func TestForwarderKeepsTheSchedule(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		ref := due(t, w, "ORDER-1")
		but(w, &ref, webhook.Result{Code: 500})
		passBeside(t, w, 5*24*time.Hour)
		got := w.App.About(ref)
		if len(got) != delivery.MaxAttempts {
			t.Errorf("%d attempts", len(got))
		}
		for i := range got[1:] {
			want, wait := delivery.Wait(i+2, 0.5), got[i+1].At.Sub(got[i].At)
			slack := 2 * time.Second
			if want > queue.MaxDelay {
				slack = 2 * time.Minute // the sweeper rings
			}
			if wait < want-time.Second || wait > want+slack {
				t.Errorf("attempt %d came after %s; want %s", i+2, wait, want)
			}
		}
	})
}

func TestForwarderTwoWorkersOneDoorbell(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		w.App.Answer(func(int, testbed.Received) webhook.Result {
			time.Sleep(3 * time.Second)
			return webhook.Result{Code: 200}
		})
		ref := due(t, w, "ORDER-1")
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				if failed := ring(w, bell(ref, 1), bell(ref, 1)); len(failed) != 0 {
					t.Errorf("failed: %v", failed)
				}
			})
		}
		wg.Wait()
		ring(w, bell(ref, 1)) // late
		if n := len(w.App.Got()); n != 1 {
			t.Errorf("%d attempts", n)
		}
	})
}

// A worker that slept through its lease and another's attempt changes
// nothing when it wakes; its attempt is on record all the same.
func TestForwarderStaleWorkerCannotComplete(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		w.App.Answer(func(n int, _ testbed.Received) webhook.Result {
			if n == 1 {
				time.Sleep(2 * time.Minute) // a frozen process
				return webhook.Result{Code: 500}
			}
			return webhook.Result{Code: 200}
		})
		ref := due(t, w, "ORDER-1")
		stale := make(chan []string)
		go func() { stale <- ring(w, bell(ref, 1)) }()
		time.Sleep(time.Minute)
		if failed := ring(w, bell(ref, 1)); len(failed) != 0 {
			t.Errorf("failed: %v", failed)
		}
		if d := w.Story(ref).Deliveries[0]; d.State != delivery.Delivered {
			t.Fatalf("the second worker left it %s", d.State)
		}
		if failed := <-stale; len(failed) != 0 {
			t.Errorf("the stale worker's message comes again: %v", failed)
		}
		story := w.Story(ref)
		if d := story.Deliveries[0]; d.State != delivery.Delivered || d.Last().Code != 200 {
			t.Errorf("the stale worker changed it: %s, %d", d.State, d.Last().Code)
		}
		sent := 0
		for _, r := range w.Trail(ref) {
			if r.Direction == ledger.OutboundToApp {
				sent++
			}
		}
		if sent != 2 || !strings.Contains(w.Log(), "delivery.claim_lost") {
			t.Errorf("%d attempts on record", sent)
		}
	})
}

func TestForwarderPoisonMessageLeavesItsNeighboursAlone(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		first, second := due(t, w, "ORDER-1"), due(t, w, "ORDER-2")
		poison := []string{"ding dong", "", "null", "[]", `{"reference":"x"}`, `{"reference":"` + first + `","sequence":-1}`, `{"sequence":1}`, "{\"reference\":\"\xff\",\"sequence\":1}"}
		bodies := append(append([]string{bell(first, 1)}, poison...), bell(second, 1), bell("00000000-0000-4000-8000-000000000000", 1), bell(first, 7), bell("a\\u0000b", 1))
		failed := ring(w, bodies...)
		if len(failed) == 0 || slices.Contains(failed, "0") || slices.Contains(failed, fmt.Sprint(len(poison)+1)) {
			t.Errorf("failed: %v", failed)
		}
		if n := len(w.App.Got()); n != 2 {
			t.Errorf("%d attempts; want 2", n)
		}
	})
}

// Unreadable messages end among the dead letters, where they are counted.
func TestForwarderPoisonMessageEndsAmongTheDead(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		if err := w.Messages.Send(t.Context(), queue.Message{Body: "ding dong"}); err != nil {
			t.Fatal(err)
		}
		w.Pass(time.Hour)
		if waiting, dead, err := w.Messages.Depth(t.Context()); waiting != 0 || dead != 1 || err != nil {
			t.Errorf("%d wait, %d are dead, %v", waiting, dead, err)
		}
	})
}

// A panic while one message is worked off fails that message alone.
func TestForwarderPanicIsContained(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		first, second := due(t, w, "ORDER-1"), due(t, w, "ORDER-2")
		w.App.Answer(func(_ int, r testbed.Received) webhook.Result {
			if r.Content.ReferenceID == first {
				panic("in the client")
			}
			return webhook.Result{Code: 200}
		})
		if failed := ring(w, bell(first, 1), bell(second, 1)); fmt.Sprint(failed) != "[0]" {
			t.Errorf("failed: %v", failed)
		}
		if w.Story(second).Deliveries[0].State != delivery.Delivered {
			t.Error("the neighbour is not delivered")
		}
		w.App.Answer(nil)
		w.Pass(time.Hour)
		if w.Story(first).Deliveries[0].State != delivery.Delivered {
			t.Error("the event of the panic is lost")
		}
	})
}

// A batch runs side by side: one slow app does not delay the others.
func TestForwarderBatchRunsSideBySide(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		var bells []string
		for i := range 10 {
			bells = append(bells, bell(due(t, w, fmt.Sprint("ORDER-", i)), 1))
		}
		w.App.Answer(func(int, testbed.Received) webhook.Result {
			time.Sleep(10 * time.Second)
			return webhook.Result{Code: 200}
		})
		began := time.Now()
		if failed := ring(w, bells...); len(failed) != 0 {
			t.Errorf("failed: %v", failed)
		}
		if took := time.Since(began); took > 11*time.Second {
			t.Errorf("ten attempts of 10 s took %s", took)
		}
	})
}

// A correction is not sent before the event it corrects, in any order of the
// messages; it follows at once when that is delivered.
func TestForwarderEventsKeepTheirOrder(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		refuse := true
		w.App.Answer(func(int, testbed.Received) webhook.Result {
			if refuse {
				return webhook.Result{Code: 500}
			}
			return webhook.Result{Code: 200}
		})
		ref := corrected(t, w)
		for range 3 {
			if failed := ring(w, bell(ref, 2), bell(ref, 2)); len(failed) != 0 {
				t.Errorf("failed: %v", failed)
			}
		}
		if w.Story(ref).Deliveries[1].State != delivery.Waiting {
			t.Errorf("the correction is %s", w.Story(ref).Deliveries[1].State)
		}
		refuse = false
		w.Pass(3 * time.Hour)
		var order []int
		for _, r := range w.App.About(ref) {
			order = append(order, r.Content.Sequence)
		}
		if !slices.IsSorted(order) || order[len(order)-1] != 2 {
			t.Errorf("told in the order %v", order)
		}
		for _, d := range w.Story(ref).Deliveries {
			if d.State != delivery.Delivered {
				t.Errorf("event %d is %s", d.Sequence, d.State)
			}
		}
	})
}

// corrected makes a payment that was announced FAILED and corrected, neither
// event delivered.
func corrected(t *testing.T, w *testbed.World) (reference string) {
	t.Helper()
	a := w.Pay(testbed.Order("ORDER-1", mtnstand.Payer(mtnstand.ScriptPending)))
	for _, status := range []string{"FAILED", "SUCCESSFUL"} {
		time.Sleep(time.Minute)
		if err := w.Sandbox.SetOutcome(a.Reference(), status, "", true); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		synctest.Wait()
	}
	if n := len(w.Story(a.Reference()).Deliveries); n != 2 {
		t.Fatalf("%d events", n)
	}
	return a.Reference()
}

// An exhausted or held event does not hold up its successor.
func TestForwarderOrderAfterAnEnd(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		w.App.Answer(func(_ int, r testbed.Received) webhook.Result {
			if r.Content.Sequence == 1 {
				return webhook.Result{Code: 400, Control: "abort-message"}
			}
			return webhook.Result{Code: 200}
		})
		ref := corrected(t, w)
		w.Pass(2 * time.Hour)
		d := w.Story(ref).Deliveries
		if d[0].State != delivery.Exhausted || d[1].State != delivery.Delivered {
			t.Errorf("%s, %s", d[0].State, d[1].State)
		}
	})
}

func TestForwarderHoldsWithoutCallbackURL(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		if err := w.Ledger.ChangeClient(t.Context(), w.Shop, ledger.ClientChange{CallbackURL: new("")}); err != nil {
			t.Fatal(err)
		}
		ref := due(t, w, "ORDER-1")
		w.Pass(time.Hour)
		if d := w.Story(ref).Deliveries[0]; d.State != delivery.Held || d.HeldReason != delivery.HeldNoURL {
			t.Errorf("%s %s", d.State, d.HeldReason)
		}
		if len(w.App.Got()) != 0 || !strings.Contains(w.Log(), "delivery.held") {
			t.Errorf("%d attempts; log %s", len(w.App.Got()), w.Log())
		}
	})
}

func TestForwarderHoldsWhatItCannotSign(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		bare := ledger.Client{ID: "cli_bare", Name: "Bare", Active: true, APIKey: "bare-key", CallbackURL: testbed.ShopURL}
		if _, err := w.Ledger.CreateClient(t.Context(), bare); err != nil {
			t.Fatal(err)
		}
		ref := due(t, w, "ORDER-1", "x-proxy-api-key", "bare-key")
		w.Pass(time.Hour)
		if d := w.Story(ref).Deliveries[0]; d.State != delivery.Held || d.HeldReason != delivery.HeldUnsignable || len(w.App.Got()) != 0 {
			t.Errorf("%s %s, %d attempts", d.State, d.HeldReason, len(w.App.Got()))
		}
	})
}

// A doorbell before its time is rung again for then, and makes no attempt.
func TestForwarderEarlyDoorbell(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		w.App.Answer(func(int, testbed.Received) webhook.Result { return webhook.Result{Code: 500} })
		ref := due(t, w, "ORDER-1")
		w.Pass(30 * time.Second) // the second attempt came after 5 s, the third is due 30 s later
		n := len(w.App.Got())
		for range 5 {
			if failed := ring(w, bell(ref, 1)); len(failed) != 0 {
				t.Errorf("failed: %v", failed)
			}
		}
		if len(w.App.Got()) != n || n != 2 {
			t.Errorf("%d attempts before the early doorbells, %d after", n, len(w.App.Got()))
		}
		w.Pass(time.Minute)
		if len(w.App.Got()) != 3 {
			t.Errorf("%d attempts; want 3", len(w.App.Got()))
		}
	})
}

// mute is a queue that loses everything sent while it is on.
type mute struct {
	queue.Queue
	on *bool
	// fail makes the loss known to the sender.
	fail bool
}

func (m mute) Send(ctx context.Context, messages ...queue.Message) error {
	switch {
	case !*m.on:
		return m.Queue.Send(ctx, messages...)
	case m.fail:
		return errors.New("queue: no answer")
	}
	return nil
}

func TestForwarderLostDoorbellIsSwept(t *testing.T) {
	for _, fail := range []bool{false, true} {
		t.Run(fmt.Sprint("told ", fail), func(t *testing.T) {
			on := true
			bubble(t, testbed.Options{Queue: func(q queue.Queue) queue.Queue { return mute{q, &on, fail} }}, func(t *testing.T, w *testbed.World) {
				ref := due(t, w, "ORDER-1")
				w.Pass(10 * time.Minute)
				if len(w.App.Got()) != 0 {
					t.Fatal("the doorbell was not lost")
				}
				on = false
				w.Pass(3 * time.Minute)
				if w.Story(ref).Deliveries[0].State != delivery.Delivered || len(w.App.Got()) != 1 {
					t.Errorf("%s after %d attempts", w.Story(ref).Deliveries[0].State, len(w.App.Got()))
				}
			})
		})
	}
}

// Each call of the table during one attempt fails in turn, before and after:
// the event is delivered in the end, and the fault is not charged to the app.
func TestForwarderUnderTableFaults(t *testing.T) {
	for _, when := range []tabletest.When{tabletest.Before, tabletest.After} {
		for n := 1; n <= 6; n++ {
			t.Run(fmt.Sprintf("call %d %v", n, when), func(t *testing.T) {
				armed, calls := false, 0
				o := testbed.Options{Table: func(inner table.Table) table.Table {
					return tabletest.Faulty(inner, func(string, []table.Key) tabletest.Fault {
						if armed {
							if calls++; calls == n {
								return tabletest.Fault{When: when}
							}
						}
						return tabletest.Fault{}
					})
				}}
				bubble(t, o, func(t *testing.T, w *testbed.World) {
					ref := due(t, w, "ORDER-1")
					armed = true
					ring(w, bell(ref, 1))
					armed = false
					w.Pass(time.Hour)
					story := w.Story(ref)
					if d := story.Deliveries[0]; d.State != delivery.Delivered || len(w.App.Got()) > 2 || d.Attempts != 1 {
						t.Errorf("%s, %d attempts charged, %d received", d.State, d.Attempts, len(w.App.Got()))
					}
				})
			})
		}
	}
}

// A dead endpoint costs a bounded number of attempts, however many messages come.
func TestForwarderDeadEndpointIsBounded(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		w.App.Answer(func(int, testbed.Received) webhook.Result { return webhook.Result{Class: webhook.ClassConnect} })
		ref := due(t, w, "ORDER-1")
		for range 24 {
			w.Pass(time.Hour)
			for range 20 {
				ring(w, bell(ref, 1))
			}
		}
		if n := len(w.App.Got()); n > delivery.OpenAlone+delivery.MaxProbesADay {
			t.Errorf("%d attempts in a day", n)
		}
	})
}

// A copy of a doorbell that comes long before its time is not rung again: a
// queue that repeats messages would otherwise fill itself with them.
func TestForwarderDropsEarlyCopies(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		w.App.Answer(func(int, testbed.Received) webhook.Result { return webhook.Result{Code: 500} })
		ref := due(t, w, "ORDER-1")
		w.Pass(time.Minute) // three attempts; the fourth is due in two minutes
		before, _, err := w.Messages.Depth(t.Context())
		if err != nil || before != 1 {
			t.Fatalf("%d messages wait for the fourth attempt (%v)", before, err)
		}
		for range 50 {
			ring(w, bell(ref, 1))
		}
		if after, _, _ := w.Messages.Depth(t.Context()); after != before {
			t.Errorf("fifty early copies left %d messages, where %d was", after, before)
		}
		w.Pass(3 * time.Minute)
		if len(w.App.Got()) != 4 {
			t.Errorf("%d attempts; want 4", len(w.App.Got()))
		}
	})
}
