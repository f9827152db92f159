package guard

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"momoproxy/shared/ledger"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// play applies steps a second apart, each "app payer" for a failure, "app ok"
// for an answer, "app 429" for a limit, or a duration that passes.
func play(h ledger.Health, steps string) (ledger.Health, time.Time) {
	now := noon
	for _, step := range strings.Split(steps, ", ") {
		app, what, _ := strings.Cut(step, " ")
		if pause, err := time.ParseDuration(step); err == nil {
			now = now.Add(pause)
			continue
		}
		now = now.Add(time.Second)
		switch what {
		case "ok":
			h = answered(asked(h, app, now), app, now)
		case "429":
			h = limited(h, app, 0, now)
		default:
			h = failed(h, app, what, now)
		}
	}
	return h, now
}

func TestBreaker(t *testing.T) {
	t.Parallel()
	const (
		closed = "-"
		forAll = ""
	)
	for name, c := range map[string]struct {
		steps string
		want  string // OpenFor, or closed
	}{
		"five of two apps and two payers":               {"A 1, A 2, A 1, B 3, B 3", forAll},
		"in any order":                                  {"B 1, A 2, B 1, A 2, A 2", forAll},
		"four":                                          {"A 1, B 2, A 1, B 2", closed},
		"an answer between":                             {"A 1, B 2, A 1, C ok, B 2, A 1", closed},
		"an answer of one of them":                      {"A 1, B 2, A 1, B ok, B 2, A 1", closed},
		"two apps and one payer":                        {"A 1, B 1, A 1, B 1, A 1, B 1", closed},
		"one app's flood and one failure of another":    {"B ok, A 1, A 2, A 3, A 4, A 5, A 6, B 1", closed},
		"one app's flood and two failures of another":   {"B ok, A 1, A 2, A 3, A 4, A 5, A 6, B 1, B 1", forAll},
		"one app's flood and one failure of two others": {"A 1, A 2, A 3, A 4, B 1, C 1", forAll},
		"three apps":                                    {"A 1, B 1, C 2, A 1, B 1", forAll},
		"one app, three payers":                         {"A 1, A 2, A 3, A 1, A 1", "A"},
		"one app, three payers, four failures":          {"A 1, A 2, A 3, A 1", closed},
		"one app, two payers":                           {"A 1, A 2, A 1, A 2, A 1, A 2", closed},
		"one app, one payer":                            {"A 1, A 1, A 1, A 1, A 1, A 1, A 1", closed},
		"one app, another answered":                     {"B ok, A 1, A 2, A 3, A 4, A 5, A 6", closed},
		"one app, another failed":                       {"B 1, A 1, A 2, A 3, A 4, A 5, A 6", closed},
		"one app, another had a 429":                    {"B 429, A 1, A 2, A 3, A 4, A 5, A 6", closed},
		"one app, another answered nine minutes ago":    {"B ok, 9m, A 1, A 2, A 3, A 4, A 5, A 6", closed},
		"one app, another answered ten minutes ago":     {"B ok, 10m, A 1, A 2, A 3, A 4, A 5, A 6", "A"},
		"one app, another failed ten minutes ago":       {"B 1, 10m, A 1, A 2, A 3, A 4, A 5, A 6", "A"},
		"one app, another failed twice ten minutes ago": {"B 1, B 1, 10m, A 1, A 2, A 3", closed},
		"one app, another failed twice just now":        {"B 1, B 1, 9m, A 1, A 2, A 3", forAll},
		"one app, then one failure of another":          {"A 1, A 2, A 3, A 4, A 5, B 1", "A"},
		"one app, then two failures of another":         {"A 1, A 2, A 3, A 4, A 5, B 1, B 1", forAll},
		"one app, then another is answered":             {"A 1, A 2, A 3, A 4, A 5, B ok", closed},
		"open for all, then one is answered":            {"A 1, A 2, A 1, B 3, B 3, C ok", closed},
		"429 counts for nothing":                        {"A 429, B 429, A 429, B 429, A 1, B 2, A 1", closed},
		"429 is no answer either":                       {"A 1, A 2, A 1, B 3, A 429, B 3", forAll},
		"nine apps":                                     {"A 1, B 2, C 3, D 4, E 5, F 6, G 7, H 8, I 9", forAll},
	} {
		h, _ := play(ledger.Health{}, c.steps)
		got := h.OpenFor
		if !h.Open() {
			got = closed
		}
		if got != c.want {
			t.Errorf("%s: open for %q; want %q: %+v", name, got, c.want, h)
		}
		if len(h.Apps) > maxApps {
			t.Errorf("%s: %d apps are kept", name, len(h.Apps))
		}
	}
}

func TestAdmits(t *testing.T) {
	t.Parallel()
	const (
		opened = "A 1, A 2, A 1, B 3, B 3" // for all, by A and B
		alone  = "A 1, A 2, A 3, A 4, A 5" // for A
		eight  = "A 1, B 2, C 3, D 4, E 5, F 6, G 7, H 8"
	)
	for name, c := range map[string]struct {
		steps string
		app   string
		wait  time.Duration
		err   error
	}{
		"healthy":                               {"A 1, A 2", "A", 0, nil},
		"open, an app that has failed":          {opened, "A", ProbeEvery, ErrCircuitOpen},
		"open, half a pause later":              {opened + ", 15s", "B", 15 * time.Second, ErrCircuitOpen},
		"open, a pause later":                   {opened + ", 30s", "B", 0, nil},
		"open, an app that has not failed":      {opened, "C", 0, nil},
		"open, it has failed since":             {opened + ", C 1", "C", ProbeEvery, ErrCircuitOpen},
		"another's probe puts off nobody":       {opened + ", 29s, A 1", "B", 0, nil},
		"its own does":                          {opened + ", 29s, A 1", "A", ProbeEvery, ErrCircuitOpen},
		"a place for each of eight":             {eight, "I", 27 * time.Second, ErrCircuitOpen},
		"the first place is free again":         {eight + ", 27s", "I", 0, nil},
		"alone":                                 {alone, "A", ProbeEvery, ErrCircuitOpen},
		"alone, another app":                    {alone, "B", 0, nil},
		"alone, another app that has failed":    {alone + ", B 1", "B", 0, nil},
		"a 429":                                 {"A 429", "A", shortestPause, errLimited},
		"a 429 of another":                      {"A 429", "B", 0, nil},
		"a 429 some time ago":                   {"A 429, 3s", "A", 0, nil},
		"a 429, then another is answered":       {"A 429, B 1, B ok", "A", time.Second, errLimited},
		"closed again":                          {opened + ", C ok", "A", 0, nil},
		"a 429 with the circuit open for all":   {opened + ", C 429", "C", shortestPause, errLimited},
		"eight, of which one has left its mark": {eight + ", 27s, I 1", "B", 0, nil},
	} {
		h, now := play(ledger.Health{}, c.steps)
		wait, err := waitOf(h, c.app, now)
		if wait != c.wait || !errors.Is(err, c.err) {
			t.Errorf("%s: %s, %v; want %s, %v", name, wait, err, c.wait, c.err)
		}
	}
	h, now := play(ledger.Health{}, opened+", 30s")
	if wait, _ := waitOf(probing(h, "B", now), "B", now); wait != ProbeEvery {
		t.Errorf("while its probe is under way an app waits %s", wait)
	}
	if wait, _ := waitOf(probing(h, "B", now), "A", now); wait != 0 {
		t.Errorf("while another's probe is under way an app waits %s", wait)
	}
	for i := range h.Apps {
		h.Apps[i].ProbeAt = now.Add(ProbeEvery)
	}
	h.OpenFor = "A"
	if wait, _ := waitOf(h, "B", now); wait != 0 {
		t.Errorf("open for another app alone, an app waits %s", wait)
	}
	for pause, want := range map[time.Duration]time.Duration{
		0: shortestPause, time.Second: shortestPause, 20 * time.Second: 20 * time.Second, time.Hour: longestPause,
	} {
		if wait, _ := waitOf(limited(ledger.Health{}, "A", pause, noon), "A", noon); wait != want {
			t.Errorf("a 429 that asks for %s: %s; want %s", pause, wait, want)
		}
	}
}

// What changes nothing is not stored.
func TestBreakerChangesNothing(t *testing.T) {
	t.Parallel()
	h := ledger.Health{Apps: []ledger.AppHealth{{ClientID: "A", AskedAt: noon}}}
	if got := answered(h, "B", noon); len(got.Apps) != 1 {
		t.Errorf("an answer of a healthy provider: %+v", got)
	}
	before, _ := play(ledger.Health{}, "B ok, A 1, A 2, A 3, A 4, A 5, A 6")
	after := failed(before, "A", "7", noon.Add(10*time.Second))
	if fmt.Sprint(before) != fmt.Sprint(after) {
		t.Errorf("one more failure of a flood: %+v\nafter %+v", after, before)
	}
	roomy := ledger.Health{Apps: []ledger.AppHealth{{ClientID: "A", AskedAt: noon, Failures: 1, Payers: append(make([]string, 0, 4), "1")}}}
	two := failed(roomy, "A", "2", noon)
	if failed(roomy, "A", "3", noon); two.Apps[0].Payers[1] != "2" {
		t.Errorf("a state was changed by what another becomes: %v", two.Apps[0].Payers)
	}
	cached := fmt.Sprint(before)
	failed(failed(before, "B", "1", noon), "C", "2", noon)
	answered(before, "B", noon)
	if fmt.Sprint(before) != cached {
		t.Errorf("a state that others read was changed")
	}
}

// TestNeighboursOfTheBreaker holds every drawn sequence to the promise: while
// the provider answers, no app is kept out by what another one sends.
func TestNeighboursOfTheBreaker(t *testing.T) {
	t.Parallel()
	for seed := range uint64(2000) {
		rng := rand.New(rand.NewPCG(seed, 1))
		h, now := ledger.Health{}, noon
		next := now // of the ordinary app, which is always answered
		every := time.Duration(1+rng.IntN(1200)) * time.Second
		for range 500 {
			now = now.Add(time.Duration(rng.IntN(3000)) * time.Millisecond)
			if rng.IntN(50) == 0 {
				now = now.Add(time.Duration(rng.IntN(20)) * time.Minute)
			}
			if !now.Before(next) {
				next = now.Add(every)
				if wait, err := waitOf(h, "good", now); err != nil {
					t.Fatalf("seed %d: an app that is answered is told to wait %s: %v\n%+v", seed, wait, err, h)
				}
				h = answered(probing(h, "good", now), "good", now)
				if h.Open() {
					t.Fatalf("seed %d: open after an answer: %+v", seed, h)
				}
			}
			if _, err := waitOf(h, "bad", now); err != nil {
				continue
			}
			h = probing(h, "bad", now)
			switch rng.IntN(10) {
			case 0:
				h = limited(h, "bad", time.Duration(rng.IntN(600))*time.Second, now)
			case 1:
				h = answered(h, "bad", now)
			default:
				h = failed(h, "bad", fmt.Sprint(rng.IntN(100)), now)
			}
			if h.Open() && h.OpenFor != "bad" {
				t.Fatalf("seed %d: one app opened it for %q: %+v", seed, h.OpenFor, h)
			}
		}
	}
}

// TestOutageOfTheBreaker: a dead provider is found out by few requests, is
// then asked rarely, and once it is back one probe closes the circuit.
func TestOutageOfTheBreaker(t *testing.T) {
	t.Parallel()
	for seed := range uint64(2000) {
		rng := rand.New(rand.NewPCG(seed, 2))
		apps := 1 + rng.IntN(20)
		var names []string
		for i := range apps {
			names = append(names, fmt.Sprint("app", i))
		}
		h, now := ledger.Health{}, noon
		dead := now.Add(time.Duration(rng.IntN(60)) * time.Second)
		back := dead.Add(time.Duration(5+rng.IntN(30)) * time.Minute)
		var toOpen int
		var probes []time.Time
		for reopened := false; !reopened; {
			now = now.Add(time.Duration(1+rng.IntN(200)) * time.Millisecond)
			app := names[rng.IntN(apps)]
			_, err := waitOf(h, app, now)
			switch {
			case now.Before(dead):
				if err != nil || h.Open() {
					t.Fatalf("seed %d: %v before anything happened", seed, err)
				}
				h = answered(h, app, now)
			case err != nil:
			case now.Before(back):
				if h.Open() && h.OpenFor == "" {
					probes = append(probes, now)
				} else if toOpen++; toOpen > 120 {
					t.Fatalf("seed %d: %d requests have not opened it: %+v", seed, toOpen, h)
				}
				h = failed(probing(h, app, now), app, fmt.Sprint(rng.IntN(1000)), now)
			default:
				h = answered(probing(h, app, now), app, now)
				reopened = true
			}
		}
		if h.Open() {
			t.Fatalf("seed %d: one answer does not close it", seed)
		}
		if late := now.Sub(back); late > ProbeEvery+5*time.Second {
			t.Fatalf("seed %d: %d apps found it back after %s", seed, apps, late)
		}
		for i := range probes {
			if n := i + maxApps; n < len(probes) && probes[n].Sub(probes[i]) < ProbeEvery {
				t.Fatalf("seed %d: more than %d probes within %s", seed, maxApps, ProbeEvery)
			}
		}
	}
}

func TestPayerMark(t *testing.T) {
	t.Parallel()
	a := payerMark("26876123456", "r1")
	if len(a) != 4 || strings.Contains("26876123456", a) || a != payerMark("26876123456", "r2") || a == payerMark("26876123457", "r1") {
		t.Errorf("%q", a)
	}
	if payerMark("", "r1") == payerMark("", "r2") {
		t.Error("two requests without a payer count as one")
	}
}

// waitOf is how long an app has to wait, and why.
func waitOf(h ledger.Health, clientID string, now time.Time) (time.Duration, error) {
	if refusal := admits(h, clientID, now); refusal != nil {
		return refusal.RetryAfter, refusal
	}
	return 0, nil
}
