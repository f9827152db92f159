package assembly

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"os"
	"time"

	"momoproxy/shared/config"
	"momoproxy/shared/delivery"
	"momoproxy/shared/gateway"
	"momoproxy/shared/httpapi"
	"momoproxy/shared/ledger"
	"momoproxy/shared/provider"
	"momoproxy/shared/provider/mtn"
	"momoproxy/shared/queue"
	"momoproxy/shared/seal"
	"momoproxy/shared/secret"
	"momoproxy/shared/table"
	"momoproxy/shared/telemetry"
	"momoproxy/shared/webhook"
)

// Parts are what every function is made of. Local and AWS differ in Table
// and Queue only.
type Parts struct {
	Config config.Config
	Table  table.Table
	Queue  queue.Queue
	Ledger *ledger.Ledger
	Log    *slog.Logger
	Now    func() time.Time
	// Rules for callback URLs; the zero value is production's.
	Rules webhook.Rules
	// MTN holds the account's credentials, if the function needs them.
	MTN MTNCredentials
}

// MTNCredentials are the secret part of the MTN account, with the field names
// of the contract's environment.
type MTNCredentials struct {
	APIUser         string `json:"MTN_API_USER"`
	APIKey          string `json:"MTN_API_KEY"`
	SubscriptionKey string `json:"MTN_SUBSCRIPTION_KEY"`
}

// String hides the credentials.
func (MTNCredentials) String() string { return "[MTN credentials]" }

// GoString is String.
func (c MTNCredentials) GoString() string { return c.String() }

// initBudget bounds a function's start; Lambda allows ten seconds.
const initBudget = 8 * time.Second

// FromEnvironment builds a function's parts as AWS runs it: configuration
// from the environment, secrets from Parameter Store, DynamoDB and SQS.
func FromEnvironment(needs config.Needs) (Parts, error) {
	ctx, cancel := context.WithTimeout(context.Background(), initBudget)
	defer cancel()
	c, err := config.Read(os.Getenv, needs)
	if err != nil {
		return Parts{}, err
	}
	a := AWS(os.Getenv)
	p := Parts{Config: c, Log: telemetry.New(os.Stdout, c.LogLevel), Now: time.Now}
	names := []string{c.SealingSecretID}
	if needs&config.Provider != 0 {
		names = append(names, c.MTN.SecretID)
	}
	values, err := secret.Store{Endpoint: os.Getenv("AWS_ENDPOINT_URL_SSM"), AWS: a}.Fetch(ctx, names...)
	if err != nil {
		return Parts{}, err
	}
	keys, err := seal.ParseKeys(values[c.SealingSecretID])
	if err != nil {
		return Parts{}, fmt.Errorf("%s: %w", c.SealingSecretID, err)
	}
	if needs&config.Provider != 0 {
		if err := json.Unmarshal([]byte(values[c.MTN.SecretID]), &p.MTN); err != nil {
			return Parts{}, fmt.Errorf("%s: not a JSON object of the MTN credentials", c.MTN.SecretID)
		}
	}
	p.Table = DynamoDB(a, c, os.Getenv)
	p.Queue = SQS(a, c, os.Getenv)
	p.Ledger = ledger.New(p.Table, keys, ledger.Options{})
	// The first connection costs a TLS handshake: make it now, when init
	// has a full processor, and not at the first payment.
	if err := p.TableCheck(ctx); err != nil {
		return Parts{}, fmt.Errorf("table does not answer: %w", err)
	}
	return p, nil
}

// TableCheck says whether the table answers.
func (p Parts) TableCheck(ctx context.Context) error {
	return p.Ledger.Ping(ctx)
}

// QueueCheck says whether the queue answers.
func (p Parts) QueueCheck(ctx context.Context) error {
	_, _, err := p.Queue.Depth(ctx)
	return err
}

// MTNProvider builds the MTN adapter.
func (p Parts) MTNProvider() (provider.Provider, error) {
	return mtn.New(mtn.Config{
		BaseURL: p.Config.MTN.BaseURL, TargetEnvironment: p.Config.MTN.TargetEnv, Currency: p.Config.MTN.Currency,
		APIUser: p.MTN.APIUser, APIKey: p.MTN.APIKey, SubscriptionKey: p.MTN.SubscriptionKey,
	}, p.Ledger.ProviderTokens(p.Now), nil, p.Now, mtn.WithReadyExchanges(p.auditTokenCall))
}

// auditTokenCall records the calls that fetch a provider token; they belong
// to no payment.
func (p Parts) auditTokenCall(ctx context.Context, x provider.Exchange) {
	err := p.Ledger.Audit(ctx, ledger.AuditRecord{
		At: ledger.Clock(x.Started), Direction: ledger.OutboundToMTN, Method: x.Method, URL: x.URL,
		RequestBody: x.RequestBody, ResponseCode: x.Code, ResponseBody: x.ResponseBody, Duration: x.Duration, Note: x.Err,
	})
	if err != nil {
		p.Log.WarnContext(ctx, "audit.lost", "route", "provider token", "error", err.Error())
	}
}

// Gateway builds the use cases.
func (p Parts) Gateway() (*gateway.Gateway, error) {
	mtn, err := p.MTNProvider()
	if err != nil {
		return nil, err
	}
	return &gateway.Gateway{
		Ledger:         p.Ledger,
		Providers:      []provider.Provider{mtn},
		Doorbell:       delivery.Doorbell{Queue: p.Queue, Now: p.Now},
		PublicBaseURL:  p.Config.PublicBaseURL,
		TrustCallbacks: p.Config.CallbackPolicy == config.Trust,
		CheckURL:       func(url string) error { return webhook.CheckURL(url, p.Rules) },
		Now:            p.Now,
		Sleep:          gateway.Pause,
		Random:         rand.Reader,
		Log:            p.Log,
		Workers:        gateway.DefaultWorkers,
	}, nil
}

// Rates of one app per function instance: twenty requests a second, forty at
// once.
const (
	appPerSecond = 20
	appBurst     = 40
)

// API builds the HTTP handlers.
func (p Parts) API() (*httpapi.API, error) {
	g, err := p.Gateway()
	if err != nil {
		return nil, err
	}
	return &httpapi.API{
		Gateway: g, Ledger: p.Ledger, Limits: httpapi.NewRateLimit(appPerSecond, appBurst),
		Now: p.Now, Log: p.Log, Version: p.Config.Version,
		TableCheck: p.TableCheck, QueueCheck: p.QueueCheck,
	}, nil
}

// Forwarder builds the delivery of callbacks.
func (p Parts) Forwarder() *delivery.Forwarder {
	return &delivery.Forwarder{
		Ledger: p.Ledger, Client: webhook.NewClient(webhook.Options{Rules: p.Rules}),
		Doorbell: delivery.Doorbell{Queue: p.Queue, Now: p.Now},
		Now:      p.Now, Jitter: mathrand.Float64, Log: p.Log,
	}
}
