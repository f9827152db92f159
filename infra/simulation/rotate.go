package simulation

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"momoproxy/shared/ledger"
	"momoproxy/shared/webhook"
)

// spell is the life of one of an app's signing secrets.
type spell struct {
	secret webhook.Secret
	from   time.Time
	until  time.Time // promised when the next one came; zero: it is the newest
	gone   time.Time // when the one after the next came, which ends it early
}

// settling is how long after a rotation a worker may still go on with a
// client read before it: what a cache keeps, longer when clocks jump back, and
// the rest of an invocation.
const settling = 2 * time.Minute

// planRotations has apps take new secrets while faults go on.
func (w *world) planRotations() {
	for _, a := range w.apps {
		for left := w.rates.rotations; w.chance(left); left-- {
			w.anytime(w.between(0, w.rates.span), "rotation", func() { w.rotate(a) })
		}
	}
}

// rotate gives an app a new secret, as an operator does it. The overlap is
// longer than clocks differ, or workers could not agree that it has begun.
func (w *world) rotate(a *app) {
	fresh, _ := webhook.NewSecret(bytesOf{w.rng})
	now := time.Now()
	until := now.Add(pick(w, 10*time.Minute, 10*time.Minute, time.Hour, ledger.DefaultOverlap, ledger.MaxOverlap))
	w.note("rotate", a.name, until.Sub(now).String())
	c, err := w.oracle.Client(context.Background(), a.client.ID)
	if err == nil {
		_, err = w.oracle.Rotate(context.Background(), c, ledger.Rotation{Of: ledger.SigningSecret, Fresh: fresh.Reveal(), Now: now, Until: until})
	}
	if err != nil {
		w.violate(NoPanic, "the secret of %s cannot be rotated: %v", a.name, err)
		return
	}
	w.result.Stats.Rotations++
	n := len(a.secrets)
	a.secrets[n-1].until = ledger.Clock(until)
	if n > 1 {
		a.secrets[n-2].gone = now
	}
	a.secrets = append(a.secrets, spell{secret: fresh, from: now})
}

// checkSigned holds an attempt to the secrets that may sign it and returns
// its event's id. Whether an overlap has passed is judged by the attempt's own
// time, which is the signer's clock; that clock is held to its bounds apart.
func (w *world) checkSigned(a *app, header http.Header, body []byte) (id string, ok bool) {
	now, tolerance := time.Now(), webhook.Tolerance+w.skewEver()
	all := make([]webhook.Secret, 0, len(a.secrets))
	for _, s := range a.secrets {
		all = append(all, s.secret)
	}
	id, err := webhook.Verify(header, body, now, tolerance, all...)
	if err != nil {
		w.violate(EventsOnce, "%s got an event that does not verify: %v", a.name, err)
		return "", false
	}
	seconds, _ := strconv.ParseInt(header.Get(webhook.HeaderTimestamp), 10, 64)
	signed := time.Unix(seconds, 0) // to a second later
	newest := len(a.secrets) - 1
	for i, s := range a.secrets {
		_, err := webhook.Verify(header, body, now, tolerance, s.secret)
		if i < newest && err == nil {
			w.result.Stats.OldSigned++
		}
		settled := now.Sub(s.from) > settling
		passed := !signed.Before(s.until) || now.Sub(s.until) > w.skewEver()+settling
		switch {
		case i == newest && err != nil && settled:
			w.violate(Secrets, "%s cannot verify event %s with its newest secret, given at %s", a.name, id, s.from.UTC())
		case i < newest && err == nil && passed:
			w.violate(Secrets, "event %s, signed at %s, verifies with a secret of %s that ended at %s", id, signed.UTC(), a.name, s.until.UTC())
		case i == newest-1 && err != nil && settled && signed.Add(time.Second).Before(s.until):
			w.violate(Secrets, "%s cannot verify event %s, signed at %s, with the secret that lives until %s", a.name, id, signed.UTC(), s.until.UTC())
		case i < newest-1 && err == nil && now.Sub(s.gone) > settling:
			w.violate(Secrets, "event %s verifies with a secret of %s that was replaced twice by %s", id, a.name, s.gone.UTC())
		}
	}
	return id, true
}
