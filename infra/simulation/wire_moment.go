package simulation

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"momoproxy/infra/standin/core"
	momentstand "momoproxy/infra/standin/momentpay"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
	"momoproxy/shared/provider/momentpay"
	"momoproxy/shared/webhook"
)

const (
	momentURL = "https://moment.example"
	momentKey = "sk_live_of_the_simulation"
)

// moment is MomentPay.
type moment struct {
	*momentstand.Standin
	secrets []string // as they are deployed, the newest first
}

// buildMoment makes MomentPay, with what its pages leave open drawn by lot.
func (w *world) buildMoment() {
	times := core.Times{
		Approve: w.between(time.Second, 90*time.Second), Slow: w.between(time.Minute, 3*time.Hour),
		Late: w.between(0, 2*time.Hour), Repeat: w.between(0, 5*time.Minute),
	}
	retries := []time.Duration{}
	if w.chance(0.5) {
		retries = nil // its own
	}
	flag := func() bool { return w.chance(0.3) }
	w.moment.secrets = []string{w.newMomentSecret()}
	w.moment.Standin = momentstand.New(momentstand.Options{Options: core.Options{CallbackURL: publicURL + "/webhooks/momentpay",
		HTTPClient: &http.Client{Transport: webhookWire{w, momentHook}}, CallbackRetries: retries,
		Now: time.Now, AfterFunc: w.afterFunc, Seed: w.rng.Uint64() | 1, Times: times, InstantTimeouts: true,
		Inject: w.injectMoment},
		SecretKey: momentKey, WebhookSecrets: w.moment.secrets,
		ContractEvents: flag(), URLSpelling: flag(), OwnWebhookID: flag(), ExpiryFirst: flag(), PastExpiry: flag(),
		RefuseOtherBody: flag(), FlatErrors: flag()})
	w.parties = append(w.parties, &party{
		name: momentstand.Name, hook: momentHook, currency: "ZAR", stand: w.moment.Standin,
		adapter: func(now func() time.Time) provider.Provider {
			p, err := momentpay.New(momentpay.Config{BaseURL: momentURL, SecretKey: momentKey, WebhookSecrets: slices.Clone(w.moment.secrets)},
				&http.Client{Transport: partyWire{w, w.party(momentstand.Name)}}, now, momentpay.WithBackoff(w.backoff), momentpay.On(w.host(now)))
			if err != nil {
				panic(err)
			}
			return p
		},
		order: w.orderMoment, ask: w.askMoment, forge: w.forgeMoment, truth: w.truthMoment, native: w.nativeMoment,
		words: map[payment.Event][]string{
			payment.EventSuccessful: {"paid"}, payment.EventFailed: {"failed"}, payment.EventCancelled: {"expired"}, payment.EventTimeout: {"expired"},
		},
		ways:  map[string]way{momentstand.Link: {window: 25 * time.Hour, link: true}, momentstand.Push: {window: 24 * time.Hour, id: "id"}},
		signs: true, repeats: true, id: "id", count: func(s *Stats) *int { return &s.Moment },
	})
}

func (w *world) newMomentSecret() string {
	secret, _ := webhook.NewSecret(bytesOf{w.rng})
	return secret.Reveal()
}

// askMoment looks at a request that leaves.
func (w *world) askMoment(q question) func(*http.Request) (*http.Response, error) {
	w.running.lie, w.running.about = "", q.reference
	if key := q.Header.Get("Idempotency-Key"); q.pay && key != q.reference {
		w.violate(ChargedOnce, "MomentPay was asked for %s under the key %q", q.reference, key)
	}
	return func(r *http.Request) (*http.Response, error) {
		resp, err := w.moment.RoundTripper().RoundTrip(r)
		if e, ok := w.moment.Payment(q.reference); ok && e.Accepted > 1 {
			w.violate(ChargedOnce, "MomentPay has %d requests for %s", e.Accepted, q.reference)
		}
		w.see(q.reference)
		if q.pay && err == nil && resp.StatusCode >= 300 {
			w.books.untold[q.reference] = time.Now()
		}
		return resp, err
	}
}

// orderMoment draws a payment.
func (w *world) orderMoment(o *order, content map[string]any, odd bool) (named bool) {
	named = true
	o.payer = fmt.Sprintf("2782%07d", 1_000_000+w.rng.IntN(1_000_000))
	if w.chance(0.4) {
		content["method"] = momentstand.Push
	} else {
		named = w.chance(0.3)
	}
	if odd && w.chance(0.5) {
		o.amount = fmt.Sprintf("%d.%d", 1+w.rng.IntN(200), momentCents[w.rng.IntN(len(momentCents))])
	} else {
		o.amount = pick(w, "100", "150.00", "1")
	}
	return named
}

// withoutAmount is the lie that only a success must not be taken from.
const withoutAmount = string(momentstand.NoAmount)

// momentCents are those of amounts that ask MomentPay for something special.
var momentCents = []int{51, 52, 53, 54, 61, 62, 63, 65, 66, 67, 68, 69, 71, 72, 73, 74, 75, 76, 77, 78, 79}

// injectMoment is asked what goes wrong with one exchange.
func (w *world) injectMoment(c core.Call) core.Fault {
	f := w.momentFault(c)
	if f != "" {
		w.note("  fault", string(f))
	}
	return f
}

func (w *world) momentFault(c core.Call) core.Fault {
	switch c.Route {
	case core.RouteCallback:
		w.see(c.Reference)
		switch {
		case w.chance(w.rates.callbackLost):
			w.result.Stats.Lost++
			return core.Lost
		case w.chance(w.rates.callbackTwice):
			return core.Repeated
		}
	case momentstand.RouteRetrieve:
		switch {
		case w.chance(w.rates.statusLies):
			f := pick(w, momentstand.WrongAmount, momentstand.WrongCurrency, momentstand.WrongReference, momentstand.OtherRequest,
				momentstand.UnknownStatus, momentstand.NoAmount)
			w.lie(c.Reference, string(f))
			return f
		case w.chance(w.rates.providerBefore):
			return pick(w, core.TimeoutBefore, core.ResetBefore, core.Error500Before, core.Error503Before, core.Error429Before,
				core.Error401Before, core.Error403Before, core.Error404Before, core.HTML404Before, core.HTML200Before, core.Endless)
		case w.chance(w.rates.providerOdd):
			return pick(w, core.Truncated, momentstand.StringAmount, momentstand.NoLink)
		}
	case momentstand.RouteCreate:
		e, _ := w.moment.Payment(c.Reference)
		switch {
		case w.chance(w.rates.statusLies / 2):
			f := pick(w, momentstand.WrongAmount, momentstand.WrongCurrency, momentstand.WrongReference, momentstand.OtherRequest)
			w.lie(c.Reference, string(f))
			return f
		case w.chance(w.rates.providerBefore):
			f := pick(w, core.TimeoutBefore, core.ResetBefore, core.Error500Before, core.Error503Before, momentstand.KeptErrorBefore,
				core.Error429Before, core.Error409Before, core.Error400Before, core.Error401Before, core.Error403Before, core.HTML404Before, core.HTML200Before)
			if f == core.Error400Before && e.Asks > 0 {
				w.lie(c.Reference, absent) // it may have it
			}
			return f
		case w.chance(w.rates.providerAfter):
			return pick(w, core.TimeoutAfter, core.ResetAfter, core.Error500After, momentstand.KeptErrorAfter,
				core.HTML200After, core.Truncated, momentstand.NoLink)
		}
	}
	return ""
}

// planSecretRotation exchanges the secret under which MomentPay signs, as an
// operator does it: the new one is deployed beside the old one, then MomentPay
// signs with it, then the old one is taken away.
func (w *world) planSecretRotation() {
	if w.rates.rotations <= 0 {
		return
	}
	deploy := func(secrets ...string) {
		w.note("deploy secrets")
		w.moment.secrets = secrets
		for _, i := range w.pools[momentHook] {
			i.outdated = true
		}
	}
	at := w.between(0, w.rates.span)
	w.after(at, "rotation at MomentPay", func() {
		old, fresh := w.moment.secrets[0], w.newMomentSecret()
		deploy(fresh, old)
		signs := w.between(time.Minute, 10*time.Minute)
		w.after(signs, "MomentPay signs with the new secret", func() {
			if w.chance(0.3) {
				w.moment.RotateSecrets(fresh, old)
				return
			}
			w.moment.RotateSecrets(fresh)
		})
		w.after(signs+w.between(3*time.Minute, 10*time.Minute), "the old secret is taken away", func() { deploy(fresh) })
	})
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

// forgeMoment sends webhooks without MomentPay's secret, or with one that it
// has given up: none may be taken. What is sent again late or early was true.
func (w *world) forgeMoment(p ledger.Payment) {
	extra := core.Notice{Forged: pick(w, momentstand.Forgeries()...)}
	if extra.Forged != momentstand.Replayed && extra.Forged != momentstand.Future {
		extra.Status = pick(w, "paid", "paid", "failed", "expired")
	}
	forged, err := w.moment.Compose(p.Reference, extra)
	if err != nil { // MomentPay does not know it, and somebody says that it does
		forged = core.Letter{Header: http.Header{}, Body: fmt.Appendf(nil,
			`{"id":"evt_1","type":"payment_request.paid","data":{"id":"pr_forged","status":"paid","amount":%d,"currency":"ZAR","external_reference":%q}}`,
			p.Amount.Minor, p.Reference)}
		forged.Header.Set("Webhook-Id", "evt_1")
		forged.Header.Set("Webhook-Timestamp", strconv.FormatInt(time.Now().Unix(), 10))
		forged.Header.Set("Webhook-Signature", "v1,"+base64.StdEncoding.EncodeToString([]byte(p.Reference)))
	}
	w.webhook(w.parties[1], "", forged.Header, string(forged.Body))
}

func (w *world) nativeMoment(p ledger.Payment, n nativeBody) (word string, own bool) {
	return n.Data.Status, n.Data.ExternalReference == p.Reference && (p.IDs["id"] == "" || n.Data.ID == p.IDs["id"])
}
