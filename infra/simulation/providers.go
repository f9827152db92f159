package simulation

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"momoproxy/infra/standin/core"
	momentstand "momoproxy/infra/standin/momentpay"
	facturastand "momoproxy/infra/standin/momfactura"
	mtnstand "momoproxy/infra/standin/mtn"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
	"momoproxy/shared/provider/momentpay"
	"momoproxy/shared/provider/momfactura"
	"momoproxy/shared/provider/mtn"
	"momoproxy/shared/webhook"
)

const (
	nameMTN     = "mtn"
	nameFactura = momfactura.Name
	nameMoment  = momentpay.Name

	publicURL    = "https://proxy.example"
	mtnURL       = "https://mtn.example"
	facturaURL   = "https://factura.example"
	momentURL    = "https://moment.example"
	facturaKey   = "factura-key-of-the-simulation"
	facturaToken = "factura-token-of-the-simulation"
	momentKey    = "sk_live_of_the_simulation"
)

// windows are the ages at which our clock may end a payment, by method; one
// that is missing here is never ended by it.
var windows = map[string]time.Duration{
	"":                         24 * time.Hour,
	momfactura.MethodReference: 24 * time.Hour,
	momfactura.MethodEkwanza:   time.Hour,
	momentpay.MethodLink:       25 * time.Hour,
	momentpay.MethodPush:       24 * time.Hour,
}

// spacings are the strict least times between two questions about a payment.
var spacings = map[string]time.Duration{
	momfactura.MethodReference: 30 * time.Second, momfactura.MethodEkwanza: 5 * time.Second,
}

// build makes the providers and everything that outlives an invocation.
func (w *world) build() {
	w.mtn = mtnstand.New(mtnstand.Options{Options: core.Options{Now: time.Now, AfterFunc: w.afterFunc, HTTPClient: &http.Client{Transport: callbackWire{w}},
		Seed: w.rng.Uint64() | 1, InstantTimeouts: true, Inject: w.inject, Choose: w.choose,
		CallbackRetries: w.callbackRetries()}})
	var err error
	w.account, err = w.mtn.Provision(mtnstand.Account{TargetEnvironment: "mtnswaziland", CallbackHost: "proxy.example"})
	if err != nil {
		panic(err)
	}
	w.oracle = ledger.New(w.store, plainSealer{}, ledger.Options{Random: bytesOf{w.rng}})
	w.buildFactura()
	w.buildMoment()
}

// buildFactura makes Mom Factura, in one of the forms in which its pages
// contradict each other.
func (w *world) buildFactura() {
	w.facturaTimes = core.Times{
		// How long an MCX payer takes is simulated on the way there; the
		// stand-in itself must not wait.
		Approve: w.between(time.Second, 90*time.Second), Invoice: w.between(time.Second, 10*time.Minute),
		Slow: w.between(5*time.Minute, 3*time.Hour), Late: w.between(0, 2*time.Hour), Repeat: w.between(0, 5*time.Minute),
		Lag: w.between(0, time.Minute), Expire: 3 * time.Minute, Due: pick(w, time.Hour, 24*time.Hour, 72*time.Hour),
		Long: w.between(20*time.Hour, 40*time.Hour),
	}
	flag := func() bool { return w.chance(0.3) }
	w.factura = facturastand.New(facturastand.Options{Options: core.Options{CallbackURL: publicURL + "/webhooks/mom-factura/" + facturaToken,
		HTTPClient: &http.Client{Transport: webhookWire{w, facturaHook}},
		Now:        time.Now, AfterFunc: w.facturaAfterFunc, Seed: w.rng.Uint64() | 1, Times: w.facturaTimes, InstantTimeouts: true,
		Inject: w.injectFactura, Choose: w.chooseFactura},
		APIKey:  facturaKey,
		Dialect: facturastand.Dialect{SDK: flag(), SwapNesting: flag(), Bare: w.chance(0.1), Numbers: flag(), WithdrawOptional: flag()}})
}

// buildMoment makes MomentPay, with what its pages leave open drawn by lot.
func (w *world) buildMoment() {
	w.momentTimes = core.Times{
		Approve: w.between(time.Second, 90*time.Second), Slow: w.between(time.Minute, 3*time.Hour),
		Late: w.between(0, 2*time.Hour), Repeat: w.between(0, 5*time.Minute),
	}
	retries := []time.Duration{}
	if w.chance(0.5) {
		retries = nil // its own
	}
	flag := func() bool { return w.chance(0.3) }
	w.momentSecrets = []string{w.newMomentSecret()}
	w.moment = momentstand.New(momentstand.Options{Options: core.Options{CallbackURL: publicURL + "/webhooks/momentpay",
		HTTPClient: &http.Client{Transport: webhookWire{w, momentHook}}, CallbackRetries: retries,
		Now: time.Now, AfterFunc: w.afterFunc, Seed: w.rng.Uint64() | 1, Times: w.momentTimes, InstantTimeouts: true,
		Inject: w.injectMoment},
		SecretKey: momentKey, WebhookSecrets: w.momentSecrets,
		ContractEvents: flag(), URLSpelling: flag(), OwnWebhookID: flag(), ExpiryFirst: flag(), PastExpiry: flag(),
		RefuseOtherBody: flag(), FlatErrors: flag()})
}

func (w *world) newMomentSecret() string {
	secret, _ := webhook.NewSecret(bytesOf{w.rng})
	return secret.Reveal()
}

// adapters are the three of one instance, by its clock.
func (w *world) adapters(l *ledger.Ledger, now func() time.Time) []provider.Provider {
	backoff := func(attempt int) time.Duration {
		base := 200 * time.Millisecond << min(attempt-1, 4)
		return base + w.between(0, base)
	}
	one, err := mtn.New(mtn.Config{
		BaseURL: mtnURL, TargetEnvironment: w.account.TargetEnvironment,
		APIUser: w.account.APIUser, APIKey: w.account.APIKey, SubscriptionKey: w.account.SubscriptionKey,
	}, l.ProviderTokens(now), &http.Client{Transport: mtnWire{w}}, now,
		mtn.WithBackoff(backoff), mtn.On(w.host(now)))
	if err != nil {
		panic(err)
	}
	two, err := momfactura.New(momfactura.Config{BaseURL: facturaURL, APIKey: facturaKey, WebhookToken: facturaToken},
		&http.Client{Transport: facturaWire{w}}, now)
	if err != nil {
		panic(err)
	}
	three, err := momentpay.New(momentpay.Config{BaseURL: momentURL, SecretKey: momentKey, WebhookSecrets: slices.Clone(w.momentSecrets)},
		&http.Client{Transport: momentWire{w}}, now, momentpay.WithBackoff(backoff), momentpay.On(w.host(now)))
	if err != nil {
		panic(err)
	}
	return []provider.Provider{one, named{two}, named{three}}
}

// named tells the wire which payment a request is about: Mom Factura's carry
// nothing of ours.
type named struct{ provider.Provider }

type referenceKey struct{}

func (n named) Submit(ctx context.Context, p payment.Payment, callbackURL string) provider.Answer {
	return n.Provider.Submit(context.WithValue(ctx, referenceKey{}, p.Reference), p, callbackURL)
}

func (n named) Status(ctx context.Context, p payment.Payment) provider.Answer {
	return n.Provider.Status(context.WithValue(ctx, referenceKey{}, p.Reference), p)
}

func referenceOf(ctx context.Context) string {
	reference, _ := ctx.Value(referenceKey{}).(string)
	return reference
}

// truth is what a provider's books say of a payment, whatever its answers
// claim.
type truth struct {
	status           payment.Status // empty: it was never made
	made             bool
	charges          int
	since, created   time.Time
	amount, currency string
	payer            string
	reference        string // ours, as the provider has it
	invoice          string // its URL, as the provider shows it
}

// truth looks a payment up in its provider's books.
func (w *world) truth(reference string) truth {
	switch w.books.payments[reference].Provider {
	case nameFactura:
		return w.truthFactura(reference)
	case nameMoment:
		return w.truthMoment(reference)
	}
	e, ok := w.mtn.Payment(reference)
	if !ok || e.Accepted == 0 {
		return truth{}
	}
	return truth{
		status: wordsMTN[e.Status], made: true, charges: e.Charges, since: e.Since, created: e.Created,
		amount: e.Amount, currency: e.Currency, payer: e.Payer, reference: e.Order,
	}
}

var wordsMTN = map[string]payment.Status{
	"PENDING": payment.Pending, "CREATED": payment.Pending, "ON_HOLD": payment.Pending,
	"SUCCESSFUL": payment.Successful, "FAILED": payment.Failed,
}

var wordsFactura = map[string]payment.Status{
	facturastand.Pending: payment.Pending, facturastand.Errored: payment.Pending, "ON_HOLD": payment.Pending,
	facturastand.Paid: payment.Successful, facturastand.Cancelled: payment.Cancelled, facturastand.Expired: payment.Cancelled,
	facturastand.Failed: payment.Failed, facturastand.Rejected: payment.Failed,
}

// truthFactura: nobody pays a reference whose number nobody knows.
func (w *world) truthFactura(reference string) truth {
	id, ok := w.books.factura[reference]
	if !ok {
		return truth{}
	}
	e, _ := w.factura.Payment(id)
	t := truth{
		status: wordsFactura[e.Status], made: true, charges: e.Charges, since: e.Since, created: e.Created,
		amount: e.Amount, currency: "AOA", payer: e.Payer, reference: reference, invoice: w.shown(e.InvoiceURL),
	}
	if e.Method == facturastand.RouteReference && w.books.payments[reference].IDs["operationId"] == "" {
		t.status, t.charges, t.invoice = payment.Pending, 0, ""
	}
	return t
}

var wordsMoment = map[string]payment.Status{
	"active": payment.Pending, "paid": payment.Successful, "expired": payment.Cancelled, "failed": payment.Failed,
}

// truthMoment: an amount that the books show otherwise than it was asked for
// is another amount.
func (w *world) truthMoment(reference string) truth {
	e, ok := w.moment.Payment(reference)
	if !ok || e.Accepted == 0 {
		return truth{}
	}
	t := truth{
		status: wordsMoment[e.Status], made: true, charges: e.Charges, since: e.Since, created: e.Created,
		amount: e.Amount, currency: e.Currency, reference: e.Reference, payer: strings.TrimPrefix(e.Payer, "+"),
	}
	if e.Script == "wrong_amount" {
		t.amount = "1" + t.amount // any other
	}
	return t
}

// see remembers what a provider could truly say of a payment at this moment.
func (w *world) see(reference string) {
	t := w.truth(reference)
	if t.made {
		w.books.saw[saying{reference, t.status}] = true
	}
}

type saying struct {
	reference string
	status    payment.Status
}

// sameMoney holds what was moved against what was asked for. Where a method
// names no payer, any payer is right.
func sameMoney(p ledger.Payment, t truth) bool {
	m, err := payment.ParseReported(t.amount, t.currency)
	return err == nil && m == p.Amount && (t.payer == "" || t.payer == string(p.Payer)) && t.reference == p.Reference
}
