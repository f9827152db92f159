package httpapi_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"momoproxy/infra/testbed"
	"momoproxy/shared/httpapi"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
)

// The payment that the events speak of, as events/README.md says.
const (
	eventKey       = "APP_CHANGE_THIS"
	eventReference = "7d0f5b0e-6c1e-4b0a-9a57-2f0f3f3b1c55"
	eventToken     = "kq1VZr0mT0yWq2c8oE6r3Q"
)

// eventAnswers is what each file under events/ is answered; the reconciler
// and the forwarder answer nothing, and are asked below what they did.
var eventAnswers = map[string]struct {
	status int
	code   string
}{
	"request-to-pay/accepted":                 {202, ""},
	"request-to-pay/accepted-base64-body":     {202, ""},
	"request-to-pay/accepted-idempotency-key": {202, ""},
	"request-to-pay/mom-factura-reference":    {202, ""},
	"request-to-pay/mom-factura-mcx":          {202, ""},
	"request-to-pay/momentpay-link":           {202, ""},
	"request-to-pay/malformed-json":           {400, "malformed_json"},
	"request-to-pay/missing-key":              {401, "unauthorized"},
	"request-to-pay/unknown-key":              {401, "unauthorized"},
	"request-to-pay/wrong-content-type":       {415, "unsupported_content_type"},
	"request-to-pay/validation-failed":        {422, "validation_failed"},
	"status/known":                            {200, ""},
	"status/missing-key":                      {401, "unauthorized"},
	"status/unknown":                          {404, "not_found"},
	"status/check-payer":                      {200, ""},
	"status/providers":                        {200, ""},
	"health/get":                              {200, ""},
	"health/head":                             {200, ""},
	"health/openapi":                          {200, ""},
	"health/unknown-route":                    {404, "route_not_found"},
	"health/trailing-slash":                   {404, "route_not_found"},
	"health/wrong-method":                     {405, "method_not_allowed"},
	"payments/list":                           {200, ""},
	"payments/events":                         {200, ""},
	"payments/events-test":                    {202, ""},
	"payments/list-of-one-order":              {200, ""},
	"payments/list-bad-query":                 {422, "validation_failed"},
	"payments/missing-key":                    {401, "unauthorized"},
	"payments/timeline":                       {200, ""},
	"payments/refunds":                        {200, ""},
	"payments/refund-unknown":                 {404, "refund_not_found"},
	"refunds/not-paid":                        {409, "payment_not_successful"},
	"refunds/validation-failed":               {422, "validation_failed"},
	"refunds/missing-key":                     {401, "unauthorized"},
	"payments/timeline-unknown":               {404, "not_found"},
	"payments/resend-callback":                {409, "no_event_yet"},
	"mtn-callback/post-bare":                  {200, ""},
	"mtn-callback/post-bare-base64-body":      {200, ""},
	"mtn-callback/post-bare-unknown-status":   {200, ""},
	"mtn-callback/post-with-token":            {200, ""},
	"mtn-callback/post-with-token-empty-body": {200, ""},
	"mtn-callback/put-bare":                   {200, ""},
	"mtn-callback/put-with-token":             {200, ""},
	"mom-factura-webhook/payment-confirmed":   {200, ""},
	"mom-factura-webhook/invoice-created":     {200, ""},
	"mom-factura-webhook/cancelled":           {200, ""},
	"mom-factura-webhook/failed":              {200, ""},
	"mom-factura-webhook/error":               {200, ""},
	"mom-factura-webhook/status-as-number":    {200, ""},
	"mom-factura-webhook/wrong-token":         {200, ""},
	"mom-factura-webhook/unreadable":          {200, ""},
	"momentpay-webhook/unsigned":              {401, "bad_signature"},
	"momentpay-webhook/stale-signature":       {401, "bad_signature"},
	"momentpay-webhook/forged-signature":      {401, "bad_signature"},
	"forwarder/batch":                         {},
	"forwarder/unreadable-message":            {},
	"reconciler/schedule":                     {},
}

func TestEvents(t *testing.T) {
	files, err := filepath.Glob("../../events/*/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no events; %v", err)
	}
	named := map[string]bool{}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(filepath.Dir(file))+"/"+filepath.Base(file), ".json")
		named[name] = true
		want, ok := eventAnswers[name]
		if !ok {
			t.Errorf("%s has no test", file)
			continue
		}
		t.Run(name, func(t *testing.T) {
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			bubble(t, testbed.Options{Currency: "EUR"}, func(t *testing.T, w *testbed.World) {
				eventPayment(t, w)
				switch function, _, _ := strings.Cut(name, "/"); function {
				case "forwarder":
					feedForwarder(t, w, source, name)
				case "reconciler":
					feedReconciler(t, w, source)
				default:
					feedHandler(t, w, source, name, want.status, want.code)
				}
			})
		})
	}
	for name := range eventAnswers {
		if !named[name] {
			t.Errorf("events/%s.json is not there", name)
		}
	}
}

// eventPayment makes the demo app's client and the payment of the events,
// which MTN has accepted.
func eventPayment(t *testing.T, w *testbed.World) {
	t.Helper()
	ctx := context.Background()
	client := ledger.Client{ID: "cli_00000000000000000001", Name: "Demo app", CallbackURL: testbed.ShopURL, Active: true,
		CreatedAt: ledger.Clock(time.Now()), APIKey: eventKey, SigningSecrets: []string{testbed.ShopSecret},
		RefundsPerDay: []payment.Money{{Minor: 100_000, Currency: "EUR"}}}
	if _, err := w.Ledger.CreateClient(ctx, client); err != nil {
		t.Fatal(err)
	}
	w.App.Add(testbed.ShopURL, eventKey, testbed.ShopSecret)
	now := ledger.Clock(time.Now())
	p := ledger.Payment{Payment: payment.Payment{
		Reference: eventReference, ClientID: client.ID, ExternalID: "EVENT-CALLBACK", Provider: "mtn",
		Amount: payment.Money{Minor: 15000, Currency: "EUR"}, Payer: good, Status: payment.Pending, Phase: payment.PhaseSubmitting,
		CreatedAt: now, UpdatedAt: now, SubmitDeadline: now.Add(30 * time.Second), NextCheckAt: now.Add(10 * time.Second),
	}, CallbackTokenHash: tokenHash(eventToken)}
	if _, err := w.Ledger.Create(ctx, p); err != nil {
		t.Fatal(err)
	}
	if told := w.MTN.Submit(ctx, p.Payment, testbed.PublicURL+"/callback/"+eventReference+"/"+eventToken); told.Evidence.Verdict != payment.SaysAccepted {
		t.Fatalf("MTN said %+v", told.Evidence)
	}
}

func feedHandler(t *testing.T, w *testbed.World, source []byte, name string, status int, code string) {
	t.Helper()
	var r httpapi.Request
	if err := json.Unmarshal(source, &r); err != nil {
		t.Fatal(err)
	}
	if strings.HasPrefix(name, "mtn-callback/") {
		time.Sleep(10 * time.Second) // the payer has approved
	}
	a := is(t, w.Call(context.Background(), r), status, code)
	switch {
	case name == "request-to-pay/accepted-idempotency-key":
		if again := is(t, w.Call(context.Background(), r), 202, ""); again.Body != a.Body || again.Headers["idempotent-replayed"] != "true" {
			t.Errorf("the second time %v %s", again.Headers, again.Body)
		}
	case name == "request-to-pay/mom-factura-reference":
		if i, _ := a.Fields["instructions"].(map[string]any); i["entity"] == nil || i["referenceNumber"] == nil || a.Fields["providerIds"] == nil {
			t.Errorf("nothing to pay with: %s", a.Body)
		}
	case name == "request-to-pay/mom-factura-mcx" && a.Text("status") != "SUCCESSFUL":
		t.Errorf("%s", a.Body)
	case name == "request-to-pay/momentpay-link":
		if i, _ := a.Fields["instructions"].(map[string]any); i["link"] == nil {
			t.Errorf("nothing to pay with: %s", a.Body)
		}
	case name == "request-to-pay/validation-failed":
		f := faults(t, a)
		if f["amount"] == "" || f["externalID"] == "" || f["payer.partyId"] == "" {
			t.Errorf("%v", f)
		}
	case name == "payments/list-of-one-order":
		if list, _ := a.Fields["payments"].([]any); len(list) != 1 || a.Fields["nextCursor"] != nil {
			t.Errorf("%s", a.Body)
		}
	case name == "payments/list-bad-query":
		if f := faults(t, a); f["limit"] == "" || f["stauts"] == "" {
			t.Errorf("%v", f)
		}
	case name == "refunds/validation-failed":
		if f := faults(t, a); f["refundId"] == "" || f["amount"] == "" || f["reason"] == "" {
			t.Errorf("%v", f)
		}
	case name == "payments/timeline" && a.Reference() != eventReference:
		t.Errorf("%s", a.Body)
	case name == "status/known" && a.Reference() != eventReference:
		t.Errorf("%s", a.Body)
	case strings.HasPrefix(name, "mom-factura-webhook/"):
		received(t, name, a)
		if n := len(w.App.Got()); n != 0 || w.Status(eventReference) != payment.Pending {
			t.Errorf("a webhook about nobody's payment: %d callbacks", n)
		}
	case strings.HasPrefix(name, "mtn-callback/"):
		received(t, name, a)
		w.Pass(time.Minute)
		if w.Status(eventReference) != payment.Successful { // MTN's own word, whatever the callback said
			t.Errorf("%s", w.Status(eventReference))
		}
		if len(inbound(w, eventReference))+unmatched(t, w) == 0 {
			t.Error("the callback is not in the audit log")
		}
	}
}

func feedForwarder(t *testing.T, w *testbed.World, source []byte, name string) {
	t.Helper()
	time.Sleep(11 * time.Second)
	w.Reconcile(context.Background()) // the payment ends; its event is due
	var batch events.SQSEvent
	if err := json.Unmarshal(source, &batch); err != nil {
		t.Fatal(err)
	}
	response, err := w.Forwarder.Handle(context.Background(), batch)
	if err != nil {
		t.Fatal(err)
	}
	switch name {
	case "forwarder/batch":
		if got := w.App.Got(); len(response.BatchItemFailures) != 0 || len(got) != 1 || got[0].Content.ReferenceID != eventReference {
			t.Errorf("failures %v; the app received %v", response.BatchItemFailures, got)
		}
	case "forwarder/unreadable-message":
		// Reported, so that it ends among the dead letters and not unseen.
		if fmt.Sprint(response.BatchItemFailures) != "[{"+batch.Records[0].MessageId+"}]" {
			t.Errorf("failures %v", response.BatchItemFailures)
		}
	}
}

func feedReconciler(t *testing.T, w *testbed.World, source []byte) {
	t.Helper()
	var e events.EventBridgeEvent
	if err := json.Unmarshal(source, &e); err != nil {
		t.Fatal(err)
	}
	time.Sleep(11 * time.Second)
	if err := w.Gateway.OnSchedule(context.Background(), nil); err != nil {
		t.Fatal(err)
	}
	if w.Status(eventReference) != payment.Successful {
		t.Errorf("%s", w.Status(eventReference))
	}
}

func tokenHash(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:16])
}
