package mtn_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"momoproxy/infra/standin/core"
	mtnstand "momoproxy/infra/standin/mtn"
	"momoproxy/shared/payment"
	"momoproxy/shared/provider/mtn"
	"momoproxy/shared/provider/providertest"
)

// TestContractOverSandbox judges the adapter over the stand-in that the local
// system uses, which was written without it.
func TestContractOverSandbox(t *testing.T) {
	t.Parallel()
	providertest.Run(t, func(t *testing.T, attempt time.Duration) providertest.Stand {
		s, server, cfg := newSandbox(t)
		cfg.AttemptTimeout = attempt
		return providertest.Stand{
			Provider:   newProviderWith(t, cfg, nil, nil, time.Now),
			NewPayment: newPayment,
			Behave:     func(b ...providertest.Behaviour) bool { return behaveSandbox(t, s, server, b) },
			Idempotent: true,
			End: func(p payment.Payment, e providertest.Ending) {
				reference := p.Reference
				status, reason := "PENDING", ""
				switch e {
				case providertest.Successful:
					status = "SUCCESSFUL"
				case providertest.Failed:
					status, reason = "FAILED", "NOT_ENOUGH_FUNDS"
				}
				if err := s.SetOutcome(reference, status, reason, false); err != nil && !errors.Is(err, core.ErrUnknown) {
					t.Error(err)
				}
			},
			Charges: func(p payment.Payment) int {
				e, _ := s.Payment(p.Reference)
				return e.Accepted
			},
			Calls: func() int {
				n := s.Counters().Requests
				return n[mtnstand.RouteRequestToPay] + n[mtnstand.RouteStatus]
			},
			Callbacks:   callbacks,
			CallbackURL: callbackURL,
			Secrets:     []string{apiKey, subscriptionKey, callbackToken},
		}
	})
}

func newSandbox(t *testing.T) (*mtnstand.Standin, *httptest.Server, mtn.Config) {
	t.Helper()
	s := mtnstand.New(mtnstand.Options{Options: core.Options{Choose: func(core.Call) (core.Script, bool) {
		return core.Script{Name: mtnstand.ScriptPending}, true
	},
		// Nobody calls back: what happens then is not the adapter's part.
		HTTPClient: &http.Client{Transport: transport(func(*http.Request) (*http.Response, error) { return nil, errors.New("no network") })}}})
	if _, err := s.Provision(mtnstand.Account{
		APIUser: apiUser, APIKey: apiKey, SubscriptionKey: subscriptionKey, Currency: "SZL", CallbackHost: "pay.example.com",
	}); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(s.Handler())
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
		s.Close()
	})
	cfg := config(server.URL)
	return s, server, cfg
}

// behaveSandbox says which behaviours the sandbox has.
func behaveSandbox(t *testing.T, s *mtnstand.Standin, server *httptest.Server, all []providertest.Behaviour) bool {
	t.Helper()
	faults := map[providertest.Behaviour]core.Fault{
		providertest.Refuses:      core.Error403Before,
		providertest.ResetsBefore: core.ResetBefore,
		providertest.ResetsAfter:  core.ResetAfter,
		providertest.HangsBefore:  core.TimeoutBefore,
		providertest.HangsAfter:   core.TimeoutAfter,
		providertest.Fails:        core.Error503Before,
		providertest.FailsAfter:   core.Error503After,
		providertest.Nonsense:     core.HTML200Before,
		providertest.Truncates:    core.Truncated,
		providertest.Forgets:      core.Error404Before,
		providertest.StrangeWord:  mtnstand.UnknownStatus,
		providertest.OtherPayment: mtnstand.WrongExternalID,
	}
	for i, b := range all {
		times := 1
		if i == len(all)-1 {
			times = 0
		}
		routes := []string{mtnstand.RouteRequestToPay, mtnstand.RouteStatus}
		fault := faults[b]
		switch b {
		case providertest.Works:
			continue
		case providertest.Unreachable:
			providertest.Refuse(t, server.Listener)
			server.CloseClientConnections()
			continue
		case providertest.RefusesCredentials:
			if err := s.AddRule(core.Rule{Route: mtnstand.RouteToken, Fault: mtnstand.LoginFailed}); err != nil {
				t.Fatal(err)
			}
			fault = core.Error401Before
		case providertest.StrangeWord, providertest.OtherPayment:
			routes = routes[1:]
		}
		if fault == "" {
			return false
		}
		for _, route := range routes {
			if err := s.AddRule(core.Rule{Route: route, Fault: fault, Times: times}); err != nil {
				t.Fatal(err)
			}
		}
	}
	return true
}

// TestSandboxFaults: every fault the sandbox knows, met by Submit and Status;
// whatever it is, nothing is refused that was taken and no success comes from
// a fault.
func TestSandboxFaults(t *testing.T) {
	t.Parallel()
	for _, known := range mtnstand.New(mtnstand.Options{}).Faults() {
		fault := known.Name
		if fault == core.Error409Before {
			continue // a duplicate of nothing is no fault that MTN is known to have
		}
		t.Run(string(fault), func(t *testing.T) {
			t.Parallel()
			s, _, cfg := newSandbox(t)
			if strings.HasPrefix(string(fault), "timeout") || fault == core.SlowBody {
				cfg.AttemptTimeout = 2 * time.Second // no answer comes; the next one must
			}
			p := newProviderWith(t, cfg, nil, nil, time.Now)
			pay := newPayment()
			onSubmit := s.AddRule(core.Rule{Route: mtnstand.RouteRequestToPay, Fault: fault})
			a := p.Submit(t.Context(), pay, callbackURL)
			e, _ := s.Payment(pay.Reference)
			if e.Accepted > 1 || a.Evidence.Verdict == payment.SaysRefused && e.Accepted > 0 {
				t.Errorf("accepted %d times and told %q", e.Accepted, a.Evidence.Verdict)
			}
			if a.Evidence.Verdict == payment.SaysAccepted && e.Accepted == 0 {
				t.Error("told accepted, which it is not")
			}
			s.ClearRules()
			a = p.Submit(t.Context(), pay, callbackURL)
			if a.Evidence.Verdict != payment.SaysAccepted {
				t.Errorf("after the fault: %+v", a.Evidence)
			}
			if e, _ = s.Payment(pay.Reference); e.Accepted != 1 {
				t.Errorf("accepted %d times", e.Accepted)
			}

			onStatus := s.AddRule(core.Rule{Route: mtnstand.RouteStatus, Fault: fault})
			if onSubmit != nil && onStatus != nil {
				return // a fault of callbacks
			}
			a = p.Status(t.Context(), pay)
			if onStatus == nil {
				switch a.Evidence.Verdict {
				case payment.SaysNothing, payment.SaysPending, payment.SaysUnrecognised, payment.SaysNotFound:
				default:
					t.Errorf("status: %+v", a.Evidence)
				}
			}
			s.ClearRules()
			if err := s.SetOutcome(pay.Reference, "SUCCESSFUL", "", false); err != nil {
				t.Fatal(err)
			}
			a = p.Status(t.Context(), pay)
			if a.Evidence.Verdict != payment.SaysSuccessful || a.Evidence.FinancialTransactionID == "" {
				t.Errorf("in the end: %+v", a.Evidence)
			}
		})
	}
}
