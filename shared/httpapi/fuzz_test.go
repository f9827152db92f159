package httpapi_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"momoproxy/infra/cloud"
	mtnstand "momoproxy/infra/standin/mtn"
	"momoproxy/infra/testbed"
	"momoproxy/shared/gateway"
	"momoproxy/shared/httpapi"
	"momoproxy/shared/payment"
)

// bodies are seeds for whatever reads JSON.
var bodies = []string{
	testbed.Order("ORDER-1", good), `{}`, ``, `null`, `[]`, `{"amount":1e3}`, `{"amount":"1","amount":"2"}`, `{"\u0061mount":"1"}`,
	`{"amount":150.00,"currency":"SZL","externalId":"X","payer":{"partyIdType":"MSISDN","partyId":"+268 7612-3456"},"payerMessage":"a","payeeNote":"b","callbackUrl":"https://shop.example.com/","provider":"mtn","method":null,"metadata":{"a":"b"}}`,
	`{"externalId":"ORDER-1","status":"SUCCESSFUL","financialTransactionId":"FTX-1"}`, `{"status":"FAILED","reason":{"code":"EXPIRED","message":"x"}}`,
	`{"externalId":"ORDER-1","amount":"150","currency":"SZL","payer":{"partyIdType":"MSISDN","partyId":"26876123456"},"status":"SUCCESSFUL"}`,
	`{"payer":{"payer":{"payer":{}}}}`, "{\"a\":\"\x00\"}", "\xff", `{"metadata":{"":""}}`, `{"amount":"` + strings.Repeat("9", 30) + `"}`, `{"ammount":0}`,
}

// A body is read as encoding/json reads it, or refused.
func FuzzReadRequest(f *testing.F) {
	for _, b := range bodies {
		f.Add([]byte(b))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		r, faults, err := httpapi.ReadRequest(body)
		if err != nil || len(faults) > 0 {
			return
		}
		var want struct {
			Amount       any               `json:"amount"`
			Currency     string            `json:"currency"`
			ExternalID   string            `json:"externalId"`
			PayerMessage string            `json:"payerMessage"`
			PayeeNote    string            `json:"payeeNote"`
			CallbackURL  string            `json:"callbackUrl"`
			Provider     string            `json:"provider"`
			Method       string            `json:"method"`
			Metadata     map[string]string `json:"metadata"`
			Payer        struct {
				PartyIDType string `json:"partyIdType"`
				PartyID     string `json:"partyId"`
			} `json:"payer"`
		}
		dec := json.NewDecoder(strings.NewReader(string(body)))
		dec.UseNumber()
		dec.DisallowUnknownFields()
		if err := dec.Decode(&want); err != nil {
			t.Fatalf("accepted, but encoding/json says: %v", err)
		}
		amount, _ := want.Amount.(string)
		if n, ok := want.Amount.(json.Number); ok {
			amount = n.String()
		}
		got := []string{r.Amount, r.Currency, r.ExternalID, r.PayerMessage, r.PayeeNote, r.CallbackURL, r.Provider, r.Method, r.PartyIDType, r.PartyID}
		for i, w := range []string{amount, want.Currency, want.ExternalID, want.PayerMessage, want.PayeeNote, want.CallbackURL, want.Provider, want.Method, want.Payer.PartyIDType, want.Payer.PartyID} {
			if got[i] != w {
				t.Errorf("field %d: %q; encoding/json reads %q", i, got[i], w)
			}
		}
		if len(r.Metadata) != len(want.Metadata) {
			t.Errorf("metadata %v; encoding/json reads %v", r.Metadata, want.Metadata)
		}
	})
}

// Whatever an app sends, the answer is a documented one, nothing panics, and
// the answer agrees with what is stored.
func FuzzRequestToPay(f *testing.F) {
	for i, b := range bodies {
		f.Add([]byte(b), "application/json", "", i%3 == 0)
	}
	f.Add([]byte(bodies[0]), "text/plain", "key", false)
	f.Fuzz(func(t *testing.T, body []byte, contentType, idempotencyKey string, encoded bool) {
		synctest.Test(t, func(t *testing.T) {
			w := testbed.New(t, testbed.Options{Observe: func(r httpapi.Request, resp httpapi.Response) { openapi.check(t, r, resp) }})
			r := cloud.Request("POST /request-to-pay")
			r.Headers = map[string]string{"x-proxy-api-key": testbed.ShopKey, "content-type": contentType, "idempotency-key": idempotencyKey}
			if r.Body = string(body); encoded {
				r.Body, r.IsBase64Encoded = base64.StdEncoding.EncodeToString(body), true
			}
			a := w.Call(context.Background(), r)
			if a.StatusCode >= 500 && a.Code() != "provider_account" && a.Code() != "provider_likely_duplicate" || strings.Contains(w.Log(), "request.panic") || strings.Contains(w.Log(), "audit.lost") {
				t.Fatalf("%d %s\n%s", a.StatusCode, a.Body, w.Log())
			}
			if ref := a.Reference(); ref != "" {
				if p := w.Payment(ref); a.StatusCode == 202 && (p.Amount.Decimal() != a.Text("amount") || p.ExternalID != a.Text("externalId")) {
					t.Errorf("%s; stored %+v", a.Body, p.Payment)
				}
				s := w.Ask(ref, testbed.ShopKey)
				if s.StatusCode != 200 {
					t.Errorf("its status: %d %s", s.StatusCode, s.Body)
				}
				return
			}
			nothingCreated(t, w)
		})
	})
}

// Whatever comes as a callback, the answer is the same, nothing is believed
// without MTN's word, and it is in the audit log.
func FuzzCallback(f *testing.F) {
	for i, b := range bodies {
		f.Add([]byte(b), "", "", i%2 == 0, i%3 == 0)
		f.Add([]byte(b), "r", "t", i%2 == 1, i%3 == 1)
	}
	f.Fuzz(func(t *testing.T, body []byte, reference, token string, put, encoded bool) {
		synctest.Test(t, func(t *testing.T) {
			w := testbed.New(t, testbed.Options{Observe: func(r httpapi.Request, resp httpapi.Response) { openapi.check(t, r, resp) }})
			ref := w.Pay(testbed.Order("ORDER-1", mtnstand.Payer(mtnstand.ScriptPending))).Reference()
			time.Sleep(time.Minute)
			if reference == "r" { // the right address
				reference, token, _ = strings.Cut(w.CallbackPath(ref), "/")
			}
			route := "POST /callback"
			if put {
				route = "PUT /callback"
			}
			r := cloud.Request(route)
			if reference != "" {
				r = cloud.Request(route+"/{referenceId}/{token}", reference, token)
			}
			if r.Body = string(body); encoded {
				r.Body, r.IsBase64Encoded = base64.StdEncoding.EncodeToString(body), true
			}
			before := len(inbound(w, ref)) + unmatched(t, w)
			a := w.Call(context.Background(), r)
			if a.StatusCode != 200 || a.Body != gateway.CallbackAnswer {
				t.Fatalf("%d %s", a.StatusCode, a.Body)
			}
			if strings.Contains(w.Log(), "request.panic") || strings.Contains(w.Log(), "callback.failed") {
				t.Fatal(w.Log())
			}
			if after := len(inbound(w, ref)) + unmatched(t, w); after != before+1 {
				t.Errorf("%d audit records became %d", before, after)
			}
			if p := w.Payment(ref); p.Status != payment.Pending || len(w.App.Got()) != 0 {
				t.Errorf("%s; the app received %d callbacks", p.Status, len(w.App.Got()))
			}
			for _, r := range w.Records() {
				for name, v := range r.Attributes {
					if s, ok := v.(string); ok && !utf8.ValidString(s) {
						t.Errorf("%s: %s is no UTF-8", r.Key, name)
					}
				}
			}
		})
	})
}
