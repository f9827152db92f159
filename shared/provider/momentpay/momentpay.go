// Package momentpay is the adapter for MomentPay's payment requests (South
// Africa): a link that the payer opens, or a push to a Capitec app. It turns
// what MomentPay says into payment.Evidence and decides nothing. Rules name
// their source:
//
//   - docs: MomentPay's documentation, https://docs.momentco.io
//   - contract: the page of payment_request webhooks as the apps' contract
//     has it; docs and contract differ in places, and then both are taken
//   - not confirmed: nobody has seen it; the code works either way
package momentpay

import (
	"context"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"momoproxy/shared/host"
	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
	"momoproxy/shared/provider/wire"
	"momoproxy/shared/webhook"
)

// Name is the provider's name in the API.
const Name = "momentpay"

// The methods' names, in our API as in MomentPay's "type" (docs).
const (
	MethodLink = "link" // MomentPay gives a link; who pays is not known before
	MethodPush = "push" // a prompt in the payer's Capitec app (beta)
)

const (
	currency = "ZAR"

	// How long the payer can pay. These are MomentPay's defaults (docs); they
	// are sent all the same, counted from the payment's creation, so that a
	// request repeated later is the same one and no payer is asked late.
	linkLife = 24 * time.Hour
	pushLife = 2 * time.Minute
)

// methods. An unpaid request says expired at its time, so the windows matter
// only where MomentPay does not answer. A link's has an hour for a payment
// begun in its last minute. A push is one that the payer may have approved
// without our knowing it: its window is as long, and while it is unknown our
// clock does not end it in minutes. MomentPay publishes no request limit;
// MinPollInterval keeps an eager app from finding out.
var methods = []provider.Method{
	{
		Name: MethodLink,
		Policy: payment.Policy{
			FirstCheck: 15 * time.Second, MaxInterval: time.Hour, Window: linkLife + time.Hour,
			LateInterval: 24 * time.Hour, GiveUp: 7 * 24 * time.Hour,
			NotFoundGrace: 2 * time.Minute, NotFoundSpacing: 30 * time.Second, Failures: failures,
		},
		MinPollInterval: 5 * time.Second,
		LongestExpiry:   longestLife,
	},
	{
		Name: MethodPush,
		Policy: payment.Policy{
			FirstCheck: 5 * time.Second, MaxInterval: 10 * time.Minute, Window: 24 * time.Hour,
			LateInterval: 24 * time.Hour, GiveUp: 7 * 24 * time.Hour,
			NotFoundGrace: 2 * time.Minute, NotFoundSpacing: 30 * time.Second, Failures: failures,
		},
		MinPollInterval: 3 * time.Second,
		NeedsPayer:      true,
	},
}

// Provider is one MomentPay account. It is safe for concurrent use.
type Provider struct {
	cfg     Config
	client  *wire.Client
	now     func() time.Time
	backoff func(attempt int) time.Duration
	sleep   func(ctx context.Context, d time.Duration) error
	secrets []webhook.Secret
}

var _ provider.Provider = (*Provider)(nil)

// Option changes what New builds.
type Option func(*Provider)

// WithBackoff replaces the wait before a repeat of a submit: attempt 1 is
// the first repeat. It must be safe for concurrent use.
func WithBackoff(wait func(attempt int) time.Duration) Option {
	return func(p *Provider) { p.backoff = wait }
}

// On makes the adapter wait by h instead of by the real machine. Its clock is
// New's.
func On(h host.Host) Option {
	return func(p *Provider) { p.sleep = h.Sleep }
}

// New makes the adapter. The error is cfg.Validate's. A nil client means
// NewHTTPClient, a nil now time.Now; a client given is used without
// following redirects whatever it says itself.
func New(cfg Config, client *http.Client, now func() time.Time, options ...Option) (*Provider, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg.BaseURL = strings.TrimRight(cfg.BaseURL, "/")
	if cfg.AttemptTimeout == 0 {
		cfg.AttemptTimeout = DefaultAttemptTimeout
	}
	if client == nil {
		client = NewHTTPClient()
	}
	if now == nil {
		now = time.Now
	}
	p := &Provider{
		cfg: cfg, now: now, backoff: jittered, sleep: host.Machine().Sleep, secrets: cfg.secrets(),
		client: wire.New(cfg.BaseURL, client, now, cfg.SecretKey),
	}
	for _, option := range options {
		option(p)
	}
	return p, nil
}

// jittered waits 200 to 400 ms before the first repeat and twice that before
// the second.
func jittered(attempt int) time.Duration {
	base := 200 * time.Millisecond << min(attempt-1, 4)
	return base + rand.N(base)
}

// NewHTTPClient makes the client for MomentPay alone. Make one per process:
// it holds the connections.
func NewHTTPClient() *http.Client { return wire.NewHTTPClient() }

// Capabilities implements provider.Provider.
func (p *Provider) Capabilities() provider.Capabilities {
	c := capabilities()
	c.Production, c.BaseURL = p.cfg.Production(), p.cfg.BaseURL
	return c
}

func capabilities() provider.Capabilities {
	return provider.Capabilities{
		Name: Name, Currency: currency, Plan: payment.PlanSouthAfrica,
		Methods: methods, DefaultMethod: MethodLink, MinorUnits: true, // docs
	}
}

// Ready implements provider.Provider: the key goes with each request, so
// there is nothing to fetch before one.
func (p *Provider) Ready(context.Context) error { return nil }

// Maintain implements provider.Provider: there is nothing to do.
func (p *Provider) Maintain(context.Context) error { return nil }
