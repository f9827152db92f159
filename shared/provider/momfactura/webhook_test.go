package momfactura_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
	"momoproxy/shared/provider/momfactura"
)

func parser(t testing.TB) *momfactura.Provider {
	t.Helper()
	p, err := momfactura.New(momfactura.Config{BaseURL: "https://api.momenu.online", APIKey: apiKey, WebhookToken: webhookToken}, http.DefaultClient, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestWebhooks is the table from body to meaning.
func TestWebhooks(t *testing.T) {
	t.Parallel()
	p := parser(t)
	const invoice = "https://invoice-momenu.toquemedia.net/invoices/1"
	for _, c := range []struct {
		name, body string
		verdict    payment.Verdict
		code       string
		kind       string
		ids        []string
		invoice    string
	}{
		{"confirmed", `{"event":"payment.confirmed","merchantTransactionId":"abc","ekwanzaTransactionId":"EKZ4","operationStatus":"1","operationData":{}}`, payment.SaysSuccessful, "payment.confirmed", "payment.confirmed", []string{"abc", "EKZ4"}, ""},
		{"invoice", `{"event":"invoice.created","merchantTransactionId":"abc","operationStatus":"1","invoiceUrl":"` + invoice + `"}`, payment.SaysSuccessful, "invoice.created", "invoice.created", []string{"abc"}, invoice},
		{"invoice by http", `{"event":"invoice.created","merchantTransactionId":"abc","invoiceUrl":"http://x.example"}`, payment.SaysSuccessful, "invoice.created", "invoice.created", []string{"abc"}, ""},
		{"older event", `{"event":"payment.paid","transactionId":"abc"}`, payment.SaysSuccessful, "payment.paid", "payment.paid", []string{"abc"}, ""},
		{"paid without event", `{"merchantTransactionId":"abc","operationStatus":"1"}`, payment.SaysSuccessful, "1", "", []string{"abc"}, ""},
		{"paid without event, number", `{"merchantTransactionId":12,"ekwanzaTransactionId":34,"operationStatus":1}`, payment.SaysSuccessful, "1", "", []string{"12", "34"}, ""},
		{"cancelled", `{"merchantTransactionId":"abc","operationStatus":"3"}`, payment.SaysCancelled, "3", "", []string{"abc"}, ""},
		{"cancelled, number", `{"merchantTransactionId":"abc","operationStatus":3}`, payment.SaysCancelled, "3", "", []string{"abc"}, ""},
		{"failed", `{"merchantTransactionId":"abc","operationStatus":"4"}`, payment.SaysFailed, "4", "", []string{"abc"}, ""},
		{"error stays open", `{"merchantTransactionId":"abc","operationStatus":"5"}`, payment.SaysUnrecognised, "5", "", []string{"abc"}, ""},
		{"undocumented", `{"merchantTransactionId":"abc","operationStatus":"2"}`, payment.SaysUnrecognised, "2", "", []string{"abc"}, ""},
		{"one point nought is no one", `{"merchantTransactionId":"abc","operationStatus":1.0}`, payment.SaysUnrecognised, "1.0", "", []string{"abc"}, ""},
		{"unknown event", `{"event":"payment.refunded","merchantTransactionId":"abc","operationStatus":"1"}`, payment.SaysUnrecognised, "1", "payment.refunded", []string{"abc"}, ""},
		{"event against status", `{"event":"payment.confirmed","merchantTransactionId":"abc","operationStatus":"4"}`, payment.SaysUnrecognised, "4", "payment.confirmed", []string{"abc"}, ""},
		{"ids alone", `{"merchantTransactionId":"abc"}`, payment.SaysNothing, "", "", []string{"abc"}, ""},
		{"every id, in order, once", `{"ekwanzaTransactionId":"7","referenceNumber":"6","operationCode":"5","code":"4","transactionId":"3","operationId":"2","merchantTransactionId":"1","operationStatus":"1","operationData":{"transactionId":"8","code":"7"}}`, payment.SaysSuccessful, "1", "", []string{"1", "2", "3", "4", "5", "6", "7", "8"}, ""},
		{"an app's own ids are none", `{"event":"payment.confirmed","externalId":"ORDER-1","referenceId":"3f0c1f0a-6a52-4d0e-8d5e-0a1b2c3d4e5f","reference":"ORDER-1"}`, payment.SaysSuccessful, "payment.confirmed", "payment.confirmed", nil, ""},
		{"ids that are none", `{"merchantTransactionId":{"a":1},"operationId":["x"],"transactionId":true,"code":"","referenceNumber":"a\u0000b","ekwanzaTransactionId":"` + strings.Repeat("x", 201) + `","operationStatus":"1"}`, payment.SaysSuccessful, "1", "", nil, ""},
		{"byte order mark", "\xef\xbb\xbf" + `{"merchantTransactionId":"abc","operationStatus":"1"}`, payment.SaysSuccessful, "1", "", []string{"abc"}, ""},
	} {
		at := time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC)
		got, err := p.ParseCallback(provider.Inbound{Token: webhookToken, Body: []byte(c.body), At: at})
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		want := provider.Callback{
			ProviderIDs: c.ids, Standing: provider.Known, Type: c.kind,
			Evidence: payment.Evidence{
				Source: payment.FromCallback, Verdict: c.verdict, Code: c.code, Reason: got.Evidence.Reason, At: at,
				Particulars: payment.Particulars{InvoiceURL: c.invoice},
			},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got)\n%s", c.name, diff)
		}
	}
}

// TestStanding: the token, whole, and nothing else.
func TestStanding(t *testing.T) {
	t.Parallel()
	body := []byte(`{"merchantTransactionId":"abc","operationStatus":"1"}`)
	unset, err := momfactura.New(momfactura.Config{BaseURL: "https://api.momenu.online", APIKey: apiKey}, http.DefaultClient, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		p     *momfactura.Provider
		token string
		want  provider.Standing
	}{
		{parser(t), webhookToken, provider.Known},
		{parser(t), "", provider.Anonymous},
		{parser(t), webhookToken[:len(webhookToken)-1], provider.Anonymous},
		{parser(t), webhookToken + "x", provider.Anonymous},
		{parser(t), strings.ToUpper(webhookToken), provider.Anonymous},
		{unset, "", provider.Anonymous},
		{unset, webhookToken, provider.Anonymous},
	} {
		got, err := c.p.ParseCallback(provider.Inbound{Token: c.token, Body: body, At: time.Now()})
		if err != nil || got.Standing != c.want || got.Evidence.Source != payment.FromCallback {
			t.Errorf("token %q: %+v, %v", c.token, got, err)
		}
		bad, err := c.p.ParseCallback(provider.Inbound{Token: c.token, Body: []byte("<html>"), At: time.Now()})
		if !errors.Is(err, provider.ErrCallback) || bad.Standing != c.want {
			t.Errorf("unreadable, token %q: %+v, %v", c.token, bad, err)
		}
	}
	// A header that an older page speaks of changes nothing, right or wrong.
	signed, err := parser(t).ParseCallback(provider.Inbound{Body: body, At: time.Now(), Header: func(string) string { return "deadbeef" }})
	if err != nil || signed.Standing != provider.Anonymous {
		t.Errorf("%+v, %v", signed, err)
	}
}

// TestAWebhookEndsNothing: whatever it says, from any sender, it is only
// a reason to ask, and its ids and invoice are not taken over.
func TestAWebhookEndsNothing(t *testing.T) {
	t.Parallel()
	p := parser(t)
	for _, status := range []string{"1", "3", "4", "5", "2"} {
		for _, event := range []string{"", `"event":"payment.confirmed",`, `"event":"invoice.created","invoiceUrl":"https://x.example/1",`} {
			c, err := p.ParseCallback(provider.Inbound{Token: webhookToken, At: time.Now(),
				Body: []byte(`{` + event + `"merchantTransactionId":"tx-1","operationStatus":"` + status + `"}`)})
			if err != nil {
				t.Fatal(err)
			}
			pay := newPayment("reference")
			d := payment.Decide(pay, c.Evidence, p.Capabilities().Method("reference").Policy)
			if d.Changed || !d.Confirm {
				t.Errorf("event %s status %s: %+v", event, status, d)
			}
		}
	}
}
