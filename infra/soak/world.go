package main

import (
	"context"
	"crypto/rand"
	"fmt"
	mathrand "math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"momoproxy/infra/loopback"
	"momoproxy/infra/receiver"
	"momoproxy/shared/ledger"
	"momoproxy/shared/seal"
	"momoproxy/shared/table/sqlite"
	"momoproxy/shared/webhook"
)

// world is everything around the local system, which outlives it.
type world struct {
	o           options
	dir, data   string
	sides       []*side
	address     string // where apps and providers find the system
	environment []string
	providers   []*provider
	secrets     []string // of the providers' accounts and the apps'
	apps        []*app
	table       *sqlite.Table
	ledger      *ledger.Ledger
	client      *http.Client
	stops       []func()

	kills         int
	rules, orders atomic.Int64

	mu       sync.Mutex
	promised map[string]string // external id by reference: answered 202
	keyed    map[string]string // reference by Idempotency-Key
	again    []order           // with a key and without an answer
	broken   []string          // what was seen to be wrong at once
	asked    int               // requests to pay
	told     map[int]int       // answers by HTTP status; 0: none
}

func newWorld(o options) (w *world, err error) {
	w = &world{o: o, client: &http.Client{Timeout: 30 * time.Second},
		promised: map[string]string{}, keyed: map[string]string{}, told: map[int]int{}}
	defer func() {
		if err != nil {
			w.close()
		}
	}()
	if w.dir, err = os.MkdirTemp("", "momo-proxy-soak"); err != nil {
		return nil, err
	}
	w.data = filepath.Join(w.dir, "data")
	if err := w.makeSides(); err != nil {
		return nil, err
	}
	if err := w.startProviders(); err != nil {
		return nil, err
	}
	if err := w.start(w.sides[0]); err != nil {
		return nil, err
	}
	if err := w.open(); err != nil {
		return nil, err
	}
	return w, w.makeApps()
}

// open reads the process's database beside it.
func (w *world) open() error {
	text, err := os.ReadFile(filepath.Join(w.data, "sealing.key"))
	if err != nil {
		return err
	}
	keys, err := seal.ParseKeys(string(text))
	if err != nil {
		return err
	}
	if w.table, err = sqlite.Open(filepath.Join(w.data, "momo-proxy.db")); err != nil {
		return err
	}
	w.ledger = ledger.New(w.table, keys, ledger.Options{})
	return nil
}

// makeApps makes one app that always listens, one that fails now and then,
// and one that fails more often than not.
func (w *world) makeApps() error {
	for i, failing := range []float64{0, 0.2, 0.7} {
		secret, err := webhook.NewSecret(rand.Reader)
		if err != nil {
			return err
		}
		a := &app{name: fmt.Sprintf("app %d", i+1), clientID: ledger.NewClientID(rand.Reader), Keys: receiver.Keys{APIKey: ledger.NewAPIKey(rand.Reader), Secret: secret},
			failing: failing, random: mathrand.New(mathrand.NewPCG(w.o.seed, uint64(i)))}
		url, stop, err := loopback.Serve(a.Handler(time.Now, a.got), "127.0.0.1:0")
		if err != nil {
			return err
		}
		w.stops = append(w.stops, stop)
		client := ledger.Client{ID: a.clientID, Name: a.name, Active: true, CreatedAt: ledger.Clock(time.Now()),
			APIKey: a.APIKey, SigningSecrets: []string{secret.Reveal()}, CallbackURL: url + "/callback"}
		if _, err := w.ledger.CreateClient(context.Background(), client); err != nil {
			return err
		}
		w.apps = append(w.apps, a)
		w.secrets = append(w.secrets, a.APIKey, secret.Reveal())
	}
	return nil
}

// comeToRest lets the process run without load or faults until every payment
// has ended that does not wait for a person, and no delivery is due any more
// but those that an app in trouble has postponed. Then it ends
// the process.
func (w *world) comeToRest(ctx context.Context) (waited time.Duration, err error) {
	begun := time.Now()
	for time.Since(begun) < w.o.rest { // what is left then, the books tell
		left, err := w.underWay(ctx)
		if err != nil {
			return 0, err
		}
		if left == 0 {
			break
		}
		time.Sleep(2 * time.Second)
	}
	return time.Since(begun), w.sides[len(w.sides)-1].end(syscall.SIGTERM)
}

// underWay counts what has still to end by itself.
func (w *world) underWay(ctx context.Context) (n int, err error) {
	ours, err := w.stories(ctx)
	if err != nil {
		return 0, err
	}
	entries := w.entries(ours)
	soon := time.Now().Add(time.Minute)
	for reference, s := range ours {
		p, e := s.Payment, entries[reference]
		if p.Open() && !leftToPeople(p, e) || uninvoiced(p, e) {
			n++
		}
		for _, d := range s.Deliveries {
			if !d.State.Parked() && d.NextAttemptAt.Before(soon) {
				n++
			}
		}
	}
	return n, nil
}

// stories are all payments as they are stored, by reference.
func (w *world) stories(ctx context.Context) (map[string]ledger.Story, error) {
	all := map[string]ledger.Story{}
	for _, a := range w.apps {
		if err := w.walk(ctx, a, func(s ledger.Story) { all[s.Payment.Reference] = s }); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// walk goes through all of an app's payments as they are stored.
func (w *world) walk(ctx context.Context, a *app, see func(ledger.Story)) error {
	cursor := ""
	for {
		page, err := w.ledger.ListPayments(ctx, a.clientID, ledger.PaymentFilter{}, ledger.Paging{Limit: 100, Cursor: cursor})
		if err != nil {
			return err
		}
		for _, p := range page.Items {
			s, err := w.ledger.Story(ctx, p.Reference)
			if err != nil {
				return fmt.Errorf("%s: %w", p.Reference, err)
			}
			see(s)
		}
		if page.Next == "" {
			return nil
		}
		cursor = page.Next
	}
}

func (w *world) close() {
	for _, s := range w.sides {
		_ = s.end(os.Kill)
	}
	if w.table != nil {
		_ = w.table.Close()
	}
	for _, stop := range w.stops {
		stop()
	}
	for _, p := range w.providers {
		p.stop()
		p.Close()
	}
}
