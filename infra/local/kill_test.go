package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"momoproxy/infra/receiver"
	"momoproxy/infra/standin/core"
	mtnstand "momoproxy/infra/standin/mtn"
	"momoproxy/shared/delivery"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
	"momoproxy/shared/webhook"
)

// The kill test: rounds of load that end with SIGKILL.
const (
	killRounds  = 6
	killWorkers = 3
	killOrders  = 6 // at most, of one worker in one round
)

// providerEnvironment serves a world of payers and returns the variables
// that point the program at it. The world outlives the program.
func providerEnvironment(t *testing.T, world *mtnstand.Standin) map[string]string {
	t.Helper()
	account, err := world.Provision(mtnstand.Account{Currency: "SZL", CallbackHost: "localhost"})
	if err != nil {
		t.Fatal(err)
	}
	return account.Variables(serve(t, world.Handler()))
}

func serve(t *testing.T, h http.Handler) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: h}
	go server.Serve(l)
	t.Cleanup(func() { _ = server.Close() })
	return "http://" + l.Addr().String()
}

// inbox is an app's server that outlives the program too. It keeps what
// arrives as it came; its signatures are checked when the secret is known.
type inbox struct {
	mu      sync.Mutex
	got     []arrival
	changed chan struct{} // holds something after a change
}

type arrival struct {
	header http.Header
	body   []byte
	at     time.Time
}

func (i *inbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	i.mu.Lock()
	i.got = append(i.got, arrival{r.Header.Clone(), body, time.Now()})
	i.mu.Unlock()
	select {
	case i.changed <- struct{}{}:
	default:
	}
}

// references lists the payments that something has arrived about.
func (i *inbox) references(t *testing.T) map[string][]arrival {
	i.mu.Lock()
	defer i.mu.Unlock()
	by := map[string][]arrival{}
	for _, a := range i.got {
		var c receiver.Callback
		if err := json.Unmarshal(a.body, &c); err != nil {
			t.Errorf("a callback of %q", a.body)
			continue
		}
		by[c.ReferenceID] = append(by[c.ReferenceID], a)
	}
	return by
}

// order is one request that an app makes, perhaps more than once.
type order struct {
	externalID, payer, key string
}

// shop sends orders and remembers what it was promised.
type shop struct {
	callbackURL string
	client      *http.Client
	answered    chan struct{} // holds something after an answer

	mu         sync.Mutex
	promised   map[string]order  // by reference: answered 202
	references map[string]string // by Idempotency-Key
	unanswered []order           // with a key: to be sent again
}

// buy sends an order. It returns false when there was no answer.
func (s *shop) buy(t *testing.T, gateway string, o order) bool {
	body, err := json.Marshal(map[string]any{
		"amount": "25.00", "externalId": o.externalID, "callbackUrl": s.callbackURL,
		"payer": map[string]string{"partyIdType": "MSISDN", "partyId": o.payer},
	})
	if err != nil {
		t.Error(err)
		return false
	}
	req, err := http.NewRequest(http.MethodPost, gateway+"/request-to-pay", bytes.NewReader(body))
	if err != nil {
		t.Error(err)
		return false
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Proxy-Api-Key", demoKey)
	if o.key != "" {
		req.Header.Set("Idempotency-Key", o.key)
	}
	resp, err := s.client.Do(req)
	var text []byte
	if err == nil {
		text, err = io.ReadAll(resp.Body)
		resp.Body.Close()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		if o.key != "" {
			s.unanswered = append(s.unanswered, o)
		}
		return false
	}
	var answer struct{ ReferenceID, Code string }
	_ = json.Unmarshal(text, &answer) // what is not ours has no reference
	switch {
	case resp.StatusCode == http.StatusAccepted && answer.ReferenceID != "":
		select {
		case s.answered <- struct{}{}:
		default:
		}
		s.promised[answer.ReferenceID] = o
		if before := s.references[o.key]; o.key != "" && before != "" && before != answer.ReferenceID {
			t.Errorf("one key, two payments: %s and %s", before, answer.ReferenceID)
		}
		s.references[o.key] = answer.ReferenceID
	case resp.StatusCode == http.StatusConflict && o.key != "" && answer.Code != "duplicate_external_id":
		s.unanswered = append(s.unanswered, o) // the first request may still be running
	case resp.StatusCode == http.StatusTooManyRequests, resp.StatusCode == http.StatusServiceUnavailable:
	default:
		t.Errorf("%s: %d %s", o.externalID, resp.StatusCode, text)
	}
	return true
}

// TestKillAtAnyMoment kills the program under load, again and again, and then
// lets it come to rest: nothing that it promised or that MTN knows of is lost,
// nobody is charged twice, and the app hears of every ending.
func TestKillAtAnyMoment(t *testing.T) {
	t.Parallel()
	binary(t)
	random := rand.New(rand.NewPCG(1, 2))
	times := mtnstand.DefaultTimes()
	times.Approve = 200 * time.Millisecond
	world := mtnstand.New(mtnstand.Options{Options: core.Options{Times: times}})
	defer world.Close()
	var environment []string
	for name, value := range providerEnvironment(t, world) {
		environment = append(environment, name+"="+value)
	}
	in := &inbox{changed: make(chan struct{}, 1)}
	customer := &shop{
		callbackURL: serve(t, in) + "/callback", client: &http.Client{Timeout: 10 * time.Second}, answered: make(chan struct{}, 1),
		promised: map[string]order{}, references: map[string]string{},
	}
	data := filepath.Join(t.TempDir(), "data")
	// One port throughout, as MTN knows it from the callback URLs.
	arguments := []string{"-listen", fixedPort(t), "-data", data}

	payers := []string{
		mtnstand.Payer(mtnstand.ScriptSuccess), mtnstand.Payer(mtnstand.ScriptSuccess), mtnstand.Payer(mtnstand.ScriptSuccess),
		mtnstand.Payer("failed_approval_rejected"), mtnstand.Payer("callback_lost"), mtnstand.Payer("callback_forged"),
		mtnstand.Payer("reset_after"), mtnstand.Payer("error500_charged"),
	}
	started := time.Now()
	for round := range killRounds {
		p := launch(t, environment, arguments...)
		customer.mu.Lock()
		again := customer.unanswered
		customer.unanswered = nil
		customer.mu.Unlock()
		select {
		case <-customer.answered: // of the round before
		default:
		}
		var workers sync.WaitGroup
		for worker := range killWorkers {
			orders := make([]order, 0, killOrders)
			for n := range killOrders {
				o := order{externalID: fmt.Sprintf("KILL-%d-%d-%d", round, worker, n), payer: payers[random.IntN(len(payers))]}
				if random.IntN(2) == 0 {
					o.key = "key of " + o.externalID
				}
				orders = append(orders, o)
			}
			if worker == 0 {
				orders = append(again, orders...)
			}
			pace := time.Duration(random.IntN(60)+10) * time.Millisecond
			workers.Go(func() {
				tick := time.NewTicker(pace)
				defer tick.Stop()
				for _, o := range orders {
					if !customer.buy(t, p.URL, o) {
						return
					}
					select {
					case <-tick.C:
					case <-p.ended:
						return
					}
				}
			})
		}
		select {
		case <-customer.answered: // the load is on
		case <-time.After(patience):
			t.Fatalf("no payment was promised:\n%s", p.printed())
		}
		<-time.After(time.Duration(random.IntN(500)) * time.Millisecond)
		p.end(t, os.Kill)
		workers.Wait()
	}
	t.Logf("%d rounds in %.1f s: %d payments promised, %d known to MTN", killRounds, time.Since(started).Seconds(), len(customer.promised), len(world.Ledger()))

	p := launch(t, environment, arguments...)
	store := openData(t, data)
	comeToRest(t, world, store, in)
	if missing := undelivered(t, world, in); len(missing) > 0 {
		// A delivery that died in a worker's hands is due again when its
		// lease and its doorbell's time are over. Let that time be over.
		t.Logf("%d deliveries died half way", len(missing))
		p.end(t, syscall.SIGTERM)
		for _, reference := range missing {
			makeOverdue(t, store, reference)
		}
		p = launch(t, environment, arguments...)
		wait(t, in, "the deliveries that died half way", func() bool { return len(undelivered(t, world, in)) == 0 })
	}
	p.end(t, syscall.SIGTERM)
	t.Logf("at rest after %.1f s", time.Since(started).Seconds())
	checkBooks(t, world, store, in, customer.promised)
}

// fixedPort finds a free port below those that outgoing connections get, so
// that it stays free between two starts.
func fixedPort(t *testing.T) string {
	t.Helper()
	for range 100 {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 20000+rand.IntN(12000)))
		if err == nil {
			defer l.Close()
			return l.Addr().String()
		}
	}
	t.Fatal("no free port")
	return ""
}

// openData reads the program's ledger beside it.
func openData(t *testing.T, data string) *ledger.Ledger {
	t.Helper()
	s, err := openStore(t.Context(), options{data: data})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.close() })
	return s.ledger(0)
}

// comeToRest waits until each payment that MTN has ended has ended here.
func comeToRest(t *testing.T, world *mtnstand.Standin, store *ledger.Ledger, in *inbox) {
	t.Helper()
	wait(t, in, "every payment to end", func() bool {
		for _, entry := range world.Ledger() {
			if entry.Accepted == 0 {
				continue
			}
			p, err := store.Payment(t.Context(), entry.Reference)
			if err != nil {
				t.Fatalf("MTN knows of %s, we do not: %v", entry.Reference, err)
			}
			if !entry.Ended || p.Open() {
				return false
			}
		}
		return true
	})
	// The last endings' deliveries are under way.
	quiet := time.NewTimer(2 * time.Second)
	defer quiet.Stop()
	for len(undelivered(t, world, in)) > 0 {
		select {
		case <-in.changed:
		case <-quiet.C:
			return
		}
	}
}

// wait looks again whenever something has arrived, and now and then.
func wait(t *testing.T, in *inbox, what string, so func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for !so() {
		select {
		case <-in.changed:
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// undelivered lists the payments that MTN has accepted and the app has not
// heard of.
func undelivered(t *testing.T, world *mtnstand.Standin, in *inbox) []string {
	heard := in.references(t)
	var missing []string
	for _, entry := range world.Ledger() {
		if entry.Accepted > 0 && heard[entry.Reference] == nil {
			missing = append(missing, entry.Reference)
		}
	}
	return missing
}

// makeOverdue makes the last event of a payment due since a minute.
func makeOverdue(t *testing.T, store *ledger.Ledger, reference string) {
	t.Helper()
	deliveries, err := store.Deliveries(t.Context(), reference)
	if err != nil || len(deliveries) == 0 {
		t.Fatalf("deliveries of %s: %+v, %v", reference, deliveries, err)
	}
	d := deliveries[len(deliveries)-1]
	if d.State.Parked() {
		t.Fatalf("%s is %s, and the app has not heard", reference, d.State)
	}
	d.NextAttemptAt, d.LeaseUntil = ledger.Clock(time.Now().Add(-time.Minute)), time.Time{}
	if _, err := store.SaveDelivery(t.Context(), d); err != nil {
		t.Fatal(err)
	}
}

// checkBooks compares MTN's books, ours, and the app's callbacks.
func checkBooks(t *testing.T, world *mtnstand.Standin, store *ledger.Ledger, in *inbox, promised map[string]order) {
	t.Helper()
	client, err := store.Client(t.Context(), demoClientID)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := webhook.ParseSecret(client.SigningSecrets[0])
	if err != nil {
		t.Fatal(err)
	}
	books := map[string]core.Entry{}
	for _, entry := range world.Ledger() {
		books[entry.Reference] = entry
		if entry.Charges > 1 || entry.Accepted > 1 {
			t.Errorf("%s was accepted %d times and charged %d times", entry.Reference, entry.Accepted, entry.Charges)
		}
	}
	heard := in.references(t)
	all := map[string]bool{}
	for _, references := range [][]string{slices.Collect(maps.Keys(promised)), slices.Collect(maps.Keys(books)), slices.Collect(maps.Keys(heard))} {
		for _, reference := range references {
			all[reference] = true
		}
	}
	for reference := range all {
		story, err := store.Story(t.Context(), reference)
		if err != nil {
			t.Errorf("%s is lost: %v", reference, err)
			continue
		}
		if o, ok := promised[reference]; ok && story.Payment.ExternalID != o.externalID {
			t.Errorf("%s is of order %s, not %s", reference, story.Payment.ExternalID, o.externalID)
		}
		entry := books[reference]
		if entry.Accepted == 0 {
			// Stored, and killed before MTN heard of it. Nothing may be
			// believed of it yet.
			if len(heard[reference]) > 0 || !story.Payment.Open() {
				t.Errorf("%s never reached MTN and is %s", reference, story.Payment.Status)
			}
			continue
		}
		checkEnding(t, story, entry, heard[reference], secret)
		_, kept := promised[reference]
		checkTrail(t, store, story, kept)
	}
}

// checkEnding demands the ending that MTN has, delivered to the app as one event
// that verifies.
func checkEnding(t *testing.T, story ledger.Story, entry core.Entry, heard []arrival, secret webhook.Secret) {
	t.Helper()
	p := story.Payment
	if string(p.Status) != entry.Status || p.Sequence != 1 || len(story.Deliveries) != 1 {
		t.Errorf("%s is %s here and %s at MTN; %d events, %d deliveries", p.Reference, p.Status, entry.Status, p.Sequence, len(story.Deliveries))
	}
	if len(heard) == 0 {
		t.Errorf("the app has not heard of %s", p.Reference)
	}
	for _, a := range heard {
		if err := webhook.VerifyLegacy(a.header, a.body, demoKey); err != nil {
			t.Errorf("%s: %v", p.Reference, err)
		}
		id, err := webhook.Verify(a.header, a.body, a.at, webhook.Tolerance, secret)
		if err != nil || id != payment.EventID(p.Reference, 1) {
			t.Errorf("%s: event %s: %v", p.Reference, id, err)
		}
		if !strings.Contains(string(a.body), `"status":"`+string(p.Status)+`"`) {
			t.Errorf("%s is %s; the app was told %s", p.Reference, p.Status, a.body)
		}
	}
}

// checkTrail looks for the audit records of what is known to have happened.
func checkTrail(t *testing.T, store *ledger.Ledger, story ledger.Story, promised bool) {
	t.Helper()
	reference := story.Payment.Reference
	trail, err := store.AuditTrail(t.Context(), reference)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for _, a := range trail {
		seen[string(a.Direction)+" "+a.Method]++
	}
	want := map[string]bool{
		// The answer is given after its record is stored.
		"INBOUND_FROM_APP POST":     promised,
		"OUTBOUND_TO_PROVIDER POST": promised,
		// An ending is stored with the question that brought it.
		"OUTBOUND_TO_PROVIDER GET": true,
		"OUTBOUND_TO_APP POST":     story.Deliveries[0].State == delivery.Delivered,
	}
	for record, must := range want {
		if must && seen[record] == 0 {
			t.Errorf("%s has no record of %s: %v", reference, record, seen)
		}
	}
	if n := len(story.Attempts); n > 0 && seen["OUTBOUND_TO_APP POST"] < n {
		t.Errorf("%s has %d attempts and %d records of them", reference, n, seen["OUTBOUND_TO_APP POST"])
	}
}
