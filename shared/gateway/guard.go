package gateway

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"time"

	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
)

// The guard of a provider: whether it may be asked for a payment now. The
// breaker's state is in the table, so that all functions see the same; a
// healthy provider costs no write.
const (
	// credentialsWait is the Retry-After when our credentials are refused: a
	// person has to fix that.
	credentialsWait = 5 * time.Minute
	// healthRounds bounds how often a change of the state is tried while
	// others change it. A breaker that counts late is only late.
	healthRounds = 4
)

// errTable: the breaker's state could not be read; nothing is known of the
// provider.
var errTable = errors.New("table unavailable")

// ready says whether p may be created now, or how long to wait.
func (g *Gateway) ready(ctx context.Context, prov provider.Provider, p payment.Payment) (wait time.Duration, err error) {
	name, now := prov.Capabilities().ID(), g.now()
	health, err := g.Ledger.Health(ctx, name, now)
	if err != nil {
		return breakerProbe, fmt.Errorf("%w: %w", errTable, err)
	}
	if _, kept := admits(health, p.ClientID, now); kept != nil || health.Open() {
		// What is cached does not know who is probing.
		if health, err = g.Ledger.FreshHealth(ctx, name); err != nil {
			return breakerProbe, fmt.Errorf("%w: %w", errTable, err)
		}
		if wait, err := admits(health, p.ClientID, now); err != nil {
			return wait, err
		}
	}
	if err := prov.Ready(ctx); err != nil {
		if errors.Is(err, provider.ErrCredentials) {
			return credentialsWait, err
		}
		g.countFailure(ctx, p)
		return breakerProbe, err
	}
	return 0, nil
}

// claimProbe keeps p's app out while p, which is stored and about to be
// submitted, shows whether the provider is back. It comes so late because a
// request that turns out to be a repeat shows nothing. Losing it to another
// request is harmless: two probes at once.
func (g *Gateway) claimProbe(ctx context.Context, p payment.Payment) {
	health, err := g.Ledger.Health(ctx, p.AccountID(), g.now())
	if err == nil && health.Open() {
		if health, err = g.Ledger.FreshHealth(ctx, p.AccountID()); err == nil && health.Open() {
			err = g.Ledger.SaveHealth(ctx, probing(health, p.ClientID, g.now()))
		}
	}
	g.logNotStored(ctx, p.AccountID(), err)
}

// noteSubmit learns from the answer to a request to pay, and from nothing
// else: payments about which the provider says nothing usable are asked about
// again and again, and must not close the shop for everybody; status answers
// do not show that it takes payments. It never fails the caller.
func (g *Gateway) noteSubmit(ctx context.Context, p payment.Payment, told provider.Answer) {
	switch judge(told) {
	case showsFailure:
		g.countFailure(ctx, p)
	case showsLimit:
		g.changeHealth(ctx, p, func(h ledger.Health) ledger.Health {
			return limited(h, p.ClientID, told.RetryAfter, g.now())
		})
	case showsAnswer:
		g.answeredLast.note(p.AccountID(), p.ClientID, g.now())
		health, err := g.Ledger.Health(ctx, p.AccountID(), g.now())
		if err == nil && (health.Open() || health.Failures() > 0) {
			g.changeHealth(ctx, p, func(h ledger.Health) ledger.Health { return answered(h, p.ClientID, g.now()) })
		}
		g.logNotStored(ctx, p.AccountID(), err)
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

func judge(told provider.Answer) shows {
	n := len(told.Exchanges)
	if n == 0 {
		return showsFailure
	}
	last := told.Exchanges[n-1]
	switch {
	case last.Code == 429 || told.Evidence.Code == provider.CodeLimitSpent:
		return showsLimit
	case told.Evidence.Verdict == payment.SaysUnanswerable && (last.Code == 504 || last.Code == 0 && last.Err == provider.ErrClassTimeout):
		// The answer would have been the outcome itself: the payer, and not
		// the provider, may take long.
		return showsNothing
	case told.Evidence.AccountFault:
		return showsFailure
	case last.Code == 0, last.Code == 502, last.Code == 503, last.Code == 504, strings.HasPrefix(strings.TrimSpace(last.ResponseBody), "<"):
		// No connection, no answer, or the word of something on the way, such
		// as a web page: providers answer in JSON.
		return showsFailure
	}
	// An error about this one payer among them.
	return showsAnswer
}

func (g *Gateway) countFailure(ctx context.Context, p payment.Payment) {
	g.changeHealth(ctx, p, func(h ledger.Health) ledger.Health {
		if clientID, at := g.answeredLast.other(p.AccountID(), p.ClientID); clientID != "" {
			h = asked(h, clientID, at)
		}
		return failed(h, p.ClientID, payerMark(string(p.Payer), p.Reference), g.now())
	})
}

// changeHealth changes the state of p's provider, if that changes anything.
func (g *Gateway) changeHealth(ctx context.Context, p payment.Payment, change func(ledger.Health) ledger.Health) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), afterwards)
	defer cancel()
	var err error
	for range healthRounds {
		var before ledger.Health
		if before, err = g.Ledger.FreshHealth(ctx, p.AccountID()); err != nil {
			break
		}
		after := change(before)
		if reflect.DeepEqual(after, before) {
			return
		}
		if err = g.Ledger.SaveHealth(ctx, after); err == nil {
			if after.Open() && (!before.Open() || after.OpenFor != before.OpenFor) {
				g.Log.ErrorContext(ctx, "breaker.opened", "provider", p.AccountID(), "open_for", after.OpenFor)
			}
			return
		}
		if !errors.Is(err, ledger.ErrStale) {
			break
		}
	}
	g.logNotStored(ctx, p.AccountID(), err)
}

func (g *Gateway) logNotStored(ctx context.Context, name string, err error) {
	if err != nil && !errors.Is(err, ledger.ErrStale) {
		g.Log.WarnContext(ctx, "breaker.not_stored", "provider", name, "error", err.Error())
	}
}

// answeredLast remembers the two apps that each provider answered last in this
// process. A healthy provider's answers are stored nowhere, and for an app
// whose requests fail it matters whether another one has asked. What other
// processes know is learned when an answer ends a row of failures.
type answeredLast struct {
	mu     sync.Mutex
	latest map[string][2]appAnswered // by provider, the latest first
}

type appAnswered struct {
	clientID string
	at       time.Time
}

func (l *answeredLast) note(provider, clientID string, at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.latest == nil {
		l.latest = map[string][2]appAnswered{}
	}
	apps := l.latest[provider]
	if apps[0].clientID != clientID {
		apps[1] = apps[0]
	}
	apps[0] = appAnswered{clientID, at}
	l.latest[provider] = apps
}

// other is the app besides clientID that was answered last; empty: none.
func (l *answeredLast) other(provider, clientID string) (other string, at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, a := range l.latest[provider] {
		if a.clientID != "" && a.clientID != clientID {
			return a.clientID, a.at
		}
	}
	return "", time.Time{}
}
