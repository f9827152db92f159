package testbed

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"testing"
	"time"

	"momoproxy/infra/receiver"
	"momoproxy/shared/webhook"
)

// Received is one attempt as it arrived at an app, its signatures verified.
type Received struct {
	At      time.Time
	URL     string
	EventID string
	Header  http.Header
	Body    string
	Content Announcement
}

// Announcement is what the apps read of a callback.
type Announcement struct {
	Event       string `json:"event"`
	ReferenceID string `json:"referenceId"`
	ExternalID  string `json:"externalId"`
	Status      string `json:"status"`
	Sequence    int    `json:"sequence"`
}

// App stands for the apps' endpoints, as the forwarder's Poster. It verifies
// both signatures of whatever arrives, as an app must, and records it.
type App struct {
	t       testing.TB
	clients map[string]receiver.Keys // by callback URL; a payment's own URL begins with one

	mu     sync.Mutex
	got    []Received
	answer func(n int, r Received) webhook.Result
}

// Answer sets what the apps answer to the nth attempt, counted from 1 over
// all apps. nil: 200 to everything.
func (a *App) Answer(f func(n int, r Received) webhook.Result) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.answer = f
}

// Got lists the attempts so far.
func (a *App) Got() []Received {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]Received(nil), a.got...)
}

// About lists the attempts about one payment.
func (a *App) About(reference string) []Received {
	var own []Received
	for _, r := range a.Got() {
		if r.Content.ReferenceID == reference {
			own = append(own, r)
		}
	}
	return own
}

// Post implements forwarder.Poster.
func (a *App) Post(_ context.Context, url string, header http.Header, body []byte) webhook.Result {
	now := time.Now()
	r := Received{At: now, URL: url, EventID: header.Get(webhook.HeaderID), Header: header.Clone(), Body: string(body)}
	a.verify(r, now)
	if err := json.Unmarshal(body, &r.Content); err != nil {
		a.t.Errorf("the app received no JSON: %v", err)
	}
	a.mu.Lock()
	a.got = append(a.got, r)
	n, answer := len(a.got), a.answer
	a.mu.Unlock()
	result := webhook.Result{Code: 200, Excerpt: `{"ok":true}`}
	if answer != nil {
		result = answer(n, r)
	}
	result.Started, result.Duration = now, time.Since(now)
	return result
}

func (a *App) verify(r Received, now time.Time) {
	for url, c := range a.clients {
		if len(r.URL) < len(url) || r.URL[:len(url)] != url {
			continue
		}
		if got := c.Read(r.Header, []byte(r.Body), now); got.Fault != nil || got.EventID != r.EventID {
			a.t.Errorf("callback to %s: %v", url, got.Fault)
		}
		return
	}
	a.t.Errorf("a callback went to %s, where no app is", r.URL)
}

// Add makes an app of another client known, whose callbacks go to URLs that
// begin with url.
func (a *App) Add(url, apiKey, signingSecret string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.clients[url] = receiver.Keys{APIKey: apiKey, Secret: must(webhook.ParseSecret(signingSecret))(a.t)}
}
