package momfactura_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode"

	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
	"momoproxy/shared/provider/momfactura"
)

// FuzzWebhook: whatever comes, the reading is bounded, repeats itself, ends
// nothing, and is passed on only to be read as the same again.
func FuzzWebhook(f *testing.F) {
	for _, in := range append(webhooks(paid(), "successful", webhookToken), webhooks(paid(), "failed", webhookToken)...) {
		f.Add(in.Body)
	}
	f.Add([]byte(`{"event":"invoice.created","operationStatus":1.0,"invoiceUrl":"https://a@b"}`))
	f.Add([]byte(`{"merchantTransactionId":-0,"operationData":{"code":"x"}}`))
	p := parser(f)
	policy := p.Capabilities().Method("reference").Policy
	f.Fuzz(func(t *testing.T, body []byte) {
		c, err := p.ParseCallback(provider.Inbound{Token: webhookToken, Body: body, At: time.Unix(1, 0)})
		if c.Standing != provider.Known || len(c.IDs) != 0 {
			t.Fatalf("%+v", c)
		}
		if err != nil {
			if !errors.Is(err, provider.ErrCallback) {
				t.Fatal(err)
			}
			return
		}
		for _, id := range c.ProviderIDs {
			if id == "" || len(id) > payment.MaxID || strings.ContainsFunc(id, unicode.IsControl) {
				t.Fatalf("id %q", id)
			}
		}
		if len(c.ProviderIDs) > 16 || len(c.Type) > 200 || len(c.Evidence.Code) > 200 || c.Evidence.IDs != nil {
			t.Fatalf("%+v", c)
		}
		soundInvoice(t, c.Evidence.InvoiceURL)
		open := newPayment("reference")
		if d := payment.Decide(open, c.Evidence, policy); d.Changed {
			t.Fatalf("a hint changed the payment: %+v", d)
		}
		for _, e := range events {
			if own := p.Native(paid(), e, body); string(own) == string(body) {
				again, err := p.ParseCallback(provider.Inbound{Body: own, At: time.Unix(1, 0)})
				if ending, _ := again.Evidence.Verdict.Ending(); err != nil || ending == "" {
					t.Fatalf("passed on as %s: %+v, %v", e, again, err)
				}
			}
		}
	})
}

// FuzzAnswer: whatever a provider answers, the evidence is bounded, says only
// what the call can say, and names success only where the answer does.
func FuzzAnswer(f *testing.F) {
	for _, body := range []string{
		`{"success":true,"transactionId":"abc123","invoiceUrl":"https://x.example/1"}`,
		`{"success":true,"operationId":"op-1","referenceNumber":"123456789","entity":"12345","dueDate":"2026-12-01"}`,
		`{"success":true,"code":"EKZ1","qrCode":"data:image/png;base64,AA==","expirationDate":"2026-12-01T12:00:00Z","paymentTimeout":1.8e2}`,
		`{"success":true,"payment":{"status":"paid","message":"Pagamento confirmado"},"invoiceUrl":"https://x.example/1"}`,
		`{"success":true,"status":"pending","operationCode":"OP123"}`,
		`{"success":false,"error":"mensagem","code":"INTERNAL_ERROR"}`,
		`{"success":false,"error":"mensagem","code":"INSUFFICIENT_BALANCE"}`,
		`<html>`,
	} {
		for _, code := range []uint16{200, 400, 402, 404, 500} {
			f.Add(code, []byte(body))
		}
	}
	f.Fuzz(func(t *testing.T, code uint16, body []byte) {
		if code < 200 || code > 599 {
			return
		}
		client := &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: int(code), Header: http.Header{}, Body: readCloser{strings.NewReader(string(body))}, Request: r}, nil
		})}
		p, err := momfactura.New(momfactura.Config{BaseURL: "http://localhost", APIKey: apiKey, TestMode: true}, client, time.Now)
		if err != nil {
			t.Fatal(err)
		}
		for _, method := range []string{"reference", "ekwanza", "mcx"} {
			pay := newPayment(method)
			e := p.Submit(t.Context(), pay, "").Evidence
			sound(t, e)
			settled := e.Verdict == payment.SaysAccepted || e.Verdict == payment.SaysSuccessful
			if settled && (code > 299 || !strings.Contains(string(body), "true") || len(e.IDs) == 0) {
				t.Fatalf("%s: %q out of %d %q", method, e.Verdict, code, body)
			}
			if (e.Verdict == payment.SaysRefused || e.Verdict == payment.SaysFailed) && code >= 500 && !strings.Contains(string(body), "code") {
				t.Fatalf("%s: refused by %d %q", method, code, body)
			}
			pay.IDs = map[string]string{"operationId": "op-1", "code": "EKZ1"}
			e = p.Status(t.Context(), pay).Evidence
			sound(t, e)
			if ending, ends := e.Verdict.Ending(); ends && (code != 200 || ending == payment.Successful && !strings.Contains(strings.ToLower(string(body)), "paid") && !strings.Contains(string(body), `\u`)) {
				t.Fatalf("%s: %q out of %d %q", method, e.Verdict, code, body)
			}
		}
	})
}

func sound(t *testing.T, e payment.Evidence) {
	t.Helper()
	if len(e.Code) > 200 || len(e.Reason) > 1000 || len(e.IDs) > payment.MaxIDs || len(e.Instructions) > 8 {
		t.Fatalf("%+v", e)
	}
	for _, id := range e.IDs {
		if id == "" || len(id) > payment.MaxID || strings.ContainsFunc(id, unicode.IsControl) {
			t.Fatalf("id %q", id)
		}
	}
	soundInvoice(t, e.InvoiceURL)
}

func soundInvoice(t *testing.T, url string) {
	t.Helper()
	if url != "" && (!strings.HasPrefix(strings.ToLower(url), "https://") || len(url) > 2000 || strings.ContainsAny(url, " \"<>\n")) {
		t.Fatalf("invoice %q", url)
	}
}

type readCloser struct{ *strings.Reader }

func (readCloser) Close() error { return nil }
