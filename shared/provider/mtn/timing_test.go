package mtn_test

import (
	"context"
	"errors"
	"fmt"
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

func bubbleProvider(t *testing.T, store provider.TokenStore, rt transport, options ...mtn.Option) *mtn.Provider {
	t.Helper()
	p, err := mtn.New(config("https://x.example"), store, &http.Client{Transport: rt}, time.Now, options...)
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

// TestTokenHolderDies: requests wait for the lease to lapse, no longer than a
// payer may wait. The schedule does not wait for it.
func TestTokenHolderDies(t *testing.T) {
	for _, schedule := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			store := providertest.NewMemoryTokens(nil)
			dead := bubbleProvider(t, &deadSaver{store}, func(*http.Request) (*http.Response, error) { return response(200, goodToken), nil })
			ready(t, dead) // took the lease and never gave it back
			var calls atomic.Int32
			p := bubbleProvider(t, store, func(*http.Request) (*http.Response, error) {
				calls.Add(1)
				return response(200, goodToken), nil
			})
			begin := time.Now()
			if schedule {
				maintain(t, p)
				if took := time.Since(begin); took != 0 || calls.Load() != 1 {
					t.Errorf("%d token calls, the first after %s", calls.Load(), took)
				}
				return
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if err := p.Ready(ctx); !errors.Is(err, provider.ErrUnavailable) || time.Since(begin) != time.Second {
				t.Errorf("%v after %s", err, time.Since(begin))
			}
			if err := p.Ready(t.Context()); !errors.Is(err, provider.ErrUnavailable) || time.Since(begin) != 4*time.Second {
				t.Errorf("%v after %s", err, time.Since(begin))
			}
			time.Sleep(3 * time.Second)
			ready(t, p)
			if calls.Load() != 1 {
				t.Errorf("%d token calls", calls.Load())
			}
		})
	}
}

// TestTokenTakesTwentySeconds, as on MTN's new platform: a request gives up
// after three seconds, however many there are; the schedule gets the token.
func TestTokenTakesTwentySeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := providertest.NewMemoryTokens(nil)
		slow := func(r *http.Request) (*http.Response, error) {
			select {
			case <-r.Context().Done():
				return nil, r.Context().Err()
			case <-time.After(20 * time.Second):
				return response(200, goodToken), nil
			}
		}
		schedule, began := bubbleProvider(t, store, slow), time.Now()
		refused := atomic.Int32{}
		for i := range 12 {
			p := schedule // as in one process on one machine
			if i%2 == 0 {
				p = bubbleProvider(t, store, slow) // another function's
			}
			go func() {
				for {
					asked := time.Now()
					err := p.Ready(t.Context())
					switch took := time.Since(asked); {
					case took > 3*time.Second:
						t.Errorf("a request waited %s", took)
					case err == nil:
						return
					case !errors.Is(err, provider.ErrUnavailable):
						t.Error(err)
					}
					refused.Add(1)
					time.Sleep(300 * time.Millisecond)
				}
			}()
		}
		time.Sleep(10 * time.Second)
		maintain(t, schedule)
		if took := time.Since(began); took != 30*time.Second { // no request keeps it waiting
			t.Errorf("the schedule had the token %s after the first request", took)
		}
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if refused.Load() == 0 {
			t.Error("no request was refused: the test shows nothing")
		}
		begin := time.Now()
		ready(t, bubbleProvider(t, store, slow))
		if took := time.Since(begin); took != 0 {
			t.Errorf("with a stored token a request waited %s", took)
		}
	})
}

// TestTokenRefusedWhereTokensAreSlow: a request that MTN answers 401 cannot get
// another token in its time. The schedule gets it in its next run, and until
// then the refused one serves who has not met the 401.
func TestTokenRefusedWhereTokensAreSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, tokens := providertest.NewMemoryTokens(nil), 0
		answer := func(refuses bool) transport {
			return func(r *http.Request) (*http.Response, error) {
				switch {
				case isToken(r):
					select {
					case <-r.Context().Done():
						return nil, r.Context().Err()
					case <-time.After(20 * time.Second):
						tokens++
						return response(200, fmt.Sprintf(`{"access_token":"token-%d","expires_in":3600}`, tokens)), nil
					}
				case refuses && r.Header.Get("Authorization") == "Bearer token-1":
					return response(401, ""), nil
				}
				return response(200, `{"status":"PENDING"}`), nil
			}
		}
		schedule := bubbleProvider(t, store, answer(false))
		maintain(t, schedule)
		refused, other := bubbleProvider(t, store, answer(true)), bubbleProvider(t, store, answer(false))
		refused.Status(t.Context(), newPayment())
		if err := refused.Ready(t.Context()); !errors.Is(err, provider.ErrUnavailable) {
			t.Fatalf("with the refused token: %v", err)
		}
		ready(t, other)
		maintain(t, schedule)
		ready(t, refused)
		if tokens != 2 {
			t.Errorf("%d tokens, want 2", tokens)
		}
	})
}

// TestTokenNotStored: a token that the schedule got and could not store is got
// again, for the requests of other processes.
func TestTokenNotStored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := providertest.NewMemoryTokens(nil)
		broken := &brokenStore{TokenStore: store, save: true}
		answer := func(*http.Request) (*http.Response, error) { return response(200, goodToken), nil }
		schedule := bubbleProvider(t, broken, answer)
		maintain(t, schedule)
		broken.save = false
		time.Sleep(time.Minute)
		maintain(t, schedule)
		other := bubbleProvider(t, store, func(*http.Request) (*http.Response, error) { return response(503, ""), nil })
		ready(t, other)
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
			time.Sleep(2 * time.Second)
			return response(200, goodToken), nil
		}
		for range 5 {
			p := bubbleProvider(t, store, slow)
			go func() {
				begin := time.Now()
				ready(t, p)
				if took := time.Since(begin); took > 2300*time.Millisecond {
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

// TestTokenScheduleAfterAFailure: what a request has just met does not keep the
// schedule from trying.
func TestTokenScheduleAfterAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answers := []*http.Response{response(503, ""), response(200, goodToken)}
		var n int
		p := bubbleProvider(t, providertest.NewMemoryTokens(nil), func(*http.Request) (*http.Response, error) { n++; return answers[n-1], nil })
		if err := p.Ready(t.Context()); !errors.Is(err, provider.ErrUnavailable) {
			t.Fatal(err)
		}
		maintain(t, p)
		ready(t, p)
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
