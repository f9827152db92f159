package simulation

import (
	"context"
	"net/http"
	"time"

	"momoproxy/infra/standin/core"
	mtnstand "momoproxy/infra/standin/mtn"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
	"momoproxy/shared/provider/mtn"
)

const (
	nameMTN   = "mtn"
	publicURL = "https://proxy.example"
	mtnURL    = "https://mtn.example"
)

// build makes the providers and everything that outlives an invocation.
func (w *world) build() {
	mtn := mtnstand.New(mtnstand.Options{Options: core.Options{Now: time.Now, AfterFunc: w.afterFunc, HTTPClient: &http.Client{Transport: callbackWire{w}},
		Seed: w.rng.Uint64() | 1, InstantTimeouts: true, Inject: w.inject, Choose: w.choose,
		CallbackRetries: w.callbackRetries()}})
	w.addPlatform(nameMTN, mtnURL, mtn)
	w.oracle = ledger.New(w.store, plainSealer{}, ledger.Options{Random: bytesOf{w.rng}})
	w.buildFactura()
	w.buildMoment()
	w.buildMigration()
}

// adapters are those of one instance, by its clock.
func (w *world) adapters(l *ledger.Ledger, now func() time.Time) []provider.Provider {
	var all []provider.Provider
	for _, at := range w.platforms {
		one, err := mtn.New(mtn.Config{
			BaseURL: at.url, TargetEnvironment: at.account.TargetEnvironment,
			APIUser: at.account.APIUser, APIKey: at.account.APIKey, SubscriptionKey: at.account.SubscriptionKey,
		}, l.ProviderTokens(now), &http.Client{Transport: mtnWire{w, at}}, now,
			mtn.WithBackoff(w.backoff), mtn.On(w.host(now)))
		if err != nil {
			panic(err)
		}
		all = append(all, inAccount{one, at.id})
	}
	for _, p := range w.parties {
		all = append(all, named{p.adapter(now)})
	}
	return all
}

// backoff is the wait before a repeat of a submit.
func (w *world) backoff(attempt int) time.Duration {
	base := 200 * time.Millisecond << min(attempt-1, 4)
	return base + w.between(0, base)
}

// named tells the wire which payment a request is about: some carry
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
	if p := w.party(w.books.payments[reference].Provider); p != nil {
		return p.truth(reference)
	}
	e, ok := w.atMTN(reference)
	if !ok {
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
