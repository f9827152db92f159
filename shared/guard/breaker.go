package guard

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"time"

	"momoproxy/shared/ledger"
)

// The rule of a provider's circuit breaker, as pure functions of its stored
// state: each returns what the state becomes. circuit.go reads and writes it.
//
// One app alone can close a provider for itself only:
//   - The circuit opens for every app after breakerTrip failures in a row, of
//     at least two payers. One app counts for at most countedOfApp of them. So
//     a flood of one app and a single failure of another do not open it. An app
//     that has not asked for loneWindow counts for nothing.
//   - It opens for one app after breakerTrip failures of that app, of at least
//     lonePayers payers, while no other app is known to have asked for
//     loneWindow.
//
// While it is open each app has a probe of its own every ProbeEvery. An app
// without a failure probes at once. So the probes of an app that sends bad
// requests delay nobody else's, and the first answer closes the circuit for
// every app.
//
// The state keeps maxApps apps, those that asked last. While that many wait
// for their probe a further app waits for the first of them, so that at most
// maxApps apps probe within ProbeEvery.
const (
	breakerTrip  = 5
	countedOfApp = 3
	lonePayers   = 3
	loneWindow   = 10 * time.Minute
	// ProbeEvery is how often one app may probe an open circuit.
	ProbeEvery = 30 * time.Second
	maxApps    = 8
	// askedFresh is how exact AskedAt is: a failure that changes nothing else
	// costs no write.
	askedFresh = 10 * time.Second
)

// A provider that answers 429 is asked nothing for the app whose request met
// it, and by the others as before: how many requests an app sends is its own
// affair. What the provider asks for is kept to, up to longestPause.
const (
	shortestPause = 3 * time.Second // also where the provider does not say
	longestPause  = 5 * time.Minute
)

// ErrCircuitOpen: the provider has not been answering.
var ErrCircuitOpen = errors.New("provider's circuit is open")

// errLimited: the provider got too many requests of this app.
var errLimited = errors.New("provider answered 429")

// admits says whether an app may ask now; nil: it may.
func admits(h ledger.Health, clientID string, now time.Time) *Refusal {
	app := healthOf(h, clientID)
	if wait := ahead(app.LimitedUntil, now, longestPause); wait > 0 {
		return &Refusal{RetryAfter: wait, Busy: true, Err: errLimited}
	}
	if !keepsOut(h, clientID) {
		return nil
	}
	probeAt := app.ProbeAt
	if app.ClientID == "" && len(h.Apps) == maxApps {
		probeAt = slices.MinFunc(h.Apps, func(a, b ledger.AppHealth) int { return a.ProbeAt.Compare(b.ProbeAt) }).ProbeAt
	}
	if wait := ahead(probeAt, now, ProbeEvery); wait > 0 {
		return &Refusal{RetryAfter: wait, Err: ErrCircuitOpen}
	}
	return nil
}

// keepsOut says whether the circuit is open for an app.
func keepsOut(h ledger.Health, clientID string) bool {
	return h.Open() && (h.OpenFor == "" || h.OpenFor == clientID)
}

// ahead is how far a time lies in the future. One further off than any is set
// was written by a clock that ran ahead, and counts as past.
func ahead(at, now time.Time, most time.Duration) time.Duration {
	if wait := at.Sub(now); wait > 0 && wait <= most {
		return wait
	}
	return 0
}

// probing is h when an app has been let through: its next probe comes later.
func probing(h ledger.Health, clientID string, now time.Time) ledger.Health {
	if !keepsOut(h, clientID) {
		return h
	}
	return withApp(h, clientID, func(a *ledger.AppHealth) {
		a.AskedAt, a.ProbeAt = now, now.Add(ProbeEvery)
	})
}

// failed is h after a request that was unanswered, or refused because of our
// account.
func failed(h ledger.Health, clientID, payer string, now time.Time) ledger.Health {
	h = withApp(h, clientID, func(a *ledger.AppHealth) {
		a.Failures = min(a.Failures+1, breakerTrip)
		if len(a.Payers) < lonePayers && !slices.Contains(a.Payers, payer) {
			a.Payers = append(slices.Clone(a.Payers), payer)
		}
		if now.Sub(a.AskedAt).Abs() >= askedFresh {
			a.AskedAt = now
		}
		if keepsOut(h, clientID) {
			a.AskedAt, a.ProbeAt = now, now.Add(ProbeEvery)
		}
	})
	switch forAll := tripsAll(h, now); {
	case forAll && (!h.Open() || h.OpenFor != ""):
		h.OpenedAt, h.OpenFor = now, ""
	case !h.Open() && tripsAlone(h, clientID, now):
		h.OpenedAt, h.OpenFor = now, clientID
	default:
		return h
	}
	for i := range h.Apps { // withApp has made them h's own
		if h.Apps[i].Failures > 0 {
			h.Apps[i].ProbeAt = now.Add(ProbeEvery)
		}
	}
	return h
}

// tripsAll says whether the failures in a row are a sign for every app.
func tripsAll(h ledger.Health, now time.Time) bool {
	counted, payers := 0, map[string]bool{}
	for _, a := range h.Apps {
		if now.Sub(a.AskedAt).Abs() >= loneWindow {
			continue
		}
		counted += min(a.Failures, countedOfApp)
		for _, p := range a.Payers {
			payers[p] = true
		}
	}
	return counted >= breakerTrip && len(payers) >= 2
}

// tripsAlone says whether an app's failures are a sign for that app.
func tripsAlone(h ledger.Health, clientID string, now time.Time) bool {
	for _, a := range h.Apps {
		if a.ClientID != clientID && now.Sub(a.AskedAt).Abs() < loneWindow {
			return false
		}
	}
	app := healthOf(h, clientID)
	return app.Failures >= breakerTrip && len(app.Payers) >= lonePayers
}

// answered is h after an answer of the provider itself: the row ends and the
// circuit closes for every app. A healthy provider's state does not change.
func answered(h ledger.Health, clientID string, now time.Time) ledger.Health {
	if !h.Open() && h.Failures() == 0 {
		return h
	}
	h = asked(h, clientID, now)
	h.OpenedAt, h.OpenFor = time.Time{}, ""
	h.Apps = slices.DeleteFunc(h.Apps, func(a ledger.AppHealth) bool {
		return now.Sub(a.AskedAt).Abs() >= loneWindow && ahead(a.LimitedUntil, now, longestPause) == 0
	})
	for i := range h.Apps {
		a := &h.Apps[i]
		a.Failures, a.Payers, a.ProbeAt = 0, nil, time.Time{}
	}
	return h
}

// limited is h after a 429 that asks for a pause; zero: for none in particular.
func limited(h ledger.Health, clientID string, pause time.Duration, now time.Time) ledger.Health {
	return withApp(h, clientID, func(a *ledger.AppHealth) {
		a.AskedAt, a.LimitedUntil = now, now.Add(min(max(pause, shortestPause), longestPause))
	})
}

// asked is h with an app known to have asked at a time.
func asked(h ledger.Health, clientID string, at time.Time) ledger.Health {
	return withApp(h, clientID, func(a *ledger.AppHealth) {
		if at.After(a.AskedAt) {
			a.AskedAt = at
		}
	})
}

func healthOf(h ledger.Health, clientID string) ledger.AppHealth {
	for _, a := range h.Apps {
		if a.ClientID == clientID {
			return a
		}
	}
	return ledger.AppHealth{}
}

// withApp returns h with apps of its own and one of them changed. A new one
// takes the place of the one that asked longest ago, if all are taken.
func withApp(h ledger.Health, clientID string, change func(*ledger.AppHealth)) ledger.Health {
	h.Apps = slices.Clone(h.Apps)
	i := slices.IndexFunc(h.Apps, func(a ledger.AppHealth) bool { return a.ClientID == clientID })
	switch {
	case i >= 0:
	case len(h.Apps) < maxApps:
		i = len(h.Apps)
		h.Apps = append(h.Apps, ledger.AppHealth{ClientID: clientID})
	default:
		i = 0
		for j, a := range h.Apps {
			if a.AskedAt.Before(h.Apps[i].AskedAt) {
				i = j
			}
		}
		h.Apps[i] = ledger.AppHealth{ClientID: clientID}
	}
	change(&h.Apps[i])
	return h
}

// payerMark tells payers apart without naming them: of 16 bits, a hundred
// numbers of any country share each. Where no payer is named every request
// counts as one.
func payerMark(payer, reference string) string {
	if payer == "" {
		payer = reference
	}
	h := sha256.Sum256([]byte(payer))
	return hex.EncodeToString(h[:2])
}
