package mtn_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
	"momoproxy/shared/provider/mtn"
	"momoproxy/shared/provider/providertest"
)

// transport answers in process, so that time can be the bubble's.
type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func response(code int, body string) *http.Response {
	return &http.Response{StatusCode: code, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}
}

func isToken(r *http.Request) bool { return r.URL.Path == "/collection/token/" }

const goodToken = `{"access_token":"secret","expires_in":3600}`

func bubbleProvider(t *testing.T, store provider.TokenStore, rt transport) *mtn.Provider {
	t.Helper()
	p, err := mtn.New(config("https://x.example"), store, &http.Client{Transport: rt}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestAttemptTimes: three attempts of 8 s with short waits between them, all
// inside the caller's deadline.
func TestAttemptTimes(t *testing.T) {
	for _, c := range []struct {
		deadline time.Duration
		attempts int32
		least    time.Duration
		most     time.Duration
	}{
		{time.Minute, 3, 24600 * time.Millisecond, 25200 * time.Millisecond},
		{20 * time.Second, 3, 20 * time.Second, 20 * time.Second},
		{8300 * time.Millisecond, 1, 8 * time.Second, 8 * time.Second},
		{5 * time.Second, 1, 5 * time.Second, 5 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			var n atomic.Int32
			p := bubbleProvider(t, providertest.NewMemoryTokens(nil), func(r *http.Request) (*http.Response, error) {
				if isToken(r) {
					return response(200, goodToken), nil
				}
				n.Add(1)
				<-r.Context().Done()
				return nil, r.Context().Err()
			})
			ctx, cancel := context.WithTimeout(t.Context(), c.deadline)
			defer cancel()
			begin := time.Now()
			a := p.Submit(ctx, newPayment(), "")
			took := time.Since(begin)
			if a.Evidence.Verdict != payment.SaysNothing || !a.Attempted || n.Load() != c.attempts || took < c.least || took > c.most {
				t.Errorf("deadline %s: %d attempts in %s, %+v", c.deadline, n.Load(), took, a.Evidence)
			}
			for _, e := range a.Exchanges[1:] {
				if e.Err != "timeout" || e.Duration > 8*time.Second {
					t.Errorf("exchange: %s %s", e.Err, e.Duration)
				}
			}
		})
	}
}

// TestTokenHolderDies: others wait for the lease to lapse and then ask
// themselves; a caller with less time gives up at its own deadline.
func TestTokenHolderDies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := providertest.NewMemoryTokens(nil)
		dead := bubbleProvider(t, &deadSaver{store}, func(*http.Request) (*http.Response, error) { return response(200, goodToken), nil })
		ready(t, dead) // took the lease and never gave it back
		var calls atomic.Int32
		p := bubbleProvider(t, store, func(*http.Request) (*http.Response, error) {
			calls.Add(1)
			return response(200, goodToken), nil
		})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begin := time.Now()
		if err := p.Ready(ctx); !errors.Is(err, provider.ErrUnavailable) || time.Since(begin) != time.Second {
			t.Errorf("%v after %s", err, time.Since(begin))
		}
		ready(t, p)
		if took := time.Since(begin); took < 12*time.Second || took > 13*time.Second || calls.Load() != 1 {
			t.Errorf("%d token calls, the first after %s", calls.Load(), took)
		}
	})
}

// deadSaver is the store of a process that dies between lease and save.
type deadSaver struct{ provider.TokenStore }

func (d *deadSaver) Save(context.Context, string, int64, provider.StoredToken) error { return errStore }

// TestTokenWaiterTakesHoldersToken: the wait ends when the holder stores.
func TestTokenWaiterTakesHoldersToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := providertest.NewMemoryTokens(nil)
		var calls atomic.Int32
		slow := func(*http.Request) (*http.Response, error) {
			calls.Add(1)
			time.Sleep(3 * time.Second)
			return response(200, goodToken), nil
		}
		for range 5 {
			p := bubbleProvider(t, store, slow)
			go func() {
				begin := time.Now()
				ready(t, p)
				if took := time.Since(begin); took > 3300*time.Millisecond {
					t.Errorf("waited %s", took)
				}
			}()
		}
		synctest.Wait()
		time.Sleep(10 * time.Second)
		if calls.Load() != 1 {
			t.Errorf("%d token calls", calls.Load())
		}
	})
}

// TestTokenFailureEndsSoon: after a failed refresh the lease is given back,
// and a moment later MTN is asked again.
func TestTokenFailureEndsSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answers := []*http.Response{response(500, `{"error":"login_failed"}`), response(503, ""), response(200, goodToken)}
		var n int
		p := bubbleProvider(t, providertest.NewMemoryTokens(nil), func(*http.Request) (*http.Response, error) { n++; return answers[n-1], nil })
		want := func(calls int, target error) {
			t.Helper()
			begin := time.Now()
			if err := p.Ready(t.Context()); !errors.Is(err, target) || n != calls || time.Since(begin) != 0 {
				t.Errorf("%d calls, %v; want %d, %v", n, err, calls, target)
			}
		}
		want(1, provider.ErrCredentials)
		time.Sleep(4 * time.Second)
		want(1, provider.ErrCredentials)
		time.Sleep(time.Second)
		want(2, provider.ErrUnavailable)
		time.Sleep(time.Second)
		want(3, nil)
	})
}

// TestTokenFailureIsShared: those who waited for a refresh that failed do not
// each ask again.
func TestTokenFailureIsShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls, failed atomic.Int32
		p := bubbleProvider(t, providertest.NewMemoryTokens(nil), func(*http.Request) (*http.Response, error) {
			calls.Add(1)
			time.Sleep(time.Second)
			return response(500, `{"error":"login_failed"}`), nil
		})
		for range 8 {
			go func() {
				if err := p.Ready(t.Context()); errors.Is(err, provider.ErrCredentials) {
					failed.Add(1)
				}
			}()
		}
		time.Sleep(2 * time.Second)
		if calls.Load() != 1 || failed.Load() != 8 {
			t.Errorf("%d token calls, %d failures", calls.Load(), failed.Load())
		}
	})
}
