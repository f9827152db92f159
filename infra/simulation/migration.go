package simulation

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"time"

	"momoproxy/infra/standin/core"
	mtnstand "momoproxy/infra/standin/mtn"
	"momoproxy/shared/gateway"
	"momoproxy/shared/ledger"
	"momoproxy/shared/provider"
	"momoproxy/shared/table"
)

const (
	newMTN    = "mtn-new" // the account on the platform that MTN moves to
	newMTNURL = "https://new.mtn.example"
	// tokenTakes is how long a token call takes there: no payer waits so long.
	tokenTakes = 20 * time.Second
)

// platform is one of MTN's, with our account on it. It knows only the payments
// that were made on it.
type platform struct {
	id, url  string
	standin  *mtnstand.Standin
	account  mtnstand.Account
	payouts  mtnstand.Account // of its Disbursement product
	statuses window           // questions to it
	// tokenTakes is zero where a token comes at once. tokenUntil is when the
	// stored one is to be replaced.
	tokenTakes time.Duration
	tokenUntil time.Time
	percent    int // of the new payments, if it was ever set
}

func (w *world) addPlatform(id, url string, s *mtnstand.Standin) *platform {
	account, err := s.Provision(mtnstand.Account{TargetEnvironment: "mtnswaziland", CallbackHost: "proxy.example"})
	if err != nil {
		panic(err)
	}
	payouts, err := s.Provision(mtnstand.Account{TargetEnvironment: "mtnswaziland"})
	if err != nil {
		panic(err)
	}
	at := &platform{id: id, url: url, standin: s, account: account, payouts: payouts}
	w.platforms = append(w.platforms, at)
	return at
}

// buildMigration has MTN move to another platform, in some worlds. At first no
// new payment goes there, then each tenth, then all, and in the end none again:
// before the faults stop or long after. What is drawn here moves nothing of
// the other worlds.
func (w *world) buildMigration() {
	rng := rand.New(rand.NewPCG(w.options.Seed, 0x6d696772))
	if rng.IntN(4) > 0 {
		return
	}
	at := w.addPlatform(newMTN, newMTNURL, mtnstand.New(mtnstand.Options{Options: core.Options{
		Now: time.Now, AfterFunc: w.afterFunc, HTTPClient: &http.Client{Transport: callbackWire{w}},
		Seed: rng.Uint64() | 1, InstantTimeouts: true, Inject: w.inject, Choose: w.choose,
	}, NewPlatform: true}))
	at.tokenTakes = tokenTakes
	within := func(d time.Duration) time.Duration { return time.Duration(rng.Int64N(int64(d))) }
	busy := min(w.rates.span, time.Hour) * 3 / 4
	steps := []time.Duration{within(busy), within(busy), within(busy)}
	slices.Sort(steps)
	if rng.IntN(2) == 0 {
		steps[2] = w.rates.span + within(60*time.Hour)
	}
	w.giveNewPayments(at, 0)
	for n, percent := range []int{10, 100, 0} {
		w.after(steps[n], "migration", func() { w.giveNewPayments(at, percent) })
	}
}

// giveNewPayments sets an account's share, as an operator does it.
func (w *world) giveNewPayments(at *platform, percent int) {
	w.note("new payments", at.id, fmt.Sprint(percent))
	err := w.oracle.SetNewPayments(context.Background(), at.id, percent, ledger.AuditRecord{
		At: ledger.Clock(time.Now()), Direction: ledger.OutboundToProvider, Method: gateway.OperatorMethod, URL: "account/" + at.id, Note: "operator",
	})
	if err != nil {
		w.violate(NoPanic, "the share of %s cannot be set: %v", at.id, err)
	}
	at.percent, w.stale = percent, true
}

// inAccount is an adapter with its account's id.
type inAccount struct {
	provider.Provider
	id string
}

func (a inAccount) Capabilities() provider.Capabilities {
	c := a.Provider.Capabilities()
	if a.id != c.Name {
		c.Account = a.id
	}
	return c
}

// answer is what the platform makes of a request that has arrived.
func (p mtnWire) answer(r *http.Request) (*http.Response, error) {
	resp, err := p.at.standin.RoundTripper().RoundTrip(r)
	if err == nil && p.at.tokenTakes > 0 && strings.HasSuffix(r.URL.Path, "/token/") {
		wait := p.at.tokenTakes
		if deadline, ok := r.Context().Deadline(); ok {
			wait = min(wait, time.Until(deadline)+time.Microsecond)
		}
		p.w.waitFor(wait)
		p.w.mayDie()
		err = r.Context().Err()
	}
	return resp, err
}

// noteToken notes until when a platform's stored token is fresh. Tokens are
// named for the account's user.
func (w *world) noteToken(r table.Record) {
	for _, at := range w.platforms {
		if until, ok := r.Attributes["expires_at_time"].(string); ok && strings.Contains(r.Partition, at.account.APIUser) {
			expires, err := time.Parse(time.RFC3339Nano, until)
			if err != nil {
				panic(err)
			}
			at.tokenUntil = expires.Add(-10 * time.Minute)
		}
	}
}

// tokenDue is when the schedule has to refresh a token that takes longer than
// a request may wait, and that somebody needs.
func (w *world) tokenDue() (due time.Time, any bool) {
	for _, at := range w.platforms {
		if at.tokenTakes > 0 && (at.percent > 0 || w.willAsk(at)) {
			due, any = at.tokenUntil, true
		}
	}
	return due, any
}

// willAsk says whether a payment on a platform will be asked about again.
func (w *world) willAsk(at *platform) bool {
	return slices.ContainsFunc(w.books.order, func(reference string) bool {
		p := w.books.payments[reference]
		return p.AccountID() == at.id && !p.NextCheckAt.IsZero()
	})
}

// checkAccount: a payment's questions go to the account that made it.
func (w *world) checkAccount(reference string, at *platform) {
	if p, ok := w.books.payments[reference]; ok && p.AccountID() != at.id {
		w.violate(OwnAccount, "%s is asked about %s, which is with %s", at.id, reference, p.AccountID())
	}
}

// checkPlatforms: each payment is on the platform of its account, and on no
// other.
func (w *world) checkPlatforms() {
	for _, at := range w.platforms {
		for _, e := range at.standin.Ledger() {
			if _, asked := w.books.refundOf[e.Reference]; asked || e.Method == mtnstand.RouteRefund || e.Method == mtnstand.RouteTransfer {
				w.checkPayout(e.Reference, e.Accepted, e.Duplicates)
				continue
			}
			w.checkBooks(e.Reference, e.Charges)
			if e.Accepted > 0 {
				w.checkAccount(e.Reference, at)
			}
			if at.id == newMTN {
				w.result.Stats.Moved++
			}
		}
	}
}

// atMTN looks a payment up on all platforms.
func (w *world) atMTN(reference string) (core.Entry, bool) {
	for _, at := range w.platforms {
		if e, ok := at.standin.Payment(reference); ok && e.Accepted > 0 {
			return e, true
		}
	}
	return core.Entry{}, false
}
