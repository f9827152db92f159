package simulation

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"momoproxy/shared/delivery"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
	"momoproxy/shared/webhook"
)

// mood is how an app's endpoint answers until a time.
type mood struct {
	until time.Time
	what  string
}

// receipt is an event as an app got it.
type receipt struct {
	body      string
	reference string
	sequence  int
	status    string
	times     int
	taken     bool // answered 2xx
}

// try is one attempt at an app's endpoint, whether it arrived or not.
type try struct {
	at    time.Time
	event string
	by    *invocation
}

// attemptsADay is how often one event may be attempted on its schedule within
// any day. With every wait 20 % short, the schedule's first nine attempts take
// 14 hours, and the tenth comes 25 hours after the first. What is not charged
// comes on top: days with faults of ours are not judged, and an attempt whose
// worker did not live to write it down is not counted.
const attemptsADay = 9

// openingCosts is how many attempts on schedule a dead endpoint gets before its
// circuit opens, beside those of workers that are already at it: one event can
// fail its whole schedule alone before another one counts.
const openingCosts = delivery.OpenAfter + delivery.MaxAttempts

// checkTries: no day at an endpoint has more attempts than the schedule gives
// to the events that were attempted on it, and probes; and one that is dead
// gets no more than it takes to open its circuit, and probes.
func (w *world) checkTries(a *app, causes map[string]delivery.Cause) {
	var tries, probes []try
	scheduled := map[string][]try{}
	for _, t := range a.tries {
		cause := causes[t.event+t.at.Format(time.StampMilli)]
		switch {
		case t.by.dead:
		case cause == delivery.CauseProbe:
			probes = append(probes, t)
		default:
			tries = append(tries, t)
		}
		if cause == delivery.CauseAutomatic {
			scheduled[t.event] = append(scheduled[t.event], t)
		}
	}
	for _, event := range slices.Sorted(maps.Keys(scheduled)) {
		within24h(scheduled[event], func(in []try, _ int) bool {
			if len(in) <= attemptsADay {
				return true
			}
			w.violate(DeadEndpoints, "%s was sent %s on schedule %d times within a day", a.name, event, len(in))
			return false
		})
	}
	w.result.Stats.Probes += len(probes)
	within24h(probes, func(in []try, _ int) bool {
		if len(in) <= delivery.MaxProbesADay {
			return true
		}
		w.violate(DeadEndpoints, "%s was probed %d times within a day", a.name, len(in))
		return false
	})
	within24h(tries, func(in []try, events int) bool {
		most := attemptsADay * events
		switch a.broken() {
		case "":
		case "410": // from a payment's own URL it ends one event, and opens nothing
			most = min(most, openingCosts+a.together+events)
		default:
			most = min(most, openingCosts+a.together)
		}
		if len(in) <= most {
			return true
		}
		w.violate(DeadEndpoints, "%s (%q for good) was tried %d times within a day for %d events", a.name, a.broken(), len(in), events)
		return false
	})
}

// checkMaySend: nothing goes to an endpoint that is disabled, once everybody
// has heard.
func (w *world) checkMaySend(a *app, url string) {
	e, err := w.oracle.Endpoint(context.Background(), a.client.ID, delivery.Origin(url), time.Now())
	if err == nil && w.calm && e.State == delivery.EndpointDisabled && time.Since(e.DisabledAt) > time.Minute && time.Since(w.books.calmAt) > time.Minute {
		w.violate(DeadEndpoints, "%s was sent an event %s after its endpoint was disabled", a.name, time.Since(e.DisabledAt))
	}
}

// within24h shows judge the tries of the 24 hours up to each one, and how many
// events they were about, until it is false.
func within24h(tries []try, judge func(in []try, events int) bool) {
	first, events := 0, map[string]int{}
	for i, t := range tries {
		events[t.event]++
		for ; t.at.Sub(tries[first].at) >= 24*time.Hour; first++ {
			gone := tries[first].event
			if events[gone]--; events[gone] == 0 {
				delete(events, gone)
			}
		}
		if !judge(tries[first:i+1], len(events)) {
			return
		}
	}
}

// causes says why each attempt on record was made, by event and time.
func (w *world) causes() map[string]delivery.Cause {
	causes := map[string]delivery.Cause{}
	for _, reference := range w.books.order {
		trail, err := w.oracle.AuditTrail(context.Background(), reference)
		if err != nil {
			w.violate(NoPanic, "the trail of %s cannot be read: %v", reference, err)
			return nil
		}
		for _, r := range trail {
			var sequence int
			var cause delivery.Cause
			if n, _ := fmt.Sscanf(strings.TrimPrefix(r.Note, "claim lost: "), "event %d, %s", &sequence, &cause); r.Direction == ledger.OutboundToApp && n == 2 {
				cause = delivery.Cause(strings.TrimSuffix(string(cause), ":"))
				causes[payment.EventID(reference, sequence)+r.At.Format(time.StampMilli)] = cause
			}
		}
	}
	return causes
}

// moodsOf draws the moods of an endpoint: bad ones take turns while faults
// go on.
func (w *world) moodsOf() []mood {
	var moods []mood
	at := w.start
	for at.Before(w.start.Add(w.rates.span)) {
		at = at.Add(w.between(time.Second, w.rates.span))
		m := mood{at, "ok"}
		if w.chance(w.rates.appFails) {
			m.what = pick(w, "500", "404", "302", "429", "410", "hangs", "reset", "answer lost", "slow", "no connection", "dns")
		}
		moods = append(moods, m)
	}
	// For good. Such a world has a hundred probes a day and costs ten ordinary
	// ones, so there are few.
	if w.chance(w.rates.appFails / 12) {
		moods = append(moods, mood{at.AddDate(1, 0, 0), pick(w, "500", "404", "410", "hangs", "302")})
	}
	return moods
}

// recover mends the endpoint, if it is not broken for good.
func (a *app) recover() {
	if n := len(a.moods); n > 0 && time.Until(a.moods[n-1].until) > 300*24*time.Hour {
		a.moods = a.moods[n-1:]
		return
	}
	a.moods = nil
}

// broken says what is wrong with the endpoint for good; empty: nothing.
func (a *app) broken() string {
	if len(a.moods) == 0 {
		return ""
	}
	return a.mood()
}

func (a *app) mood() string {
	now := time.Now()
	for _, m := range a.moods {
		if now.Before(m.until) {
			return m.what
		}
	}
	return "ok"
}

// appWire is the way from the forwarder to the apps. It stands for the
// guarded client, whose own tests hold it to its bounds.
type appWire struct{ w *world }

func (p appWire) Post(ctx context.Context, url string, header http.Header, body []byte) webhook.Result {
	w := p.w
	r := webhook.Result{Started: time.Now()}
	defer func() { r.Duration = time.Since(r.Started) }()
	w.note("post", url, header.Get(webhook.HeaderID))
	w.before()
	var a *app
	for _, candidate := range w.apps {
		if url == candidate.url || strings.HasPrefix(url, candidate.url+"/") {
			a = candidate
		}
	}
	if a == nil {
		w.violate(Separation, "an event was sent to %s, which no app has given", url)
		r.Class = webhook.ClassDNS
		return r
	}
	if ctx.Err() != nil {
		r.Class = webhook.ClassCanceled
		return r
	}
	mood := a.mood()
	if a.never != "" && strings.HasSuffix(url, a.never) {
		mood = "404"
	}
	w.note("  endpoint", mood)
	if w.calm {
		a.tries = append(a.tries, try{r.Started.UTC(), header.Get(webhook.HeaderID), w.current})
	}
	a.flying++
	defer func() { a.flying-- }()
	a.together = max(a.together, a.flying)
	w.checkMaySend(a, url)
	arrives := mood != "no connection" && mood != "dns" && mood != "302"
	if arrives {
		w.received(a, header, body, mood)
	}
	switch mood {
	case "ok":
		r.Code = 200
	case "500", "404", "302", "410":
		r.Code = map[string]int{"500": 500, "404": 404, "302": 302, "410": 410}[mood]
		a.gone = a.gone || mood == "410" && url == a.url
	case "429":
		r.Code, r.RetryAfter = 429, pick(w, "", "5", "600", "99999", "soon")
	case "slow":
		w.waitFor(w.between(time.Second, 9*time.Second))
		r.Code = 204
	case "hangs":
		w.waitFor(10 * time.Second)
		r.Class = webhook.ClassTimeout
	case "reset", "answer lost":
		r.Class = webhook.ClassReset
	case "no connection":
		r.Class = webhook.ClassConnect
	case "dns":
		r.Class = webhook.ClassDNSOurs
	}
	w.afterwards()
	if ctx.Err() != nil {
		r.Code, r.Class = 0, webhook.ClassCanceled
	}
	return r
}
