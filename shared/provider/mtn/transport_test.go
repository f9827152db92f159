package mtn_test

import (
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
	"momoproxy/shared/provider/mtn"
	"momoproxy/shared/provider/providertest"
)

// TestTransportForReal: the classes as the network makes them, and whether
// the request can have left.
func TestTransportForReal(t *testing.T) {
	t.Parallel()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	providertest.Refuse(t, closed)
	unknownCA := httptest.NewUnstartedServer(http.NotFoundHandler())
	unknownCA.Config.ErrorLog = log.New(io.Discard, "", 0)
	unknownCA.StartTLS()
	t.Cleanup(unknownCA.Close)
	plain := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(plain.Close)
	for _, c := range []struct {
		name, url, class string
	}{
		{"nobody listens", "https://" + closed.Addr().String(), "dial"},
		{"unknown authority", unknownCA.URL, "tls"},
		{"no TLS there", "https" + plain.URL[len("http"):], "tls"},
	} {
		store := providertest.NewMemoryTokens(nil)
		cfg := config(c.url)
		// A token is at hand, so that the request to pay is what fails.
		storeToken(t, store, cfg)
		a := newProviderWith(t, cfg, store, nil, time.Now).Submit(t.Context(), newPayment(), "")
		if a.Attempted || a.Evidence.Verdict != payment.SaysNothing || len(a.Exchanges) != 3 {
			t.Errorf("%s: %+v", c.name, a)
		}
		for _, e := range a.Exchanges {
			if e.Err != c.class || e.Method != "POST" || e.URL != c.url+"/collection/v1_0/requesttopay" {
				t.Errorf("%s: %+v", c.name, e)
			}
		}
	}
}

// storeToken has a provider with the same credentials fetch a token.
func storeToken(t *testing.T, store provider.TokenStore, cfg mtn.Config) {
	t.Helper()
	client := &http.Client{Transport: transport(func(*http.Request) (*http.Response, error) { return response(200, goodToken), nil })}
	ready(t, newProviderWith(t, cfg, store, client, time.Now))
}

// TestClientGoesNowhereElse: no redirect is followed, not even by a client
// that would, and no proxy is asked.
func TestClientGoesNowhereElse(t *testing.T) {
	f := newFake(t)
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("%s %s with %v went elsewhere", r.Method, r.URL, r.Header)
	}))
	defer elsewhere.Close()
	t.Setenv("HTTP_PROXY", elsewhere.URL)
	t.Setenv("HTTPS_PROXY", elsewhere.URL)
	f.then(func(w http.ResponseWriter, r *http.Request, _ func()) {
		http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
	})
	for _, client := range []*http.Client{nil, {Transport: &http.Transport{DisableKeepAlives: true}}} {
		p := newProviderWith(t, config(f.URL), nil, client, time.Now)
		if a := p.Submit(t.Context(), newPayment(), ""); a.Evidence.Verdict != payment.SaysNothing || a.Evidence.Code != "HTTP_307" {
			t.Errorf("%+v", a.Evidence)
		}
	}
	tr, ok := mtn.NewHTTPClient().Transport.(*http.Transport)
	if !ok || tr.Proxy != nil || tr.TLSClientConfig.InsecureSkipVerify || tr.TLSClientConfig.MinVersion < tls.VersionTLS12 {
		t.Errorf("transport: %+v", tr)
	}
}
