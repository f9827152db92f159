package mtn_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"momoproxy/shared/provider"
	"momoproxy/shared/provider/mtn"
	"momoproxy/shared/provider/providertest"
)

// canned answers every request with one status and body, tokens apart.
type canned struct {
	code int
	body string
}

func (c canned) RoundTrip(r *http.Request) (*http.Response, error) {
	code, body := c.code, c.body
	if strings.HasSuffix(r.URL.Path, "/token/") {
		code, body = 200, `{"access_token":"the-access-token","token_type":"access_token","expires_in":3600}`
	}
	return &http.Response{StatusCode: code, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
}

func TestDecisions(t *testing.T) {
	t.Parallel()
	adapter := func(t *testing.T, code int, body string) *mtn.Provider {
		return newProviderWith(t, config("https://mtn.example"), nil, &http.Client{Transport: canned{code, body}}, time.Now)
	}
	pay := newPayment()
	status := func(t *testing.T, code int, body string) provider.Answer {
		return asked(adapter(t, code, body).Status(t.Context(), pay))
	}
	providertest.Matrix{
		Decisions: mtn.Decisions,
		Error:     func(code string) string { return `{"message":"m","code":"` + code + `"}` },
		Operations: []providertest.MatrixOperation{
			{Name: "request to pay", Kind: provider.OnSubmit, Ask: func(t *testing.T, code int, body string) provider.Answer {
				return asked(adapter(t, code, body).Submit(t.Context(), pay, callbackURL))
			}},
			{Name: "status question", Kind: provider.OnStatus, Ask: status},
			{Name: "status word", Kind: provider.OnWord, Ask: status, Body: func(word string) string {
				return `{"externalId":"` + pay.Reference + `","amount":"150.50","currency":"SZL","payer":{"partyIdType":"MSISDN","partyId":"26876123456"},"status":"` + word + `"}`
			}},
		},
	}.Run(t)
}
