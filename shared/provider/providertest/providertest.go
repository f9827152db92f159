// Package providertest judges adapters of the port shared/provider: Run turns
// the port's sentences into tests. It needs a stand-in for the provider whose
// behaviour a test can choose; a capability that a stand-in lacks is logged and
// the sentence left untested.
package providertest

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
)

// Behaviour is how the stand-in treats one request other than one for a
// token (but RefusesCredentials and Unreachable cover that one too).
type Behaviour string

// The behaviours. "Before" and "after" tell whether the stand-in has acted on
// the request when its answer gets lost.
const (
	Works              Behaviour = "works"
	Refuses            Behaviour = "refuses a submission for good"
	ResetsBefore       Behaviour = "resets the connection before it acts"
	ResetsAfter        Behaviour = "resets the connection after it acted"
	HangsBefore        Behaviour = "never answers and does not act"
	HangsAfter         Behaviour = "acts and never answers"
	Fails              Behaviour = "answers with a temporary error and does not act"
	FailsAfter         Behaviour = "answers with a temporary error though it acted"
	Nonsense           Behaviour = "answers success with a web page"
	Truncates          Behaviour = "acts and breaks off its answer"
	Endless            Behaviour = "answers success with megabytes"
	Forgets            Behaviour = "says that it does not know the reference"
	NobodyHome         Behaviour = "a gateway says in HTML that there is no such page"
	StrangeWord        Behaviour = "reports a status word nobody knows"
	OtherPayment       Behaviour = "reports the success of another payment"
	RefusesCredentials Behaviour = "refuses the credentials everywhere"
	Unreachable        Behaviour = "takes no connection"
	Echoes             Behaviour = "answers an error that repeats the request's headers"
)

// Ending is what becomes of a payment at the stand-in.
type Ending string

// The endings; a payment starts as Open.
const (
	Open       Ending = "open"
	Successful Ending = "successful"
	Failed     Ending = "failed"
)

// Stand is one adapter with its stand-in, both fresh: no token is known yet.
type Stand struct {
	Provider provider.Provider
	// NewPayment returns a payment that the stand-in accepts and leaves
	// open, each time with another reference.
	NewPayment func() payment.Payment
	// Idempotent: the provider tells a repeat under the same reference. An
	// adapter of one that does not must never repeat by itself.
	Idempotent bool
	// Tokenless: the keys go with each request, so that nothing is known of
	// them before one.
	Tokenless bool
	// Behave sets how the next requests are treated, one each; the last
	// behaviour stays. False: the stand-in cannot.
	Behave func(...Behaviour) bool
	// End ends the payment at the stand-in. The payment carries the ids that
	// the stand-in gave it.
	End func(p payment.Payment, e Ending)
	// Charges counts the payments that the stand-in has made or asked the
	// payer for because of p, by its reference or whatever else marks it.
	Charges func(p payment.Payment) int
	// Calls counts the requests that arrived, those for a token left out.
	Calls func() int
	// Callbacks are bodies that the provider is known to send when p ends so,
	// in all its shapes, and Forged the same ones as somebody else would
	// send them: without the secret, or wrongly signed. Forged may be nil
	// where callbacks are neither.
	Callbacks func(p payment.Payment, e Ending) []provider.Inbound
	Forged    func(p payment.Payment, e Ending) []provider.Inbound
	// CallbackURL is passed to Submit. Like Secrets it must not come back in
	// an Exchange's answer.
	CallbackURL string
	Secrets     []string // at least the keys and the token
}

// Harness makes a Stand and cleans up after the test. The adapter gives up one
// attempt after the given time and hardly waits between two.
type Harness func(t *testing.T, attempt time.Duration) Stand

// The connections are real, and so is the time. Where an answer must arrive,
// the limits are far above what a busy machine needs for one.
const (
	// callTime is the deadline the suite gives one call; grace is how much
	// later it may come back.
	callTime = 50 * time.Second
	grace    = 20 * time.Second
	// attemptTime is for a stand-in that answers, impatient for a submission
	// that it leaves unanswered: no answer is then needed in time. Before a
	// status question is left unanswered a submission is answered: patient.
	attemptTime = 15 * time.Second
	impatient   = 200 * time.Millisecond
	patient     = 2 * time.Second
)

// attemptFor is the time of one attempt where all answers are as they say. It
// is hanging if no answer comes at all, and patient if one follows.
func attemptFor(how []Behaviour, hanging time.Duration) time.Duration {
	hangs := func(b Behaviour) bool { return b == HangsBefore || b == HangsAfter }
	switch {
	case !slices.ContainsFunc(how, hangs):
		return attemptTime
	case slices.ContainsFunc(how, func(b Behaviour) bool { return !hangs(b) }):
		return patient
	}
	return hanging
}

// Run runs the whole suite.
func Run(t *testing.T, h Harness) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, Stand){
		"Capabilities": capabilities,
		"Ready":        ready,
		"Submit":       submit,
		"Repeat":       repeat,
		"Concurrent":   concurrent,
		"Status":       status,
		"Callback":     callback,
		"Forged":       forged,
		"FarGarbage":   callbackGarbage,
		"Native":       native,
	} {
		t.Run(name, func(t *testing.T) { t.Parallel(); test(t, h(t, attemptTime)) })
	}
	t.Run("Faults", func(t *testing.T) { t.Parallel(); faults(t, h) })
	t.Run("Deadlines", func(t *testing.T) { t.Parallel(); deadlines(t, h) })
	t.Run("Exchanges", func(t *testing.T) { t.Parallel(); exchanges(t, h) })
}

// able sets the behaviour, or logs that the stand-in cannot.
func able(t *testing.T, s Stand, b ...Behaviour) bool {
	t.Helper()
	if s.Behave(b...) {
		return true
	}
	t.Logf("untested: the stand-in cannot behave so: %v", b)
	return false
}

// within gives a call its deadline and checks that it is kept.
func within(t *testing.T, f func(context.Context)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), callTime)
	defer cancel()
	begin := time.Now()
	f(ctx)
	if took := time.Since(begin); took > callTime+grace {
		t.Errorf("came back after %s, with a deadline of %s", took, callTime)
	}
}

// submitted sends p and checks what holds for every answer.
func submitted(t *testing.T, s Stand, p payment.Payment) provider.Answer {
	t.Helper()
	var a provider.Answer
	within(t, func(ctx context.Context) { a = s.Provider.Submit(ctx, p, s.CallbackURL) })
	sound(t, s, a, payment.FromSubmit)
	switch a.Evidence.Verdict {
	case payment.SaysNothing, payment.SaysUnanswerable, payment.SaysAccepted, payment.SaysPending, payment.SaysRefused,
		payment.SaysSuccessful, payment.SaysFailed, payment.SaysCancelled, payment.SaysUnrecognised:
	default:
		t.Errorf("verdict %q is none that Submit can have", a.Evidence.Verdict)
	}
	if n := s.Charges(p); n > 1 {
		t.Errorf("%d charges under one reference", n)
	} else if n == 1 && a.Evidence.Verdict == payment.SaysRefused {
		t.Error("refused, though the provider has the payment")
	}
	return a
}

// asked asks about p and checks what holds for every answer.
func asked(t *testing.T, s Stand, p payment.Payment) provider.Answer {
	t.Helper()
	var a provider.Answer
	within(t, func(ctx context.Context) { a = s.Provider.Status(ctx, p) })
	sound(t, s, a, payment.FromStatus)
	if n := s.Charges(p); n > 1 {
		t.Errorf("%d charges under one reference", n)
	}
	if a.Evidence.Verdict == payment.SaysRefused || a.Evidence.Verdict == payment.SaysAccepted {
		t.Errorf("verdict %q is none that Status can have", a.Evidence.Verdict)
	}
	return a
}

// sound checks what holds for every answer.
func sound(t *testing.T, s Stand, a provider.Answer, source payment.Source) {
	t.Helper()
	if a.Evidence.Source != source {
		t.Errorf("source is %q, want %q", a.Evidence.Source, source)
	}
	if a.Evidence.At.IsZero() {
		t.Error("evidence has no time")
	}
	if !a.Attempted && a.Evidence.Verdict != payment.SaysNothing && a.Evidence.Verdict != payment.SaysUnanswerable {
		t.Errorf("not attempted and yet %q", a.Evidence.Verdict)
	}
	if a.Attempted && len(a.Exchanges) == 0 {
		t.Error("attempted without an exchange")
	}
	told := a.Evidence.Particulars
	if len(told.IDs) > payment.MaxIDs {
		t.Errorf("%d ids", len(told.IDs))
	}
	for name, id := range told.IDs {
		if id == "" || len(id) > payment.MaxID || strings.ContainsFunc(id, unicode.IsControl) {
			t.Errorf("id %s is %.80q", name, id)
		}
	}
	for _, secret := range s.Secrets {
		if strings.Contains(a.Evidence.Reason+" "+a.Evidence.Code, secret) {
			t.Errorf("evidence shows a secret: %q %q", a.Evidence.Code, a.Evidence.Reason)
		}
	}
	soundExchanges(t, s, a.Exchanges)
}

func soundExchanges(t *testing.T, s Stand, all []provider.Exchange) {
	t.Helper()
	for i, e := range all {
		if i > 0 && e.Started.Before(all[i-1].Started) {
			t.Error("exchanges are not oldest first")
		}
		if e.Method == "" || !strings.HasPrefix(e.URL, "http") || e.Started.IsZero() || e.Duration < 0 {
			t.Errorf("incomplete exchange: %+v", e)
		}
		if (e.Code == 0) && e.Err == "" {
			t.Errorf("exchange without answer and without error: %+v", e)
		}
		if len(e.ResponseBody) > 16<<10 {
			t.Errorf("%d bytes of an answer kept", len(e.ResponseBody))
		}
		for _, secret := range append(s.Secrets, s.CallbackURL) {
			if secret == "" {
				continue
			}
			for _, text := range []string{e.URL, e.RequestBody, e.ResponseBody, e.Err} {
				if strings.Contains(text, secret) {
					t.Errorf("exchange %s %s shows a secret: %.80q", e.Method, e.URL, text)
				}
			}
		}
	}
}
