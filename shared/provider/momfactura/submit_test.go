package momfactura_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	facturastand "momoproxy/infra/standin/momfactura"
	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
	"momoproxy/shared/provider/momfactura"
)

// TestRequest holds what is sent: the amount digit by digit, the headers, and
// nothing of ours.
func TestRequest(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, method, path, body string
		change                   func(*momfactura.Config)
		qa                       string
	}{
		{"reference", "reference", "/api/payment/reference", `{"paymentInfo":{"amount":9007199254740.93},"instantWithdraw":true}`, nil, "true"},
		{"ekwanza", "ekwanza", "/api/payment/ekwanza", `{"paymentInfo":{"amount":9007199254740.93,"phoneNumber":"244923456789"},"instantWithdraw":true}`, nil, "true"},
		{"mcx", "mcx", "/api/payment/mcx", `{"paymentInfo":{"amount":9007199254740.93,"phoneNumber":"244923456789"},"instantWithdraw":true}`, nil, "true"},
		{"no withdraw", "mcx", "/api/payment/mcx", `{"paymentInfo":{"amount":9007199254740.93,"phoneNumber":"244923456789"}}`, func(c *momfactura.Config) { c.NoInstantWithdraw = true }, "true"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var got *http.Request
			var body []byte
			server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				got = r.Clone(context.Background())
				body, _ = io.ReadAll(r.Body)
			}))
			defer server.Close()
			cfg := momfactura.Config{BaseURL: server.URL + "/", APIKey: apiKey, TestMode: true}
			if c.change != nil {
				c.change(&cfg)
			}
			p := newPayment(c.method)
			p.Amount.Minor = 900719925474093 // one that a float would round
			p.PayerMessage = "Order 1"
			adapter(t, cfg).Submit(t.Context(), p, "https://pay.example.com/callback")
			if got.Method != "POST" || got.URL.Path != c.path || string(body) != c.body {
				t.Errorf("%s %s %s", got.Method, got.URL, body)
			}
			for name, want := range map[string]string{"x-api-key": apiKey, "Content-Type": "application/json", "x-env-qa": c.qa, "x-dev-mode": "", "Idempotency-Key": ""} {
				if got.Header.Get(name) != want {
					t.Errorf("%s: %q, want %q", name, got.Header.Get(name), want)
				}
			}
		})
	}
}

// TestProductionIsNoTest: without TestMode no request is marked as a test.
func TestProductionIsNoTest(t *testing.T) {
	t.Parallel()
	var header http.Header
	client := &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
		header = r.Header
		return nil, io.EOF
	})}
	p, err := momfactura.New(momfactura.Config{BaseURL: "https://api.momenu.online", APIKey: apiKey}, client, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	p.Submit(t.Context(), newPayment("reference"), "")
	if header == nil || header.Values("x-env-qa") != nil {
		t.Errorf("headers: %v", header)
	}
}

type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestSubmitAnswers is the table from answer to evidence.
func TestSubmitAnswers(t *testing.T) {
	t.Parallel()
	const (
		nothing      = payment.SaysNothing
		unanswerable = payment.SaysUnanswerable
		accepted     = payment.SaysAccepted
		successful   = payment.SaysSuccessful
		failed       = payment.SaysFailed
		refused      = payment.SaysRefused
	)
	const html = "<html>nginx</html>"
	fault := func(code string) string { return `{"success":false,"error":"mensagem","code":"` + code + `"}` }
	for _, c := range []struct {
		name      string
		code      int
		body      string
		reference payment.Verdict
		mcx       payment.Verdict
		evidence  string // Evidence.Code
	}{
		{"mcx paid", 200, `{"success":true,"transactionId":"abc123","invoiceUrl":"https://x.example/1"}`, nothing, successful, ""},
		{"mcx paid, says so", 200, `{"success":true,"transactionId":"abc123","status":"paid"}`, nothing, successful, ""},
		{"mcx, a number is no word", 200, `{"success":true,"transactionId":"abc123","status":200}`, nothing, successful, ""},
		{"mcx pending", 200, `{"success":true,"transactionId":"abc123","status":"pending"}`, nothing, unanswerable, ""},
		{"mcx with a strange word", 200, `{"success":true,"transactionId":"abc123","payment":{"status":"processing"}}`, nothing, unanswerable, ""},
		{"mcx without id", 200, `{"success":true,"invoiceUrl":"https://x.example/1"}`, nothing, unanswerable, ""},
		{"reference", 200, `{"success":true,"operationId":"op-1","referenceNumber":"123456789","entity":"12345","dueDate":"2026-12-01"}`, accepted, unanswerable, ""},
		{"reference, 201 and numbers", 201, `{"success":true,"operationId":77,"referenceNumber":123456789,"entity":12345}`, accepted, unanswerable, ""},
		{"reference without entity", 200, `{"success":true,"operationId":"op-1","referenceNumber":"123456789"}`, nothing, unanswerable, ""},
		{"reference without number", 200, `{"success":true,"operationId":"op-1","entity":"12345"}`, nothing, unanswerable, ""},
		{"reference without operation", 200, `{"success":true,"referenceNumber":"123456789","entity":"12345"}`, nothing, unanswerable, ""},
		{"ids that are no ids", 200, `{"success":true,"operationId":{"a":1},"transactionId":["x"],"referenceNumber":"1","entity":"1"}`, nothing, unanswerable, ""},
		{"nothing but success", 200, `{"success":true}`, nothing, unanswerable, "SUCCESS_INCOMPLETE"},
		{"success as text", 200, `{"success":"true","transactionId":"abc123"}`, nothing, unanswerable, "HTTP_200"},
		{"no success", 200, `{"transactionId":"abc123"}`, nothing, unanswerable, "HTTP_200"},
		{"page", 200, html, nothing, unanswerable, "HTTP_200"},
		{"empty", 200, "", nothing, unanswerable, "HTTP_200"},
		{"a key twice", 200, `{"success":true,"success":false,"transactionId":"abc"}`, nothing, unanswerable, "HTTP_200"},

		{"amount", 400, fault("INVALID_AMOUNT"), refused, refused, "INVALID_AMOUNT"},
		{"mismatch", 400, fault("AMOUNT_MISMATCH"), refused, refused, "AMOUNT_MISMATCH"},
		{"withdraw", 400, fault("INSTANT_WITHDRAW_REQUIRED"), refused, refused, "INSTANT_WITHDRAW_REQUIRED"},
		{"phone", 400, fault("MISSING_PHONE"), refused, refused, "MISSING_PHONE"},
		{"key missing", 401, fault("MISSING_API_KEY"), refused, refused, "MISSING_API_KEY"},
		{"key wrong, under another number", 400, fault("INVALID_API_KEY"), refused, refused, "INVALID_API_KEY"},
		{"401 page", 401, html, nothing, unanswerable, "HTTP_401"},
		{"401 empty", 401, "", refused, refused, "CREDENTIALS"},
		{"domain", 403, fault("DOMAIN_NOT_ALLOWED"), refused, refused, "DOMAIN_NOT_ALLOWED"},
		{"merchant", 400, fault("MISSING_RESTAURANT_ID"), refused, refused, "MISSING_RESTAURANT_ID"},
		{"too many", 429, fault("RATE_LIMIT_EXCEEDED"), refused, refused, "REQUEST_LIMIT_SPENT"},
		{"too many payments", 429, fault("PAYMENT_RATE_LIMIT_EXCEEDED"), refused, refused, "REQUEST_LIMIT_SPENT"},
		{"too many, page", 429, html, nothing, unanswerable, "HTTP_429"},
		{"too many, empty", 429, "", refused, refused, "REQUEST_LIMIT_SPENT"},

		{"funds", 402, fault("INSUFFICIENT_BALANCE"), failed, failed, "INSUFFICIENT_BALANCE"},
		{"funds, small letters", 402, fault("insufficient_balance"), failed, failed, "insufficient_balance"},
		{"refused by the payer", 403, fault("REJECTED"), failed, failed, "REJECTED"},
		{"number", 400, fault("INVALID_NUMBER"), failed, failed, "INVALID_NUMBER"},
		{"funds, with a 200", 200, fault("INSUFFICIENT_BALANCE"), failed, failed, "INSUFFICIENT_BALANCE"},
		{"unknown code, 400", 400, fault("SOMETHING_NEW"), nothing, unanswerable, "SOMETHING_NEW"},
		{"unknown code, 402", 402, fault("SOMETHING_NEW"), nothing, unanswerable, "SOMETHING_NEW"},
		{"unknown code, 403", 403, fault("SOMETHING_NEW"), nothing, unanswerable, "SOMETHING_NEW"},
		{"unknown code, 422", 422, fault("SOMETHING_NEW"), nothing, unanswerable, "SOMETHING_NEW"},

		{"no response, 400", 400, fault("NO_RESPONSE"), nothing, unanswerable, "NO_RESPONSE"},
		{"payment error, 402", 402, fault("PAYMENT_ERROR"), nothing, unanswerable, "PAYMENT_ERROR"},
		{"time spent, 403", 403, fault("TEMPO_ESGOTADO"), nothing, unanswerable, "TEMPO_ESGOTADO"},
		{"network, 422", 422, fault("NETWORK_ERROR"), nothing, unanswerable, "NETWORK_ERROR"},
		{"the switch, 400", 400, fault("EMIS_ERROR"), nothing, unanswerable, "EMIS_ERROR"},
		{"no response, 401", 401, fault("NO_RESPONSE"), nothing, unanswerable, "NO_RESPONSE"},
		{"payment error, 429", 429, fault("PAYMENT_ERROR"), nothing, unanswerable, "PAYMENT_ERROR"},
		{"no response, 401, not its form", 401, `{"code":"NO_RESPONSE"}`, nothing, unanswerable, "NO_RESPONSE"},
		{"awaiting, 400", 400, fault("AWAITING_CONFIRMATION"), nothing, unanswerable, "AWAITING_CONFIRMATION"},

		{"internal", 500, fault("INTERNAL_ERROR"), nothing, unanswerable, "INTERNAL_ERROR"},
		{"internal, 400", 400, fault("INTERNAL_ERROR"), nothing, unanswerable, "INTERNAL_ERROR"},
		{"unknown code, 500", 500, fault("SOMETHING_NEW"), nothing, unanswerable, "SOMETHING_NEW"},
		{"unknown code, 200", 200, fault("SOMETHING_NEW"), nothing, unanswerable, "SOMETHING_NEW"},
		{"timeout", 504, fault("TIMEOUT"), nothing, unanswerable, "TIMEOUT"},
		{"timeout, 400", 400, fault("PAYMENT_TIMEOUT"), nothing, unanswerable, "PAYMENT_TIMEOUT"},
		{"pending, 402", 402, fault("PAYMENT_PENDING"), nothing, unanswerable, "PAYMENT_PENDING"},
		{"already, 400", 400, fault("PAYMENT_ALREADY_PROCESSED"), nothing, unanswerable, "PAYMENT_ALREADY_PROCESSED"},
		{"conflict", 409, fault("SOMETHING_NEW"), nothing, unanswerable, "SOMETHING_NEW"},
		{"not found", 404, fault("SOMETHING_NEW"), nothing, unanswerable, "SOMETHING_NEW"},
		{"no code", 400, `{"success":false,"error":"mensagem"}`, nothing, unanswerable, "HTTP_400"},
		{"not its form", 400, `{"statusCode":400,"code":"BAD"}`, nothing, unanswerable, "BAD"},
		{"known code, not its form", 400, `{"code":"INVALID_AMOUNT"}`, nothing, unanswerable, "INVALID_AMOUNT"},
		{"success and an error number", 500, `{"success":true,"transactionId":"abc123"}`, nothing, unanswerable, "HTTP_500"},
		{"400 page", 400, html, nothing, unanswerable, "HTTP_400"},
		{"403 page", 403, html, nothing, unanswerable, "HTTP_403"},
		{"404 page", 404, html, nothing, unanswerable, "HTTP_404"},
		{"502", 502, html, nothing, unanswerable, "HTTP_502"},
		{"504", 504, html, nothing, unanswerable, "HTTP_504"},
		{"success, but not 2xx", 300, `{"success":true,"transactionId":"abc123"}`, nothing, unanswerable, "HTTP_300"},
		{"moved", 302, "", nothing, unanswerable, "HTTP_302"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := canned(t, c.code, c.body)
			for method, want := range map[string]payment.Verdict{"reference": c.reference, "mcx": c.mcx} {
				a := p.Submit(t.Context(), newPayment(method), "")
				if a.Evidence.Verdict != want || !a.Attempted || len(a.Exchanges) != 1 {
					t.Errorf("%s: %q (%s, %s), %d exchanges; want %q", method, a.Evidence.Verdict, a.Evidence.Code, a.Evidence.Reason, len(a.Exchanges), want)
				}
				if c.evidence != "" && a.Evidence.Code != c.evidence {
					t.Errorf("%s: code %q, want %q", method, a.Evidence.Code, c.evidence)
				}
			}
		})
	}
}

// TestParticulars: what is kept of an answer, and what is not.
func TestParticulars(t *testing.T) {
	t.Parallel()
	const qr = "data:image/png;base64,iVBORw0KGgo="
	soon := time.Now().UTC().Add(48 * time.Hour).Truncate(time.Second)
	day := soon.Format(time.DateOnly)
	midnight, _ := time.Parse(time.DateOnly, day)
	for _, c := range []struct {
		name, method, body string
		want               payment.Particulars
	}{
		{"reference", "reference", `{"success":true,"operationId":"op-1","transactionId":"tx-1","referenceNumber":"123456789","entity":"12345","dueDate":"` + day + `"}`,
			payment.Particulars{
				IDs:          map[string]string{"operationId": "op-1", "transactionId": "tx-1", "referenceNumber": "123456789"},
				Instructions: map[string]string{"entity": "12345", "referenceNumber": "123456789", "dueDate": day},
				// The day ends at 23:00 UTC; six hours of slack.
				ExpiresAt: midnight.Add(29 * time.Hour),
			}},
		{"due at a moment", "reference", `{"success":true,"operationId":"op-1","referenceNumber":"1","entity":"2","dueDate":"` + soon.Format(time.RFC3339) + `","code":"OK"}`,
			payment.Particulars{
				IDs:          map[string]string{"operationId": "op-1", "referenceNumber": "1"},
				Instructions: map[string]string{"entity": "2", "referenceNumber": "1", "dueDate": soon.Format(time.RFC3339)},
				ExpiresAt:    soon.Add(6 * time.Hour),
			}},
		{"due in words, or in another century", "reference", `{"success":true,"operationId":"op-1","referenceNumber":"1","entity":"2","dueDate":"9999-12-31"}`,
			payment.Particulars{
				IDs:          map[string]string{"operationId": "op-1", "referenceNumber": "1"},
				Instructions: map[string]string{"entity": "2", "referenceNumber": "1", "dueDate": "9999-12-31"},
			}},
		{"ekwanza", "ekwanza", `{"success":true,"code":"EKZ1","merchantTransactionId":"m-1","qrCode":"` + qr + `","expirationDate":"` + soon.Format(time.RFC3339) + `","paymentTimeout":180}`,
			payment.Particulars{
				IDs:          map[string]string{"code": "EKZ1", "merchantTransactionId": "m-1"},
				Instructions: map[string]string{"code": "EKZ1", "qrCode": qr, "expiresAt": payment.Timestamp(soon)},
				ExpiresAt:    soon,
			}},
		{"ekwanza, QR too large", "ekwanza", `{"success":true,"code":"EKZ1","qrCode":"data:image/png;base64,` + strings.Repeat("A", 20<<10) + `"}`,
			payment.Particulars{IDs: map[string]string{"code": "EKZ1"}, Instructions: map[string]string{"code": "EKZ1"}}},
		{"ekwanza, QR no image", "ekwanza", `{"success":true,"code":"EKZ1","qrCode":"javascript:alert(1)"}`,
			payment.Particulars{IDs: map[string]string{"code": "EKZ1"}, Instructions: map[string]string{"code": "EKZ1"}}},
		{"mcx", "mcx", `{"success":true,"transactionId":"tx-1","invoiceUrl":"https://invoice.example/1"}`,
			payment.Particulars{IDs: map[string]string{"transactionId": "tx-1"}, InvoiceURL: "https://invoice.example/1"}},
		{"mcx, invoice by http", "mcx", `{"success":true,"transactionId":"tx-1","invoiceUrl":"http://invoice.example/1"}`,
			payment.Particulars{IDs: map[string]string{"transactionId": "tx-1"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			a := canned(t, 200, c.body).Submit(t.Context(), newPayment(c.method), "")
			if diff := cmp.Diff(c.want, a.Evidence.Particulars); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// TestPaymentTimeout: without a date, E-kwanza's seconds count from now.
func TestPaymentTimeout(t *testing.T) {
	t.Parallel()
	before := time.Now()
	a := canned(t, 200, `{"success":true,"code":"EKZ1","paymentTimeout":180}`).Submit(t.Context(), newPayment("ekwanza"), "")
	got := a.Evidence.ExpiresAt
	if got.Before(before.Add(179*time.Second)) || got.After(time.Now().Add(180*time.Second)) || a.Evidence.Instructions["expiresAt"] != payment.Timestamp(got) {
		t.Errorf("expires at %s: %+v", got, a.Evidence.Instructions)
	}
}

// TestMCX walks every script and every test number: whatever the answer, the
// money and the evidence agree, and nothing is asked for twice.
func TestMCX(t *testing.T) {
	t.Parallel()
	run := func(t *testing.T, w world, p payment.Payment) provider.Answer {
		t.Helper()
		a := w.Submit(t.Context(), p, "")
		made := w.made(p)
		switch v := a.Evidence.Verdict; v {
		case payment.SaysSuccessful:
			if made != 1 || a.Evidence.FinancialTransactionID == "" || a.Evidence.InvoiceURL == "" {
				t.Errorf("%+v, %d payments", a.Evidence, made)
			}
		case payment.SaysFailed, payment.SaysRefused:
			if made != 0 {
				t.Errorf("%s though it was paid: %+v", v, a.Evidence)
			}
		case payment.SaysUnanswerable:
		default:
			t.Errorf("verdict %q", v)
		}
		if w.calls() != 1 {
			t.Errorf("%d calls", w.calls())
		}
		b := w.Status(t.Context(), known(p, a.Evidence))
		if b.Evidence.Verdict != payment.SaysUnanswerable || b.Attempted || w.calls() != 1 {
			t.Errorf("status: %+v", b)
		}
		return a
	}
	for _, sc := range facturastand.New(facturastand.Options{}).Scripts() {
		n, err := strconv.ParseInt(strings.TrimPrefix(sc.For[0], "."), 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(sc.Name, func(t *testing.T) {
			t.Parallel()
			virtually(t, func(t *testing.T, w world) { run(t, w, withCents("mcx", n)) })
		})
	}
	for number, want := range map[payment.MSISDN]payment.Verdict{
		"244900000000": payment.SaysSuccessful, "244900000001": payment.SaysFailed, "244900000002": payment.SaysUnanswerable,
		"244900000003": payment.SaysFailed, "244999999999": payment.SaysFailed,
	} {
		t.Run(string(number), func(t *testing.T) {
			t.Parallel()
			virtually(t, func(t *testing.T, w world) {
				p := withCents("mcx", 0)
				p.Payer = number
				if a := run(t, w, p); a.Evidence.Verdict != want {
					t.Errorf("verdict %q, want %q", a.Evidence.Verdict, want)
				}
			})
		})
	}
}

// TestLostAnswers: what is left of a payment whose answer was lost.
func TestLostAnswers(t *testing.T) {
	t.Parallel()
	for method, want := range map[string]payment.Verdict{
		"reference": payment.SaysNothing, "ekwanza": payment.SaysUnanswerable, "mcx": payment.SaysUnanswerable,
	} {
		for _, cents := range []int64{31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 43} {
			virtually(t, func(t *testing.T, w world) {
				p := withCents(method, cents)
				for _, a := range []provider.Answer{w.Submit(t.Context(), p, ""), w.Status(t.Context(), p)} {
					if a.Evidence.Verdict != want {
						t.Errorf("%s .%d: %q, want %q", method, cents, a.Evidence.Verdict, want)
					}
				}
				if w.calls() != 1 {
					t.Errorf("%s .%d: %d calls", method, cents, w.calls())
				}
			})
		}
	}
}

// TestBrokenOff: an answer that ends before its time is none, even where its
// beginning reads as one.
func TestBrokenOff(t *testing.T) {
	t.Parallel()
	for _, body := range []string{`{"success":true,"transactionId":"abc123"}`, `{"success":false,"error":"e","code":"INVALID_AMOUNT"}`} {
		client := &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
			broken := io.MultiReader(strings.NewReader(body), iotest.ErrReader(io.ErrUnexpectedEOF))
			return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(broken), Request: r}, nil
		})}
		p, err := momfactura.New(momfactura.Config{BaseURL: "http://localhost", APIKey: apiKey, TestMode: true}, client, time.Now)
		if err != nil {
			t.Fatal(err)
		}
		if a := p.Submit(t.Context(), newPayment("mcx"), ""); a.Evidence.Verdict != payment.SaysUnanswerable || a.Exchanges[0].Err != "eof" {
			t.Errorf("%+v", a)
		}
	}
}
