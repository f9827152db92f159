package momfactura_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"momoproxy/shared/provider/momfactura"
)

// TestSubmitRetryAfter: the wait that an answer asks for is passed on.
func TestSubmitRetryAfter(t *testing.T) {
	t.Parallel()
	client := &http.Client{Transport: transport(func(*http.Request) (*http.Response, error) {
		w := httptest.NewRecorder()
		w.Header().Set("Retry-After", "60")
		w.WriteHeader(http.StatusTooManyRequests)
		return w.Result(), nil
	})}
	p, err := momfactura.New(momfactura.Config{BaseURL: "https://api.momenu.online", APIKey: apiKey, WebhookToken: webhookToken}, client, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	if a := p.Submit(t.Context(), newPayment("reference"), ""); a.RetryAfter != time.Minute {
		t.Errorf("%s", a.RetryAfter)
	}
}
