package guard

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"sync"
	"time"

	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
)

const (
	// healthRounds bounds how often a change of the state is tried while
	// others change it. A breaker that counts late is only late.
	healthRounds = 4
	// afterwards bounds the write that follows a provider call. It goes on
	// when the caller has hung up.
	afterwards = 5 * time.Second
)

// claimProbe keeps p's app out while p, which is stored and about to be
// submitted, shows whether the provider is back. It comes so late because a
// request that turns out to be a repeat shows nothing. Losing it to another
// request is harmless: two probes at once.
func (g *Guard) claimProbe(ctx context.Context, p payment.Payment) {
	health, err := g.ledger.Health(ctx, g.id(), g.now())
	if err == nil && health.Open() {
		if health, err = g.ledger.FreshHealth(ctx, g.id()); err == nil && health.Open() {
			err = g.ledger.SaveHealth(ctx, probing(health, p.ClientID, g.now()))
		}
	}
	g.logNotStored(ctx, err)
}

// note learns from the answer to a request to pay, and from nothing
// else: payments about which the provider says nothing usable are asked about
// again and again, and must not close the shop for everybody; status answers
// do not show that it takes payments. It never fails the caller.
func (g *Guard) note(ctx context.Context, p payment.Payment, answer provider.Answer) {
	switch judge(answer) {
	case showsFailure:
		g.countFailure(ctx, p)
	case showsLimit:
		g.changeHealth(ctx, p, func(h ledger.Health) ledger.Health {
			return limited(h, p.ClientID, answer.RetryAfter, g.now())
		})
	case showsAnswer:
		g.answered.note(p.ClientID, g.now())
		health, err := g.ledger.Health(ctx, g.id(), g.now())
		if err == nil && (health.Open() || health.Failures() > 0) {
			g.changeHealth(ctx, p, func(h ledger.Health) ledger.Health { return answered(h, p.ClientID, g.now()) })
		}
		g.logNotStored(ctx, err)
	}
}

// shows is what an answer to a request to pay shows of the provider.
type shows int

const (
	showsNothing shows = iota
	showsAnswer        // it is there
	showsFailure       // it is out of reach, or our account is
	showsLimit         // it has had too many requests
)

func judge(answer provider.Answer) shows {
	n := len(answer.Exchanges)
	if n == 0 {
		return showsFailure
	}
	last := answer.Exchanges[n-1]
	switch {
	case last.Code == 429 || answer.Evidence.Code == provider.CodeLimitSpent:
		return showsLimit
	case answer.Evidence.Verdict == payment.SaysUnanswerable && (last.Code == 504 || last.Code == 0 && last.Err == provider.ErrClassTimeout):
		// The answer would have been the outcome itself: the payer, and not
		// the provider, may take long.
		return showsNothing
	case answer.Evidence.AccountFault:
		return showsFailure
	case last.Code == 0, last.Code == 502, last.Code == 503, last.Code == 504, strings.HasPrefix(strings.TrimSpace(last.ResponseBody), "<"):
		// No connection, no answer, or the word of something on the way, such
		// as a web page: providers answer in JSON.
		return showsFailure
	}
	// An error about this one payer among them.
	return showsAnswer
}

func (g *Guard) countFailure(ctx context.Context, p payment.Payment) {
	g.changeHealth(ctx, p, func(h ledger.Health) ledger.Health {
		if other := g.answered.other(p.ClientID); other.clientID != "" {
			h = asked(h, other.clientID, other.at)
		}
		return failed(h, p.ClientID, payerMark(string(p.Payer), p.Reference), g.now())
	})
}

// changeHealth changes the state of p's provider, if that changes anything.
func (g *Guard) changeHealth(ctx context.Context, p payment.Payment, change func(ledger.Health) ledger.Health) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), afterwards)
	defer cancel()
	var err error
	for range healthRounds {
		var before ledger.Health
		if before, err = g.ledger.FreshHealth(ctx, g.id()); err != nil {
			break
		}
		after := change(before)
		if reflect.DeepEqual(after, before) {
			return
		}
		if err = g.ledger.SaveHealth(ctx, after); err == nil {
			if after.Open() && (!before.Open() || after.OpenFor != before.OpenFor) {
				g.Log.ErrorContext(ctx, "breaker.opened", "provider", g.id(), "open_for", after.OpenFor)
			}
			return
		}
		if !errors.Is(err, ledger.ErrStale) {
			break
		}
	}
	g.logNotStored(ctx, err)
}

func (g *Guard) logNotStored(ctx context.Context, err error) {
	if err != nil && !errors.Is(err, ledger.ErrStale) {
		g.Log.WarnContext(ctx, "breaker.not_stored", "provider", g.id(), "error", err.Error())
	}
}

// lastAnswered remembers the two apps that the provider answered last in this
// process, the latest first. A healthy provider's answers are stored nowhere,
// and for an app whose requests fail it matters whether another one has asked.
// What other processes know is learned when an answer ends a row of failures.
type lastAnswered struct {
	mu   sync.Mutex
	apps [2]appAnswered
}

type appAnswered struct {
	clientID string
	at       time.Time
}

func (l *lastAnswered) note(clientID string, at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.apps[0].clientID != clientID {
		l.apps[1] = l.apps[0]
	}
	l.apps[0] = appAnswered{clientID, at}
}

// other is the app besides clientID that was answered last; empty: none.
func (l *lastAnswered) other(clientID string) appAnswered {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.apps[0].clientID != clientID {
		return l.apps[0]
	}
	return l.apps[1]
}
