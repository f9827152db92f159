package mtn_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
	"momoproxy/shared/provider/mtn"
	"momoproxy/shared/provider/providertest"
	"momoproxy/shared/provider/wire"
)

// clock is a clock that tests move.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock { return &clock{at: time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

func ready(t *testing.T, p *mtn.Provider) {
	t.Helper()
	if err := p.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func maintain(t *testing.T, p *mtn.Provider) {
	t.Helper()
	if err := p.Maintain(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func (f *fake) wantTokens(t *testing.T, want int) {
	t.Helper()
	if _, _, got := f.seen(); got != want {
		t.Errorf("%d token calls, want %d", got, want)
	}
}

// TestTokenLife: the schedule refreshes ten minutes before a token's end, and
// requests never meet the end.
func TestTokenLife(t *testing.T) {
	t.Parallel()
	f, c := newFake(t), newClock()
	store := providertest.NewMemoryTokens(c.now)
	p := newProviderWith(t, config(f.URL), store, nil, c.now)
	schedule := newProviderWith(t, config(f.URL), store, nil, c.now)
	for range 3 {
		ready(t, p)
		p.Submit(t.Context(), newPayment(), "")
		p.Status(t.Context(), newPayment())
	}
	maintain(t, schedule)
	f.wantTokens(t, 1)
	c.pass(49*time.Minute + 59*time.Second)
	maintain(t, schedule)
	f.wantTokens(t, 1)
	// A function that starts now takes the stored one.
	ready(t, newProviderWith(t, config(f.URL), store, nil, c.now))
	f.wantTokens(t, 1)
	c.pass(2 * time.Second)
	ready(t, p) // a request does not refresh what is valid
	f.wantTokens(t, 1)
	maintain(t, schedule)
	maintain(t, schedule)
	f.wantTokens(t, 2)
	c.pass(30 * time.Minute) // beyond the end of the first
	ready(t, p)
	f.wantTokens(t, 2)
}

// TestTokenOneRefresh: many functions start at once, or reach the refresh at
// once, and MTN is asked once.
func TestTokenOneRefresh(t *testing.T) {
	t.Parallel()
	f, c := newFake(t), newClock()
	store := providertest.NewMemoryTokens(c.now)
	var all []*mtn.Provider
	for range 6 {
		all = append(all, newProviderWith(t, config(f.URL), store, nil, c.now))
	}
	together := func() {
		var wg sync.WaitGroup
		for _, p := range all {
			for range 4 {
				wg.Go(func() {
					if err := p.Ready(t.Context()); err != nil {
						t.Error(err)
					}
				})
			}
		}
		wg.Wait()
	}
	together()
	f.wantTokens(t, 1)
	c.pass(time.Hour)
	together()
	f.wantTokens(t, 2)
	c.pass(time.Hour)
	together()
	f.wantTokens(t, 3)
}

// TestTokenEarlyRefreshHindersNobody: while the schedule refreshes, and when it
// cannot, requests use the token they have.
func TestTokenEarlyRefreshHindersNobody(t *testing.T) {
	t.Parallel()
	f, c := newFake(t), newClock()
	store := providertest.NewMemoryTokens(c.now)
	p := newProviderWith(t, config(f.URL), store, nil, c.now)
	other := newProviderWith(t, config(f.URL), store, nil, c.now)
	ready(t, p)
	ready(t, other)
	c.pass(55 * time.Minute)

	asked, goOn := make(chan struct{}), make(chan struct{})
	var once sync.Once
	f.onToken = func(http.ResponseWriter, *http.Request) bool {
		once.Do(func() { close(asked) })
		<-goOn
		return false
	}
	done := make(chan error, 1)
	go func() { done <- p.Maintain(t.Context()) }()
	<-asked
	ready(t, p)     // same process
	ready(t, other) // another one
	if a := other.Submit(t.Context(), newPayment(), ""); a.Evidence.Verdict != payment.SaysAccepted {
		t.Errorf("%+v", a.Evidence)
	}
	close(goOn)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	f.wantTokens(t, 2)

	// The refresh fails: the schedule says so, and the old token serves.
	c.pass(55 * time.Minute)
	f.mu.Lock()
	f.onToken = func(w http.ResponseWriter, _ *http.Request) bool { reply(w, 503, ""); return true }
	f.mu.Unlock()
	if err := p.Maintain(t.Context()); !errors.Is(err, provider.ErrUnavailable) {
		t.Errorf("Maintain: %v", err)
	}
	ready(t, p)
	ready(t, other)
	// Without a valid one it is an error.
	c.pass(10 * time.Minute)
	if err := p.Ready(t.Context()); !errors.Is(err, provider.ErrUnavailable) {
		t.Errorf("Ready: %v", err)
	}
}

func TestTokenAnswers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		code int
		body string
		want error
	}{
		{"good", 200, `{"access_token":"eyJ0","token_type":"access_token","expires_in":3600}`, nil},
		{"life as text", 200, `{"access_token":"eyJ0","expires_in":"3600"}`, nil},
		{"no life", 200, `{"access_token":"eyJ0"}`, nil},
		{"wrong user or key", 500, `{"error":"login_failed"}`, provider.ErrCredentials},
		{"wrong user or key, new platform", 401, `{"error":"invalid_client"}`, provider.ErrCredentials},
		{"wrong subscription key", 401, `{"statusCode":401,"message":"Access denied due to invalid subscription key."}`, provider.ErrCredentials},
		{"401 page", 401, "<html>", provider.ErrCredentials},
		{"500", 500, `{"error":"something_else"}`, provider.ErrUnavailable},
		{"500 empty", 500, "", provider.ErrUnavailable},
		{"503", 503, `{"code":"SERVICE_UNAVAILABLE"}`, provider.ErrUnavailable},
		{"411", 411, "<html>Length Required</html>", provider.ErrUnavailable},
		{"429", 429, "", provider.ErrUnavailable},
		{"firewall page", 200, firewallPage, provider.ErrUnavailable},
		{"empty", 200, "", provider.ErrUnavailable},
		{"no token", 200, `{"token_type":"access_token"}`, provider.ErrUnavailable},
		{"empty token", 200, `{"access_token":""}`, provider.ErrUnavailable},
		{"token that is no header", 200, `{"access_token":"a\r\nX: y"}`, provider.ErrUnavailable},
		{"token twice", 200, `{"access_token":"a","access_token":"b"}`, provider.ErrUnavailable},
		{"login_failed in a 200", 200, `{"error":"login_failed"}`, provider.ErrUnavailable},
		{"redirect", 302, "", provider.ErrUnavailable},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t)
			f.onToken = func(w http.ResponseWriter, _ *http.Request) bool {
				w.Header().Set("Location", "/collection/v1_0/elsewhere")
				reply(w, c.code, c.body)
				return true
			}
			var exchanges []provider.Exchange
			p := newProvider(t, f, nil, mtn.WithReadyExchanges(func(_ context.Context, e provider.Exchange) { exchanges = append(exchanges, e) }))
			err := p.Ready(t.Context())
			if !errors.Is(err, c.want) {
				t.Errorf("Ready: %v, want %v", err, c.want)
			}
			if len(exchanges) != 1 || exchanges[0].Code != c.code {
				t.Fatalf("exchanges: %+v", exchanges)
			}
			want := "[no token]"
			if c.want == nil {
				want = wire.HiddenToken
			}
			if c.code == 401 && strings.Contains(c.body, "invalid_client") {
				want = `{"error":"invalid_client"}`
			}
			if c.code != 200 && strings.Contains(c.body, "login_failed") {
				want = `{"error":"login_failed"}`
			}
			if got := exchanges[0].ResponseBody; got != want {
				t.Errorf("the exchange shows %q, want %q", got, want)
			}
			if err == nil {
				return
			}
			// For a moment the failure is shared, not repeated.
			if again := p.Ready(t.Context()); !errors.Is(again, c.want) || len(exchanges) != 1 {
				t.Errorf("again: %v, %d exchanges", again, len(exchanges))
			}
			if a := p.Submit(t.Context(), newPayment(), ""); a.Attempted || a.Evidence.Verdict != payment.SaysNothing {
				t.Errorf("submit without a token: %+v", a)
			}
			if a := p.Status(t.Context(), newPayment()); a.Attempted || a.Evidence.Verdict != payment.SaysNothing {
				t.Errorf("status without a token: %+v", a)
			}
		})
	}
}

// TestTokenRequest holds the token call to the letter: an empty body that is
// announced as such.
func TestTokenRequest(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	var got *http.Request
	f.onToken = func(_ http.ResponseWriter, r *http.Request) bool { got = r; return false }
	ready(t, newProvider(t, f, nil))
	user, key, ok := got.BasicAuth()
	if !ok || user != apiUser || key != apiKey || got.Header.Get("Ocp-Apim-Subscription-Key") != subscriptionKey {
		t.Errorf("credentials: %v", got.Header)
	}
	if got.Method != "POST" || got.URL.String() != "/collection/token/" || got.Header.Get("Content-Length") != "0" || len(got.TransferEncoding) > 0 {
		t.Errorf("%s %s %v %v", got.Method, got.URL, got.Header, got.TransferEncoding)
	}
	for _, name := range []string{"Content-Type", "X-Reference-Id", "X-Callback-Url"} {
		if v, there := got.Header[name]; there {
			t.Errorf("%s: %q", name, v)
		}
	}
}

// TestToken401: the refused token goes, one refresh, one repeat, no more.
func TestToken401(t *testing.T) {
	t.Parallel()
	f, c := newFake(t), newClock()
	store := providertest.NewMemoryTokens(c.now)
	p := newProviderWith(t, config(f.URL), store, nil, c.now)
	other := newProviderWith(t, config(f.URL), store, nil, c.now)
	ready(t, p)
	ready(t, other)
	f.mu.Lock()
	f.token = "revoked-by-MTN"
	f.mu.Unlock()

	if a := p.Submit(t.Context(), newPayment(), ""); a.Evidence.Verdict != payment.SaysAccepted || len(a.Exchanges) != 3 {
		t.Errorf("%+v", a)
	}
	f.wantTokens(t, 2)
	// The other function still holds the revoked one; the stored one is good.
	if a := other.Status(t.Context(), newPayment()); a.Evidence.Verdict != payment.SaysNothing || !a.AskAgain || len(a.Exchanges) != 1 {
		t.Errorf("%+v", a)
	}
	if a := other.Status(t.Context(), newPayment()); a.Evidence.Verdict != payment.SaysNotFound || a.AskAgain || len(a.Exchanges) != 1 {
		t.Errorf("%+v", a)
	}
	f.wantTokens(t, 2)

	// MTN refuses whatever it gives.
	f.then(says(401, ""))
	a := p.Submit(t.Context(), newPayment(), "")
	if a.Evidence.Verdict != payment.SaysRefused || a.Evidence.Code != mtn.CodeCredentials || len(a.Exchanges) != 3 || !a.Attempted {
		t.Errorf("%+v", a)
	}
	f.wantTokens(t, 3)
	a = p.Status(t.Context(), newPayment())
	if a.Evidence.Verdict != payment.SaysNothing || a.Evidence.Code != mtn.CodeCredentials || len(a.Exchanges) != 2 {
		t.Errorf("%+v", a)
	}
	f.wantTokens(t, 4)

	// Nor gives any.
	f.mu.Lock()
	f.onToken = func(w http.ResponseWriter, _ *http.Request) bool {
		reply(w, 500, `{"error":"login_failed"}`)
		return true
	}
	f.mu.Unlock()
	a = p.Submit(t.Context(), newPayment(), "")
	if a.Evidence.Verdict != payment.SaysRefused || a.Evidence.Code != mtn.CodeCredentials || !a.Attempted {
		t.Errorf("%+v", a)
	}
}

// TestToken401Together: many calls meet the revoked token at once, and one
// refresh serves them all.
func TestToken401Together(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	p := newProvider(t, f, nil)
	ready(t, p)
	f.mu.Lock()
	f.token = "revoked-by-MTN"
	f.mu.Unlock()
	var wg sync.WaitGroup
	for range 12 {
		wg.Go(func() {
			if a := p.Submit(t.Context(), newPayment(), ""); a.Evidence.Verdict != payment.SaysAccepted {
				t.Errorf("%+v", a.Evidence)
			}
		})
	}
	wg.Wait()
	f.wantTokens(t, 2)
}

// TestTokenRotation: another key, host or environment never meets a token of
// the old one.
func TestTokenRotation(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	store := providertest.NewMemoryTokens(nil)
	ready(t, newProviderWith(t, config(f.URL), store, nil, time.Now))
	f.wantTokens(t, 1)
	f.mu.Lock()
	f.onToken = func(w http.ResponseWriter, _ *http.Request) bool {
		reply(w, 500, `{"error":"login_failed"}`)
		return true
	}
	f.mu.Unlock()
	for name, change := range map[string]func(*mtn.Config){
		"API key":          func(c *mtn.Config) { c.APIKey = "another" },
		"subscription key": func(c *mtn.Config) { c.SubscriptionKey = "another" },
		"user":             func(c *mtn.Config) { c.APIUser = "another" },
		"host":             func(c *mtn.Config) { c.BaseURL += "/prefix" },
	} {
		cfg := config(f.URL)
		change(&cfg)
		if err := newProviderWith(t, cfg, store, nil, time.Now).Ready(t.Context()); err == nil {
			t.Errorf("with another %s the old token was used", name)
		}
	}
	same := config(f.URL + "/")
	same.Attempts = 1
	ready(t, newProviderWith(t, same, store, nil, time.Now))
}

// brokenStore fails as its fields say.
type brokenStore struct {
	provider.TokenStore
	load, acquire, save bool
}

var errStore = errors.New("table is down")

func (b *brokenStore) Load(ctx context.Context, id string) (provider.StoredToken, error) {
	if b.load {
		return provider.StoredToken{}, errStore
	}
	return b.TokenStore.Load(ctx, id)
}

func (b *brokenStore) AcquireRefresh(ctx context.Context, id string, lease time.Duration, takeOver bool) (int64, bool, error) {
	if b.acquire {
		return 0, false, errStore
	}
	return b.TokenStore.AcquireRefresh(ctx, id, lease, takeOver)
}

func (b *brokenStore) Save(ctx context.Context, id string, fence int64, token provider.StoredToken) error {
	if b.save {
		return errStore
	}
	return b.TokenStore.Save(ctx, id, fence, token)
}

func TestTokenStoreFails(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		store brokenStore
		ok    bool
	}{
		{"load", brokenStore{load: true}, false},
		{"acquire", brokenStore{acquire: true}, false},
		{"save", brokenStore{save: true}, true}, // the token is good all the same
	} {
		f, clock := newFake(t), newClock()
		c.store.TokenStore = providertest.NewMemoryTokens(clock.now)
		p := newProviderWith(t, config(f.URL), &c.store, nil, clock.now)
		err := p.Ready(t.Context())
		if (err == nil) != c.ok || err != nil && (!errors.Is(err, provider.ErrUnavailable) || !errors.Is(err, errStore)) {
			t.Errorf("%s: %v", c.name, err)
		}
		// With a valid token in memory the store is not needed.
		good := brokenStore{TokenStore: providertest.NewMemoryTokens(clock.now)}
		p = newProviderWith(t, config(f.URL), &good, nil, clock.now)
		ready(t, p)
		good.load, good.acquire, good.save = c.store.load, c.store.acquire, c.store.save
		clock.pass(55 * time.Minute)
		ready(t, p)
	}
}

// TestToken401OncePerCall: the one refresh of a Submit is for all its attempts.
func TestToken401OncePerCall(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.then(says(401, ""), says(503, ""), says(401, ""), works)
	a := newProvider(t, f, nil).Submit(t.Context(), newPayment(), "")
	if a.Evidence.Verdict != payment.SaysNothing || a.Evidence.Code != mtn.CodeCredentials {
		t.Errorf("%+v", a.Evidence)
	}
	f.wantTokens(t, 2)
}

// TestTokenDiscardIsExact: a late 401 to an old token does not cost the new one.
func TestTokenDiscardIsExact(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	store := brokenStore{TokenStore: providertest.NewMemoryTokens(nil)}
	p := newProvider(t, f, &store)
	arrived, late := make(chan struct{}), make(chan struct{})
	f.then(func(w http.ResponseWriter, _ *http.Request, _ func()) {
		close(arrived)
		<-late
		w.WriteHeader(401)
	}, says(401, ""), works)
	done := make(chan provider.Answer)
	go func() { done <- p.Submit(t.Context(), newPayment(), "") }()
	<-arrived
	if a := p.Submit(t.Context(), newPayment(), ""); a.Evidence.Verdict != payment.SaysAccepted {
		t.Errorf("%+v", a.Evidence)
	}
	f.wantTokens(t, 2)
	store.load = true // nothing but memory is left
	close(late)
	if a := <-done; a.Evidence.Verdict != payment.SaysAccepted {
		t.Errorf("%+v", a.Evidence)
	}
	f.wantTokens(t, 2)
}

// beatenStore has somebody else refresh between a caller's look and its lease.
type beatenStore struct {
	provider.TokenStore
	other *mtn.Provider
	once  sync.Once
}

func (b *beatenStore) AcquireRefresh(ctx context.Context, id string, lease time.Duration, takeOver bool) (int64, bool, error) {
	b.once.Do(func() {
		if err := b.other.Ready(ctx); err != nil {
			panic(err)
		}
	})
	return b.TokenStore.AcquireRefresh(ctx, id, lease, takeOver)
}

func TestTokenLooksAgainUnderTheLease(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	memory := providertest.NewMemoryTokens(nil)
	store := &beatenStore{TokenStore: memory, other: newProvider(t, f, memory)}
	ready(t, newProvider(t, f, store))
	f.wantTokens(t, 1)
	// And the lease was given back.
	if _, ok, err := memory.AcquireRefresh(t.Context(), mtn.TokenID(config(f.URL)), time.Second, false); !ok || err != nil {
		t.Errorf("lease: %t, %v", ok, err)
	}
}
