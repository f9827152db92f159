// Package momfactura stands in for Mom Factura (Momenu): it answers over HTTP
// as the provider's pages describe it, in either of the forms in which they
// contradict each other, sends its webhooks, and goes wrong on demand. It is
// written from those pages alone and shares no code with the adapter.
package momfactura

import (
	"cmp"
	"crypto/rand"
	"net/http"
	"time"

	"momoproxy/infra/standin/core"
)

// Name is the provider's, as the product's configuration has it.
const Name = "mom-factura"

// Options configure a Standin. The zero value is usable.
type Options struct {
	core.Options
	// APIKey is the one key that is known; default DefaultAPIKey.
	APIKey string
	// Dialect chooses between the provider's contradicting pages.
	Dialect Dialect
}

// DefaultAPIKey is the key of a Standin that was given none.
const DefaultAPIKey = "mf_test_0000000000000000"

// Dialect says which of the provider's pages to follow where two disagree.
// The zero value is the published skill's, with the ids that the SDK adds.
type Dialect struct {
	// SDK uses the SDK's words: open, paid, cancelled.
	SDK bool
	// SwapNesting answers a reference's status flat and E-kwanza's nested.
	SwapNesting bool
	// Bare leaves out the ids that only the SDK knows of, so that webhooks
	// name nothing that was in an answer.
	Bare bool
	// Numbers writes operationStatus and ekwanzaTransactionId as numbers.
	Numbers bool
	// WithdrawOptional takes payments without instantWithdraw, as before
	// 2026-06.
	WithdrawOptional bool
	// ProductsRequired refuses a reference or MCX without products, as the
	// SDK's README has it.
	ProductsRequired bool
	// NoEkwanza answers 404 to E-kwanza, as the newest pages suggest.
	NoEkwanza bool
}

// Standin is one merchant's account. Make it with New, end it with Close.
type Standin struct {
	*core.Standin[own]
	apiKey, token string
	dialect       Dialect
}

// own is what a payment holds beside what all have. Its reference is
// Mom Factura's transaction id, since the provider is told none of ours.
type own struct{ DueDate string }

type payment = core.Payment[own]

// Names of a payment's ids.
const (
	OperationID     = "operationId"
	ReferenceNumber = "referenceNumber"
	Code            = "code" // of E-kwanza
	UpstreamID      = "ekwanzaTransactionId"
)

// New makes a Standin without payments.
func New(o Options) *Standin {
	if o.APIKey == "" {
		o.APIKey = DefaultAPIKey
	}
	if o.Times == (core.Times{}) {
		o.Times = DefaultTimes()
	}
	s := &Standin{apiKey: o.APIKey, dialect: o.Dialect}
	s.Standin = core.New(o.Options, core.Provider[own]{
		Name: Name, Paying: []string{RouteMCX, RouteReference, RouteEkwanza},
		Routes: []string{RouteMCX, RouteReference, RouteEkwanza, RouteStatus},
		Find:   s.find, Admit: s.admit, About: s.about, Refuse: refuse, Faults: faults,
		Refusal: func(code string) core.Answer { return refusal(400, code, code) },
		Scripts: core.NewCatalogue(catalogue(o.Times)),
		Outcomes: map[string]core.Outcome{
			core.Approve: {Script: ScriptPaid, Status: Paid}, core.Decline: {Script: "rejected", Status: Rejected}, core.Expire: {Script: "expired", Status: Expired},
		},
		Open: Pending, Charged: Paid, Final: []string{Paid, Cancelled, Expired, Failed, Rejected},
		Settle: s.settle, Announce: s.announce, Compose: s.compose,
		Kinds: []string{EventConfirmed, EventInvoice, EventNone}, Forgeries: []string{Stranger},
	})
	return s
}

// Start makes the account of a system whose public address is given.
func Start(o core.Options, public string) (*Standin, error) {
	token := cmp.Or(o.CallbackToken, rand.Text())
	o.CallbackURL = public + "/webhooks/mom-factura/" + token
	s := New(Options{Options: o})
	s.token = token
	return s, nil
}

// PayoutVariables are none: there is no refund call.
func (s *Standin) PayoutVariables(string) map[string]string { return nil }

// Variables are those of its account, served at an address.
func (s *Standin) Variables(address string) map[string]string {
	return map[string]string{
		"MOMFACTURA_BASE_URL": address, "MOMFACTURA_TEST_MODE": "true",
		"MOMFACTURA_API_KEY": s.apiKey, "MOMFACTURA_WEBHOOK_TOKEN": s.token,
	}
}

// The provider's limits, over everybody behind one address, as counters name
// them.
const (
	LimitRequests   = "requestsPerMinute"
	LimitSubmits    = "submitsPerMinute"
	LimitReferences = "referencePolls" // two questions about one within 30 s
	LimitEkwanza    = "ekwanzaPolls"   // about one code within 5 s

	requestsPerMinute = 100
	submitsPerMinute  = 20
	referenceSpacing  = 30 * time.Second
	ekwanzaSpacing    = 5 * time.Second
)

// admit counts a request against the limits, and looks at its key. A request
// of an unknown path counts among the 100.
func (s *Standin) admit(r *core.Request) (no core.Answer, ok bool) {
	s.Lock()
	defer s.Unlock()
	beyond := ""
	if pays(r.Route) && s.Within(LimitSubmits, r.At, time.Minute, submitsPerMinute) {
		beyond = "PAYMENT_RATE_LIMIT_EXCEEDED"
	}
	if s.Within(LimitRequests, r.At, time.Minute, requestsPerMinute) {
		beyond = "RATE_LIMIT_EXCEEDED"
	}
	key := r.Header.Get("x-api-key")
	switch {
	case r.Route == core.RouteUnknown || r.Route == RouteEkwanza && s.dialect.NoEkwanza:
		return core.Page(404, "Cannot "+r.Method+" "+r.URL.Path), false
	case beyond != "" && s.EnforceLimits:
		return refusal(429, beyond, "Limite de pedidos excedido"), false
	case key == "":
		return refusal(401, "MISSING_API_KEY", "API key em falta"), false
	case key != s.apiKey:
		return refuse(401), false
	case r.Route == RouteStatus && s.polled(r) && s.EnforceLimits:
		return refusal(429, "RATE_LIMIT_EXCEEDED", "Consulta demasiado frequente"), false
	}
	return core.Answer{}, true
}

// polled says whether a question about a payment came too soon.
func (s *Standin) polled(r *core.Request) bool {
	p := s.Find(r.Args[0])
	switch {
	case p == nil:
		return false
	case p.Method == RouteEkwanza:
		return s.Spaced(LimitEkwanza, p, r.At, ekwanzaSpacing)
	}
	return s.Spaced(LimitReferences, p, r.At, referenceSpacing)
}

// refusal has the documented shape of an error. The HTTP numbers are likely
// ones: the provider publishes one of them.
func refusal(status int, code, message string) core.Answer {
	a := core.JSON(status, struct {
		Success bool   `json:"success"`
		Error   string `json:"error"`
		Code    string `json:"code"`
	}{false, message, code})
	a.Header = http.Header{"Content-Type": {"application/json; charset=utf-8"}}
	return a
}

// refuse is the likeliest error of an HTTP status.
func refuse(code int) core.Answer {
	switch code {
	case 400:
		return refusal(code, "INVALID_AMOUNT", "Valor inválido")
	case 401:
		return refusal(code, "INVALID_API_KEY", "API key inválida")
	case 403:
		return refusal(code, "DOMAIN_NOT_ALLOWED", "Domínio não autorizado")
	case 404:
		return refusal(code, "PAYMENT_NOT_FOUND", "Pagamento não encontrado")
	case 429:
		return refusal(code, "PAYMENT_RATE_LIMIT_EXCEEDED", "Limite de pagamentos excedido")
	case 413:
		return core.Page(code, "Request Entity Too Large")
	}
	return refusal(code, "INTERNAL_ERROR", "Erro interno")
}

// Faults that only Mom Factura has.
const (
	Incomplete       core.Fault = "incomplete"
	UnknownCodeAfter core.Fault = "unknown_code_after"
	UnknownWord      core.Fault = "unknown_word"
	OtherPayment     core.Fault = "other_payment"
)

var faults = []core.OwnFault{
	{Name: Incomplete, Meaning: "acted on, the answer says success and nothing else", Answer: func(*core.Request, core.Answer) core.Answer {
		return core.JSON(200, map[string]any{"success": true})
	}},
	{Name: UnknownCodeAfter, Meaning: "400 NO_RESPONSE, a code nobody documented, though acted on", Answer: func(*core.Request, core.Answer) core.Answer {
		return refusal(400, "NO_RESPONSE", "Sem resposta")
	}},
	{Name: UnknownWord, Meaning: "a status word nobody documented", Routes: []string{RouteStatus}},
	{Name: OtherPayment, Meaning: "paid, with another payment's operationId", Routes: []string{RouteStatus}},
}

// bend is what a fault makes of a status answer.
func bend(f core.Fault, m map[string]any) {
	inside := m
	if nested, ok := m["payment"].(map[string]any); ok {
		inside = nested
	}
	switch f {
	case UnknownWord:
		inside["status"] = "ON_HOLD"
	case OtherPayment:
		inside["status"], m["operationId"] = Paid, "op-another"
	}
}
