package simulation

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"momoproxy/shared/ledger"
	"momoproxy/shared/table"
)

// maxEventLag bounds how far the list of events is behind. The ten seconds that
// an event takes to be listed have room for it, for the five seconds that the
// gateway gives a write, and for no more.
const maxEventLag = 4 * time.Second

// eventsList begins the partition of an app's events in the list index.
const eventsList = "events#"

// planReading has an app read its events soon after one was made: while others
// may be on their way to the table.
func (w *world) planReading(clientID string) {
	if w.chance(w.rates.reads) {
		a := w.appOf(clientID)
		w.after(w.between(0, 3*time.Second), "read events", func() { w.readEvents(a) })
	}
}

// lagEvents leaves some of the newest events out of their list. Nothing in it
// ever moves.
func (w *world) lagEvents(records []table.Record) []table.Record {
	shown := make([]table.Record, 0, len(records))
	for _, r := range records {
		young := time.Since(w.books.entered[r.Key]) < maxEventLag
		if !young || !w.chance(w.rates.lag) {
			shown = append(shown, r)
		}
	}
	return shown
}

// entersList notes when an event is stored.
func (w *world) entersList(r table.Record) {
	entry := r.Index[ledger.IndexList]
	if _, known := w.books.entered[r.Key]; known || entry.Partition == "" {
		return
	}
	w.books.entered[r.Key] = time.Now()
	w.planReading(strings.TrimPrefix(entry.Partition, eventsList))
}

// readEvents has an app go on in the list of its events from where it stopped.
// Each event that it then gets is new to it, its own, and has the bytes that it
// was sent. It says whether there is more, and whether it was answered at all.
// An app has one reader: a second one would start where the first one did.
func (w *world) readEvents(a *app) (more, ok bool) {
	if a.reading {
		return false, false
	}
	a.reading = true
	defer func() { a.reading = false }()
	r := requestTo(http.MethodGet, "/events")
	query := url.Values{"limit": {fmt.Sprint(1 + w.rng.IntN(100))}}
	if a.eventsAfter != "" {
		query.Set("after", a.eventsAfter)
	}
	r.RawQueryString = query.Encode()
	resp, ok := w.serve(a, a.client.APIKey, r)
	if !ok {
		return false, false
	}
	var body struct {
		Events []struct {
			EventID     string `json:"eventId"`
			ReferenceID string `json:"referenceId"`
			Body        string `json:"body"`
		} `json:"events"`
		NextAfter string `json:"nextAfter"`
		More      bool   `json:"more"`
	}
	if err := json.Unmarshal([]byte(resp.Body), &body); err != nil || resp.StatusCode != http.StatusOK {
		w.violate(Answers, "%s asked for its events and was answered %d %s", a.name, resp.StatusCode, resp.Body)
		return false, false
	}
	for _, e := range body.Events {
		got := a.received[e.EventID]
		switch {
		case w.books.payments[e.ReferenceID].ClientID != a.client.ID:
			w.violate(Separation, "%s was listed event %s of %s", a.name, e.EventID, e.ReferenceID)
		case a.listed[e.EventID]:
			w.violate(Answers, "%s was listed event %s twice", a.name, e.EventID)
		case got != nil && got.body != e.Body:
			w.violate(Answers, "%s got %s with another body than is listed", a.name, e.EventID)
		}
		a.listed[e.EventID] = true
	}
	a.eventsAfter = body.NextAfter
	return body.More, true
}

// checkListed reads the rest of an app's events once the faults have stopped. An
// app that read from place to place has then missed none. A clock that is off
// by more than an event takes to settle is no part of that promise.
func (w *world) checkListed(a *app) {
	for more := true; more; {
		var ok bool
		if more, ok = w.readEvents(a); !ok {
			return
		}
	}
	if w.skewEver() > 0 {
		return
	}
	w.result.Stats.Listed += len(a.listed)
	for _, reference := range w.books.order {
		if w.books.payments[reference].ClientID != a.client.ID {
			continue
		}
		events, err := w.oracle.Deliveries(context.Background(), reference)
		if err != nil {
			w.violate(NoPanic, "the events of %s cannot be read: %v", reference, err)
		}
		for _, d := range events {
			if !a.listed[d.EventID] && time.Since(d.CreatedAt) > time.Minute {
				w.violate(Answers, "%s read its events from place to place and missed %s, made at %s", a.name, d.EventID, d.CreatedAt)
			}
		}
	}
}
