package simulation

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"momoproxy/shared/httpapi"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
	"momoproxy/shared/webhook"
)

// app is one client of the system: what it asks for and what it has learned.
type app struct {
	name        string
	client      ledger.Client
	secrets     []spell // of its signatures, newest last
	url         string
	moods       []mood // of its endpoint, over time
	received    map[string]*receipt
	listed      map[string]bool // the events that GET /events has listed
	eventsAfter string          // where it goes on there
	reading     bool            // it waits for the answer
	tries       []try           // since the faults stopped
	flying      int             // attempts that wait for its answer
	together    int             // the most of these at a time
	never       string          // the end of a URL at which it never takes an event
	gone        bool            // it has answered 410 at its own URL, and not at a payment's only
	orders      []*order
	// oldKey is the API key that it used before, keys how often it was given
	// another, and keySettled when the latest change is over.
	oldKey     string
	keys       int
	keySettled time.Time
}

// order is something a customer buys. An app may ask for it several times.
type order struct {
	app        *app
	externalID string
	amount     string
	payer      string
	key        string // Idempotency-Key; empty: none
	body       string
	plain      bool // nothing may hinder it: the faults have stopped
	reused     bool // its key serves another order, too
	asked      int
	flying     int               // requests that wait for their answer
	holder     string            // a payment that holds its externalId; empty: none
	references map[string]string // told: reference to how
}

// populate makes the apps and what they will do.
func (w *world) populate() {
	n := 2 + w.rng.IntN(3)
	if most := w.options.Apps; most > 0 {
		n = min(n, most)
	}
	w.oneHost = w.chance(0.25)
	for i := range n {
		a := &app{name: fmt.Sprintf("app%d", i), received: map[string]*receipt{}, listed: map[string]bool{}}
		a.url = "https://" + a.name + ".example/callback"
		if w.oneHost {
			a.url = "https://platform.example/" + a.name
		}
		secret, _ := webhook.NewSecret(bytesOf{w.rng})
		a.secrets = []spell{{secret: secret, from: w.start.Add(-settling - 1)}}
		client, err := w.oracle.CreateClient(context.Background(), ledger.Client{
			ID: "cli_" + a.name, Name: a.name, Active: true, CallbackURL: a.url, CreatedAt: ledger.Clock(w.start),
			APIKey: "key-" + a.name, SigningSecrets: []string{secret.Reveal()},
		})
		if err != nil {
			panic(err)
		}
		a.client = client
		a.moods = w.moodsOf()
		w.apps = append(w.apps, a)
	}
	busy := min(w.rates.span, time.Hour) * 3 / 4
	payments := 3 + w.rng.IntN(8)
	if w.rates.crowd {
		payments, busy = 120, 3*time.Second
	}
	if most := w.options.Payments; most > 0 {
		payments = min(payments, most)
	}
	for i := range payments {
		o := w.newOrder(w.apps[w.rng.IntN(n)], fmt.Sprintf("order-%d", i), true)
		w.anytime(w.between(0, busy), "order", func() { w.ask(o) })
	}
	w.planForgeries()
	w.planJumps()
	w.planRotations()
	w.planSecretRotation()
	w.planOperator()
	w.planSelfService()
	w.planKeyRotations()
}

// newOrder makes an order with one of the providers; odd ones take the id of
// another one, or what is somebody's id elsewhere.
func (w *world) newOrder(a *app, externalID string, odd bool) *order {
	o := &order{app: a, externalID: externalID, references: map[string]string{}}
	if odd && w.chance(0.25) {
		other := w.apps[w.rng.IntN(len(w.apps))] // its own or another app's
		if len(other.orders) > 0 {
			o.externalID = other.orders[w.rng.IntN(len(other.orders))].externalID
		}
	}
	if odd && w.chance(w.rates.collisions) && len(w.books.ids) > 0 {
		o.externalID = pick(w, w.books.ids[w.rng.IntN(len(w.books.ids))], w.books.order[w.rng.IntN(len(w.books.order))])
	}
	o.amount = pick(w, "100", "150.00", "0.50", "99.95", "1")
	content := w.contentOf(o, externalID, odd)
	if w.chance(0.6) {
		o.key = fmt.Sprintf("%s-%s-%d", a.name, externalID, len(a.orders))
	}
	if odd && w.chance(0.05) && len(a.orders) > 0 { // a careless app
		other := a.orders[w.rng.IntN(len(a.orders))]
		o.key, o.reused, other.reused = other.key, true, true
	}
	if odd && w.chance(0.2) {
		content["callbackUrl"] = a.url + "/special"
	}
	body, _ := json.Marshal(content)
	o.body = string(body)
	a.orders = append(a.orders, o)
	return o
}

// contentOf draws the provider of an order and what it takes.
func (w *world) contentOf(o *order, message string, odd bool) map[string]any {
	content := map[string]any{"payerMessage": "for " + message}
	if w.chance(0.3) {
		content["callbackFormat"] = "provider"
	}
	named := true
	switch x := w.rng.Float64(); {
	case x < w.rates.mtn:
		content["currency"] = "SZL"
		o.payer = fmt.Sprintf("26876%06d", w.rng.IntN(1_000_000))
	default:
		p := w.parties[0]
		if x >= w.rates.mtn+w.rates.factura {
			p = w.parties[1]
		}
		content["provider"], content["currency"] = p.name, p.currency
		named = p.order(o, content, odd)
	}
	if named {
		content["payer"] = map[string]string{"partyIdType": "MSISDN", "partyId": o.payer}
	} else {
		o.payer = ""
	}
	content["amount"], content["externalId"] = o.amount, o.externalID
	return content
}

const idempotencyKey = "idempotency-key" // the header

// ask sends a request to pay, and again when no good answer comes.
func (w *world) ask(o *order) {
	o.asked++
	r := httpapi.Request{Body: o.body, RouteKey: "POST /request-to-pay", Headers: map[string]string{
		"content-type": "application/json", "x-proxy-api-key": o.app.client.APIKey,
	}}
	r.RequestContext.HTTP.Method = http.MethodPost
	if o.key != "" {
		r.Headers[idempotencyKey] = o.key
	}
	if w.chance(0.1) {
		r.Body, r.IsBase64Encoded = base64.StdEncoding.EncodeToString([]byte(o.body)), true
	}
	if w.chance(0.15) { // an impatient app, or one that sends everything twice
		w.anytime(w.between(0, 2*time.Second), "ask twice", func() { w.askOnce(o, r) })
	}
	again := w.askOnce(o, r)
	if again && o.asked < 6 {
		wait := w.between(time.Second, time.Minute)
		if o.plain {
			wait += time.Minute
		}
		w.anytime(wait, "ask again", func() {
			if !o.plain && w.chance(0.15) {
				o.key = "" // careless
			}
			w.ask(o)
		})
	}
}

func (w *world) askOnce(o *order, r httpapi.Request) (again bool) {
	inv, resp, ok := w.send(o, r)
	if w.halted {
		return false
	}
	if !ok {
		return w.chance(0.8) || o.plain // the app may give up
	}
	return w.answered(o, r.Headers[idempotencyKey], inv, resp)
}

// send makes one request to pay. ok is false when no answer came.
func (w *world) send(o *order, r httpapi.Request) (inv *invocation, resp httpapi.Response, ok bool) {
	w.note("ask", o.app.name, o.externalID, r.Headers[idempotencyKey], o.amount)
	o.flying++
	inv, ok = w.invoke(requestToPay, func(ctx context.Context, i *instance) { resp, _ = i.api.Collection.RequestToPay()(ctx, r) })
	o.flying--
	return inv, resp, ok
}

// probe asks for one plain payment, to see that the system still works.
func (w *world) probe(a *app) {
	o := w.newOrder(a, "probe-"+a.name, false)
	o.plain = true
	w.ask(o)
}

// probeAgain asks once more for an order of before the calm, and holds the
// answer to what is known of it: a live or successful payment is named, else
// a new one begins.
func (w *world) probeAgain(a *app) {
	if len(a.orders) == 0 {
		return
	}
	old := a.orders[w.rng.IntN(len(a.orders))]
	want := ""
	for _, reference := range w.books.order {
		p := w.books.payments[reference]
		if p.ClientID == a.client.ID && p.ExternalID == old.externalID && (p.Open() || p.Status == payment.Successful) {
			want = reference
		}
	}
	o := w.newOrder(a, old.externalID, false)
	o.key, o.holder = "", want
	o.plain = want == ""
	w.ask(o)
}

// look asks for the status of a payment, its own or another app's.
func (w *world) look(a *app, reference string) {
	r := httpapi.Request{RouteKey: "GET /status/{referenceId}", PathParameters: map[string]string{"referenceId": reference},
		Headers: map[string]string{"x-proxy-api-key": a.client.APIKey}}
	r.RequestContext.HTTP.Method = http.MethodGet
	w.note("look", a.name, reference)
	succeeded, calm := w.books.success[reference], w.calm // before it asks
	var resp httpapi.Response
	_, ok := w.invoke(status, func(ctx context.Context, i *instance) { resp, _ = i.api.Collection.Status()(ctx, r) })
	if ok && !busy(resp, calm) && !w.halted {
		w.looked(a, reference, succeeded, resp)
	}
}

// watch has an app look at a payment now and then, and others pry.
func (w *world) watch(o *order, reference string) {
	for range w.rng.IntN(5) {
		a := o.app
		if w.chance(0.2) {
			a = w.apps[w.rng.IntN(len(w.apps))]
		}
		w.anytime(w.between(0, min(w.rates.span, 30*time.Minute)), "look", func() { w.look(a, reference) })
	}
	if w.rates.crowd && w.way(w.books.payments[reference]).waits {
		for i := range 12 { // a page that shows the payer's code and waits
			w.anytime(time.Duration(i)*6*time.Second+w.between(0, time.Second), "look and wait", func() { w.look(o.app, reference) })
		}
	}
	if w.chance(0.1) { // an eager app
		for i := range 15 {
			w.anytime(time.Duration(i)*300*time.Millisecond, "look eagerly", func() { w.look(o.app, reference) })
		}
	}
}
