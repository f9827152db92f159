package gateway

import (
	"context"
	"errors"
	"slices"
	"time"

	"momoproxy/shared/guard"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
)

// An app may have CheckBurst payers checked at once, and one more each
// CheckEvery. A shop asks about the payers that it has, some thousands a day; a
// country has millions of numbers, which nobody is to go through.
const (
	CheckBurst = 60
	CheckEvery = 20 * time.Second
)

var errChecksSpent = errors.New("the app's checks of payers are used up")

// PayerCheck is what is known of a payer's number. Nothing of it is stored.
type PayerCheck struct {
	Payer   payment.MSISDN
	Country payment.NumberPlan // empty: of no country that is known here
	// Predicted is the provider that probably serves the payer; empty: no
	// prediction.
	Predicted string
	// AskedOf is the provider that Active is about; empty: none says so.
	AskedOf string
	Active  provider.Activity

	asked *guard.Guard
}

// ReadCheck reads a number as a request to pay would, and says what the number
// alone shows, over the accounts that an app may use; of one provider, if one is
// named. It asks nobody.
func (g *Gateway) ReadCheck(c ledger.Client, number, providerName string) (check PayerCheck, faults []Fault) {
	all := g.open(Request{MayUse: c.Accounts})
	if of := ofProvider(all, providerName); providerName != "" || len(of) == 0 {
		if len(of) == 0 {
			return check, []Fault{*g.noAccount(providerName, all)}
		}
		all = of
	}
	digits, err := payment.CleanMSISDN(number)
	if err != nil {
		return check, []Fault{{"payer", sentence(err, payment.ErrMSISDN)}}
	}
	check = PayerCheck{Payer: payment.MSISDN(digits), Country: payment.Country(digits), Active: provider.ActivityUnknown}
	takes := slices.DeleteFunc(slices.Clone(all), func(prov *guard.Guard) bool {
		_, err = readPayer(number, prov.Capabilities())
		return err != nil
	})
	if len(takes) == 0 && check.Country == "" {
		_, err = readPayer(number, all[0].Capabilities())
		return check, []Fault{{"payer", sentence(err, payment.ErrMSISDN)}}
	}
	if i := slices.IndexFunc(takes, func(prov *guard.Guard) bool {
		predicts := prov.Capabilities().Predicts
		return predicts == nil || predicts(digits)
	}); i >= 0 {
		check.Predicted = takes[i].Capabilities().Name
		takes = append([]*guard.Guard{takes[i]}, takes...) // it is asked first
	}
	if i := slices.IndexFunc(takes, (*guard.Guard).ChecksPayers); i >= 0 {
		check.asked = takes[i]
		check.AskedOf = takes[i].Capabilities().Name
	}
	return check, nil
}

// CheckPayer asks the provider whether the payer's account is active. The error
// is a *guard.Refusal when the app has used up its checks, else the table's.
func (g *Gateway) CheckPayer(ctx context.Context, c ledger.Client, check PayerCheck) (PayerCheck, error) {
	if check.asked == nil {
		return check, nil
	}
	limit := ledger.SlotLimit{Name: "check#" + c.ID, Every: CheckEvery, Burst: CheckBurst - 1}
	slots, ok, err := g.Ledger.ReserveSlots(ctx, ledger.SlotRequest{Limit: limit, From: g.now()})
	if err != nil {
		return check, err
	}
	if !ok {
		return check, &guard.Refusal{RetryAfter: slots[0].Sub(g.now()), Busy: true, Err: errChecksSpent}
	}
	started := g.now()
	active, why := check.asked.PayerActive(ctx, c.ID, check.Payer)
	check.Active = active
	g.Log.InfoContext(ctx, "payer.checked", "provider", check.AskedOf, "client", c.ID, "active", active, "why", why,
		"duration_ms", g.now().Sub(started).Milliseconds())
	return check, nil
}
