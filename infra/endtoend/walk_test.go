package endtoend

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"momoproxy/infra/sandbox"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
	"momoproxy/shared/webhook"
)

// TestDeployedShape walks payments through the deployed functions, one step
// after another.
func TestDeployedShape(t *testing.T) {
	w := newWorld(t)
	if ok := t.Run("health", func(t *testing.T) { testHealth(t, w) }); !ok {
		t.Fatal("the system is not up")
	}
	for name, p := range w.processes {
		if p.ready > 0 {
			t.Logf("%-19s asked for work %d ms after its start", name, p.ready.Milliseconds())
		}
	}
	t.Run("events", func(t *testing.T) { testEveryEvent(t, w) })
	var paid []string
	if ok := t.Run("request to pay", func(t *testing.T) { paid = testRequestToPay(t, w) }); !ok {
		t.Fatal("nothing to go on with")
	}
	t.Run("status", func(t *testing.T) { testStatus(t, w, paid) })
	t.Run("delivery", func(t *testing.T) { testDelivery(t, w, paid) })
	t.Run("through the front", func(t *testing.T) { testThroughTheFront(t, w) })
	t.Run("failed message comes again", func(t *testing.T) { testFailedMessage(t, w) })
	t.Run("loopback is refused", func(t *testing.T) { testLoopbackRefused(t, w) })
	t.Run("reconciliation", func(t *testing.T) { testReconciliation(t, w) })
	t.Run("lost doorbell", func(t *testing.T) { testLostDoorbell(t, w) })

	t.Run("failed payment", func(t *testing.T) { testFailedPayment(t, w) })
	t.Run("held delivery", func(t *testing.T) { testHeldDelivery(t, w) })
	t.Run("Mom Factura", func(t *testing.T) { testMomFactura(t, w) })
	t.Run("MomentPay", func(t *testing.T) { testMomentPay(t, w) })
	t.Run("payments", func(t *testing.T) { testPayments(t, w, paid) })

	t.Run("policies", func(t *testing.T) { checkPolicies(t, w.stack, w.recorder) })
	t.Run("provider not enabled", func(t *testing.T) { testNotEnabled(t, w) })
	t.Run("output", func(t *testing.T) { testOutput(t, w) })
	w.store.verify(t)

	t.Run("refused starts", func(t *testing.T) { testRefusedStarts(t, w) })
}

func testHealth(t *testing.T, w *world) {
	got := w.api(t, "status", event(t, "status/health"))
	if got.Code != 200 || got.Body["table"] != "ok" || got.Body["queue"] != "ok" || got.Body["version"] != "e2e" {
		t.Errorf("%d %s", got.Code, got.Text)
	}
}

// testEveryEvent hands each file under events/ that starts no payment to its
// function's binary and expects what events/README.md says.
func testEveryEvent(t *testing.T, w *world) {
	for _, c := range []struct {
		event string
		code  int
		error string
	}{
		{"request-to-pay/malformed-json", 400, "malformed_json"},
		{"request-to-pay/missing-key", 401, "unauthorized"},
		{"request-to-pay/unknown-key", 401, "unauthorized"},
		{"request-to-pay/wrong-content-type", 415, "unsupported_content_type"},
		{"request-to-pay/validation-failed", 422, "validation_failed"},
		{"status/missing-key", 401, "unauthorized"},
		{"status/unknown", 404, "not_found"},
		{"status/known", 404, "not_found"},
		{"payments/missing-key", 401, "unauthorized"},
		{"payments/list-bad-query", 422, "validation_failed"},
		{"payments/timeline", 404, "not_found"},
		{"payments/timeline-unknown", 404, "not_found"},
		{"payments/resend-callback", 404, "not_found"},
	} {
		function, _, _ := strings.Cut(c.event, "/")
		if got := w.api(t, function, event(t, c.event)); got.Code != c.code || got.Body["code"] != c.error {
			t.Errorf("%s: %d %s", c.event, got.Code, got.Text)
		}
	}

	// The payment that the callback events speak of: MTN does not know it,
	// so nothing they claim may be believed.
	now, tokenHash := ledger.Clock(time.Now()), sha256.Sum256([]byte("kq1VZr0mT0yWq2c8oE6r3Q"))
	open := ledger.Payment{
		Payment: payment.Payment{
			Reference: "7d0f5b0e-6c1e-4b0a-9a57-2f0f3f3b1c55", ClientID: "cli_00000000000000000001", ExternalID: "EVENT-CALLBACK",
			Provider: "mtn", Amount: payment.Money{Minor: 15000, Currency: "EUR"}, Payer: "26876123456",
			Status: payment.Pending, Phase: payment.PhaseAwaitingPayer, CreatedAt: now, UpdatedAt: now, Accepted: true,
		},
		CallbackTokenHash: hex.EncodeToString(tokenHash[:]),
	}
	if _, err := w.ledger.Create(t.Context(), open); err != nil {
		t.Fatal(err)
	}
	for _, function := range []string{"mtn-callback", "mom-factura-webhook"} {
		for _, name := range eventsOf(t, function) {
			if got := w.api(t, function, event(t, name)); got.Code != 200 || got.Text != `{"received":true}` {
				t.Errorf("%s: %d %s", name, got.Code, got.Text)
			}
		}
	}
	for _, name := range eventsOf(t, "momentpay-webhook") {
		if got := w.api(t, "momentpay-webhook", event(t, name)); got.Code != 401 || got.Body["code"] != "bad_signature" {
			t.Errorf("%s: %d %s", name, got.Code, got.Text)
		}
	}
	if p := w.story(t, open.Reference).Payment; !p.Open() {
		t.Errorf("hand-made callbacks ended a payment: %s", p.Status)
	}

	var batch events.SQSEventResponse
	if err := w.processes["forwarder"].call(t.Context(), event(t, "forwarder/batch"), &batch); err != nil || len(batch.BatchItemFailures) > 0 {
		t.Errorf("forwarder/batch: %v, %v", batch.BatchItemFailures, err)
	}
	if err := w.processes["forwarder"].call(t.Context(), event(t, "forwarder/unreadable-message"), &batch); err != nil {
		t.Errorf("forwarder/unreadable-message: %v", err)
	}
	if err := w.processes["reconciler"].call(t.Context(), event(t, "reconciler/schedule"), nil); err != nil {
		t.Errorf("reconciler/schedule: %v", err)
	}
}

// eventsOf names a function's files under events/.
func eventsOf(t *testing.T, function string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, "events", function, "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no events for %s: %v", function, err)
	}
	for i, file := range files {
		files[i] = function + "/" + strings.TrimSuffix(filepath.Base(file), ".json")
	}
	return files
}

// testRequestToPay starts the payments of the events and waits until MTN has
// called back about each.
func testRequestToPay(t *testing.T, w *world) (references []string) {
	for _, name := range []string{"accepted", "accepted-base64-body", "accepted-idempotency-key"} {
		got := w.api(t, "request-to-pay", event(t, "request-to-pay/"+name))
		if got.Code != 202 || got.Body["status"] != "PENDING" || got.reference() == "" {
			t.Fatalf("%s: %d %s", name, got.Code, got.Text)
		}
		references = append(references, got.reference())
	}
	again := w.api(t, "request-to-pay", event(t, "request-to-pay/accepted-idempotency-key"))
	if again.Code != 202 || again.reference() != references[2] || again.Headers["idempotent-replayed"] != "true" {
		t.Errorf("a repeat under the same key: %d %s %v", again.Code, again.Text, again.Headers)
	}
	taken := w.api(t, "request-to-pay", event(t, "request-to-pay/accepted"))
	if taken.Code != 409 || taken.reference() != references[0] {
		t.Errorf("the same external id: %d %s", taken.Code, taken.Text)
	}
	w.awaitCallbacks(t, references...)
	for _, reference := range references {
		if entry, _ := w.sandbox.Payment(reference); entry.Asks != 1 || entry.Charges != 1 {
			t.Errorf("MTN was asked %d times about %s and charged %d times", entry.Asks, reference, entry.Charges)
		}
	}
	return references
}

func testStatus(t *testing.T, w *world, references []string) {
	const known = "7d0f5b0e-6c1e-4b0a-9a57-2f0f3f3b1c55"
	for _, reference := range references {
		got := w.api(t, "status", event(t, "status/known", known, reference))
		if got.Code != 200 || got.Body["status"] != "SUCCESSFUL" || got.Body["amount"] != 150.0 || got.Body["financialTxId"] == nil || got.Body["callbackForwarded"] != false {
			t.Errorf("%d %s", got.Code, got.Text)
		}
	}
	if got := w.api(t, "status", event(t, "status/known", known, references[0], appKey, otherKey)); got.Code != 403 {
		t.Errorf("another app's payment: %d %s", got.Code, got.Text)
	}
}

// testDelivery takes the doorbells from the queue to the forwarder and the
// callbacks to the app.
func testDelivery(t *testing.T, w *world, references []string) {
	batch, receipts := w.receive(t, len(references), time.Minute)
	response, err := w.parts.Forwarder().Handle(t.Context(), batch)
	if err != nil {
		t.Fatal(err)
	}
	if failed := w.settle(t, response, receipts); len(failed) > 0 {
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
// order, and a story and an audit trail that tell of them.
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
		if s.Deliveries[i].State != ledger.DeliveryDelivered || s.Attempts[i].Code != 200 {
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
	for _, d := range []ledger.Direction{ledger.InboundFromApp, ledger.OutboundToMTN, ledger.OutboundToApp} {
		if !slices.Contains(directions, d) {
			t.Errorf("no %s in the audit trail of %s: %v", d, reference, directions)
		}
	}
}

// pay starts a payment from the accepted event with another order and payer.
func (w *world) pay(t *testing.T, order, payer, key string) string {
	t.Helper()
	got := w.api(t, "request-to-pay", event(t, "request-to-pay/accepted", "EVENT-ACCEPTED", order, "26876123456", payer, appKey, key))
	if got.Code != 202 {
		t.Fatalf("%s: %d %s", order, got.Code, got.Text)
	}
	return got.reference()
}

// ask starts a payment from a body, as the app with this key.
func (w *world) ask(t *testing.T, key string, body map[string]any) answer {
	t.Helper()
	var e events.APIGatewayV2HTTPRequest
	if err := json.Unmarshal(event(t, "request-to-pay/accepted", appKey, key), &e); err != nil {
		t.Fatal(err)
	}
	e.Body = object(t, body)
	text, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	return w.api(t, "request-to-pay", text)
}

// testThroughTheFront does the same over HTTP, as an app would.
func testThroughTheFront(t *testing.T, w *world) {
	body := `{"amount":"12.50","externalId":"FRONT-1","payer":{"partyIdType":"MSISDN","partyId":"26876123456"}}`
	code, text := w.http(t, "POST", "/request-to-pay", body)
	var accepted struct{ ReferenceID string }
	if err := json.Unmarshal([]byte(text), &accepted); err != nil || code != 202 {
		t.Fatalf("%d %s", code, text)
	}
	w.awaitCallbacks(t, accepted.ReferenceID)
	if code, text := w.http(t, "GET", "/status/"+accepted.ReferenceID, ""); code != 200 || !strings.Contains(text, `"status":"SUCCESSFUL"`) {
		t.Errorf("%d %s", code, text)
	}
	if code, text := w.http(t, "GET", "/nothing", ""); code != 404 || text != `{"message":"Not Found"}` {
		t.Errorf("%d %s", code, text)
	}
	w.forwardUntil(t, accepted.ReferenceID)
	w.checkDelivered(t, accepted.ReferenceID, payment.EventSuccessful)
}

func (w *world) http(t *testing.T, method, path, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, w.front+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Proxy-Api-Key", appKey)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

// testFailedMessage lets the table fail for one of two messages: the batch
// reports that one alone, and it comes again and is finished.
func testFailedMessage(t *testing.T, w *world) {
	good, bad := w.pay(t, "BATCH-GOOD", "26876123456", otherKey), w.pay(t, "BATCH-BAD", "26876123456", otherKey)
	w.awaitCallbacks(t, good, bad)
	w.recorder.setSabotage(func(function string, body []byte) bool {
		return function == "forwarder" && bytes.Contains(body, []byte(bad))
	})
	batch, receipts := w.receive(t, 2, 4*time.Second)
	var response events.SQSEventResponse
	if err := w.processes["forwarder"].call(t.Context(), batch, &response); err != nil {
		t.Fatal(err)
	}
	w.recorder.setSabotage(nil)
	failed := w.settle(t, response, receipts)
	var want []string
	for _, m := range batch.Records {
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
		batch, receipts = w.receive(t, 1, time.Minute)
		came = batch.Records[0].MessageId == want[0]
		if came && batch.Records[0].Attributes["ApproximateReceiveCount"] != "2" {
			t.Errorf("received %s times", batch.Records[0].Attributes["ApproximateReceiveCount"])
		}
		if err := w.processes["forwarder"].call(t.Context(), batch, &response); err != nil {
			t.Fatal(err)
		}
		if failed := w.settle(t, response, receipts); len(failed) > 0 {
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
	if d := s.Deliveries[0]; d.State != ledger.DeliveryDue || d.NextAttemptAt.IsZero() {
		t.Errorf("the delivery is not kept for another try: %+v", d)
	}
	if got := w.app.about(reference); len(got) > 0 {
		t.Errorf("it was sent: %+v", got)
	}
	if s.Payment.Status != payment.Successful {
		t.Errorf("the payment is %s", s.Payment.Status)
	}
}

// testReconciliation: a payment whose callback is lost ends by the schedule,
// once.
func testReconciliation(t *testing.T, w *world) {
	reference := w.pay(t, "CALLBACK-LOST", sandbox.Payer("callback_lost"), appKey)
	w.until(t, "MTN to end it", func() bool {
		entry, _ := w.sandbox.Payment(reference)
		return entry.Ended
	})
	w.bringForward(t, reference)
	w.reconcile(t)
	if p := w.story(t, reference).Payment; p.Status != payment.Successful || p.EndedBy != payment.FromStatus || p.Sequence != 1 {
		t.Fatalf("%s by %s, sequence %d", p.Status, p.EndedBy, p.Sequence)
	}
	w.forwardUntil(t, reference)
	w.checkDelivered(t, reference, payment.EventSuccessful)

	before := w.story(t, reference)
	asked, _ := w.sandbox.Payment(reference)
	w.reconcile(t)
	after := w.story(t, reference)
	again, _ := w.sandbox.Payment(reference)
	if fmt.Sprint(after) != fmt.Sprint(before) || again.GETs != asked.GETs || len(w.app.about(reference)) != 1 {
		t.Errorf("a second run changed something:\n%+v\n%+v", before, after)
	}
}

// bringForward makes a payment's next check due instead of waiting for it, as
// if a minute had passed since the last one.
func (w *world) bringForward(t *testing.T, reference string) {
	t.Helper()
	p := w.story(t, reference).Payment
	if p.NextCheckAt.IsZero() {
		t.Fatalf("%s, and no next check", p.Status)
	}
	p.NextCheckAt = ledger.Clock(time.Now().Add(-time.Second))
	if !p.CheckedAt.IsZero() {
		p.CheckedAt = p.CheckedAt.Add(-time.Minute)
	}
	if _, err := w.ledger.ClaimCheck(t.Context(), p); err != nil {
		t.Fatal(err)
	}
}

// reconcile is one run of the schedule.
func (w *world) reconcile(t *testing.T) {
	t.Helper()
	if err := w.processes["reconciler"].call(t.Context(), event(t, "reconciler/schedule"), nil); err != nil {
		t.Fatal(err)
	}
}

// testFailedPayment: what the payer refuses ends FAILED, whoever finds it
// out, and its external id can be used again.
func testFailedPayment(t *testing.T, w *world) {
	reference := w.pay(t, "REFUSED-BY-PAYER", sandbox.Payer("failed_approval_rejected"), appKey)
	w.awaitCallbacks(t, reference)
	w.forwardUntil(t, reference)
	w.checkDelivered(t, reference, payment.EventFailed)
	if p := w.story(t, reference).Payment; p.Reason != "APPROVAL_REJECTED" {
		t.Errorf("reason %q", p.Reason)
	}
	for name, find := range map[string]func(reference string){
		"STATUS": func(reference string) {
			got := w.api(t, "status", event(t, "status/known", "7d0f5b0e-6c1e-4b0a-9a57-2f0f3f3b1c55", reference))
			if got.Code != 200 || got.Body["status"] != "FAILED" || got.Body["failureReason"] != "EXPIRED" {
				t.Errorf("%d %s", got.Code, got.Text)
			}
		},
		"RECONCILER": func(reference string) {
			w.bringForward(t, reference)
			w.reconcile(t)
		},
	} {
		silent := w.pay(t, "REFUSED-FOUND-BY-"+name, sandbox.Payer(sandbox.PlanPending), appKey)
		if err := w.sandbox.SetOutcome(silent, "FAILED", "EXPIRED", false); err != nil {
			t.Fatal(err)
		}
		find(silent)
		w.forwardUntil(t, silent)
		w.checkDelivered(t, silent, payment.EventFailed)
	}
	again := w.pay(t, "REFUSED-BY-PAYER", "26876123456", appKey)
	w.awaitCallbacks(t, again)
	w.forwardUntil(t, again)
	w.checkDelivered(t, again, payment.EventSuccessful)
}

// testLostDoorbell: a delivery whose message never came is rung for again.
func testLostDoorbell(t *testing.T, w *world) {
	reference := w.pay(t, "DOORBELL-LOST", "26876123456", appKey)
	w.awaitCallbacks(t, reference)
	for {
		batch, receipts := w.receive(t, 1, time.Minute)
		w.settle(t, events.SQSEventResponse{}, receipts) // lost
		if strings.Contains(batch.Records[0].Body, reference) {
			break
		}
	}
	d := w.story(t, reference).Deliveries[0]
	d.NextAttemptAt = ledger.Clock(time.Now().Add(-time.Minute))
	if _, err := w.ledger.PutDelivery(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	w.reconcile(t)
	w.forwardUntil(t, reference)
	w.checkDelivered(t, reference, payment.EventSuccessful)
}

// forwardUntil hands the queue's messages, one by one, to the forwarder that
// may deliver to this machine, until one about this payment is done. Messages
// about others, due again on their own schedules, may come between.
func (w *world) forwardUntil(t *testing.T, reference string) {
	t.Helper()
	for {
		batch, receipts := w.receive(t, 1, time.Minute)
		response, err := w.parts.Forwarder().Handle(t.Context(), batch)
		if err != nil {
			t.Fatal(err)
		}
		w.settle(t, response, receipts)
		if strings.Contains(batch.Records[0].Body, reference) {
			return
		}
	}
}

// deployedForwardUntil is forwardUntil with the deployed forwarder.
func (w *world) deployedForwardUntil(t *testing.T, reference string) {
	t.Helper()
	for {
		batch, receipts := w.receive(t, 1, time.Minute)
		var response events.SQSEventResponse
		if err := w.processes["forwarder"].call(t.Context(), batch, &response); err != nil {
			t.Fatal(err)
		}
		w.settle(t, response, receipts)
		if strings.Contains(batch.Records[0].Body, reference) {
			return
		}
	}
}

// until asks again and again until something outside this process is so.
func (w *world) until(t *testing.T, what string, so func() bool) {
	t.Helper()
	tick, late := time.NewTicker(20*time.Millisecond), time.NewTimer(patience)
	defer tick.Stop()
	defer late.Stop()
	for !so() {
		select {
		case <-tick.C:
		case <-late.C:
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// topLevelNames counts the names of a JSON object's own fields.
func topLevelNames(object string) int {
	d := json.NewDecoder(strings.NewReader(object))
	depth, n, name := 0, 0, false
	for {
		token, err := d.Token()
		if err != nil {
			return n
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			depth++
			name = depth == 1
			continue
		case json.Delim('}'), json.Delim(']'):
			depth--
			name = depth == 1
			continue
		}
		if depth == 1 {
			if name {
				n++
			}
			name = !name
		}
	}
}

// testOutput: whatever a function printed is JSON, line by line, and no
// secret is in it.
func testOutput(t *testing.T, w *world) {
	for name, p := range w.processes {
		printed := p.output.String()
		for what, secret := range w.secrets {
			if strings.Contains(printed, secret) {
				t.Errorf("%s printed %s", name, what)
			}
		}
		lines := strings.Split(strings.TrimSpace(printed), "\n")
		for _, line := range lines {
			if line == "" {
				continue
			}
			var fields map[string]json.RawMessage
			if err := json.Unmarshal([]byte(line), &fields); err != nil {
				t.Errorf("%s printed a line that is not a JSON object: %s", name, line)
			} else if n := topLevelNames(line); n != len(fields) {
				t.Errorf("%s printed a line that names a field twice: %s", name, line)
			}
		}
		if p.initFail != "" {
			t.Errorf("%s failed to start: %s", name, p.initFail)
		}
		t.Logf("%-19s printed %d lines", name, len(lines))
	}
}
