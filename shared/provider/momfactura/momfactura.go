// Package momfactura is the adapter for Mom Factura (Momenu), Angola:
// payments by bank reference, by E-kwanza and by Multicaixa Express (MCX). It
// turns what the provider says into payment.Evidence and decides nothing.
// The provider's own pages contradict each other; where that matters the
// comment on the rule names the source, or says that nobody has confirmed it
// and that the code works either way:
//
//   - skill: the provider's published integration skills (payments v3.1,
//     webhooks v3.0 and v3.1, status polling, testing), 2026-02 to 2026-06
//   - SDK: its JavaScript SDK's README, types and mocked tests
//   - integrators: published code of others
//   - not confirmed: inferred from these; never seen against the real API
package momfactura

import (
	"cmp"
	"context"
	"net/http"
	"time"

	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
	"momoproxy/shared/provider/wire"
)

// Name is the provider's name in the API.
const Name = "mom-factura"

// Names of the methods, as in the API.
const (
	MethodReference = "reference" // a bank reference, paid at an ATM or in a banking app
	MethodEkwanza   = "ekwanza"   // a code or QR for the E-kwanza wallet
	MethodMCX       = "mcx"       // Multicaixa Express: the payer approves while we wait
)

// currency is the one there is: amounts are Kwanza (skill).
const currency = "AOA"

// Policies. invoiceFor: the invoice is made after the payment is known as
// paid, and its webhook comes once or not at all.
const invoiceFor = time.Hour

// referencePolicy: a payer takes minutes to days, to the due date, which
// moves the end of the window (Particulars.ExpiresAt). The window itself is
// for a reference whose answer was lost, and so never reached the payer.
var referencePolicy = payment.Policy{
	FirstCheck:      30 * time.Second,
	MaxInterval:     15 * time.Minute,
	Window:          24 * time.Hour,
	LateInterval:    24 * time.Hour,
	GiveUp:          7 * 24 * time.Hour,
	InvoiceFor:      invoiceFor,
	NotFoundGrace:   2 * time.Minute,
	NotFoundSpacing: time.Minute,
	Failures:        failures,
}

// ekwanzaPolicy: a code is good for three minutes (paymentTimeout 180 in the
// skill's example). The longer window is for a status that lags behind.
var ekwanzaPolicy = payment.Policy{
	FirstCheck:      5 * time.Second,
	MaxInterval:     15 * time.Minute,
	Window:          time.Hour,
	LateInterval:    24 * time.Hour,
	GiveUp:          7 * 24 * time.Hour,
	InvoiceFor:      invoiceFor,
	NotFoundGrace:   2 * time.Minute,
	NotFoundSpacing: time.Minute,
	Failures:        failures,
}

// mcxPolicy: there is no way to ask about an MCX payment (skill), so none of
// this leads to a question. The first check is what says so of a payment
// whose process died. The invoice comes with the answer or not at all.
var mcxPolicy = payment.Policy{
	FirstCheck:      time.Minute,
	MaxInterval:     24 * time.Hour,
	Window:          24 * time.Hour,
	LateInterval:    24 * time.Hour,
	GiveUp:          7 * 24 * time.Hour,
	NotFoundGrace:   2 * time.Minute,
	NotFoundSpacing: time.Minute,
	Failures:        failures,
}

// Limits: 100 requests a minute, of which 20 submissions, both per IP address
// and so shared by all who use the account here (skill). The questions get
// what the submissions leave. A limit with Every and Burst lets at most
// 1 + Burst + 60 s/Every through in any minute:
//
//	submits:   1 + 5 + 60/4.2  = 20
//	questions: 1 + 5 + 60/0.85 = 76
//
// Turns are taken a little before they are used, a submission's up to two
// seconds: those make it 20 and 78.
var (
	submits   = provider.Limit{Every: 4200 * time.Millisecond, Burst: 5}
	questions = provider.Limit{Every: 850 * time.Millisecond, Burst: 5}
)

// invoiced: lines with their tax in percent (SDK 1.0.8). How many are taken is
// not confirmed.
const (
	maxIVA   = 14
	maxLines = 50
)

var invoiced = provider.InvoiceLimits{MaxLines: maxLines, MaxTaxPercent: maxIVA}

// methods lists the ways to pay. The least time between two questions about
// one payment is the provider's own rule (skill), but for MCX.
func methods(noEkwanza bool) []provider.Method {
	return []provider.Method{
		{Name: MethodReference, Policy: referencePolicy, MinPollInterval: 30 * time.Second, Strict: true, Invoice: invoiced},
		{Name: MethodEkwanza, Policy: ekwanzaPolicy, MinPollInterval: 5 * time.Second, Strict: true, NeedsPayer: true, Off: noEkwanza},
		{Name: MethodMCX, Policy: mcxPolicy, MinPollInterval: time.Minute, Strict: true, NeedsPayer: true, Invoice: invoiced},
	}
}

// Capabilities are asked for with every request: these are made once.
var allMethods, withoutEkwanza = methods(false), methods(true)

// Provider is one Mom Factura account. It is safe for concurrent use.
type Provider struct {
	cfg    Config
	client *wire.Client
	now    func() time.Time
}

var _ provider.Provider = (*Provider)(nil)

// New makes the adapter. client carries the requests, with redirects never
// followed; nil: NewHTTPClient. now is the clock; nil: time.Now. The error
// wraps ErrConfig.
func New(cfg Config, client *http.Client, now func() time.Time) (*Provider, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	if now == nil {
		now = time.Now
	}
	return &Provider{
		cfg: cfg, now: now,
		client: wire.New(cfg.BaseURL, cmp.Or(client, NewHTTPClient()), now, cfg.APIKey, cfg.WebhookToken),
	}, nil
}

// NewHTTPClient makes the client for Mom Factura alone; see
// wire.NewHTTPClient. It keeps no connection: one that died unnoticed while
// the function slept would leave the outcome of a payment unknown, which
// Mom Factura, of all providers, cannot be asked about.
func NewHTTPClient() *http.Client {
	c := wire.NewHTTPClient()
	c.Transport.(*http.Transport).DisableKeepAlives = true
	return c
}

// Capabilities implements provider.Provider.
func (p *Provider) Capabilities() provider.Capabilities {
	caps := capabilities(p.cfg.NoEkwanza)
	caps.Production, caps.BaseURL = !p.cfg.TestMode, p.cfg.BaseURL
	if p.cfg.TestMode {
		caps.TestPayer = testPayer
	}
	return caps
}

// testPayer says whether digits are a number of the skill's testing page, each
// of which names a simulateResult. None of them is a number of Angola's.
func testPayer(digits string) bool {
	switch digits {
	case "244900000000", "244900000001", "244900000002", "244900000003", "244999999999":
		return true
	}
	return false
}

func capabilities(noEkwanza bool) provider.Capabilities {
	methods := allMethods
	if noEkwanza {
		methods = withoutEkwanza
	}
	return provider.Capabilities{
		Name: Name, Currency: currency, Plan: payment.PlanAngola,
		Methods: methods, // no default: what the payer has to do differs too much
		Submits: submits, Statuses: questions,
	}
}

// Ready implements provider.Provider: the key goes with each request, so
// there is nothing to fetch.
func (p *Provider) Ready(context.Context) error { return nil }

// Maintain implements provider.Provider: there is nothing to do.
func (p *Provider) Maintain(context.Context) error { return nil }

// headers go with every request. x-env-qa is what keeps real money still:
// test and production are the same host (skill, testing).
func (p *Provider) headers() map[string]string {
	h := map[string]string{"x-api-key": p.cfg.APIKey, "Accept": "application/json"}
	if p.cfg.TestMode {
		h["x-env-qa"] = "true"
	}
	return h
}
