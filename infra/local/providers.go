package main

import (
	"crypto/rand"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"momoproxy/infra/sandbox"
	momentbox "momoproxy/infra/sandbox/momentpay"
	facturabox "momoproxy/infra/sandbox/momfactura"
	"momoproxy/shared/assembly"
	"momoproxy/shared/config"
	"momoproxy/shared/webhook"
)

// mtnCurrency is that of the MTN stand-in's account: Eswatini's.
const mtnCurrency = "SZL"

// providerAt names a provider and where it is asked.
type providerAt struct{ name, url string }

// startProviders points each provider's account at the address that the
// environment names for it, else at a stand-in of this process.
func (s *system) startProviders() error {
	for _, start := range []func() error{s.startMTN, s.startMomFactura, s.startMomentPay} {
		if err := start(); err != nil {
			return err
		}
	}
	return nil
}

func (s *system) startMTN() error {
	c := &s.parts.Config
	if url := os.Getenv("MTN_BASE_URL"); url != "" {
		c.MTN = config.MTN{BaseURL: url, TargetEnv: os.Getenv("MTN_TARGET_ENV"), Currency: os.Getenv("MTN_CURRENCY")}
		if c.MTN.TargetEnv == "" {
			c.MTN.TargetEnv = "sandbox"
		}
		if public := os.Getenv("PUBLIC_BASE_URL"); public != "" {
			c.PublicBaseURL = public
		}
		s.parts.MTN = assembly.MTNCredentials{
			APIUser: os.Getenv("MTN_API_USER"), APIKey: os.Getenv("MTN_API_KEY"), SubscriptionKey: os.Getenv("MTN_SUBSCRIPTION_KEY"),
		}
		s.asks("mtn", url)
		return nil
	}
	world := sandbox.New(sandbox.Options{})
	s.stops = append(s.stops, world.Close)
	account, err := world.Provision(sandbox.MTNAccount{Currency: mtnCurrency, CallbackHost: "localhost"})
	if err != nil {
		return err
	}
	url, err := s.serve(world.Handler())
	if err != nil {
		return err
	}
	c.MTN = config.MTN{BaseURL: url, TargetEnv: account.TargetEnvironment, Currency: account.Currency}
	s.parts.MTN = assembly.MTNCredentials{APIUser: account.APIUser, APIKey: account.APIKey, SubscriptionKey: account.SubscriptionKey}
	s.asks("mtn", url)
	return nil
}

func (s *system) startMomFactura() error {
	c := &s.parts.Config
	c.MomFactura = config.MomFactura{
		SecretID: "local", TestMode: os.Getenv("MOMFACTURA_TEST_MODE") != "false",
		NoInstantWithdraw: os.Getenv("MOMFACTURA_INSTANT_WITHDRAW") == "false", NoEkwanza: os.Getenv("MOMFACTURA_EKWANZA") == "false",
	}
	if url := os.Getenv("MOMFACTURA_BASE_URL"); url != "" {
		c.MomFactura.BaseURL = url
		s.parts.MomFactura = assembly.MomFacturaCredentials{APIKey: os.Getenv("MOMFACTURA_API_KEY"), WebhookToken: os.Getenv("MOMFACTURA_WEBHOOK_TOKEN")}
		s.asks("mom-factura", url)
		return nil
	}
	token := rand.Text()
	world := facturabox.New(facturabox.Options{WebhookURL: c.PublicBaseURL + "/webhooks/mom-factura/" + token})
	s.stops = append(s.stops, world.Close)
	url, err := s.serve(world.Handler())
	if err != nil {
		return err
	}
	c.MomFactura.BaseURL = url
	s.parts.MomFactura = assembly.MomFacturaCredentials{APIKey: facturabox.DefaultAPIKey, WebhookToken: token}
	s.asks("mom-factura", url)
	return nil
}

func (s *system) startMomentPay() error {
	c := &s.parts.Config
	if url := os.Getenv("MOMENTPAY_BASE_URL"); url != "" {
		c.MomentPay = config.MomentPay{BaseURL: url, SecretID: "local"}
		s.parts.MomentPay = assembly.MomentPayCredentials{
			SecretKey: os.Getenv("MOMENTPAY_SECRET_KEY"), WebhookSecrets: strings.Fields(os.Getenv("MOMENTPAY_WEBHOOK_SECRETS")),
		}
		s.asks("momentpay", url)
		return nil
	}
	secret, err := webhook.NewSecret(rand.Reader)
	if err != nil {
		return err
	}
	key := "sk_test_" + rand.Text()
	world := momentbox.New(momentbox.Options{
		SecretKey: key, WebhookURL: c.PublicBaseURL + "/webhooks/momentpay", WebhookSecrets: []string{secret.Reveal()},
	})
	s.stops = append(s.stops, world.Close)
	url, err := s.serve(world.Handler())
	if err != nil {
		return err
	}
	c.MomentPay = config.MomentPay{BaseURL: url, SecretID: "local"}
	s.parts.MomentPay = assembly.MomentPayCredentials{SecretKey: key, WebhookSecrets: []string{secret.Reveal()}}
	s.asks("momentpay", url)
	return nil
}

// serve answers on a loopback port of its own until the system stops.
func (s *system) serve(h http.Handler) (url string, err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	server := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second}
	go server.Serve(l)
	s.stops = append(s.stops, func() { server.Close() })
	return "http://" + l.Addr().String(), nil
}

func (s *system) asks(name, url string) { s.providers = append(s.providers, providerAt{name, url}) }
