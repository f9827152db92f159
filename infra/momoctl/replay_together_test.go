package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"momoproxy/shared/delivery"
	"momoproxy/shared/host"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
	"momoproxy/shared/queue"
	"momoproxy/shared/seal"
	"momoproxy/shared/telemetry"
	"momoproxy/shared/webhook"
)

// receiver is an app behind a real HTTP server; it counts what it gets.
type receiver struct {
	*httptest.Server
	mu  sync.Mutex
	got map[string]int // by webhook-id
}

func newReceiver(t *testing.T) *receiver {
	r := &receiver{got: map[string]int{}}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		_, _ = io.Copy(io.Discard, q.Body)
		r.mu.Lock()
		defer r.mu.Unlock()
		r.got[q.Header.Get(webhook.HeaderID)]++
	}))
	t.Cleanup(r.Close)
	return r
}

// folder makes the store of infra/local with one client, whose callbacks go to
// url, and n payments whose events were exhausted an hour ago.
func folder(t *testing.T, url string, n int) string {
	t.Helper()
	dir := t.TempDir()
	var keys [2][seal.KeySize]byte
	rand.Read(keys[0][:]) // never fails
	rand.Read(keys[1][:])
	for name, text := range map[string]string{
		localSealingKey: base64.StdEncoding.EncodeToString(keys[0][:]), localPayerKey: base64.StdEncoding.EncodeToString(keys[1][:]), localDatabase: "",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := opened(t, dir)
	secret, err := webhook.NewSecret(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	at := ledger.Clock(time.Now().Add(-time.Hour))
	if _, err := s.ledger.CreateClient(t.Context(), ledger.Client{
		ID: "cli_shop", Name: "Shop", CallbackURL: url, Active: true, CreatedAt: at,
		APIKey: ledger.NewAPIKey(rand.Reader), SigningSecrets: []string{secret.Reveal()},
	}); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		exhaust(t, s.ledger, i, at)
	}
	return dir
}

// unset is an environment without variables.
func unset(string) string { return "" }

// opened opens the store in dir as a process of its own would.
func opened(t *testing.T, dir string) store {
	t.Helper()
	s, err := openStore(t.Context(), program{err: io.Discard, now: time.Now, operator: "test", getenv: unset}, options{data: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// exhaust makes payment i, ended at that time, with an exhausted event.
func exhaust(t *testing.T, l *ledger.Ledger, i int, at time.Time) {
	t.Helper()
	p, err := l.Create(t.Context(), ledger.Payment{Payment: payment.Payment{
		Reference: numbered(i), ClientID: "cli_shop", ExternalID: fmt.Sprint("ORDER-", i), Provider: "mtn",
		Amount: payment.Money{Minor: 15000, Currency: "SZL"}, Payer: "26876123456",
		Status: payment.Pending, Phase: payment.PhaseAwaitingPayer, Accepted: true, CreatedAt: at, UpdatedAt: at,
	}})
	if err != nil {
		t.Fatal(err)
	}
	e := payment.Evidence{Source: payment.FromOperator, Verdict: payment.SaysSuccessful, At: at}
	_, made, err := l.Apply(t.Context(), ledger.Change{Before: p, Decision: payment.Decide(p.Payment, e, payment.Policy{})})
	if err != nil || len(made) != 1 {
		t.Fatal(made, err)
	}
	d := made[0]
	d.State, d.NextAttemptAt, d.Attempts, d.Latest = delivery.Exhausted, time.Time{}, 12, []delivery.Attempt{{Number: 12, Code: 500}}
	if _, err := l.SaveDelivery(t.Context(), d); err != nil {
		t.Fatal(err)
	}
}

func numbered(i int) string { return fmt.Sprintf("33333333-3333-4333-8333-%012d", i) }

// forward runs forwarders over the store in dir until the context ends, as the
// functions do: several batches at once.
func forward(ctx context.Context, t *testing.T, dir string, done *sync.WaitGroup) {
	parts, closeIt, err := openLocal(program{getenv: unset}, options{data: dir})
	if err != nil {
		t.Fatal(err)
	}
	parts.Now, parts.Log = time.Now, telemetry.New(io.Discard, slog.LevelError)
	t.Cleanup(func() { _ = closeIt() })
	f := parts.Forwarder()
	for range 3 {
		done.Go(func() {
			for ctx.Err() == nil {
				messages, err := parts.Queue.Receive(ctx, queue.MaxReceive, time.Minute, time.Second)
				if err != nil {
					continue // the end
				}
				var batch events.SQSEvent
				var receipts []string
				for _, m := range messages {
					batch.Records = append(batch.Records, events.SQSMessage{MessageId: m.ID, Body: m.Body})
					receipts = append(receipts, m.Receipt)
				}
				work := context.WithoutCancel(ctx)
				if answer, err := f.Handle(work, batch); err != nil || len(answer.BatchItemFailures) > 0 {
					t.Errorf("forwarder: %v, %v", answer, err)
				}
				if err := parts.Queue.Delete(work, receipts...); err != nil {
					t.Errorf("delete: %v", err)
				}
			}
		})
	}
}

// Two operators who replay the same events at once, each in a process of their
// own beside the running system, send nothing twice: neither what is exhausted
// nor, when the second also asks for what is delivered, what the first has
// just had delivered.
func TestTwoReplaysSendNothingTwice(t *testing.T) {
	t.Parallel()
	const n = 150
	app := newReceiver(t)
	dir := folder(t, app.URL, n)
	ctx, cancel := context.WithCancel(t.Context())
	var forwarders, operators sync.WaitGroup
	forward(ctx, t, dir, &forwarders)

	var mu sync.Mutex
	sent := 0
	for _, status := range []string{"exhausted", "exhausted,delivered", "exhausted,delivered"} {
		operators.Go(func() {
			var out, errs bytes.Buffer
			p := program{
				in: strings.NewReader(""), out: &out, err: &errs, now: time.Now, sleep: host.Machine().Sleep, random: rand.Reader,
				getenv: unset, operator: "thandi", open: openStore,
			}
			code := p.run(t.Context(), []string{"delivery", "replay", "--data", dir, "--client", "cli_shop", "--status", status, "--yes", "--rate", "1000"})
			mu.Lock()
			defer mu.Unlock()
			var k int
			if _, err := fmt.Sscanf(out.String(), "%d event", &k); err != nil || code != exitOK {
				t.Errorf("exit %d: %v\n%s%s", code, err, out.String(), errs.String())
			}
			t.Logf("%s", out.String())
			sent += k
		})
	}
	operators.Wait()
	deadline := time.After(30 * time.Second)
	for left := n; left > 0; {
		select {
		case <-deadline:
			t.Fatalf("%d are not delivered", left)
		case <-time.After(20 * time.Millisecond):
		}
		app.mu.Lock()
		left = n - len(app.got)
		app.mu.Unlock()
	}
	cancel()
	forwarders.Wait()
	if sent != n {
		t.Errorf("together they sent %d of %d", sent, n)
	}
	for id, times := range app.got {
		if times != 1 {
			t.Errorf("%s came %d times", id, times)
		}
	}
}
