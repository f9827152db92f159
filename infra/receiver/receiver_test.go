package receiver_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"momoproxy/infra/receiver"
	"momoproxy/shared/webhook"
)

// Nothing is read of a delivery unless both signatures verify.
func TestOnlyWhatVerifiesIsRead(t *testing.T) {
	t.Parallel()
	secret, err := webhook.ParseSecret("whsec_c2hvcHNob3BzaG9wc2hvcHNob3BzaG9wc2hvcHNob3A=")
	if err != nil {
		t.Fatal(err)
	}
	keys := receiver.Keys{APIKey: "key", Secret: secret}
	now := time.Now()
	const body = `{"event":"payment.successful","referenceId":"r-1","amount":"150.00","status":"SUCCESSFUL"}`
	header, err := webhook.Headers("evt_1", now, []byte(body), secret)
	if err != nil {
		t.Fatal(err)
	}
	signed := header.Clone()
	signed.Set(webhook.HeaderLegacy, webhook.SignLegacy([]byte(body), keys.APIKey))
	for name, c := range map[string]struct {
		header http.Header
		body   string
		good   bool
	}{
		"both": {signed, body, true}, "no legacy signature": {header, body, false},
		"other bytes": {signed, strings.Replace(body, "150", "950", 1), false}, "none": {http.Header{}, body, false},
	} {
		var got receiver.Attempt
		h := keys.Handler(func() time.Time { return now }, func(_ *http.Request, a receiver.Attempt) int { got = a; return 418 })
		r := httptest.NewRequest("POST", "/", strings.NewReader(c.body))
		r.Header = c.header
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if good := got.Fault == nil && got.EventID == "evt_1" && got.ReferenceID == "r-1" && got.Amount == "150.00"; good != c.good || w.Code != 418 {
			t.Errorf("%s: %d %+v", name, w.Code, got)
		}
		if !c.good && got.ReferenceID+got.EventID != "" {
			t.Errorf("%s: something of it was read", name)
		}
	}
}
