// Package mtn stands in for MTN MoMo Collections and Disbursements: it answers
// over HTTP as they are documented and as others have seen them behave, and it
// goes wrong on demand. It is written from those facts alone and shares no
// code with our client, so that a mistake there cannot hide here.
package mtn

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"momoproxy/infra/standin/core"
)

// Name is the provider's, as the product's configuration has it.
const Name = "mtn"

// Options configure a Standin. The zero value is usable.
type Options struct {
	core.Options
	// TokenLife is how long an access token lives; default 3600 s, as MTN
	// documents.
	TokenLife time.Duration
	// TokenDelay is how long a token call takes: 10 to 20 s were seen on the
	// new platform.
	TokenDelay time.Duration
	// NewPlatform makes MTN the platform that production moves to: API users
	// are base64 text, a token call needs X-Target-Environment, wrong
	// credentials are a 401 invalid_client, and python-requests is refused.
	// A payment is known only to the Standin that made it.
	NewPlatform bool
	// SubscriptionKeys are known from the start, for every product; Provision
	// adds more. With none at all every call is answered 401.
	SubscriptionKeys []string
	// CallbackScheme restricts the scheme of X-Callback-Url to "http" or
	// "https"; empty takes both, since MTN's pages contradict each other.
	CallbackScheme string
	// Remember is how long a reference id is known; 0 means always. MTN
	// publishes no number.
	Remember time.Duration
	// GETLimit is how many GETs in one second are within bounds; default 10.
	GETLimit int
	// DocumentedPayers prefers MTN's documentation to what was seen where the
	// two disagree about a payer number (…453 and …454).
	DocumentedPayers bool
}

// Standin is one platform of MTN's. Make it with New, end it with Close.
type Standin struct {
	*core.Standin[own]
	opts    Options
	account Account // that of Start

	keys   map[string]string // the product that a subscription key is for; empty: all
	users  map[string]*user
	tokens map[string]token
}

// own is what a payment holds beside what all have.
type own struct {
	PartyType, PayerMessage, PayeeNote string
	Original                           string // a refund's payment
}

type payment = core.Payment[own]

// New makes a Standin without accounts.
func New(o Options) *Standin {
	if o.Times == (core.Times{}) {
		o.Times = DefaultTimes()
	}
	if o.TokenLife <= 0 {
		o.TokenLife = time.Hour
	}
	if o.GETLimit <= 0 {
		o.GETLimit = 10
	}
	s := &Standin{opts: o, keys: map[string]string{}, users: map[string]*user{}, tokens: map[string]token{}}
	for _, k := range o.SubscriptionKeys {
		s.keys[k] = ""
	}
	s.Standin = core.New(o.Options, core.Provider[own]{
		Name: Name, Paying: []string{RouteRequestToPay, RouteTransfer, RouteRefund}, PaysOut: []string{RouteTransfer, RouteRefund},
		Routes: []string{
			RouteAPIUser, RouteToken, RouteRequestToPay, RouteStatus, RouteBalance, RouteAccountHolder, RouteUserInfo, RouteNotification,
			RouteTransfer, RouteRefund, RoutePayoutStatus,
		},
		Find: s.find, Admit: s.admit, About: s.about, Refuse: refuse, Refusal: func(code string) core.Answer { return refusals[code] },
		Faults: faults, Scripts: index(o.Times, o.DocumentedPayers),
		Outcomes: map[string]core.Outcome{
			core.Approve: {Script: ScriptSuccess, Status: successful},
			core.Decline: {Script: "failed_approval_rejected", Status: failed, Reason: "APPROVAL_REJECTED"},
			core.Expire:  {Script: "failed_expired", Status: failed, Reason: "EXPIRED"},
		},
		Open: "PENDING", Charged: successful, Final: []string{successful, failed},
		Compose: s.compose, Forgeries: []string{Stranger},
		Control: func(call string) (core.Answer, bool) {
			if call != "POST expire-tokens" {
				return core.Answer{}, false
			}
			s.ExpireTokens()
			return core.Answer{Code: 204}, true
		},
	})
	return s
}

const (
	successful = "SUCCESSFUL"
	failed     = "FAILED"
)

// Stranger is the one forgery there is: nothing is signed.
const Stranger = "stranger"

// Start makes the account of a system whose public address is given: always
// the same API user, so that what is kept stays its own.
func Start(o core.Options, public string) (*Standin, error) {
	s := New(Options{Options: o})
	host := "localhost"
	if u, err := url.Parse(public); err == nil && u.Hostname() != "" && net.ParseIP(u.Hostname()) == nil { // MTN refuses addresses
		host = u.Hostname()
	}
	var err error
	s.account, err = s.Provision(Account{APIUser: "00000000-0000-4000-8000-000000000001", Currency: "SZL", CallbackHost: host})
	return s, err
}

// Variables are those of its account, served at an address.
func (s *Standin) Variables(address string) map[string]string {
	return s.account.Variables(address)
}

// PayoutVariables are those of its account of Disbursements.
func (s *Standin) PayoutVariables(address string) map[string]string {
	return s.account.PayoutVariables(address)
}

// faults are those that only MTN has. Those of a status answer change what
// statusBody says.
const (
	LoginFailed     core.Fault = "login_failed"
	UnknownStatus   core.Fault = "unknown_status"
	WrongAmount     core.Fault = "wrong_amount"
	WrongCurrency   core.Fault = "wrong_currency"
	WrongPayer      core.Fault = "wrong_payer"
	WrongExternalID core.Fault = "wrong_external_id"
	ReasonObject    core.Fault = "reason_object"
	NumberFields    core.Fault = "number_fields"
)

var faults = func() []core.OwnFault {
	all := []core.OwnFault{{
		Name: LoginFailed, Meaning: `500 {"error":"login_failed"}, not acted on`, Before: true,
		Answer: func(*core.Request, core.Answer) core.Answer { return loginFailed },
	}}
	add := func(name core.Fault, meaning string) {
		all = append(all, core.OwnFault{Name: name, Meaning: meaning, Routes: []string{RouteStatus, RoutePayoutStatus}})
	}
	add(UnknownStatus, "status word nobody documented")
	add(WrongAmount, "another amount in the status")
	add(WrongCurrency, "another currency in the status")
	add(WrongPayer, "another payer in the status")
	add(WrongExternalID, "another externalId in the status")
	add(ReasonObject, "reason as {code, message}")
	add(NumberFields, "amount and ids as JSON numbers")
	return all
}()

// bend is what a fault makes of a status answer.
func bend(f core.Fault, b *statusBody) {
	switch f {
	case UnknownStatus:
		b.Status = "ON_HOLD"
	case WrongAmount:
		b.Amount = "1" + fmt.Sprint(b.Amount)
	case WrongCurrency:
		if b.Currency == "EUR" {
			b.Currency = "USD"
		} else {
			b.Currency = "EUR"
		}
	case WrongPayer:
		other := *b.party()
		other.PartyID = otherDigit(other.PartyID)
		*b.party() = other
	case WrongExternalID:
		b.ExternalID += "-OTHER"
	case ReasonObject:
		if r, ok := b.Reason.(string); ok {
			b.Reason = map[string]string{"code": r, "message": "Reason is " + r + "."}
		}
	case NumberFields:
		b.Amount = json.Number(fmt.Sprint(b.Amount))
		if id, ok := b.FinancialTransactionID.(string); ok {
			b.FinancialTransactionID = json.Number(id)
		}
	}
}

// otherDigit changes the last character to another digit.
func otherDigit(s string) string {
	if s == "" {
		return "0"
	}
	d := byte('7')
	if s[len(s)-1] == d {
		d = '8'
	}
	return s[:len(s)-1] + string(d)
}

// LimitGETs is MTN's limit, as counters name it.
const LimitGETs = "getsPerSecond"

// admit answers what never reaches the payment system.
func (s *Standin) admit(r *core.Request) (no core.Answer, ok bool) {
	busy := false
	if r.Method == http.MethodGet && strings.HasPrefix(r.URL.Path, "/collection/") {
		s.Lock()
		busy = s.Within(LimitGETs, r.At, time.Second, s.opts.GETLimit)
		s.Unlock()
	}
	switch {
	case s.opts.NewPlatform && strings.HasPrefix(r.UserAgent(), "python-requests"):
		return core.Page(403, "Forbidden"), false
	case strings.Contains(r.URL.EscapedPath(), "//"): // MTN names slashes in a row as a cause of 400
		return badRequest("The URL has an empty path segment."), false
	case r.Route == core.RouteUnknown:
		return gatewayError(404, "Resource not found"), false
	case busy && s.EnforceLimits:
		return refuse(429), false
	}
	return core.Answer{}, true
}

// Replace provisions the account of Start again, with what a field of a says
// in place of what it had. moved: on the platform that production moves to,
// where an API user is base64 text.
func (s *Standin) Replace(a Account, moved bool) (err error) {
	a.APIUser, a.APIKey, a.CallbackHost = s.account.APIUser, s.account.APIKey, s.account.CallbackHost
	if s.opts.NewPlatform = moved; moved {
		a.APIUser = base64.StdEncoding.EncodeToString([]byte(a.APIUser))
	}
	s.account, err = s.Provision(a)
	return err
}
