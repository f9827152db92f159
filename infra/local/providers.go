package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"momoproxy"
	"momoproxy/infra/sandbox"
	momentbox "momoproxy/infra/sandbox/momentpay"
	facturabox "momoproxy/infra/sandbox/momfactura"
	"momoproxy/shared/assembly/payments"
	"momoproxy/shared/assembly/providers"
	"momoproxy/shared/config"
	"momoproxy/shared/webhook"
)

// mtnCurrency is that of the MTN stand-in's account: Eswatini's.
const mtnCurrency = "SZL"

// mtnUser is the API user of its account.
const mtnUser = "00000000-0000-4000-8000-000000000001"

// providerAt names a provider and where it is asked.
type providerAt struct{ name, url string }

// errNeedsLive: an account moves real money, and -live is not given.
var errNeedsLive = errors.New("moves real money: start with -live, or use a test account")

// startProviders reads the accounts out of the environment. Without -live a
// stand-in of this process takes the place of each account that is not
// configured.
func (s *system) startProviders(o options, ownURL string) error {
	variables := map[string]string{"CALLBACK_POLICY": string(o.policy), "VERSION": momoproxy.Version}
	getenv := func(name string) string {
		if v, ok := variables[name]; ok {
			return v
		}
		return os.Getenv(name)
	}
	s.parts.Providers = providers.All()
	if !o.live {
		if getenv("PUBLIC_BASE_URL") == "" {
			variables["PUBLIC_BASE_URL"] = ownURL
		}
		start := map[string]func(map[string]string, string, string) error{
			"mtn": s.startMTN, "mom-factura": s.startMomFactura, "momentpay": s.startMomentPay,
		}
		for _, r := range s.parts.Providers {
			if _, own := r.ReadAccount(getenv); own {
				continue // an account of its own
			}
			if err := start[r.Name](variables, ownURL, getenv("PUBLIC_BASE_URL")); err != nil {
				return err
			}
		}
	}
	c, err := config.Read(getenv, config.Provider)
	s.parts.Config = c
	if err := errors.Join(err, s.parts.LocalAccounts(getenv)); err != nil {
		return err
	}
	if o.live && !strings.HasPrefix(c.PublicBaseURL, "https://") {
		return errors.New("-live: PUBLIC_BASE_URL must be https: providers send their callbacks there, each with its secret in the path")
	}
	if len(s.parts.Accounts) == 0 {
		return errors.New("-live: no account is configured: set the variables of one (docs/testing.md lists them)")
	}
	return s.checkMoney(o)
}

// checkMoney keeps real money and play money apart.
func (s *system) checkMoney(o options) error {
	all, err := payments.Providers(s.parts)
	if err != nil {
		return err
	}
	var faults []error
	for _, p := range all {
		c := p.Capabilities()
		s.providers = append(s.providers, providerAt{c.Name, c.BaseURL})
		if c.Production && !o.live {
			faults = append(faults, fmt.Errorf("the account of %s %w", c.Name, errNeedsLive))
		}
	}
	return errors.Join(faults...)
}

func (s *system) startMTN(variables map[string]string, _, publicURL string) error {
	world := sandbox.New(sandbox.Options{Now: s.clock.Now, AfterFunc: s.clock.AfterFunc})
	s.standins.mtn = world
	s.stops = append(s.stops, world.Close)
	host := "localhost"
	if u, err := url.Parse(publicURL); err == nil && u.Hostname() != "" {
		host = u.Hostname()
	}
	// The same user each time: its payments are kept.
	account, err := world.Provision(sandbox.MTNAccount{APIUser: mtnUser, Currency: mtnCurrency, CallbackHost: host})
	if err != nil {
		return err
	}
	if err := s.keepPayments("mtn", world.Keep); err != nil {
		return err
	}
	variables["MTN_BASE_URL"], err = s.serve(world.Handler())
	variables["MTN_TARGET_ENV"], variables["MTN_CURRENCY"] = account.TargetEnvironment, account.Currency
	variables["MTN_API_USER"], variables["MTN_API_KEY"] = account.APIUser, account.APIKey
	variables["MTN_SUBSCRIPTION_KEY"] = account.SubscriptionKey
	return err
}

func (s *system) startMomFactura(variables map[string]string, ownURL, _ string) error {
	token := rand.Text()
	world := facturabox.New(facturabox.Options{
		WebhookURL: ownURL + "/webhooks/mom-factura/" + token, Now: s.clock.Now, AfterFunc: s.clock.AfterFunc,
	})
	s.standins.factura = world
	s.stops = append(s.stops, world.Close)
	err := s.keepPayments("mom-factura", world.Keep)
	if err != nil {
		return err
	}
	variables["MOMFACTURA_BASE_URL"], err = s.serve(world.Handler())
	variables["MOMFACTURA_TEST_MODE"] = "true"
	variables["MOMFACTURA_API_KEY"], variables["MOMFACTURA_WEBHOOK_TOKEN"] = facturabox.DefaultAPIKey, token
	return err
}

func (s *system) startMomentPay(variables map[string]string, ownURL, _ string) error {
	secret, err := webhook.NewSecret(rand.Reader)
	if err != nil {
		return err
	}
	key := "sk_test_" + rand.Text()
	world := momentbox.New(momentbox.Options{
		SecretKey: key, WebhookURL: ownURL + "/webhooks/momentpay", WebhookSecrets: []string{secret.Reveal()},
		Now: s.clock.Now, AfterFunc: s.clock.AfterFunc,
	})
	s.standins.moment = world
	s.stops = append(s.stops, world.Close)
	if err := s.keepPayments("momentpay", world.Keep); err != nil {
		return err
	}
	variables["MOMENTPAY_BASE_URL"], err = s.serve(world.Handler())
	variables["MOMENTPAY_SECRET_KEY"], variables["MOMENTPAY_WEBHOOK_SECRETS"] = key, secret.Reveal()
	return err
}

// keepPayments keeps a stand-in's payments in the data folder: after a restart
// it must know those that are open here.
func (s *system) keepPayments(provider string, keep func(path string, report func(error)) error) error {
	if s.data == ":memory:" {
		return nil
	}
	return keep(filepath.Join(s.data, "standin-"+provider+".jsonl"), func(err error) {
		s.parts.Log.Error("standin.not_kept", "provider", provider, "error", err.Error())
	})
}

// serve answers on a loopback port of its own until the system stops.
func (s *system) serve(h http.Handler) (url string, err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	named := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Server", "momo-proxy-standin/"+momoproxy.Version)
		h.ServeHTTP(w, r)
	})
	server := &http.Server{Handler: named, ReadHeaderTimeout: 5 * time.Second}
	go server.Serve(l)
	s.stops = append(s.stops, func() { server.Close() })
	return "http://" + l.Addr().String(), nil
}
