package main

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"momoproxy/infra/sandbox"
	momentbox "momoproxy/infra/sandbox/momentpay"
	facturabox "momoproxy/infra/sandbox/momfactura"
	"momoproxy/shared/provider/momentpay"
	"momoproxy/shared/provider/momfactura"
	"momoproxy/shared/webhook"
)

func (w *world) names() []string { return []string{"mtn", momentpay.Name, momfactura.Name} }

// startProviders starts the stand-ins and returns the variables that name them.
func (w *world) startProviders() ([]string, error) {
	secret, err := webhook.NewSecret(rand.Reader)
	if err != nil {
		return nil, err
	}
	token, key := rand.Text(), "sk_test_"+rand.Text()
	times := sandbox.DefaultTimes()
	times.Approve = approve
	mtn := sandbox.New(sandbox.Options{Times: times})
	account, err := mtn.Provision(sandbox.MTNAccount{Currency: "SZL", CallbackHost: "localhost"})
	if err != nil {
		return nil, err
	}
	factura := facturabox.New(facturabox.Options{
		WebhookURL: "http://" + w.address + "/webhooks/mom-factura/" + token,
		Times:      facturabox.Times{Approve: approve, Invoice: time.Second, Expire: time.Minute, Due: 72 * time.Hour, Long: 30 * time.Hour},
	})
	moment := momentbox.New(momentbox.Options{
		SecretKey: key, WebhookURL: "http://" + w.address + "/webhooks/momentpay", WebhookSecrets: []string{secret.Reveal()},
		Times: momentbox.Times{Approve: approve, Slow: time.Minute, Late: time.Minute, Repeat: time.Minute},
	})
	w.closing = append(w.closing, mtn.Close, factura.Close, moment.Close)
	var urls [3]string
	for i, h := range []http.Handler{mtn.Handler(), factura.Handler(), moment.Handler()} {
		if urls[i], err = w.serve(h); err != nil {
			return nil, err
		}
	}
	return []string{
		"MTN_BASE_URL=" + urls[0], "MTN_TARGET_ENV=" + account.TargetEnvironment, "MTN_CURRENCY=" + account.Currency,
		"MTN_API_USER=" + account.APIUser, "MTN_API_KEY=" + account.APIKey, "MTN_SUBSCRIPTION_KEY=" + account.SubscriptionKey,
		"MTN_STATUS_PER_SECOND=150",
		"MOMFACTURA_BASE_URL=" + urls[1], "MOMFACTURA_TEST_MODE=true", "MOMFACTURA_API_KEY=" + facturabox.DefaultAPIKey, "MOMFACTURA_WEBHOOK_TOKEN=" + token,
		"MOMENTPAY_BASE_URL=" + urls[2], "MOMENTPAY_SECRET_KEY=" + key, "MOMENTPAY_WEBHOOK_SECRETS=" + secret.Reveal(),
	}, nil
}

// body is the n-th request. Mom Factura takes 20 a minute from everybody
// together; the rest is shared by the others.
func (w *world) body(n int) (provider string, body []byte) {
	order := map[string]any{"externalId": fmt.Sprint("ORDER-", n), "amount": "25.00"}
	payer := "26876123456"
	provider = "mtn"
	each := int(w.o.rate * 4) // a request of Mom Factura's every four seconds
	switch {
	case n%each == each-1:
		provider, payer = momfactura.Name, "244923456789"
		order["provider"], order["method"], order["amount"] = provider, momfactura.MethodReference, fmt.Sprintf("%d.00", 1000+n)
	case n%2 == 1:
		provider, payer = momentpay.Name, momentbox.PushNumber(0)
		order["provider"], order["method"], order["amount"] = provider, momentpay.MethodPush, fmt.Sprintf("%d.00", 1000+n)
	}
	order["payer"] = map[string]string{"partyIdType": "MSISDN", "partyId": payer}
	body, err := json.Marshal(order)
	if err != nil {
		panic(err) // strings only
	}
	return provider, body
}
