package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"momoproxy/shared/assembly"
	"momoproxy/shared/delivery"
	"momoproxy/shared/forwarder"
	"momoproxy/shared/host"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
	"momoproxy/shared/queue"
	queuememory "momoproxy/shared/queue/memory"
	queuesqlite "momoproxy/shared/queue/sqlite"
	"momoproxy/shared/seal"
	"momoproxy/shared/table"
	tablememory "momoproxy/shared/table/memory"
	tablesqlite "momoproxy/shared/table/sqlite"
	"momoproxy/shared/telemetry"
	"momoproxy/shared/webhook"
)

// maxReceives is the queue's, as in template.yaml.
const maxReceives = 5

// world is everything between an event and an app.
type world struct {
	table     table.Table
	queue     queue.Queue
	ledger    *ledger.Ledger // the gateway's: it writes the events
	keys      *seal.Ring
	bell      forwarder.Doorbell
	instances chan *instance
	taken     *arrivals
	apps      []app
	receivers *receivers
	close     func() error
}

// newWorld starts the apps and opens the store: "memory", or "sqlite" in a
// file as infra/local has it.
func newWorld(ctx context.Context, store string, apps, hanging int) (w *world, err error) {
	w = &world{taken: newArrivals(), close: func() error { return nil }}
	if w.apps, err = newApps(apps, hanging); err != nil {
		return nil, err
	}
	if err := w.open(store); err != nil {
		return nil, err
	}
	var key [seal.KeySize]byte
	rand.Read(key[:]) // never fails
	if w.keys, err = seal.NewRing(key[:]); err != nil {
		return nil, err
	}
	payers, err := seal.NewHasher(key[:])
	if err != nil {
		return nil, err
	}
	w.ledger = ledger.New(w.table, w.keys, ledger.Options{HashPayer: payers.Hash})
	w.bell = forwarder.Doorbell{Queue: w.queue, Now: time.Now}
	if w.receivers, err = startReceivers(w.apps); err != nil {
		return nil, err
	}
	for i, a := range w.apps {
		_, err := w.ledger.CreateClient(ctx, ledger.Client{
			ID: a.ID, Name: a.ID, CallbackURL: w.receivers.urls[i], Active: true, CreatedAt: ledger.Clock(time.Now()),
			APIKey: a.APIKey, SigningSecrets: []string{a.Secret},
		})
		if err != nil {
			return nil, err
		}
	}
	w.instances = make(chan *instance, concurrency)
	for range concurrency {
		w.instances <- w.newInstance()
	}
	return w, nil
}

func (w *world) open(store string) error {
	switch store {
	case "memory":
		memory := tablememory.New()
		memory.Shared = true
		w.table, w.queue = memory, queuememory.New(time.Now, maxReceives)
		return nil
	case "sqlite":
		dir, err := os.MkdirTemp("", "deliveries")
		if err != nil {
			return err
		}
		t, err := tablesqlite.Open(filepath.Join(dir, "momo-proxy.db"))
		if err != nil {
			return err
		}
		w.close = func() error { return errors.Join(t.Close(), os.RemoveAll(dir)) }
		w.table = t
		w.queue, err = queuesqlite.New(t.File(), queuesqlite.Options{Name: "deliveries", MaxReceives: maxReceives})
		return err
	}
	return fmt.Errorf("no store is called %q", store)
}

// instance is one sandbox of the forwarder's function: it works on one batch
// at a time, with caches and connections of its own.
type instance struct {
	forward *forwarder.Forwarder
	client  *webhook.Client
}

func (w *world) newInstance() *instance {
	client := webhook.NewClient(webhook.Options{Rules: webhook.Rules{AllowLoopback: true}})
	parts := assembly.Parts{
		Ledger: ledger.New(w.table, w.keys, ledger.Options{}), Queue: w.queue, Apps: watched{client, w.taken},
		Host: host.Machine(), Log: telemetry.New(io.Discard, slog.LevelInfo), // the lines are made, and go nowhere
	}
	return &instance{client: client, forward: parts.Forwarder()}
}

// arrivals are the times at which apps answered 2xx, by event.
type arrivals struct {
	mu sync.Mutex
	at map[string]time.Time
}

func newArrivals() *arrivals { return &arrivals{at: map[string]time.Time{}} }

func (a *arrivals) of(event string) time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.at[event]
}

// watched notes when an app's first 2xx has come.
type watched struct {
	forwarder.Poster
	taken *arrivals
}

func (p watched) Post(ctx context.Context, url string, header http.Header, body []byte) webhook.Result {
	r := p.Poster.Post(ctx, url, header, body)
	if r.Code >= 200 && r.Code <= 299 {
		id := header.Get(webhook.HeaderID)
		p.taken.mu.Lock()
		if p.taken.at[id].IsZero() {
			p.taken.at[id] = time.Now()
		}
		p.taken.mu.Unlock()
	}
	return r
}

// start makes n open payments of one app.
func (w *world) start(ctx context.Context, a app, n int) ([]ledger.Payment, error) {
	made := make([]ledger.Payment, n)
	for i := range made {
		reference, now := payment.NewReference(rand.Reader), ledger.Clock(time.Now())
		var err error
		made[i], err = w.ledger.Create(ctx, ledger.Payment{Payment: payment.Payment{
			Reference: reference, ClientID: a.ID, ExternalID: "ORDER-" + reference, Provider: "mtn",
			Amount: payment.Money{Minor: 15000, Currency: "SZL"}, Payer: "26876123456", Metadata: map[string]string{"cart": "12345"},
			Status: payment.Pending, CreatedAt: now, UpdatedAt: now, Accepted: true,
		}})
		if err != nil {
			return nil, err
		}
	}
	return made, nil
}

// end makes a payment's event, as the provider's word does: in one
// transaction, which it is the caller's to ring for.
func (w *world) end(ctx context.Context, p ledger.Payment) (delivery.Delivery, error) {
	now := ledger.Clock(time.Now())
	_, made, err := w.ledger.Apply(ctx, ledger.Change{Before: p, Decision: payment.Decide(p.Payment, payment.Evidence{
		Source: payment.FromStatus, Verdict: payment.SaysSuccessful, Code: "SUCCESSFUL",
		FinancialTransactionID: "1234567890", At: now,
	}, payment.Policy{})})
	if err != nil {
		return delivery.Delivery{}, err
	}
	if len(made) != 1 {
		return delivery.Delivery{}, fmt.Errorf("payment %s has %d events", p.Reference, len(made))
	}
	return made[0], nil
}

// stop ends everything and tells what the apps saw.
func (w *world) stop() (received, error) {
	saw, err := w.receivers.stop()
	return saw, errors.Join(err, w.close())
}
