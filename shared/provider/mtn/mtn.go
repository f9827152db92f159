// Package mtn is the adapter for MTN MoMo Collections (request to pay). It
// turns what MTN says into payment.Evidence and decides nothing. What MTN
// documents and what it was seen to do differ in places; where that matters
// the comment on the rule names the source:
//
//   - portal: MTN's developer portal, https://momodeveloper.mtn.com
//   - ERR82: https://momodevelopercommunity.mtn.com/errors-46/momo-api-common-errors-82
//   - BP93: https://momodevelopercommunity.mtn.com/tips-tricks-32/best-practices-93
//   - post 192, post 338: MTN's announcements of failure reasons in the same community
//   - observed: third parties' written runs against MTN's sandbox, 2026-09
package mtn

import (
	"cmp"
	"context"
	"encoding/base64"
	"math/rand/v2"
	"net/http"
	"time"

	"momoproxy/shared/host"
	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
	"momoproxy/shared/provider/wire"
)

// Name is the provider's name in the API.
const Name = "mtn"

const (
	// minPollInterval keeps one eager app from using them up.
	minPollInterval = 5 * time.Second
)

// policy: the payer has about five minutes to enter a PIN (post 192), but
// nothing MTN publishes rules out a late ending, so the window is a day.
var policy = payment.Policy{
	FirstCheck:      10 * time.Second,
	MaxInterval:     time.Hour,
	Window:          24 * time.Hour,
	LateInterval:    24 * time.Hour,
	GiveUp:          7 * 24 * time.Hour,
	NotFoundGrace:   2 * time.Minute,
	NotFoundSpacing: 30 * time.Second,
	Failures:        failures,
}

// methods: MTN has one way to pay, by the payer's phone.
var methods = []provider.Method{{Policy: policy, MinPollInterval: minPollInterval, NeedsPayer: true}}

// statuses is the limit of status questions. Those sent just so far apart
// arrive closer together now and then, so the slots lie a quarter wider.
func statuses(perSecond int) provider.Limit {
	every := time.Second / time.Duration(cmp.Or(perSecond, DefaultStatusPerSecond))
	return provider.Limit{Every: every + every/4}
}

// Provider is one MTN Collections account. It is safe for concurrent use.
type Provider struct {
	cfg     Config
	market  market
	client  *wire.Client
	now     func() time.Time
	backoff func(attempt int) time.Duration
	host    host.Host
	onReady func(context.Context, provider.Exchange)
	tokens  *tokens
	basic   string // value of the token call's Authorization header
}

var _ provider.Provider = (*Provider)(nil)

// Option changes what New builds.
type Option func(*Provider)

// WithBackoff replaces the wait before a repeat of a submit: attempt 1 is
// the first repeat. It must be safe for concurrent use.
func WithBackoff(wait func(attempt int) time.Duration) Option {
	return func(p *Provider) { p.backoff = wait }
}

// On makes the adapter wait, draw how long, and lock by h instead of by the
// real machine. Its clock is New's.
func On(h host.Host) Option {
	return func(p *Provider) { p.host = h }
}

// WithReadyExchanges has f called with every exchange that Ready makes.
// Those of Submit and Status are in their Answer.
func WithReadyExchanges(f func(context.Context, provider.Exchange)) Option {
	return func(p *Provider) { p.onReady = f }
}

// New makes the adapter. The error is cfg.Validate's. A nil client means
// NewHTTPClient, a nil now time.Now; a client given is used without
// following redirects whatever it says itself.
func New(cfg Config, store provider.TokenStore, client *http.Client, now func() time.Time, options ...Option) (*Provider, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	if client == nil {
		client = NewHTTPClient()
	}
	if now == nil {
		now = time.Now
	}
	basic := base64.StdEncoding.EncodeToString([]byte(cfg.APIUser + ":" + cfg.APIKey))
	p := &Provider{
		cfg:     cfg,
		market:  markets[cfg.TargetEnvironment],
		client:  wire.New(cfg.BaseURL, client, now, cfg.APIKey, cfg.SubscriptionKey, basic),
		now:     now,
		backoff: jittered,
		host:    host.Machine(),
		onReady: func(context.Context, provider.Exchange) {},
		basic:   "Basic " + basic,
	}
	for _, option := range options {
		option(p)
	}
	p.tokens = newTokens(cfg.tokenID(), store, p.fetchToken, now, p.host)
	return p, nil
}

// jittered waits 200 to 400 ms before the first repeat and twice that before
// the second.
func jittered(attempt int) time.Duration {
	base := 200 * time.Millisecond << min(attempt-1, 4)
	return base + rand.N(base)
}

// Capabilities implements provider.Provider.
func (p *Provider) Capabilities() provider.Capabilities {
	caps := provider.Capabilities{
		Name:       Name,
		Currency:   p.cfg.Currency,
		Plan:       p.market.plan,
		Production: p.cfg.Production(),
		BaseURL:    p.cfg.BaseURL,
		Methods:    methods,
		Statuses:   statuses(p.cfg.StatusPerSecond),
		Predicts:   p.predicts,
	}
	if !caps.Production {
		caps.TestPayer = testPayer
	}
	return caps
}

// Ready implements provider.Provider: it sees to a token, for three seconds at
// most.
func (p *Provider) Ready(ctx context.Context) error { return p.getToken(ctx, byRequest) }

// Maintain implements provider.Provider: it refreshes the token ten minutes
// before its end, for 25 seconds at most.
func (p *Provider) Maintain(ctx context.Context) error { return p.getToken(ctx, bySchedule) }

var _ provider.TokenTrier = (*Provider)(nil)

// TryToken implements provider.TokenTrier.
func (p *Provider) TryToken(ctx context.Context) error {
	s := session{p: p}
	_, err := p.fetchToken(ctx, &s.trail, bySchedule.wait)
	for _, e := range s.trail {
		p.onReady(ctx, e)
	}
	return err
}

func (p *Provider) getToken(ctx context.Context, by caller) error {
	s := session{p: p}
	_, err := p.tokens.get(ctx, &s.trail, by)
	for _, e := range s.trail {
		p.onReady(ctx, e)
	}
	return err
}
