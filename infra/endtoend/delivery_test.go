package endtoend

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"momoproxy/shared/delivery"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
	"momoproxy/shared/webhook"
)

// testDelivery takes the doorbells from the queue to the forwarder and the
// callbacks to the app.
func testDelivery(t *testing.T, w *world, references []string) {
	batch := w.receive(t, len(references), time.Minute)
	response, err := w.parts.Forwarder().Handle(t.Context(), batch.Event)
	if err != nil {
		t.Fatal(err)
	}
	if failed := w.settle(t, batch, response); len(failed) > 0 {
		t.Errorf("failed: %v", failed)
	}
	for _, reference := range references {
		w.checkDelivered(t, reference, payment.EventSuccessful)
		got := w.api(t, "status", event(t, "status/known", "7d0f5b0e-6c1e-4b0a-9a57-2f0f3f3b1c55", reference))
		if got.Body["callbackForwarded"] != true {
			t.Errorf("status after delivery: %s", got.Text)
		}
	}
	if waiting, dead := w.waiting(t); waiting != 0 || dead != 0 {
		t.Errorf("%d messages and %d dead letters are left", waiting, dead)
	}
}

// checkDelivered demands one verified callback of each of these events, in
// order, and a story and an audit trail that show them.
func (w *world) checkDelivered(t *testing.T, reference string, announced ...payment.Event) {
	t.Helper()
	s := w.story(t, reference)
	got := w.app.about(reference)
	if len(got) != len(announced) || len(s.Deliveries) != len(announced) || len(s.Attempts) != len(announced) {
		t.Fatalf("the app got %+v; deliveries %+v, attempts %+v", got, s.Deliveries, s.Attempts)
	}
	for i, n := range got {
		if n.Fault != nil || n.Event != string(announced[i]) || n.Status != string(s.Payment.Status) || n.Sequence != i+1 || n.EventID != payment.EventID(reference, i+1) {
			t.Errorf("the app got %+v, not %s", n, announced[i])
		}
		if s.Deliveries[i].State != delivery.Delivered || s.Attempts[i].Code != 200 {
			t.Errorf("delivery %+v, attempt %+v", s.Deliveries[i], s.Attempts[i])
		}
	}
	trail, err := w.ledger.AuditTrail(t.Context(), reference)
	if err != nil {
		t.Fatal(err)
	}
	var directions []ledger.Direction
	for _, a := range trail {
		directions = append(directions, a.Direction)
	}
	for _, d := range []ledger.Direction{ledger.InboundFromApp, ledger.OutboundToProvider, ledger.OutboundToApp} {
		if !slices.Contains(directions, d) {
			t.Errorf("no %s in the audit trail of %s: %v", d, reference, directions)
		}
	}
}

// testFailedMessage lets the table fail for one of two messages: the batch
// reports that one alone, and it comes again and is finished.
func testFailedMessage(t *testing.T, w *world) {
	good, bad := w.pay(t, "BATCH-GOOD", "26876123456", otherKey), w.pay(t, "BATCH-BAD", "26876123456", otherKey)
	w.awaitCallbacks(t, good, bad)
	w.recorder.setSabotage(func(function string, body []byte) bool {
		return function == "forwarder" && bytes.Contains(body, []byte(bad))
	})
	batch := w.receive(t, 2, 4*time.Second)
	var response events.SQSEventResponse
	if err := w.processes["forwarder"].call(t.Context(), batch.Event, &response); err != nil {
		t.Fatal(err)
	}
	w.recorder.setSabotage(nil)
	failed := w.settle(t, batch, response)
	var want []string
	for _, m := range batch.Event.Records {
		if strings.Contains(m.Body, bad) {
			want = append(want, m.MessageId)
		}
	}
	if !slices.Equal(failed, want) {
		t.Fatalf("failed: %v, want %v", failed, want)
	}
	if n := len(w.story(t, good).Attempts); n != 1 {
		t.Errorf("%d attempts for the message that did not fail", n)
	}
	// The refused attempt of the good one rings again on its own schedule:
	// take what comes until the failed one does.
	for came := false; !came; {
		batch = w.receive(t, 1, time.Minute)
		came = batch.Event.Records[0].MessageId == want[0]
		if came && batch.Event.Records[0].Attributes["ApproximateReceiveCount"] != "2" {
			t.Errorf("received %s times", batch.Event.Records[0].Attributes["ApproximateReceiveCount"])
		}
		if err := w.processes["forwarder"].call(t.Context(), batch.Event, &response); err != nil {
			t.Fatal(err)
		}
		if failed := w.settle(t, batch, response); len(failed) > 0 {
			t.Fatalf("failed again: %v", failed)
		}
	}
	if n := len(w.story(t, bad).Attempts); n != 1 {
		t.Errorf("%d attempts once the table was back", n)
	}
}

// testLoopbackRefused: the deployed forwarder sends nothing to this machine,
// whatever the client's callback URL says. An address that only DNS shows to
// be a private one is refused when connecting; that takes a name server and
// is proved by the tests of shared/webhook.
func testLoopbackRefused(t *testing.T, w *world) {
	reference := w.pay(t, "LOOPBACK", "26876123456", otherKey)
	w.awaitCallbacks(t, reference)
	w.deployedForwardUntil(t, reference)
	s := w.story(t, reference)
	if len(s.Attempts) != 1 || s.Attempts[0].Code != 0 || !slices.Contains([]string{string(webhook.ClassURL), string(webhook.ClassRefused)}, s.Attempts[0].Error) {
		t.Errorf("attempts %+v", s.Attempts)
	}
	if d := s.Deliveries[0]; d.State != delivery.Due || d.NextAttemptAt.IsZero() {
		t.Errorf("the delivery is not kept for another try: %+v", d)
	}
	if got := w.app.about(reference); len(got) > 0 {
		t.Errorf("it was sent: %+v", got)
	}
	if s.Payment.Status != payment.Successful {
		t.Errorf("the payment is %s", s.Payment.Status)
	}
}

// testLostDoorbell: a delivery whose message never came is rung for again.
func testLostDoorbell(t *testing.T, w *world) {
	reference := w.pay(t, "DOORBELL-LOST", "26876123456", appKey)
	w.awaitCallbacks(t, reference)
	for {
		batch := w.receive(t, 1, time.Minute)
		w.settle(t, batch, events.SQSEventResponse{}) // lost
		if strings.Contains(batch.Event.Records[0].Body, reference) {
			break
		}
	}
	d := w.story(t, reference).Deliveries[0]
	d.NextAttemptAt = ledger.Clock(time.Now().Add(-time.Minute))
	if _, err := w.ledger.SaveDelivery(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	w.reconcile(t)
	w.forwardUntil(t, reference)
	w.checkDelivered(t, reference, payment.EventSuccessful)
}
