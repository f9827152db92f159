package mtn_test

import (
	"errors"
	"net/http/httptest"
	"testing"
	"time"

	"momoproxy/infra/standin/core"
	mtnstand "momoproxy/infra/standin/mtn"
	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
	"momoproxy/shared/provider/mtn"
)

// TestNewPlatform: the platform to which MTN's production moves, over real
// HTTP. Its API users are base64, sent as they are.
func TestNewPlatform(t *testing.T) {
	t.Parallel()
	s := mtnstand.New(mtnstand.Options{Options: core.Options{Choose: func(core.Call) (core.Script, bool) {
		return core.Script{Name: mtnstand.ScriptPending}, true
	}}, NewPlatform: true})
	account, err := s.Provision(mtnstand.Account{APIUser: "ab/cd+ef==", APIKey: "p.u-n_c!t&u%2Bation="})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(s.Handler())
	t.Cleanup(func() { server.Close(); s.Close() })
	cfg := mtn.Config{
		BaseURL: server.URL, TargetEnvironment: mtn.Sandbox, APIUser: account.APIUser, APIKey: account.APIKey, SubscriptionKey: account.SubscriptionKey, Currency: "EUR",
	}
	p := newProviderWith(t, cfg, nil, nil, time.Now)
	pay := newPayment()
	pay.Amount, pay.PayerMessage, pay.PayeeNote = payment.Money{Minor: 15000, Currency: "EUR"}, "General (Presale)", ""
	if a := p.Submit(t.Context(), pay, ""); a.Evidence.Verdict != payment.SaysAccepted {
		t.Errorf("submit: %+v", a.Evidence)
	}
	if a := p.Status(t.Context(), pay); a.Evidence.Verdict != payment.SaysPending {
		t.Errorf("status: %+v", a.Evidence)
	}
	cfg.APIKey = "wrong"
	if err := newProviderWith(t, cfg, nil, nil, time.Now).Ready(t.Context()); !errors.Is(err, provider.ErrCredentials) {
		t.Errorf("wrong key: %v", err)
	}
}
