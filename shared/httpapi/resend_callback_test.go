package httpapi_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"momoproxy/infra/testbed"
	"momoproxy/shared/delivery"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
	"momoproxy/shared/webhook"
)

// factura is the body of a payment whose success is followed by an invoice.
func factura(externalID string) string {
	return fmt.Sprintf(`{"provider":"mom-factura","method":"reference","amount":"15000.00","externalId":%q}`, externalID)
}

// An app that took the invoice and refused the success before it learns so,
// and gets the success by asking.
func TestResendBehindAnInvoice(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		w.App.Answer(func(_ int, r testbed.Received) webhook.Result {
			if strings.Contains(r.Body, "invoice.created") {
				return webhook.Result{Code: 200}
			}
			return webhook.Result{Code: 404, Control: "abort-message"}
		})
		ref := is(t, w.Pay(factura("ORDER-1")), 202, "").Reference()
		w.Pass(time.Hour)
		states := ""
		for _, d := range w.Story(ref).Deliveries {
			states += fmt.Sprintf("%s %s ", d.Event, d.State)
		}
		if states != "payment.successful exhausted invoice.created delivered " {
			t.Fatal(states)
		}
		for _, a := range []testbed.Answer{w.Ask(ref, testbed.ShopKey), own(t, w, timelineRoute, ref, testbed.ShopKey)} {
			if a.Fields["callbackForwarded"] != false {
				t.Errorf("the app has not got its success: %s", a.Body)
			}
		}
		w.App.Answer(nil)
		for _, event := range []string{"payment.successful", "invoice.created"} { // then the latest
			a := is(t, own(t, w, resendRoute, ref, testbed.ShopKey), 202, "")
			if a.Text("event") != event {
				t.Errorf("resent %s; want %s", a.Text("event"), event)
			}
			w.Pass(time.Minute)
			if got := w.App.About(ref); !strings.Contains(got[len(got)-1].Body, event) {
				t.Errorf("the app got %s", got[len(got)-1].Body)
			}
		}
		if a := w.Ask(ref, testbed.ShopKey); a.Fields["callbackForwarded"] != true {
			t.Errorf("%s", a.Body)
		}
	})
}

// Whatever stands in front, a 202 means that an attempt is made.
func TestResendIsAlwaysSent(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		w.App.Answer(func(int, testbed.Received) webhook.Result { return webhook.Result{Code: 500} })
		var refs []string
		for i := range 3 {
			refs = append(refs, is(t, w.Pay(factura(fmt.Sprint("ORDER-", i))), 202, "").Reference())
			w.Pass(20 * time.Second)
		}
		sent := 0
		for _, pass := range []time.Duration{time.Minute, 10 * time.Minute, 2 * time.Hour, 10 * time.Hour} {
			w.Pass(pass)
			for _, ref := range refs {
				before := manual(w, ref)
				a := own(t, w, resendRoute, ref, testbed.ShopKey)
				w.Pass(20 * time.Second)
				made := manual(w, ref) - before
				if a.StatusCode == 202 {
					sent++
				}
				if (a.StatusCode == 202) != (made == 1) {
					t.Errorf("after %v: %d, and %d attempts: %s", pass, a.StatusCode, made, a.Body)
				}
				if n := a.Fields["sequence"]; a.StatusCode == 202 && n != float64(1) {
					t.Errorf("event %v was sent before the first", n)
				}
			}
		}
		if sent == 0 {
			t.Error("nothing was sent")
		}
	})
}

// manual counts the attempts that somebody asked for.
func manual(w *testbed.World, reference string) int {
	n := 0
	for _, d := range w.Story(reference).Deliveries {
		n += d.Resends
	}
	return n
}

// An ending that was given up and has been corrected since is not sent after
// its correction.
func TestResendPassesOverWhatIsOvertaken(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		ref := is(t, w.Pay(factura("ORDER-1")), 202, "").Reference()
		w.Pass(time.Hour)
		first := w.Story(ref).Deliveries[0]
		first.State, first.Event = delivery.Exhausted, payment.EventFailed
		if _, err := w.Ledger.SaveDelivery(t.Context(), first); err != nil {
			t.Fatal(err)
		}
		second := w.Story(ref).Deliveries[1]
		second.Event = payment.EventSuccessful
		if _, err := w.Ledger.SaveDelivery(t.Context(), second); err != nil {
			t.Fatal(err)
		}
		if a := is(t, own(t, w, resendRoute, ref, testbed.ShopKey), 202, ""); a.Text("event") != "payment.successful" {
			t.Errorf("%s", a.Body)
		}
	})
}

// An app that was dead for a weekend may ask for its callback however often
// it was probed meanwhile, and can read its timeline.
func TestProbesUseUpNothing(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		page := strings.Repeat("<p>Bad gateway é</p>\n", 200)[:4096]
		w.App.Answer(func(int, testbed.Received) webhook.Result { return webhook.Result{Code: 502, Excerpt: page} })
		var refs []string
		for i := range 2 {
			refs = append(refs, is(t, w.Pay(testbed.Order(fmt.Sprint("ORDER-", i), good)), 202, "").Reference())
		}
		w.Pass(64 * time.Hour)
		most := 0.0
		for _, ref := range refs {
			a := is(t, own(t, w, timelineRoute, ref, testbed.ShopKey), 200, "")
			if len(a.Body) > 64<<10 {
				t.Errorf("a timeline of %d bytes", len(a.Body))
			}
			event := a.Fields["events"].([]any)[0].(map[string]any)
			attempts := event["attempts"].([]any)
			count := event["attemptCount"].(float64)
			last := attempts[len(attempts)-1].(map[string]any)
			if last["number"] != count || len(last["excerpt"].(string)) < 1000 || float64(len(attempts)) != min(count, float64(delivery.KeptAttempts)) {
				t.Errorf("%d of %v attempts; the last: %v", len(attempts), count, last["number"])
			}
			if short := attempts[0].(map[string]any)["excerpt"].(string); len(attempts) == delivery.KeptAttempts && (len(short) > 110 || last["cause"] != "probe") {
				t.Errorf("an old excerpt of %d bytes; cause %v", len(short), last["cause"])
			}
			most = max(most, count)
		}
		if most < 300 {
			t.Errorf("at most %v attempts: nobody was probed", most)
		}
		w.App.Answer(nil)
		w.Pass(time.Hour)
		for _, ref := range refs {
			is(t, own(t, w, resendRoute, ref, testbed.ShopKey), 202, "")
		}
	})
}

// An event that had nowhere to go is released by a resend, and then has its
// whole schedule, as the answer says.
func TestResendOfAnEventWithoutURL(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		setURL(t, w, "")
		ref := is(t, w.Pay(testbed.Order("ORDER-1", good)), 202, "").Reference()
		w.Pass(time.Minute)
		setURL(t, w, testbed.ShopURL)
		w.App.Answer(func(n int, _ testbed.Received) webhook.Result {
			if n == 1 {
				return webhook.Result{Code: 500}
			}
			return webhook.Result{Code: 200}
		})
		golden(t, "payments/resend-202-held", noReferences(is(t, own(t, w, resendRoute, ref, testbed.ShopKey), 202, "").Body))
		w.Pass(time.Minute)
		if n, d := len(w.App.About(ref)), w.Story(ref).Deliveries[0]; n != 2 || d.State != delivery.Delivered {
			t.Errorf("%d callbacks; it is %s", n, d.State)
		}
	})
}

func setURL(t *testing.T, w *testbed.World, url string) {
	t.Helper()
	shop, err := w.Ledger.Client(t.Context(), w.Shop.ID)
	if err == nil {
		err = w.Ledger.ChangeClient(t.Context(), shop, ledger.ClientChange{CallbackURL: new(url)})
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestResentTooOften(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		ref := is(t, w.Pay(testbed.Order("ORDER-1", good)), 202, "").Reference()
		w.Pass(time.Minute)
		for range 200 {
			is(t, own(t, w, resendRoute, ref, testbed.ShopKey), 202, "")
			w.Pass(11 * time.Second)
		}
		golden(t, "error/409-resent-too-often", noReferences(is(t, own(t, w, resendRoute, ref, testbed.ShopKey), 409, "resent_too_often").Body))
		if n := len(w.App.About(ref)); n != 201 {
			t.Errorf("the app got %d callbacks", n)
		}
	})
}
