package delivery

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"momoproxy/shared/webhook"
)

func TestDecide(t *testing.T) {
	t.Parallel()
	retry := func(reason Reason, wait time.Duration) Next {
		return Next{Step: StepRetry, Reason: reason, At: attemptedAt.Add(wait), Charged: true}
	}
	free := func(wait time.Duration) Next {
		return Next{Step: StepRetry, Reason: ReasonOurs, At: attemptedAt.Add(wait)}
	}
	end := func(step Step, reason Reason) Next { return Next{Step: step, Reason: reason, Charged: true} }
	for _, tc := range []struct {
		name string
		o    Outcome
		want Next
	}{
		{"200", Outcome{Code: 200}, end(StepDelivered, ReasonAccepted)},
		{"204 at the last attempt", Outcome{Code: 204, Charged: 11}, end(StepDelivered, ReasonAccepted)},
		{"299", Outcome{Code: 299}, end(StepDelivered, ReasonAccepted)},
		{"2xx that asks to stop is still delivered", Outcome{Code: 200, Control: "disable"}, end(StepDelivered, ReasonAccepted)},

		{"503", Outcome{Code: 503}, retry(ReasonUnavailable, 5*time.Second)},
		{"500, fifth", Outcome{Code: 500, Charged: 4}, retry(ReasonUnavailable, 30*time.Minute)},
		{"599, eleventh", Outcome{Code: 599, Charged: 10}, retry(ReasonUnavailable, 24*time.Hour)},
		{"502, twelfth", Outcome{Code: 502, Charged: 11}, end(StepExhausted, ReasonUnavailable)},
		{"408", Outcome{Code: 408, Charged: 5}, retry(ReasonUnavailable, 2*time.Hour)},
		{"425", Outcome{Code: 425, Charged: 5}, retry(ReasonUnavailable, 2*time.Hour)},
		{"429", Outcome{Code: 429, Charged: 5}, retry(ReasonUnavailable, 2*time.Hour)},
		{"429 with Retry-After", Outcome{Code: 429, RetryAfter: "100"}, retry(ReasonUnavailable, 110*time.Second)},
		{"503 with a date", Outcome{Code: 503, RetryAfter: "Sun, 01 Mar 2026 12:10:00 GMT"}, retry(ReasonUnavailable, 11*time.Minute)},
		{"503 with a long Retry-After", Outcome{Code: 503, RetryAfter: "86400"}, retry(ReasonUnavailable, time.Hour)},
		{"Retry-After gives no attempt more", Outcome{Code: 503, RetryAfter: "10", Charged: 11}, end(StepExhausted, ReasonUnavailable)},

		{"300", Outcome{Code: 300}, retry(ReasonRedirected, 5*time.Second)},
		{"399", Outcome{Code: 399}, retry(ReasonRedirected, 5*time.Second)},
		{"300 that asks to be disabled", Outcome{Code: 300, Control: "disable"}, end(StepGone, ReasonGone)},
		{"300 that asks to stop", Outcome{Code: 300, Control: "abort-message"}, end(StepExhausted, ReasonAborted)},
		{"301", Outcome{Code: 301, Charged: 5}, retry(ReasonRedirected, 2*time.Hour)},
		{"304", Outcome{Code: 304}, retry(ReasonRedirected, 5*time.Second)},
		{"307, last", Outcome{Code: 307, Charged: 11}, end(StepExhausted, ReasonRedirected)},
		{"302 with Retry-After", Outcome{Code: 302, RetryAfter: "100"}, retry(ReasonRedirected, 110*time.Second)},

		{"404", Outcome{Code: 404}, retry(ReasonRefused, 5*time.Second)},
		{"404 with Retry-After", Outcome{Code: 404, RetryAfter: "100"}, retry(ReasonRefused, 110*time.Second)},
		{"401, fourth", Outcome{Code: 401, Charged: 3}, retry(ReasonRefused, 10*time.Minute)},
		{"400, fifth", Outcome{Code: 400, Charged: 4}, retry(ReasonRefused, 30*time.Minute)},
		{"403, eleventh", Outcome{Code: 403, Charged: 10}, retry(ReasonRefused, 24*time.Hour)},
		{"499, twelfth", Outcome{Code: 499, Charged: 11}, end(StepExhausted, ReasonRefused)},

		{"410", Outcome{Code: 410}, end(StepGone, ReasonGone)},
		{"410, last", Outcome{Code: 410, Charged: 11}, end(StepGone, ReasonGone)},
		{"410 at a payment's URL", Outcome{Code: 410, OwnURL: true}, end(StepExhausted, ReasonGone)},
		{"410 at a payment's URL, probe", Outcome{Code: 410, OwnURL: true, OffSchedule: true}, Next{Step: StepExhausted, Reason: ReasonGone}},
		{"500 at a payment's URL that asks to be disabled", Outcome{Code: 500, Control: "disable", OwnURL: true}, end(StepExhausted, ReasonGone)},
		{"404 at a payment's URL", Outcome{Code: 404, OwnURL: true, Charged: 4}, retry(ReasonRefused, 30*time.Minute)},
		{"500 that asks to be disabled", Outcome{Code: 500, Control: "disable"}, end(StepGone, ReasonGone)},
		{"500 that asks to stop", Outcome{Code: 500, Control: "abort-message"}, end(StepExhausted, ReasonAborted)},
		{"unknown wish", Outcome{Code: 500, Control: "please"}, retry(ReasonUnavailable, 5*time.Second)},

		{"timeout", Outcome{Class: webhook.ClassTimeout, Charged: 5}, retry(ReasonNetwork, 2*time.Hour)},
		{"no such name", Outcome{Class: webhook.ClassDNS}, retry(ReasonNetwork, 5*time.Second)},
		{"TLS, last", Outcome{Class: webhook.ClassTLS, Charged: 11}, end(StepExhausted, ReasonNetwork)},
		{"a class yet unknown", Outcome{Class: "novelty"}, retry(ReasonNetwork, 5*time.Second)},
		{"private address", Outcome{Class: webhook.ClassRefused, Charged: 3}, retry(ReasonRefused, 10*time.Minute)},
		{"private address, last", Outcome{Class: webhook.ClassRefused, Charged: 11}, end(StepExhausted, ReasonRefused)},
		{"bad URL, fifth", Outcome{Class: webhook.ClassURL, Charged: 4}, retry(ReasonRefused, 30*time.Minute)},
		{"bad URL, last", Outcome{Class: webhook.ClassURL, Charged: 11}, end(StepExhausted, ReasonRefused)},

		{"our DNS", Outcome{Class: webhook.ClassDNSOurs, Charged: 11}, free(30 * time.Second)},
		{"our ending, sixth free", Outcome{Class: webhook.ClassCanceled, Free: 5}, free(15 * time.Minute)},
		{"our files, last free", Outcome{Class: webhook.ClassLocal, Free: 47}, free(15 * time.Minute)},
		{"our DNS, too often", Outcome{Class: webhook.ClassDNSOurs, Free: 48}, retry(ReasonNetwork, 5*time.Second)},
		{"our DNS, too often, last", Outcome{Class: webhook.ClassDNSOurs, Free: 48, Charged: 11}, end(StepExhausted, ReasonNetwork)},

		{"no code, no class", Outcome{}, retry(ReasonNetwork, 5*time.Second)},
		{"101", Outcome{Code: 101}, retry(ReasonNetwork, 5*time.Second)},
		{"999", Outcome{Code: 999}, retry(ReasonNetwork, 5*time.Second)},
		{"negative count", Outcome{Code: 500, Charged: -7}, retry(ReasonUnavailable, 5*time.Second)},

		{"manual, delivered", Outcome{Code: 200, OffSchedule: true}, Next{Step: StepDelivered, Reason: ReasonAccepted}},
		{"manual, 410", Outcome{Code: 410, OffSchedule: true}, Next{Step: StepGone, Reason: ReasonGone}},
		{"manual, 500", Outcome{Code: 500, OffSchedule: true, Charged: 11}, Next{Step: StepKeep, Reason: ReasonUnavailable}},
		{"manual, 404", Outcome{Code: 404, OffSchedule: true}, Next{Step: StepKeep, Reason: ReasonRefused}},
		{"manual, abort", Outcome{Code: 500, Control: "abort-message", OffSchedule: true}, Next{Step: StepKeep, Reason: ReasonAborted}},
		{"manual, ours", Outcome{Class: webhook.ClassDNSOurs, OffSchedule: true}, Next{Step: StepKeep, Reason: ReasonOurs}},
	} {
		if diff := cmp.Diff(tc.want, Decide(tc.o, attemptedAt, 0.5)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tc.name, diff)
		}
	}
}

// Every status code and class has a next step that is whole: a time exactly
// when there is a retry, and never in the past.
func TestDecideIsTotal(t *testing.T) {
	t.Parallel()
	source := rand.New(rand.NewPCG(3, 4))
	check := func(o Outcome) {
		next := Decide(o, attemptedAt, source.Float64())
		if (next.Step == StepRetry) != !next.At.IsZero() || next.Step == StepRetry && !next.At.After(attemptedAt) || next.Reason == "" {
			t.Fatalf("%+v: %+v", o, next)
		}
		if !next.Charged && !o.OffSchedule && next.Reason != ReasonOurs {
			t.Fatalf("%+v is not charged: %+v", o, next)
		}
	}
	for charged := range MaxAttempts + 2 {
		for _, manual := range []bool{false, true} {
			for code := -1; code <= 1000; code++ {
				for _, own := range []bool{false, true} {
					check(Outcome{Code: code, Charged: charged, OffSchedule: manual, RetryAfter: "1", OwnURL: own})
				}
			}
			for _, class := range webhook.Classes {
				check(Outcome{Class: class, Charged: charged, OffSchedule: manual, Free: charged * 10})
			}
		}
	}
}

// Only 2xx, and a word that ends a delivery by name, ends it before its last
// attempt.
func TestEveryOtherAnswerGetsTheWholeSchedule(t *testing.T) {
	t.Parallel()
	for code := range 1000 {
		if code >= 200 && code <= 299 || code == 410 {
			continue
		}
		for charged := range MaxAttempts - 1 {
			if next := Decide(Outcome{Code: code, Charged: charged}, attemptedAt, 0.5); next.Step != StepRetry || !next.Charged {
				t.Fatalf("%d after %d attempts: %+v", code, charged, next)
			}
		}
		if next := Decide(Outcome{Code: code, Charged: MaxAttempts - 1}, attemptedAt, 0.5); next.Step != StepExhausted {
			t.Fatalf("%d after the last attempt: %+v", code, next)
		}
	}
}

// Whatever an endpoint answers, in whatever mixture, a delivery ends: within
// its attempts, and within the time the schedule allows.
func TestEveryDeliveryEnds(t *testing.T) {
	t.Parallel()
	headers := []string{"", "0", "86400", "999999999999", "soon"}
	for seed := range uint64(2000) {
		source := rand.New(rand.NewPCG(seed, 5))
		now, o, tries := attemptedAt, Outcome{}, 0
		for {
			tries++
			o.Code, o.Class, o.RetryAfter = 0, webhook.ClassNone, headers[source.IntN(len(headers))]
			if source.IntN(2) == 0 {
				o.Class = webhook.Classes[source.IntN(len(webhook.Classes))]
			} else {
				o.Code = 300 + source.IntN(300)
			}
			next := Decide(o, now, source.Float64())
			if next.Step != StepRetry {
				break
			}
			if next.Charged {
				o.Charged++
			} else {
				o.Free++
			}
			if now = next.At; tries > MaxAttempts+MaxFree {
				t.Fatalf("seed %d: still going after %d tries", seed, tries)
			}
		}
		if took := now.Sub(attemptedAt); took > 8*24*time.Hour {
			t.Fatalf("seed %d: took %s", seed, took)
		}
	}
}
