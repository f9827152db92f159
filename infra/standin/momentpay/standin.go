// Package momentpay stands in for MomentPay's payment requests: it answers
// over HTTP as docs.momentco.io describes, sends signed webhooks, and goes
// wrong on demand. It shares no code with our client, so that a mistake there
// cannot hide here. What MomentPay's pages leave open is an option.
package momentpay

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"momoproxy/infra/standin/core"
)

// Name is the provider's, as the product's configuration has it.
const Name = "momentpay"

// Options configure a Standin. SecretKey is needed; the rest has defaults.
type Options struct {
	core.Options
	SecretKey string // of the account: sk_test_…
	// WebhookSecrets sign webhooks, whsec_ and base64, each giving a
	// signature. New panics on one that is not; so does RotateSecrets.
	WebhookSecrets []string
	// Manual: nobody pays or lets a request fail but SetOutcome.
	Manual bool

	// ContractEvents names events payment_link.created and .updated.
	ContractEvents bool
	// URLSpelling writes the link as url, not as link_url.
	URLSpelling bool
	// OwnWebhookID gives the webhook-id header another id than the body's.
	OwnWebhookID bool
	// ExpiryFirst looks at expires_at before the idempotency key.
	ExpiryFirst bool
	// PastExpiry takes a request whose expiry has passed (it is expired then)
	// instead of refusing it.
	PastExpiry bool
	// RefuseOtherBody answers 422 to a known key with another body instead of
	// replaying.
	RefuseOtherBody bool
	// FlatErrors writes errors without the object "error" around them.
	FlatErrors bool
}

// Standin is one MomentPay account. Make it with New, end it with Close.
type Standin struct {
	*core.Standin[own]
	opts    Options
	secrets []secret
	answers map[string]*firstAnswer // by idempotency key
}

// own is what a payment request holds beside what all payments have.
type own struct {
	Minor          int64
	Description    string
	Metadata       map[string]string
	ExpiresAt      time.Time
	UpdatedAt      time.Time
	IdempotencyKey string
	First          *firstAnswer // what that key was answered
}

type payment = core.Payment[own]

// Names of a payment's ids; its reference is its external_reference.
const (
	ID        = "id"
	PaymentID = "paymentId"
)

// Statuses of a payment request.
const (
	Active  = "active"
	Paid    = "paid"
	Failed  = "failed"
	Expired = "expired"
)

// New makes a Standin without payment requests.
func New(o Options) *Standin {
	if o.Times == (core.Times{}) {
		o.Times = DefaultTimes()
	}
	s := &Standin{opts: o, answers: map[string]*firstAnswer{}}
	s.RotateSecrets(o.WebhookSecrets...)
	s.Standin = core.New(o.Options, core.Provider[own]{
		Name: Name, Paying: []string{RouteCreate}, Routes: []string{RouteCreate, RouteRetrieve, RouteUpdate, RoutePayment},
		Find: s.find, About: s.about, Refuse: s.refuse, Faults: faults(),
		Refusal: func(code string) core.Answer { return s.refusal(422, code, "The request was refused.") },
		Scripts: core.NewCatalogue(catalogue(o.Times)),
		Outcomes: map[string]core.Outcome{
			core.Approve: {Script: ScriptPaid, Status: Paid}, core.Decline: {Script: "failed", Status: Failed, Reason: "DECLINED"},
			core.Expire: {Script: "unpaid", Status: Expired},
		},
		Open: Active, Charged: Paid, Final: []string{Paid, Failed, Expired},
		Settle: s.settle, Announce: announce, Compose: s.compose,
		Kinds: []string{KindCreated, KindUpdated, KindPaid, KindStrange}, Forgeries: Forgeries(),
		Retries: []time.Duration{5 * time.Second, time.Minute, 10 * time.Minute, time.Hour},
		Reset:   func() { s.answers = map[string]*firstAnswer{} },
	})
	return s
}

// Start makes the account of a system whose public address is given.
func Start(o core.Options, public string) (*Standin, error) {
	o.CallbackURL = public + "/webhooks/momentpay"
	key := make([]byte, 24)
	_, _ = rand.Read(key) // never fails
	return New(Options{
		Options: o, SecretKey: "sk_test_" + rand.Text(), WebhookSecrets: []string{"whsec_" + base64.StdEncoding.EncodeToString(key)},
	}), nil
}

// PayoutVariables are none: there is no refund call.
func (s *Standin) PayoutVariables(string) map[string]string { return nil }

// Variables are those of its account, served at an address.
func (s *Standin) Variables(address string) map[string]string {
	return map[string]string{
		"MOMENTPAY_BASE_URL": address, "MOMENTPAY_SECRET_KEY": s.opts.SecretKey,
		"MOMENTPAY_WEBHOOK_SECRETS": strings.Join(s.opts.WebhookSecrets, " "),
	}
}

// Keep makes payment requests outlive the process, the answers under their
// keys included.
func (s *Standin) Keep(path string, report func(error)) error {
	if err := s.Standin.Keep(path, report); err != nil {
		return err
	}
	s.Lock()
	defer s.Unlock()
	for _, p := range s.Payments() {
		if p.Own.First != nil {
			s.answers[p.Own.IdempotencyKey] = p.Own.First
		}
	}
	return nil
}

// RotateSecrets replaces the secrets that sign webhooks from now on.
func (s *Standin) RotateSecrets(texts ...string) {
	var all []secret
	for _, text := range texts {
		all = append(all, mustSecret(text))
	}
	if s.Standin != nil {
		s.Lock()
		defer s.Unlock()
	}
	s.secrets = slices.Clip(all)
}

// Routes, as rules and counters name them.
const (
	RouteCreate   = "create"   // POST /collect/payment_request
	RouteRetrieve = "retrieve" // GET /collect/payment_request/{id}
	RouteUpdate   = "update"   // PATCH /collect/payment_request/{id}
	RoutePayment  = "payment"  // GET /collect/payments/{id}
)

// find maps method and path to a route.
func (s *Standin) find(r *http.Request) (route string, args []string, answer func(*core.Request) core.Answer) {
	path, ok := strings.CutPrefix(r.URL.Path, "/collect/")
	if !ok {
		return core.RouteUnknown, nil, s.known(nil)
	}
	kind, id, named := strings.Cut(path, "/")
	switch call := r.Method + " " + kind; {
	case call == "POST payment_request" && !named:
		return RouteCreate, nil, s.known(s.create)
	case call == "GET payment_request" && id != "":
		return RouteRetrieve, []string{id}, s.known(s.retrieve)
	case call == "PATCH payment_request" && id != "":
		return RouteUpdate, []string{id}, s.known(s.update)
	case call == "GET payments" && id != "":
		return RoutePayment, []string{id}, s.known(s.payment)
	}
	return core.RouteUnknown, nil, s.known(nil)
}

// known answers whoever has the account's key.
func (s *Standin) known(answer func(*core.Request) core.Answer) func(*core.Request) core.Answer {
	return func(r *core.Request) core.Answer {
		token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		switch {
		case !ok || s.opts.SecretKey == "" || subtle.ConstantTimeCompare([]byte(token), []byte(s.opts.SecretKey)) != 1:
			return s.refusal(401, "unauthorized", "The API key is missing or wrong.")
		case answer == nil:
			return s.refuse(404)
		}
		return answer(r)
	}
}

// about says what a request is about.
func (s *Standin) about(r *core.Request, c *core.Call) {
	if r.Route == RouteCreate {
		a := readAsk(r.Body)
		c.Reference, c.Payer = a.ExternalReference, a.payer()
		if minor, err := a.Amount.Int64(); err == nil {
			c.Amount = decimal(minor)
		}
		return
	}
	if len(r.Args) == 0 {
		return
	}
	s.Lock()
	defer s.Unlock()
	if p := s.Find(r.Args[0]); p != nil {
		c.Reference, c.Payer, c.Amount = p.Reference, p.Payer, p.Amount
	}
}

// refusal is an error answer. MomentPay publishes no shape for one.
func (s *Standin) refusal(code int, name, message string) core.Answer {
	type inner struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	}
	if s.opts.FlatErrors {
		return core.JSON(code, inner{name, message})
	}
	return core.JSON(code, map[string]inner{"error": {name, message}})
}

// refuse is the likeliest error of an HTTP status.
func (s *Standin) refuse(code int) core.Answer {
	names := map[int]string{
		400: "invalid_request", 401: "unauthorized", 403: "forbidden", 404: "not_found", 409: "conflict", 413: "request_too_large",
		429: "rate_limited", 503: "unavailable",
	}
	name := names[code]
	if name == "" {
		name = "internal_error"
	}
	return s.refusal(code, name, http.StatusText(code)+".")
}

// Faults that only MomentPay has. The two named …_kept are its own answer and
// are kept under the key; the common ones are somebody's on the way. The rest
// change a payment request as it is shown.
const (
	KeptErrorBefore core.Fault = "error500_kept_before"
	KeptErrorAfter  core.Fault = "error500_kept_after"
	UnknownStatus   core.Fault = "unknown_status"
	WrongAmount     core.Fault = "wrong_amount"
	WrongCurrency   core.Fault = "wrong_currency"
	WrongReference  core.Fault = "wrong_reference"
	OtherRequest    core.Fault = "other_request"
	NoAmount        core.Fault = "no_amount"
	NoLink          core.Fault = "no_link"
	StringAmount    core.Fault = "string_amount"
)

func faults() []core.OwnFault {
	var all []core.OwnFault
	add := func(name core.Fault, meaning string) { all = append(all, core.OwnFault{Name: name, Meaning: meaning}) }
	add(KeptErrorBefore, "500, not acted on, and kept under the key")
	add(KeptErrorAfter, "500 though acted on, and kept under the key")
	add(UnknownStatus, "a status word nobody documented")
	add(WrongAmount, "another amount")
	add(WrongCurrency, "another currency")
	add(WrongReference, "another external_reference")
	add(OtherRequest, "the success of another request")
	add(NoAmount, "no amount")
	add(NoLink, "no link")
	add(StringAmount, "the amount as text")
	return all
}

// bend is what a fault makes of a payment request as it is shown.
func bend(f core.Fault, v map[string]any) {
	const another = "11111111-1111-4111-8111-111111111111"
	switch f {
	case UnknownStatus:
		v["status"] = "on_hold"
	case WrongAmount:
		v["amount"] = v["amount"].(int64) + 100
	case WrongCurrency:
		v["currency"] = "USD"
	case WrongReference:
		v["external_reference"] = another
	case OtherRequest:
		v["id"], v["status"], v["external_reference"] = "pr_another", Paid, another
	case NoAmount:
		delete(v, "amount")
	case NoLink:
		delete(v, "link")
	case StringAmount:
		v["amount"] = fmt.Sprint(v["amount"])
	}
}
