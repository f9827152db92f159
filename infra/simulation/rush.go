package simulation

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"momoproxy/shared/ledger"
	"momoproxy/shared/webhook"
)

// Rare worlds in which one rule alone is put to the test, once the faults have
// stopped. What is drawn here moves nothing else of other seeds.

// waitingPages is how many payments have pages that wait for them.
const waitingPages = 60

// planRush has many customers pay at once, each before a page that asks for the
// payment's status as often as it may: more often in all than the provider
// takes. In half of these worlds the writes of payments hang now and then, so that
// a slot is gone when its turn comes.
func (w *world) planRush() {
	rng := rand.New(rand.NewPCG(w.options.Seed, 0x72757368))
	kind := rng.IntN(64)
	if kind > 1 || len(w.apps) < 3 || w.options.Payments > 0 {
		return
	}
	const start = 7 * time.Hour
	body, payer, orders, apart, every := `"currency":"SZL"`, "26876%06d", waitingPages, 500*time.Millisecond, 1100*time.Millisecond
	if kind == 1 {
		body, payer = fmt.Sprintf(`"currency":"AOA","provider":%q,"method":"ekwanza"`, w.parties[0].name), "24492%07d"
		orders, apart, every = 24, 4500*time.Millisecond, 2*time.Second
	} else {
		for after := 10 * time.Second; after < time.Minute; after += 10 * time.Second {
			w.after(start+after, "writes hang", func() { w.hangUntil = time.Now().Add(3 * time.Second) })
		}
	}
	for i := range orders {
		a := w.apps[i%len(w.apps)]
		number := fmt.Sprintf(payer, 500_000+rng.IntN(400_000))
		o := &order{app: a, externalID: fmt.Sprintf("rush-%d", i), amount: "150.00", payer: number, references: map[string]string{}}
		o.body = fmt.Sprintf(`{"amount":"150.00",%s,"externalId":%q,"payer":{"partyIdType":"MSISDN","partyId":%q}}`, body, o.externalID, number)
		a.orders = append(a.orders, o)
		at := start + time.Duration(i)*apart
		w.after(at, "ask in a rush", func() {
			w.askPlainly(o)
			for n := range 20 {
				w.anytime(time.Duration(n+1)*every, "look and wait", func() {
					for reference := range o.references {
						w.look(a, reference)
					}
				})
			}
		})
	}
}

// planNeverTaken has an app that answers 404 to the events of one payment, for
// good, and takes all others. No circuit opens for that: the schedule alone
// bounds the attempts.
func (w *world) planNeverTaken() {
	rng := rand.New(rand.NewPCG(w.options.Seed, 0x6e657665))
	if rng.IntN(32) > 0 || w.options.Payments > 0 || w.options.Apps > 0 {
		return
	}
	secret, _ := webhook.NewSecret(bytesOf{rng})
	a := &app{name: "picky", url: "https://picky.example/callback", never: "/never", received: map[string]*receipt{}}
	a.secrets = []spell{{secret: secret, from: w.start.Add(-settling - 1)}}
	client, err := w.oracle.CreateClient(context.Background(), ledger.Client{
		ID: "cli_" + a.name, Name: a.name, Active: true, CallbackURL: a.url, CreatedAt: ledger.Clock(time.Now()),
		APIKey: "key-" + a.name, SigningSecrets: []string{secret.Reveal()},
	})
	if err != nil {
		panic(err)
	}
	a.client = client
	w.apps = append(w.apps, a)
	for i := range 13 {
		o := neighbourOrder(a, fmt.Sprintf("picky-%d", i), fmt.Sprintf("2687602%04d", rng.IntN(10_000)))
		if i == 0 {
			o.body = strings.TrimSuffix(o.body, "}") + fmt.Sprintf(`,"callbackUrl":%q}`, a.url+a.never)
		}
		w.after(8*time.Hour+time.Duration(i)*15*time.Minute, "ask", func() { w.askPlainly(o) })
	}
}
