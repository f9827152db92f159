package forwarder_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	mtnstand "momoproxy/infra/standin/mtn"
	"momoproxy/infra/testbed"
	"momoproxy/shared/delivery"
	"momoproxy/shared/forwarder"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
	"momoproxy/shared/webhook"
)

const shopOrigin = "https://shop.example.com:443"

// operators is the audit record of what an operator does now.
func operators() ledger.AuditRecord {
	return ledger.AuditRecord{At: ledger.Clock(time.Now()), Direction: ledger.InboundFromApp, ClientID: "cli_shop", Method: "OPERATOR", Note: "tested"}
}

// down makes Shop's endpoint answer code until the returned function is called.
func down(w *testbed.World, result webhook.Result) (up func()) {
	w.App.Answer(func(_ int, r testbed.Received) webhook.Result {
		if strings.HasPrefix(r.URL, testbed.ShopURL) {
			return result
		}
		return webhook.Result{Code: 200}
	})
	return func() { w.App.Answer(nil) }
}

// order pays for something, with a callback URL of its own path.
func order(t *testing.T, w *testbed.World, id, payer string) (reference string) {
	t.Helper()
	body := strings.Replace(testbed.Order(id, payer), `{`, fmt.Sprintf(`{"callbackUrl":%q,`, testbed.ShopURL+"/"+id), 1)
	a := w.Pay(body)
	if a.StatusCode != http.StatusAccepted {
		t.Fatalf("%d %s", a.StatusCode, a.Body)
	}
	return a.Reference()
}

// orders pays for n things and waits until all have ended.
func orders(t *testing.T, w *testbed.World, n int) (references []string) {
	t.Helper()
	for i := range n {
		references = append(references, order(t, w, fmt.Sprint("ORDER-", time.Now().Unix(), "-", i), "26876123456"))
	}
	time.Sleep(2 * time.Second)
	synctest.Wait()
	return references
}

func endpoint(t *testing.T, w *testbed.World) delivery.Endpoint {
	t.Helper()
	e, err := w.Ledger.Endpoint(t.Context(), w.Shop.ID, shopOrigin, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func state(w *testbed.World, reference string) delivery.State {
	return w.Story(reference).Deliveries[0].State
}

// Three hundred payments, each with a callback path of its own and some with a
// correction, end while their app is down for a day. It then gets every event
// within ten minutes, in order per payment, none again after its 2xx; and the
// day costs no more attempts than the breaker's bound.
func TestADayDown(t *testing.T) { bubble(t, testbed.Options{}, aDayDown) }

func aDayDown(t *testing.T, w *testbed.World) {
	const hours, each, corrections = 24, 12, 12
	up := down(w, webhook.Result{Class: webhook.ClassConnect})
	var all, corrected []string
	for range corrections {
		corrected = append(corrected, order(t, w, fmt.Sprint("CORRECTED-", len(corrected)), mtnstand.Payer(mtnstand.ScriptPending)))
	}
	for hour := range hours {
		all = append(all, orders(t, w, each)...)
		for _, reference := range corrected {
			if status := map[int]string{1: "FAILED", 2: "SUCCESSFUL"}[hour]; status != "" {
				if err := w.Sandbox.SetOutcome(reference, status, "", true); err != nil {
					t.Fatal(err)
				}
			}
		}
		w.Pass(time.Hour - 2*time.Second)
	}
	all = append(all, corrected...)
	events := 0
	for _, reference := range all {
		for _, d := range w.Story(reference).Deliveries {
			events++
			if d.State == delivery.Delivered || d.State == delivery.Exhausted {
				t.Fatalf("%s is %s while the app is down", d.EventID, d.State)
			}
		}
	}
	if events != hours*each+2*corrections {
		t.Fatalf("%d events", events)
	}
	if n, most := len(w.App.Got()), delivery.MaxProbesADay+delivery.OpenAfter+2*(each+corrections); n > most {
		t.Errorf("the day cost %d attempts; bound %d", n, most)
	}

	up()
	back, before := time.Now(), len(w.App.Got())
	w.Pass(10 * time.Minute)
	delivered := map[string]int{}
	last := map[string]int{}
	second := map[int64]int{}
	for _, r := range w.App.Got()[before:] {
		delivered[r.EventID]++
		if r.Content.Sequence < last[r.Content.ReferenceID] {
			t.Errorf("%s: event %d after event %d", r.Content.ReferenceID, r.Content.Sequence, last[r.Content.ReferenceID])
		}
		last[r.Content.ReferenceID] = r.Content.Sequence
		second[r.At.Unix()]++
	}
	for id, n := range delivered {
		if n != 1 {
			t.Errorf("%s came %d times after the app was back", id, n)
		}
	}
	if len(delivered) != events {
		t.Errorf("%d of %d events came within ten minutes", len(delivered), events)
	}
	for at, n := range second {
		// The queue's delays are whole seconds; the second of an event's
		// successor is its own.
		if n > forwarder.DrainRate+2*corrections {
			t.Errorf("%d attempts in second %d", n, at-back.Unix())
		}
	}
	w.Pass(time.Hour)
	if n := len(w.App.Got()) - before; n != events {
		t.Errorf("%d attempts in all, of %d events", n, events)
	}
	if e := endpoint(t, w); e.State != delivery.EndpointClosed || e.Failures != 0 {
		t.Errorf("the endpoint is %s with %d failures", e.State, e.Failures)
	}
	if found, err := w.Ledger.Inbox(t.Context(), ledger.InboxQuery{Kind: ledger.AttentionHeld}, ledger.Paging{Limit: 10}); err != nil || len(found.Items) != 0 {
		t.Errorf("still held: %v, %v", found.Items, err)
	}
	for _, line := range []string{"endpoint.failing", "endpoint.opened", "endpoint.recovered"} {
		if n := strings.Count(w.Log(), `"`+line+`"`); n != 1 {
			t.Errorf("%s was told %d times", line, n)
		}
	}
}

// One app's dead endpoint is nothing to another app.
func TestAnotherAppsEventsGoOn(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		down(w, webhook.Result{Code: 503})
		orders(t, w, 20)
		w.Pass(2 * time.Minute)
		if e := endpoint(t, w); e.State != delivery.EndpointOpen {
			t.Fatalf("it is %s after %d failures", e.State, e.Failures)
		}
		other := due(t, w, "ORDER-1", "x-proxy-api-key", testbed.OtherKey)
		w.Pass(time.Second)
		if got := state(w, other); got != delivery.Delivered {
			t.Errorf("it is %s", got)
		}
	})
}

// An endpoint that never comes back is disabled after five days; its events
// are kept, nothing is sent, and an operator lets them go.
func TestDisabledAfterDays(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		up := down(w, webhook.Result{Class: webhook.ClassTimeout})
		references := orders(t, w, 15)
		w.Pass(delivery.DisableAfter + time.Hour)
		e := endpoint(t, w)
		if e.State != delivery.EndpointDisabled || e.DisabledReason != delivery.DisabledFailing {
			t.Fatalf("it is %s, %q", e.State, e.DisabledReason)
		}
		for _, percent := range []string{"50", "70", "90", "100"} {
			if !strings.Contains(w.Log(), `"percent":`+percent) {
				t.Errorf("nobody was told at %s %%", percent)
			}
		}
		up()
		n := len(w.App.Got())
		references = append(references, orders(t, w, 1)...)
		w.Pass(24 * time.Hour)
		if got := len(w.App.Got()); got != n {
			t.Errorf("%d attempts at a disabled endpoint", got-n)
		}
		last := w.Story(references[15]).Deliveries[0]
		if last.State != delivery.Held || last.HeldReason != delivery.HeldDisabled {
			t.Errorf("a new event is %s, %q", last.State, last.HeldReason)
		}
		if _, err := w.Ledger.ResendDelivery(t.Context(), last, time.Now(), operators()); !errors.Is(err, ledger.ErrEndpointDisabled) {
			t.Errorf("asked for again: %v", err)
		}
		found, err := w.Ledger.Endpoints(t.Context(), w.Shop.ID)
		if err != nil || len(found) != 1 || found[0].Origin != shopOrigin {
			t.Fatalf("%v, %v", found, err)
		}
		if _, err := w.Ledger.SaveEndpoint(t.Context(), found[0].Reopen(ledger.Clock(time.Now())), ledger.Clock(time.Now()), operators()); err != nil {
			t.Fatal(err)
		}
		w.Pass(2 * time.Minute)
		for _, reference := range references {
			if got := state(w, reference); got != delivery.Delivered {
				t.Errorf("%s is %s", reference, got)
			}
		}
		if _, err := w.Ledger.SaveEndpoint(t.Context(), found[0].Reopen(time.Now()), time.Now(), operators()); !errors.Is(err, ledger.ErrStale) {
			t.Errorf("enabled by what was read before: %v", err)
		}
	})
}

// 410 disables at once, whatever came before.
func TestGoneDisables(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		up := down(w, webhook.Result{Code: 410})
		one := due(t, w, "ORDER-1")
		w.Pass(time.Second)
		two := due(t, w, "ORDER-2")
		w.Pass(time.Minute)
		if len(w.App.Got()) != 1 {
			t.Errorf("%d attempts", len(w.App.Got()))
		}
		up()
		if _, err := w.Ledger.SaveEndpoint(t.Context(), endpoint(t, w).Reopen(ledger.Clock(time.Now())), ledger.Clock(time.Now()), operators()); err != nil {
			t.Fatal(err)
		}
		w.Pass(2 * time.Minute)
		if state(w, one) != delivery.Delivered || state(w, two) != delivery.Delivered {
			t.Errorf("%s, %s", state(w, one), state(w, two))
		}
	})
}

// 410 from a payment's own URL ends that payment's event at once. The endpoint
// stays closed, and what else goes to the same host is delivered.
func TestGoneForOnePayment(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		w.App.Answer(func(_ int, r testbed.Received) webhook.Result {
			if strings.HasSuffix(r.URL, "/GONE") {
				return webhook.Result{Code: 410}
			}
			return webhook.Result{Code: 200}
		})
		gone, other, plain := order(t, w, "GONE", "26876123456"), order(t, w, "OTHER", "26876123456"), due(t, w, "PLAIN")
		w.Pass(24 * time.Hour)
		if d := w.Story(gone).Deliveries[0]; d.State != delivery.Exhausted || d.HeldReason != "" || d.Attempts != 1 || d.Last().Code != 410 {
			t.Errorf("%+v", d)
		}
		for _, reference := range []string{other, plain} {
			if got := state(w, reference); got != delivery.Delivered {
				t.Errorf("%s is %s", reference, got)
			}
		}
		if e, err := w.Ledger.Endpoint(t.Context(), w.Shop.ID, shopOrigin, time.Now()); err != nil || e.State != delivery.EndpointClosed {
			t.Errorf("the endpoint is %s, %v", e.State, err)
		}
		if len(w.App.About(gone)) != 1 || !strings.Contains(w.Log(), "delivery.exhausted") {
			t.Errorf("%d attempts; log %s", len(w.App.About(gone)), w.Log())
		}
	})
}

// 410 from a payment's own URL to a probe ends that event and shows that the
// endpoint answers: the rest goes out.
func TestGoneForOnePaymentAnswersAProbe(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		down(w, webhook.Result{Code: 502})
		references := orders(t, w, 12)
		w.Pass(time.Hour)
		if e := endpoint(t, w); e.State != delivery.EndpointOpen {
			t.Fatalf("it is %s", e.State)
		}
		first := true
		w.App.Answer(func(int, testbed.Received) webhook.Result {
			if first {
				first = false
				return webhook.Result{Code: 410}
			}
			return webhook.Result{Code: 200}
		})
		w.Pass(20 * time.Minute)
		states := map[delivery.State]int{}
		for _, reference := range references {
			states[state(w, reference)]++
		}
		if diff := cmp.Diff(map[delivery.State]int{delivery.Exhausted: 1, delivery.Delivered: 11}, states); diff != "" {
			t.Error(diff)
		}
	})
}

// One event that the app can never take does not keep its endpoint shut.
func TestAPoisonedEventDoesNotKeepTheCircuitOpen(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		up, poison := false, ""
		w.App.Answer(func(_ int, r testbed.Received) webhook.Result {
			if !up || r.Content.ReferenceID == poison {
				return webhook.Result{Code: 500}
			}
			return webhook.Result{Code: 200}
		})
		references := orders(t, w, 12)
		w.Pass(time.Hour)
		poison = references[0]
		up = true
		w.Pass(15 * time.Minute)
		for _, reference := range references[1:] {
			if got := state(w, reference); got != delivery.Delivered {
				t.Errorf("%s is %s", reference, got)
			}
		}
		passBeside(t, w, 5*24*time.Hour)
		if got := state(w, poison); got != delivery.Exhausted {
			t.Errorf("the poisoned one is %s", got)
		}
		if e := endpoint(t, w); e.State != delivery.EndpointClosed {
			t.Errorf("the endpoint is %s", e.State)
		}
	})
}

// An app that is down for a day gets its events within ten minutes after that,
// even if it has only one; and so is one that answers 404 from Friday evening
// to Monday morning, because its path is wrong.
func TestADayDownWithFewEvents(t *testing.T) {
	for _, events := range []int{1, 2, 3} {
		for outage, answer := range map[time.Duration]webhook.Result{
			90 * time.Minute: {Code: 502}, 23 * time.Hour: {Class: webhook.ClassConnect}, 24 * time.Hour: {Code: 503},
			62 * time.Hour: {Code: 404},
		} {
			t.Run(fmt.Sprint(events, ", ", outage), func(t *testing.T) {
				bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
					up := down(w, answer)
					references := orders(t, w, events)
					w.Pass(outage)
					up()
					w.Pass(10 * time.Minute)
					for _, reference := range references {
						if got := state(w, reference); got != delivery.Delivered {
							t.Errorf("%s is %s, the endpoint is %s", reference, got, endpoint(t, w).State)
						}
					}
				})
			})
		}
	}
}

// An app that can never take one event, and is sent another now and then, gets
// each of those within ten minutes.
func TestAPoisonedEventAlone(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		poison := due(t, w, "POISON")
		but(w, &poison, webhook.Result{Code: 500})
		for n := range 8 {
			w.Pass(24 * time.Hour)
			reference := due(t, w, fmt.Sprint("ORDER-", n))
			w.Pass(10 * time.Minute)
			if got := state(w, reference); got != delivery.Delivered {
				t.Errorf("day %d: it is %s", n+1, got)
			}
		}
		if got := state(w, poison); got != delivery.Exhausted {
			t.Errorf("the poisoned one is %s", got)
		}
	})
}

// The circuit is open with nothing to probe with. A week later one probe
// fails: nobody has shown that the app was dead meanwhile.
func TestOneProbeDoesNotDisable(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		now := ledger.Clock(time.Now())
		e, err := w.Ledger.Endpoint(t.Context(), w.Shop.ID, shopOrigin, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		e.State, e.Failures, e.FailingSince, e.OpenedAt, e.ProbeAt = delivery.EndpointOpen, delivery.OpenAfter, now, now, now
		if _, err := w.Ledger.SaveEndpoint(t.Context(), e, now); err != nil {
			t.Fatal(err)
		}
		w.Pass(7 * 24 * time.Hour)
		if e := endpoint(t, w); e.State != delivery.EndpointOpen {
			t.Fatalf("it is %s", e.State)
		}
		up := down(w, webhook.Result{Code: 503})
		reference := due(t, w, "ORDER-3")
		w.Pass(6 * time.Minute)
		if e := endpoint(t, w); e.State != delivery.EndpointOpen || e.Probes == 0 || e.NotifiedPercent != 0 {
			t.Errorf("it is %s after %d probes, told %d", e.State, e.Probes, e.NotifiedPercent)
		}
		up()
		w.Pass(10 * time.Minute)
		if got := state(w, reference); got != delivery.Delivered {
			t.Errorf("it is %s", got)
		}
	})
}

// What is held goes to the app's new URL when it has one.
func TestHeldEventsFollowTheApp(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		const moved = "https://new.shop.example.com/momo"
		down(w, webhook.Result{Class: webhook.ClassConnect})
		var references []string
		for i := range 12 {
			references = append(references, due(t, w, fmt.Sprint("ORDER-", i)))
		}
		w.Pass(time.Hour)
		w.App.Add(moved, testbed.ShopKey, testbed.ShopSecret)
		client, err := w.Ledger.Client(t.Context(), w.Shop.ID)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Ledger.ChangeClient(t.Context(), client, ledger.ClientChange{CallbackURL: new(moved)}); err != nil {
			t.Fatal(err)
		}
		w.Pass(10 * time.Minute)
		for _, reference := range references {
			if got := state(w, reference); got != delivery.Delivered {
				t.Errorf("%s is %s", reference, got)
			}
		}
	})
}

// An attempt that somebody asked for stands beside the schedule and the
// breaker.
func TestManualAttempts(t *testing.T) {
	resend := func(t *testing.T, w *testbed.World, reference string) error {
		t.Helper()
		d, err := w.Ledger.ResendDelivery(t.Context(), w.Story(reference).Deliveries[0], ledger.Clock(time.Now()), operators())
		if err == nil {
			err = w.Forwarder.Doorbell.Ring(t.Context(), d)
		}
		return err
	}
	for name, c := range map[string]struct {
		first  webhook.Result // what the event has met before
		pass   time.Duration
		state  delivery.State
		answer webhook.Result // to the manual attempt
		after  delivery.State
	}{
		"delivered, fails":     {webhook.Result{Code: 200}, time.Second, delivery.Delivered, webhook.Result{Code: 500}, delivery.Delivered},
		"delivered, succeeds":  {webhook.Result{Code: 200}, time.Second, delivery.Delivered, webhook.Result{Code: 204}, delivery.Delivered},
		"exhausted, fails":     {webhook.Result{Code: 404, Control: "abort-message"}, time.Hour, delivery.Exhausted, webhook.Result{Code: 404}, delivery.Exhausted},
		"exhausted, succeeds":  {webhook.Result{Code: 404, Control: "abort-message"}, time.Hour, delivery.Exhausted, webhook.Result{Code: 200}, delivery.Delivered},
		"due later, fails":     {webhook.Result{Code: 500}, 30 * time.Minute, delivery.Due, webhook.Result{Code: 500}, delivery.Due},
		"due later, succeeds":  {webhook.Result{Code: 500}, 30 * time.Minute, delivery.Due, webhook.Result{Code: 200}, delivery.Delivered},
		"due later, our fault": {webhook.Result{Code: 500}, 30 * time.Minute, delivery.Due, webhook.Result{Class: webhook.ClassDNSOurs}, delivery.Due},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
				w.App.Answer(func(int, testbed.Received) webhook.Result { return c.first })
				reference := due(t, w, "ORDER-1")
				w.Pass(c.pass)
				before := w.Story(reference).Deliveries[0]
				if before.State != c.state {
					t.Fatalf("it is %s", before.State)
				}
				w.App.Answer(func(int, testbed.Received) webhook.Result { return c.answer })
				n := len(w.App.Got())
				if err := resend(t, w, reference); err != nil {
					t.Fatal(err)
				}
				if err := resend(t, w, reference); !errors.Is(err, delivery.ErrUnderway) {
					t.Errorf("asked for twice: %v", err)
				}
				w.Pass(5 * time.Second)
				story := w.Story(reference)
				after, last := story.Deliveries[0], story.Attempts[len(story.Attempts)-1]
				if after.State != c.after || after.Attempts != before.Attempts || !after.RequestedAt.IsZero() || after.ResentAt.IsZero() {
					t.Errorf("it was %+v, it is %+v", before, after)
				}
				if c.after == before.State && (!after.NextAttemptAt.Equal(before.NextAttemptAt) || !after.DeliveredAt.Equal(before.DeliveredAt)) {
					t.Errorf("its times were %s, %s; they are %s, %s", before.NextAttemptAt, before.DeliveredAt, after.NextAttemptAt, after.DeliveredAt)
				}
				if len(w.App.Got()) != n+1 || last.Cause != delivery.CauseManual {
					t.Errorf("%d attempts more, the last on record %s", len(w.App.Got())-n, last.Cause)
				}
			})
		})
	}

	t.Run("while the circuit is open", func(t *testing.T) {
		bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
			up := down(w, webhook.Result{Code: 500})
			references := orders(t, w, 12)
			w.Pass(10 * time.Minute)
			i := slices.IndexFunc(references, func(r string) bool { return state(w, r) == delivery.Held })
			if err := resend(t, w, references[i]); err != nil {
				t.Fatal(err)
			}
			w.Pass(time.Second)
			if got := state(w, references[i]); got != delivery.Held {
				t.Errorf("it failed and is %s", got)
			}
			up()
			if err := resend(t, w, references[i]); err != nil {
				t.Fatal(err)
			}
			w.Pass(time.Second)
			if got := state(w, references[i]); got != delivery.Delivered {
				t.Errorf("it succeeded and is %s", got)
			}
			w.Pass(3 * time.Minute) // it has shown that the endpoint is back
			for _, reference := range references {
				if got := state(w, reference); got != delivery.Delivered {
					t.Errorf("%s is %s", reference, got)
				}
			}
		})
	})
}

// An event is not held by what was read before its endpoint came back: nobody
// would let it go.
func TestHoldingIsFencedByTheEndpoint(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		reference := due(t, w, "ORDER-1")
		open, err := w.Ledger.SaveEndpoint(t.Context(), delivery.Endpoint{
			ClientID: w.Shop.ID, Origin: shopOrigin, State: delivery.EndpointOpen, OpenedAt: time.Now(), ProbeAt: time.Now(),
		}, time.Now()) // and this process remembers it
		if err != nil {
			t.Fatal(err)
		}
		elsewhere := ledger.New(w.Memory, w.Ring, ledger.Options{})
		if _, err := elsewhere.SaveEndpoint(t.Context(), open.Reopen(time.Now()), time.Now(), operators()); err != nil {
			t.Fatal(err)
		}
		if failed := ring(w, bell(reference, 1)); len(failed) != 0 || state(w, reference) != delivery.Delivered {
			t.Errorf("failed %v, it is %s", failed, state(w, reference))
		}
		if d := w.Story(reference).Deliveries[0]; d.EventID != payment.EventID(reference, 1) {
			t.Errorf("%+v", d)
		}
	})
}

// A correction that comes when the endpoint is back does not overtake what is
// still held for it.
func TestACorrectionDoesNotOvertakeWhatIsHeld(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		up := down(w, webhook.Result{Code: 500})
		reference := order(t, w, "ORDER-1", mtnstand.Payer(mtnstand.ScriptPending))
		orders(t, w, 15)
		w.Pass(2 * time.Minute)
		end := func(status string) {
			t.Helper()
			if err := w.Sandbox.SetOutcome(reference, status, "", true); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
			synctest.Wait()
		}
		end("FAILED")
		ring(w, bell(reference, 1))
		if got := state(w, reference); got != delivery.Held {
			t.Fatalf("the first is %s", got)
		}
		up()
		if _, err := w.Ledger.SaveEndpoint(t.Context(), endpoint(t, w).Reopen(ledger.Clock(time.Now())), ledger.Clock(time.Now()), operators()); err != nil {
			t.Fatal(err)
		}
		end("SUCCESSFUL")
		ring(w, bell(reference, 2))
		w.Pass(5 * time.Minute)
		var order []int
		for _, r := range w.App.About(reference) {
			order = append(order, r.Content.Sequence)
		}
		if !slices.Equal(order, []int{1, 2}) {
			t.Errorf("told in the order %v", order)
		}
	})
}

// One batch makes a bounded number of attempts at once, and all of them.
func TestBatchIsBounded(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		var at, most, made atomic.Int64
		references := orders(t, w, 150)
		for range 10 { // the provider answers so many questions a second
			time.Sleep(time.Minute)
			w.Reconcile(t.Context())
		}
		w.App.Answer(func(int, testbed.Received) webhook.Result {
			n := at.Add(1)
			for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
			}
			time.Sleep(900 * time.Millisecond) // of one that waits longer, the rest is put off
			at.Add(-1)
			made.Add(1)
			return webhook.Result{Code: 200}
		})
		var bells []string
		for _, reference := range references {
			bells = append(bells, bell(reference, 1))
		}
		if failed := ring(w, bells...); len(failed) != 0 {
			t.Errorf("failed: %v", failed)
		}
		if made.Load() != 150 || most.Load() != 64 {
			t.Errorf("%d attempts, %d at once", made.Load(), most.Load())
		}
	})
}
