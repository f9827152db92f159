// Package verify_test runs the receivers beside it, one for each language,
// and holds what they accept and refuse against real deliveries.
package verify_test

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"momoproxy/infra/loopback"
	"momoproxy/shared/assembly"
	"momoproxy/shared/forwarder"
	"momoproxy/shared/host"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
	queuememory "momoproxy/shared/queue/memory"
	"momoproxy/shared/seal"
	"momoproxy/shared/table/memory"
	"momoproxy/shared/webhook"
)

// language is how one receiver is run.
type language struct {
	name     string
	runtime  string // must be there, or the receiver is not run
	required bool
	command  func(t *testing.T, port string) *exec.Cmd
}

var languages = []language{
	{"go", "go", true, func(t *testing.T, _ string) *exec.Cmd {
		binary := filepath.Join(t.TempDir(), "receiver")
		if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "./go").CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return exec.Command(binary)
	}},
	{"php", "php", false, func(_ *testing.T, port string) *exec.Cmd {
		return exec.Command("php", "-S", "127.0.0.1:"+port, "php/receiver.php")
	}},
	{"node", "node", false, func(*testing.T, string) *exec.Cmd { return exec.Command("node", "node/receiver.js") }},
	{"python", "python3", false, func(*testing.T, string) *exec.Cmd { return exec.Command("python3", "python/receiver.py") }},
}

// TestReceivers runs each receiver whose language is on this machine. Go's
// always is; the others are named in the end when they did not run.
func TestReceivers(t *testing.T) {
	var mu sync.Mutex
	var ran, absent []string
	t.Cleanup(func() {
		t.Logf("%d of %d receivers ran: %s", len(ran), len(languages), strings.Join(ran, " "))
		if len(absent) > 0 {
			t.Logf("%d did NOT run, their language is not on this machine: %s", len(absent), strings.Join(absent, " "))
		}
	})
	for _, l := range languages {
		if _, err := exec.LookPath(l.runtime); err != nil && !l.required {
			absent = append(absent, l.name)
			continue
		}
		t.Run(l.name, func(t *testing.T) {
			t.Parallel()
			testReceiver(t, l)
			mu.Lock()
			defer mu.Unlock()
			ran = append(ran, l.name)
		})
	}
}

// sender is an app's side of the system: its client, and a forwarder over
// real HTTP.
type sender struct {
	*ledger.Ledger
	t       *testing.T
	client  ledger.Client
	forward *forwarder.Forwarder
	sent    int
}

func newSender(t *testing.T, key, secret string) *sender {
	t.Helper()
	ring, err := seal.NewRing(bytes.Repeat([]byte{1}, seal.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	s := &sender{Ledger: ledger.New(memory.New(), ring, ledger.Options{HashPayer: func(payer string) string { return payer }}), t: t}
	s.client, err = s.CreateClient(t.Context(), ledger.Client{ID: "cli_shop", Name: "Shop", Active: true,
		CreatedAt: ledger.Clock(time.Now()), APIKey: key, SigningSecrets: []string{secret}})
	if err != nil {
		t.Fatal(err)
	}
	s.forward = assembly.Parts{
		Ledger: s.Ledger, Queue: queuememory.New(time.Now, 1), Host: host.Machine(),
		Rules: webhook.Rules{AllowLoopback: true}, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	}.Forwarder()
	return s
}

// deliver lets a payment end and its event be delivered to url. It returns
// what the receiver answered.
func (s *sender) deliver(url string) int {
	s.t.Helper()
	s.sent++
	now := ledger.Clock(time.Now())
	p, err := s.Create(s.t.Context(), ledger.Payment{Payment: payment.Payment{
		Reference: payment.NewReference(rand.Reader), ClientID: s.client.ID, ExternalID: fmt.Sprint("ORDER-", s.sent), Provider: "mtn",
		Amount: payment.Money{Minor: 15000, Currency: "SZL"}, Payer: "26876123456", CallbackURL: url, Metadata: map[string]string{"note": `"ü" <&> \ end`},
		Status: payment.Pending, Phase: payment.PhaseAwaitingPayer, Accepted: true, CreatedAt: now, UpdatedAt: now, NextCheckAt: now,
	}})
	if err != nil {
		s.t.Fatal(err)
	}
	d := payment.Decide(p.Payment, payment.Evidence{Source: payment.FromStatus, Verdict: payment.SaysSuccessful, FinancialTransactionID: "FTX-1", At: now},
		payment.Policy{FirstCheck: time.Second, MaxInterval: time.Hour, Window: 24 * time.Hour, LateInterval: 24 * time.Hour, GiveUp: 7 * 24 * time.Hour, NotFoundGrace: time.Minute, NotFoundSpacing: time.Minute})
	if _, _, err := s.Apply(s.t.Context(), ledger.Change{Before: p, Decision: d}); err != nil {
		s.t.Fatal(err)
	}
	if err := s.forward.Deliver(s.t.Context(), p.Reference, 1); err != nil {
		s.t.Fatal(err)
	}
	story, err := s.Story(s.t.Context(), p.Reference)
	if err != nil || len(story.Attempts) != 1 {
		s.t.Fatalf("%d attempts, %v", len(story.Attempts), err)
	}
	if story.Attempts[0].Error != "" {
		s.t.Errorf("attempt: %s", story.Attempts[0].Error)
	}
	return story.Attempts[0].Code
}

func newSecret(t *testing.T) webhook.Secret {
	t.Helper()
	s, err := webhook.NewSecret(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func testReceiver(t *testing.T, l language) {
	old, fresh, foreign := newSecret(t), newSecret(t), newSecret(t)
	keys := []string{ledger.NewAPIKey(rand.Reader), ledger.NewAPIKey(rand.Reader), ledger.NewAPIKey(rand.Reader)}
	url := start(t, l, old.Reveal()+","+fresh.Reveal(), keys[0]+","+keys[1])

	s := newSender(t, keys[0], old.Reveal())
	both := func(when string, want int) {
		t.Helper()
		for _, path := range []string{"/standard", "/legacy"} {
			if code := s.deliver(url + path); code != want {
				t.Errorf("%s: a delivery to %s was answered %d, want %d", when, path, code, want)
			}
		}
	}
	change := func(c ledger.Client, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		s.client = c
	}
	// The receiver holds two of each, and a rotation goes unnoticed.
	both("before the rotation", 200)
	now := time.Now()
	change(s.Rotate(t.Context(), s.client, ledger.Rotation{Of: ledger.SigningSecret, Fresh: fresh.Reveal(), Now: now, Until: now.Add(time.Hour)}))
	change(s.Rotate(t.Context(), s.client, ledger.Rotation{Of: ledger.APIKey, Fresh: keys[1], Now: now, Until: now.Add(time.Hour)}))
	both("in the overlap", 200)
	change(s.EndOld(t.Context(), s.client, ledger.SigningSecret, now))
	change(s.EndOld(t.Context(), s.client, ledger.APIKey, now))
	both("after it", 200)
	// What it does not hold it refuses.
	change(s.Rotate(t.Context(), s.client, ledger.Rotation{Of: ledger.SigningSecret, Fresh: foreign.Reveal(), Now: now, Until: now.Add(time.Hour)}))
	change(s.EndOld(t.Context(), s.client, ledger.SigningSecret, now))
	change(s.Rotate(t.Context(), s.client, ledger.Rotation{Of: ledger.APIKey, Fresh: keys[2], Now: now, Until: now.Add(time.Hour)}))
	change(s.EndOld(t.Context(), s.client, ledger.APIKey, now))
	both("with secrets it does not hold", 403)

	testForgeries(t, url, old, fresh, foreign, keys)
}

// testForgeries posts what an attacker could: everything is refused, and the
// genuine message between it is not.
func testForgeries(t *testing.T, url string, old, fresh, foreign webhook.Secret, keys []string) {
	t.Helper()
	body := []byte(`{"event":"payment.successful","status":"SUCCESSFUL","amount":"150.00"}`)
	signed := func(at time.Time, secrets ...webhook.Secret) http.Header {
		h, err := webhook.Headers("evt_1", at, body, secrets...)
		if err != nil {
			t.Fatal(err)
		}
		h.Set(webhook.HeaderLegacy, webhook.SignLegacy(body, keys[0]))
		return h
	}
	now := time.Now()
	genuine := signed(now, old)
	with := func(h http.Header, name string, values ...string) http.Header {
		h = h.Clone()
		h.Del(name)
		for _, v := range values {
			h.Add(name, v)
		}
		return h
	}
	signature := genuine.Get(webhook.HeaderSignature)
	legacy := genuine.Get(webhook.HeaderLegacy)
	tampered := bytes.Replace(body, []byte("150.00"), []byte("950.00"), 1)
	const yes, no = 200, 403
	for _, c := range []struct {
		name             string
		header           http.Header
		body             []byte
		standard, legacy int
	}{
		{"genuine", genuine, body, yes, yes},
		{"with the newer secret", signed(now, fresh), body, yes, yes},
		{"with both", signed(now, fresh, old), body, yes, yes},
		{"behind a foreign one", signed(now, foreign, old), body, yes, yes},
		{"four minutes old", signed(now.Add(-4*time.Minute), old), body, yes, yes},
		// The contract's header knows no time.
		{"six minutes old", signed(now.Add(-6*time.Minute), old), body, no, yes},
		{"six minutes early", signed(now.Add(6*time.Minute), old), body, no, yes},
		{"a foreign secret", signed(now, foreign), body, no, yes},
		{"tampered", genuine, tampered, no, no},
		{"longer by a space", genuine, append(bytes.Clone(body), ' '), no, no},
		{"empty body", genuine, nil, no, no},
		{"another time under the old signature", with(genuine, webhook.HeaderTimestamp, fmt.Sprint(now.Unix()+1)), body, no, yes},
		{"a time with a plus", with(genuine, webhook.HeaderTimestamp, fmt.Sprint("+", now.Unix())), body, no, yes},
		{"no time", with(genuine, webhook.HeaderTimestamp), body, no, yes},
		{"a time that is none", with(genuine, webhook.HeaderTimestamp, "soon"), body, no, yes},
		{"a time beyond all", with(genuine, webhook.HeaderTimestamp, strings.Repeat("9", 30)), body, no, yes},
		{"another id", with(genuine, webhook.HeaderID, "evt_2"), body, no, yes},
		{"no id", with(genuine, webhook.HeaderID), body, no, yes},
		{"no signature", with(with(genuine, webhook.HeaderSignature), webhook.HeaderLegacy), body, no, no},
		{"an empty signature", with(with(genuine, webhook.HeaderSignature, ""), webhook.HeaderLegacy, ""), body, no, no},
		{"only the version", with(genuine, webhook.HeaderSignature, "v1,"), body, no, yes},
		{"another version", with(genuine, webhook.HeaderSignature, strings.Replace(signature, "v1,", "v2,", 1)), body, no, yes},
		{"cut", with(with(genuine, webhook.HeaderSignature, signature[:len(signature)-2]), webhook.HeaderLegacy, legacy[:63]), body, no, no},
		{"letters beyond ASCII", with(with(genuine, webhook.HeaderSignature, "v1,\xc3\xa4\xff"), webhook.HeaderLegacy, strings.Repeat("\xe4", 64)), body, no, no},
		{"signed with nothing", with(genuine, webhook.HeaderLegacy, webhook.SignLegacy(body, "")), body, yes, no},
		{"a foreign key", with(genuine, webhook.HeaderLegacy, webhook.SignLegacy(body, keys[2])), body, yes, no},
		{"the second key", with(genuine, webhook.HeaderLegacy, webhook.SignLegacy(body, keys[1])), body, yes, yes},
	} {
		for path, want := range map[string]int{"/standard": c.standard, "/legacy": c.legacy} {
			if code := post(t, url+path, c.header, c.body); code != want {
				t.Errorf("%s: %s answered %d, want %d", c.name, path, code, want)
			}
		}
	}
	if code := post(t, url+"/", genuine, body); code != no {
		t.Errorf("where nothing is verified: %d", code)
	}
}

func post(t *testing.T, url string, header http.Header, body []byte) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header = header.Clone()
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode
}

// start runs a receiver until the test ends and returns its address, which it
// says itself.
func start(t *testing.T, l language, secrets, keys string) string {
	t.Helper()
	port := "0"
	if l.name == "php" { // it cannot choose one
		free, err := loopback.FreeAddress()
		if err != nil {
			t.Fatal(err)
		}
		_, port, _ = net.SplitHostPort(free)
	}
	cmd := l.command(t, port)
	cmd.Env = append(os.Environ(), "PORT="+port, "SIGNING_SECRETS="+secrets, "API_KEYS="+keys)
	p, err := loopback.Run(cmd, 30*time.Second, func(line string) string {
		_, address, ok := strings.Cut(line, "127.0.0.1:")
		if !ok {
			return ""
		}
		return "http://127.0.0.1:" + strings.TrimRight(strings.Fields(address)[0], ")")
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.End(os.Kill, time.Minute) })
	return p.Said
}
