package mtn_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"momoproxy/infra/standin/core"
	mtnstand "momoproxy/infra/standin/mtn"
	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
)

// Only MTN's documented words are a yes or a no; why names neither the payer nor
// what MTN wrote about it.
func TestPayerActive(t *testing.T) {
	t.Parallel()
	const payer = payment.MSISDN("26876123456")
	for name, c := range map[string]struct {
		code int
		body string
		want provider.Activity
	}{
		"yes":                    {200, `{"result":true}`, provider.Active},
		"no":                     {200, "\n{ \"result\" : false }\n", provider.Inactive},
		"a bare yes":             {200, "true", provider.Active},
		"a bare no":              {200, "false\n", provider.Inactive},
		"a text":                 {200, `{"result":"true"}`, provider.ActivityUnknown},
		"a number":               {200, `{"result":1}`, provider.ActivityUnknown},
		"null":                   {200, `{"result":null}`, provider.ActivityUnknown},
		"nothing":                {200, ``, provider.ActivityUnknown},
		"an empty object":        {200, `{}`, provider.ActivityUnknown},
		"said twice":             {200, `{"result":true,"result":false}`, provider.ActivityUnknown},
		"in capitals":            {200, `{"RESULT":true}`, provider.ActivityUnknown},
		"followed by more":       {200, `{"result":true}{"result":false}`, provider.ActivityUnknown},
		"a page":                 {200, `<html>Request Rejected</html>`, provider.ActivityUnknown},
		"created":                {201, `{"result":true}`, provider.ActivityUnknown},
		"accepted":               {202, `{"result":true}`, provider.ActivityUnknown},
		"not found":              {404, `{"message":"Requested resource was not found.","code":"RESOURCE_NOT_FOUND"}`, provider.ActivityUnknown},
		"a failure that says no": {500, `{"result":false}`, provider.ActivityUnknown},
		"a code with the number": {500, `{"code":"26876123456","message":"26876123456"}`, provider.ActivityUnknown},
		"credentials":            {401, `{"result":false}`, provider.ActivityUnknown},
	} {
		p := newProviderWith(t, config("https://mtn.example"), nil, &http.Client{Transport: canned{c.code, c.body}}, time.Now)
		got, why := p.PayerActive(t.Context(), payer)
		if got != c.want || (why == "") != (got != provider.ActivityUnknown) || strings.Contains(why, string(payer)) {
			t.Errorf("%s: %q, %q", name, got, why)
		}
	}
}

// MTN's test numbers, over HTTP.
func TestPayerActiveOfTestPayers(t *testing.T) {
	t.Parallel()
	s := mtnstand.New(mtnstand.Options{Options: core.Options{Now: time.Now}})
	if _, err := s.Provision(mtnstand.Account{APIUser: apiUser, APIKey: apiKey, SubscriptionKey: subscriptionKey, Currency: "SZL"}); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(s.Handler())
	t.Cleanup(func() { server.CloseClientConnections(); server.Close(); s.Close() })
	p := newProviderWith(t, config(server.URL), nil, nil, time.Now)
	for payer, want := range map[payment.MSISDN]string{
		"46733123450": "unknown HTTP_404 RESOURCE_NOT_FOUND", "46733123451": "no ", "46733123452": "unknown HTTP_500 NOT_ALLOWED",
		"46733123454": "unknown HTTP_500 INTERNAL_PROCESSING_ERROR", "46733123455": "unknown HTTP_503 SERVICE_UNAVAILABLE", "26876123456": "yes ",
	} {
		if active, why := p.PayerActive(t.Context(), payer); string(active)+" "+why != want {
			t.Errorf("%s: %s %s; want %s", payer, active, why, want)
		}
	}
	s.ExpireTokens()
	if active, why := p.PayerActive(t.Context(), "26876123456"); active != provider.ActivityUnknown || why != "HTTP_401" {
		t.Errorf("token refused: %s, %s", active, why)
	}
	if active, _ := p.PayerActive(t.Context(), "26876123456"); active != provider.Active {
		t.Errorf("with the new token: %s", active)
	}
}

// A prefix predicts in its own market alone, and nothing where numbers say
// nothing.
func TestPredicts(t *testing.T) {
	t.Parallel()
	for environment, numbers := range map[string]string{
		"mtnswaziland": "+26876123456 +26878123456 -26879123456 -26877123456", "mtnuganda": "+256772123456 +256790123456 -256752123456 -256795123456",
		"mtnghana": "+233241234567 -233201234567", "mtnivorycoast": "+2250512345678 -2250712345678", "mtnzambia": "+260961234567 -260971234567",
		"mtncameroon": "+237671234567 +237650123456 -237691234567 -237655123456", "mtnbenin": "+2290197123456 +2290151234567 -2290195123456",
		"mtncongo": "+242061234567 -242051234567", "mtnguineaconakry": "+224661234567 -224621234567", "mtnliberia": "+231881234567 -231771234567",
		"mtnrwanda": "+250781234567 -250721234567", "mtnnigeria": "+2348031234567 +2347025123456 -2348021234567", "mtnsouthsudan": "+211921234567 -211977123456",
		"mtnsouthafrica": "-27831234567 -27781234567", "sandbox": "+26876123456 +2348031234567 +46733123450 -26879123456 -27831234567",
	} {
		cfg := config("https://mtn.example")
		cfg.TargetEnvironment, cfg.Currency = environment, ""
		predicts := newProviderWith(t, cfg, nil, &http.Client{Transport: canned{}}, time.Now).Capabilities().Predicts
		for _, n := range strings.Fields(numbers) {
			if predicts(n[1:]) != (n[0] == '+') {
				t.Errorf("%s: %s", environment, n)
			}
			if environment != "sandbox" && payment.Country(n[1:]) != newProviderWith(t, cfg, nil, &http.Client{Transport: canned{}}, time.Now).Capabilities().Plan {
				t.Errorf("%s: %s is a number of %q", environment, n, payment.Country(n[1:]))
			}
		}
	}
}
