package momfactura_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"momoproxy/infra/standin/core"
	facturastand "momoproxy/infra/standin/momfactura"
	"momoproxy/shared/payment"
	"momoproxy/shared/provider/momfactura"
)

// TestStatusAnswers is the table from answer to evidence; nesting and words
// of both of the provider's pages.
func TestStatusAnswers(t *testing.T) {
	t.Parallel()
	const html = "<html>nginx</html>"
	nested := func(word string) string { return `{"success":true,"payment":{"status":"` + word + `","message":"m"}}` }
	flat := func(word string) string { return `{"success":true,"status":"` + word + `","operationCode":"OP1"}` }
	type want struct {
		verdict payment.Verdict
		code    string
	}
	for _, c := range []struct {
		name string
		code int
		body string
		want want
	}{
		{"pending", 200, nested("pending"), want{payment.SaysPending, "pending"}},
		{"open", 200, nested("open"), want{payment.SaysPending, "open"}},
		{"paid", 200, nested("paid"), want{payment.SaysSuccessful, "paid"}},
		{"capitals", 200, nested("PAID"), want{payment.SaysSuccessful, "PAID"}},
		{"cancelled", 200, nested("cancelled"), want{payment.SaysCancelled, "cancelled"}},
		{"canceled", 200, nested("canceled"), want{payment.SaysCancelled, "canceled"}},
		{"expired", 200, nested("expired"), want{payment.SaysCancelled, "expired"}},
		{"failed", 200, nested("failed"), want{payment.SaysFailed, "failed"}},
		{"rejected", 200, nested("rejected"), want{payment.SaysFailed, "rejected"}},
		{"refused", 200, nested("refused"), want{payment.SaysFailed, "refused"}},
		{"error", 200, nested("error"), want{payment.SaysUnrecognised, "error"}},
		{"unknown", 200, nested("ON_HOLD"), want{payment.SaysUnrecognised, "ON_HOLD"}},
		{"flat pending", 200, flat("pending"), want{payment.SaysPending, "pending"}},
		{"flat paid", 200, flat("paid"), want{payment.SaysSuccessful, "paid"}},
		{"flat cancelled", 200, flat("cancelled"), want{payment.SaysCancelled, "cancelled"}},
		{"both agree", 200, `{"success":true,"status":"open","payment":{"status":"pending"}}`, want{payment.SaysPending, "pending"}},
		{"both disagree", 200, `{"success":true,"status":"paid","payment":{"status":"pending"}}`, want{payment.SaysUnrecognised, "pending"}},
		{"the outer word is of the request", 200, `{"success":true,"status":"ok","payment":{"status":"paid"}}`, want{payment.SaysSuccessful, "paid"}},
		{"the outer number is of the request", 200, `{"success":true,"status":200,"payment":{"status":"paid"}}`, want{payment.SaysSuccessful, "paid"}},
		{"this operation", 200, `{"success":true,"operationId":"op-1","payment":{"status":"paid"}}`, want{payment.SaysSuccessful, "paid"}},
		{"another operation", 200, `{"success":true,"operationId":"op-2","payment":{"status":"paid"}}`, want{payment.SaysNothing, "WRONG_PAYMENT"}},
		{"another operation within", 200, `{"success":true,"payment":{"status":"paid","operationId":"op-2"}}`, want{payment.SaysNothing, "WRONG_PAYMENT"}},
		{"the bank's own transaction", 200, `{"success":true,"payment":{"status":"paid","transactionId":"bank-9"},"code":"OK"}`, want{payment.SaysSuccessful, "paid"}},

		{"no word", 200, `{"success":true,"payment":{}}`, want{payment.SaysNothing, "HTTP_200"}},
		{"no success", 200, `{"payment":{"status":"paid"}}`, want{payment.SaysNothing, "HTTP_200"}},
		{"success as text", 200, `{"success":"true","payment":{"status":"paid"}}`, want{payment.SaysNothing, "HTTP_200"}},
		{"paid, but not a 200", 202, nested("paid"), want{payment.SaysNothing, "HTTP_202"}},
		{"paid and false", 200, `{"success":false,"payment":{"status":"paid"}}`, want{payment.SaysNothing, "HTTP_200"}},
		{"a key twice", 200, `{"success":true,"status":"failed","status":"paid"}`, want{payment.SaysNothing, "HTTP_200"}},
		{"a key twice within", 200, `{"success":true,"payment":{"status":"failed","status":"paid"}}`, want{payment.SaysNothing, "HTTP_200"}},
		{"page", 200, html, want{payment.SaysNothing, "HTTP_200"}},
		{"key", 401, `{"success":false,"error":"e","code":"INVALID_API_KEY"}`, want{payment.SaysNothing, "INVALID_API_KEY"}},
		{"domain", 403, `{"success":false,"error":"e","code":"DOMAIN_NOT_ALLOWED"}`, want{payment.SaysNothing, "DOMAIN_NOT_ALLOWED"}},
		{"too many", 429, `{"success":false,"error":"e","code":"RATE_LIMIT_EXCEEDED"}`, want{payment.SaysNothing, "REQUEST_LIMIT_SPENT"}},
		{"a payer's code ends nothing here", 402, `{"success":false,"error":"e","code":"INSUFFICIENT_BALANCE"}`, want{payment.SaysNothing, "INSUFFICIENT_BALANCE"}},
		{"internal", 500, `{"success":false,"error":"e","code":"INTERNAL_ERROR"}`, want{payment.SaysNothing, "INTERNAL_ERROR"}},
		{"forgotten", 404, `{"success":false,"error":"e","code":"PAYMENT_NOT_FOUND"}`, want{payment.SaysNotFound, "PAYMENT_NOT_FOUND"}},
		{"forgotten, not a 404", 500, `{"success":false,"error":"e","code":"PAYMENT_NOT_FOUND"}`, want{payment.SaysNothing, "PAYMENT_NOT_FOUND"}},
		{"no invoice", 404, `{"success":false,"error":"e","code":"INVOICE_NOT_FOUND"}`, want{payment.SaysNothing, "INVOICE_NOT_FOUND"}},
		{"a gateway's 404", 404, `{"code":"PAYMENT_NOT_FOUND"}`, want{payment.SaysNothing, "PAYMENT_NOT_FOUND"}},
		{"404 page", 404, html, want{payment.SaysNothing, "HTTP_404"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := canned(t, c.code, c.body)
			pay := newPayment("reference")
			pay.IDs = map[string]string{"operationId": "op-1", "transactionId": "tx-1"}
			e := p.Status(t.Context(), pay).Evidence
			if got := (want{e.Verdict, e.Code}); got != c.want {
				t.Errorf("%+v (%s), want %+v", got, e.Reason, c.want)
			}
			if e.Verdict == payment.SaysSuccessful && e.FinancialTransactionID != "tx-1" {
				t.Errorf("transaction %q", e.FinancialTransactionID)
			}
		})
	}
}

// TestStatusQuestion: where is asked, and with which of the ids.
func TestStatusQuestion(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, method string
		ids          map[string]string
		want         string // empty: nothing is asked
		verdict      payment.Verdict
	}{
		{"reference", "reference", map[string]string{"operationId": "op/1 ?"}, "/api/payment/reference/status/op%2F1%20%3F", payment.SaysPending},
		{"with the order's id", "reference", map[string]string{"operationId": "op-1", "transactionId": "tx&1"}, "/api/payment/reference/status/op-1?merchantTransactionId=tx%261", payment.SaysPending},
		{"with the merchant's id", "reference", map[string]string{"operationId": "op-1", "transactionId": "tx-1", "merchantTransactionId": "m-1"}, "/api/payment/reference/status/op-1?merchantTransactionId=m-1", payment.SaysPending},
		{"ekwanza", "ekwanza", map[string]string{"code": "EKZ1", "operationCode": "OP1"}, "/api/payment/ekwanza/status/EKZ1", payment.SaysPending},
		{"reference lost", "reference", nil, "", payment.SaysNothing},
		{"ekwanza lost", "ekwanza", nil, "", payment.SaysUnanswerable},
		{"mcx", "mcx", map[string]string{"transactionId": "tx-1"}, "", payment.SaysUnanswerable},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			asked := ""
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked = r.RequestURI
				_, _ = w.Write([]byte(`{"success":true,"status":"pending"}`))
			}))
			defer server.Close()
			p := adapter(t, momfactura.Config{BaseURL: server.URL, APIKey: apiKey, TestMode: true})
			pay := newPayment(c.method)
			pay.IDs = c.ids
			a := p.Status(t.Context(), pay)
			if asked != c.want || a.Evidence.Verdict != c.verdict || a.Attempted != (c.want != "") {
				t.Errorf("asked %q: %+v", asked, a)
			}
		})
	}
}

// TestInvoice: only an address that an app can open.
func TestInvoice(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		`"https://invoice.example/a?b=c#d"`: "https://invoice.example/a?b=c#d",
		`"http://invoice.example/a"`:        "", `"javascript:alert(1)"`: "", `"//invoice.example/a"`: "", `"https:///a"`: "",
		`"https://user:secret@invoice.example/a"`: "", `"https://invoice.example/a b"`: "", `"https://invoice.example/\"x"`: "",
		`"https://invoice.example/` + strings.Repeat("a", 3000) + `"`: "", `17`: "", `null`: "", `{"a":1}`: "",
	} {
		pay := newPayment("reference")
		pay.IDs = map[string]string{"operationId": "op-1"}
		for _, body := range []string{
			`{"success":true,"payment":{"status":"paid"},"invoiceUrl":` + given + `}`,
			`{"success":true,"payment":{"status":"paid","invoiceUrl":` + given + `}}`,
		} {
			if got := canned(t, 200, body).Status(t.Context(), pay).Evidence.InvoiceURL; got != want {
				t.Errorf("%s: %q", given, got)
			}
		}
	}
	open := canned(t, 200, `{"success":true,"payment":{"status":"pending"},"invoiceUrl":"https://invoice.example/a"}`)
	pay := newPayment("reference")
	pay.IDs = map[string]string{"operationId": "op-1"}
	if got := open.Status(t.Context(), pay).Evidence.InvoiceURL; got != "" {
		t.Errorf("an invoice without a payment: %q", got)
	}
}

// TestTheInvoiceIsLearned: a payment is paid before its invoice is there; the
// status tells both, each in its time.
func TestTheInvoiceIsLearned(t *testing.T) {
	t.Parallel()
	for _, method := range []string{"reference", "ekwanza"} {
		synctest.Test(t, func(t *testing.T) {
			s := facturastand.New(facturastand.Options{Options: core.Options{Seed: 1}, APIKey: apiKey})
			defer s.Close()
			w, err := momfactura.New(momfactura.Config{BaseURL: "http://localhost", APIKey: apiKey, TestMode: true}, &http.Client{Transport: s.RoundTripper()}, time.Now)
			if err != nil {
				t.Fatal(err)
			}
			p := withCents(method, 1)
			p = known(p, w.Submit(t.Context(), p, "").Evidence)
			var got []string
			for range 4 {
				e := w.Status(t.Context(), p).Evidence
				got = append(got, string(e.Verdict)+" "+e.InvoiceURL)
				time.Sleep(700 * time.Millisecond)
			}
			url := "https://invoice-momenu.toquemedia.net/invoices/" + s.Ledger()[0].Reference + ".pdf"
			want := []string{"pending ", "pending ", "successful ", "successful " + url}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s (-want +got)\n%s", method, diff)
			}
		})
	}
}
