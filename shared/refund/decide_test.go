package refund_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/google/go-cmp/cmp"

	"momoproxy/shared/payment"
	"momoproxy/shared/refund"
)

var (
	sources  = []payment.Source{payment.FromSubmit, payment.FromStatus, payment.FromOperator, payment.FromCallback, payment.FromSignedWebhook, "unheard of"}
	verdicts = []payment.Verdict{
		payment.SaysNothing, payment.SaysAccepted, payment.SaysPending, payment.SaysUnrecognised, payment.SaysSuccessful, payment.SaysFailed,
		payment.SaysCancelled, payment.SaysRefused, payment.SaysNotFound, payment.SaysUnanswerable, "unheard of",
	}
	update = flag.Bool("update", false, "rewrite testdata/decide.golden")
)

// states are the states of a refund of 1.00 that was sent at start, by name.
func states() (names []string, all map[string]refund.Refund) {
	_, r, _ := refund.New(paid(), ask("a", 100))
	sent, _ := refund.Claim(r, start)
	all = map[string]refund.Refund{"pending": r, "sent": sent}
	accepted := sent
	accepted.Accepted = true
	unknown := sent
	unknown.Status = refund.Unknown
	forgotten := accepted
	forgotten.Status = refund.Unknown
	held := forgotten
	held.Held = true
	ended := accepted
	ended.EndedAt, ended.EndedBy, ended.NextCheckAt = start, payment.FromStatus, time.Time{}
	successful, failed := ended, ended
	successful.Status, failed.Status = refund.Successful, refund.Failed
	all["accepted"], all["unknown"], all["forgotten"], all["held"], all["successful"], all["failed"] = accepted, unknown, forgotten, held, successful, failed
	return []string{"pending", "sent", "accepted", "unknown", "forgotten", "held", "successful", "failed"}, all
}

// TestDecideMatrix shows what every answer does to every state, an hour after it
// was sent. What changes nothing is left out; (other) is about other money.
func TestDecideMatrix(t *testing.T) {
	t.Parallel()
	p, _, _ := refund.New(paid(), ask("a", 100))
	names, all := states()
	var out bytes.Buffer
	w := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "state\tsource\tbecomes\tamount is\tanomaly\tsaid")
	for _, name := range names {
		for _, s := range sources {
			var order []string
			said := map[string]string{}
			for _, v := range verdicts {
				for _, money := range []string{"", "2"} {
					e := payment.Evidence{Source: s, Verdict: v, Amount: money, At: start.Add(time.Hour)}
					d := refund.Decide(p, all[name], e)
					if !d.Changed && d.Anomaly == "" || money != "" && s != payment.FromStatus {
						continue
					}
					becomes := string(d.Refund.Status)
					if d.Refund.Held {
						becomes += " held"
					}
					amount := "taken"
					if d.Refund.Status == refund.Failed {
						amount = "free"
					}
					row := fmt.Sprintf("%s\t%s\t%s\t%s\t%s", name, s, becomes, amount, d.Anomaly)
					if said[row] == "" {
						order = append(order, row)
					}
					if said[row] += " " + string(v); money != "" {
						said[row] += "(other)"
					}
				}
			}
			for _, row := range order {
				fmt.Fprintf(w, "%s\t%s\n", row, said[row][1:])
			}
		}
	}
	_ = w.Flush()
	got := out.Bytes()
	if *update {
		if err := os.WriteFile("testdata/decide.golden", got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("testdata/decide.golden")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("run with -update after reading this:\n%s", diff)
	}
}

func TestMaySettle(t *testing.T) {
	t.Parallel()
	_, all := states()
	for _, c := range []struct {
		state string
		as    refund.Status
		after time.Duration
		want  error
	}{
		{"pending", refund.Failed, 0, nil},
		{"pending", refund.Successful, 48 * time.Hour, refund.ErrUnderway},
		{"sent", refund.Failed, time.Hour, refund.ErrUnderway},
		{"accepted", refund.Failed, refund.Stuck - 1, refund.ErrUnderway},
		{"accepted", refund.Failed, refund.Stuck, nil},
		{"unknown", refund.Failed, refund.Grace - 1, refund.ErrUnderway},
		{"unknown", refund.Failed, refund.Grace, nil},
		{"unknown", refund.Successful, refund.Grace, nil},
		{"held", refund.Successful, refund.Grace, nil},
		{"failed", refund.Successful, 48 * time.Hour, refund.ErrEnded},
		{"failed", refund.Failed, 0, nil},
	} {
		if err := refund.MaySettle(all[c.state], c.as, start.Add(c.after)); !errors.Is(err, c.want) {
			t.Errorf("%s as %s after %s: %v, want %v", c.state, c.as, c.after, err, c.want)
		}
	}
}

func FuzzLife(f *testing.F) {
	f.Add([]byte{0, 1, 0, 1, 1, 0, 1, 2, 4, 0, 2, 9})
	f.Add([]byte{0, 50, 0, 1, 1, 0, 0, 1, 3, 1, 8, 200, 0, 99, 0, 1})
	f.Fuzz(func(t *testing.T, script []byte) { life(t, script, map[string]int{}) })
}

func TestLives(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	reached := map[string]int{}
	for range 20_000 {
		script := make([]byte, 4*(1+random.IntN(30)))
		for i := range script {
			script[i] = byte(random.Uint32())
		}
		life(t, script, reached)
		if t.Failed() {
			t.Fatalf("the life %v", script)
		}
	}
	for _, want := range []string{"SUCCESSFUL status", "SUCCESSFUL operator", "FAILED status", "FAILED submit", "FAILED operator", "FAILED absence"} {
		if reached[want] == 0 {
			t.Errorf("no refund ended as %s: %v", want, reached)
		}
	}
}

// life leads a payment through refunds, with any evidence in any order. It keeps
// books of its own: what the provider can have been asked for.
func life(t *testing.T, script []byte, reached map[string]int) {
	t.Helper()
	p, now := paid(), start
	var all []refund.Refund
	taken := func() (sum int64) {
		for _, r := range all {
			if r.Status != refund.Failed {
				sum += r.Amount.Minor
			}
		}
		return sum
	}
	for ; len(script) >= 4; script = script[4:] {
		b := script[:4]
		now = now.Add(time.Duration(b[3]) * time.Duration(b[3]) * time.Second)
		before := p
		if len(all) == 0 || b[0]%8 == 0 {
			q, r, err := refund.New(p, ask(fmt.Sprint("id-", len(all)), int64(b[1])*100))
			if err == nil {
				p, all = q, append(all, r)
			}
		} else {
			i := len(all) - 1 - int(b[1])%min(len(all), 2)
			was := all[i]
			var d refund.Decision
			switch r, ok := refund.Claim(was, now); {
			case b[0]%8 < 4 && ok:
				if was.Status != refund.Pending || r.Reference != was.Reference {
					t.Errorf("%+v was sent again", was)
				}
				all[i] = r
				continue
			case b[0]%8 == 1:
				d = refund.Unsent(p, was, int(b[2])%3, "", now)
			default:
				e := payment.Evidence{Source: sources[int(b[0])%len(sources)], Verdict: verdicts[int(b[2])%len(verdicts)], Currency: "SZL", At: now}
				if b[1]%5 == 0 {
					e.Amount = "0.03"
				}
				d = refund.Decide(p, was, e)
				if again := refund.Decide(d.Payment, d.Refund, e); again.Changed {
					t.Errorf("the same evidence again changed %+v", d.Refund)
				}
				if d.Refund.Status == refund.Pending && was.Status != refund.Pending {
					t.Error("an answer made it to be sent again")
				}
				if ended := d.Refund.Status.Ended() && !was.Status.Ended(); ended && (e.Verdict == payment.SaysNothing || e.Verdict == payment.SaysNotFound || e.Amount != "" && e.Source == payment.FromStatus) {
					t.Errorf("%q %q ended it", e.Source, e.Verdict)
				}
			}
			if was.Status.Ended() && d.Refund != was {
				t.Errorf("an ending was left: %s", cmp.Diff(was, d.Refund))
			}
			if (d.Event != "") != (d.Payment.Sequence == before.Sequence+1) || d.Changed != (d.Refund != was) {
				t.Errorf("event %q, changed %t: %s", d.Event, d.Changed, cmp.Diff(was, d.Refund))
			}
			p, all[i] = d.Payment, d.Refund
			if d.Event != "" {
				reached[fmt.Sprint(d.Refund.Status, " ", d.Refund.EndedBy)]++
			}
		}
		if sum := taken(); sum != p.Refunds.Reserved || sum > p.Amount.Minor || sum < 0 {
			t.Errorf("%d taken, %d reserved of %d", sum, p.Refunds.Reserved, p.Amount.Minor)
		}
		open := ""
		for _, r := range all {
			if r.Open() {
				if open != "" || r.NextCheckAt.IsZero() {
					t.Errorf("%s and %s are open, next %s", open, r.ID, r.NextCheckAt)
				}
				open = r.ID
			}
		}
		if open != p.Refunds.Open || p.Status != payment.Successful {
			t.Errorf("%q is open, the payment says %q", open, p.Refunds.Open)
		}
	}
}

// A refund that the provider has and does not end, and one that cannot be sent,
// come before an operator.
func TestNeedsOperator(t *testing.T) {
	t.Parallel()
	_, all := states()
	for _, c := range []struct {
		state string
		age   time.Duration // of the check
		want  bool
	}{
		{"pending", time.Minute, false}, {"pending", refund.Stuck, true},
		{"sent", time.Minute, false}, {"accepted", refund.Stuck - time.Second, false}, {"accepted", refund.Stuck, true}, {"accepted", 10 * refund.Stuck, true},
		{"unknown", time.Minute, true}, {"forgotten", time.Minute, true}, {"held", time.Minute, true},
		{"successful", refund.Stuck, false}, {"failed", refund.Stuck, false},
	} {
		r := all[c.state]
		if r.Open() {
			r = refund.Checked(r, start.Add(c.age))
		}
		if got := r.NeedsOperator(); got != c.want {
			t.Errorf("%s, checked after %s: %t, want %t", c.state, c.age, got, c.want)
		}
		if may := refund.MaySettle(r, refund.Failed, start.Add(c.age)); c.want && c.age >= refund.Stuck && may != nil {
			t.Errorf("%s, checked after %s, is put before an operator who may not settle it: %v", c.state, c.age, may)
		}
	}
}
