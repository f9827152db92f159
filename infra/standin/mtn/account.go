package mtn

import (
	"cmp"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net"
	"strings"
	"time"

	"momoproxy/infra/standin/core"
)

// environments are the target environments and their currency (MTN Collection
// API, list of X-Target-Environment values).
var environments = map[string]string{
	"sandbox": "EUR", "mtnswaziland": "SZL", "mtnuganda": "UGX", "mtnghana": "GHS",
	"mtnivorycoast": "XOF", "mtnzambia": "ZMW", "mtncameroon": "XAF", "mtnbenin": "XOF",
	"mtncongo": "XAF", "mtnguineaconakry": "GNF", "mtnsouthafrica": "ZAR", "mtnliberia": "LRD",
	"mtnrwanda": "RWF", "mtnnigeria": "NGN", "mtnsouthsudan": "SSP",
}

// wholeUnits are the currencies among them without decimals (ISO 4217).
var wholeUnits = map[string]bool{"UGX": true, "XOF": true, "XAF": true, "GNF": true, "RWF": true}

// Account is one API user of MTN Collections. Empty fields of a new
// account are filled in by Provision.
type Account struct {
	APIUser         string // UUID version 4; base64 on the new platform
	APIKey          string
	SubscriptionKey string // of every product that has none of its own
	// DisbursementKey is the subscription key of the disbursement product, as
	// in production; empty: SubscriptionKey is good for it too.
	DisbursementKey string
	// TargetEnvironment is what X-Target-Environment must say; default
	// "sandbox".
	TargetEnvironment string
	// Currency is the only one taken; default that of the environment.
	Currency string
	// CallbackHost is the registered host: no scheme, no port, no path.
	CallbackHost string
}

// ErrAccount is wrapped by every refusal of Provision.
var ErrAccount = errors.New("invalid account")

// Provision makes or replaces an account without the provisioning calls, as
// the partner portal does in production. It returns the account with
// everything filled in. The error wraps ErrAccount.
func (s *Standin) Provision(a Account) (Account, error) {
	s.Lock()
	defer s.Unlock()
	if a.APIUser == "" {
		a.APIUser = s.UUID()
	}
	if !s.opts.NewPlatform {
		a.APIUser = strings.ToLower(a.APIUser)
	}
	if a.APIKey == "" {
		a.APIKey = s.Hex(16)
	}
	if a.SubscriptionKey == "" {
		a.SubscriptionKey = s.Hex(16)
	}
	if a.TargetEnvironment == "" {
		a.TargetEnvironment = "sandbox"
	}
	if a.Currency == "" {
		a.Currency = environments[a.TargetEnvironment]
	}
	switch {
	case !isUUID4(a.APIUser) && !s.opts.NewPlatform:
		return a, fmt.Errorf("%w: API user %q is no UUID version 4", ErrAccount, a.APIUser)
	case environments[a.TargetEnvironment] == "":
		return a, fmt.Errorf("%w: unknown target environment %q", ErrAccount, a.TargetEnvironment)
	case strings.ContainsAny(a.CallbackHost, "/: "):
		return a, fmt.Errorf("%w: callback host %q must be a bare host name", ErrAccount, a.CallbackHost)
	}
	s.keys[a.SubscriptionKey] = ""
	if a.DisbursementKey != "" {
		s.keys[a.SubscriptionKey], s.keys[a.DisbursementKey] = collection, disbursement
	}
	s.users[a.APIUser] = &user{
		id: a.APIUser, key: a.APIKey, host: strings.ToLower(a.CallbackHost),
		environment: a.TargetEnvironment, currency: a.Currency,
	}
	return a, nil
}

// user is an API user.
type user struct {
	id, key, host, environment, currency string
}

// token is an access token.
type token struct {
	user    *user
	product string
	expires time.Time
}

// Variables are those of the account, served at an address.
func (a Account) Variables(address string) map[string]string {
	return map[string]string{
		"MTN_BASE_URL": address, "MTN_TARGET_ENV": a.TargetEnvironment, "MTN_CURRENCY": a.Currency,
		"MTN_API_USER": a.APIUser, "MTN_API_KEY": a.APIKey, "MTN_SUBSCRIPTION_KEY": a.SubscriptionKey,
	}
}

// PayoutVariables are those of the account of Disbursements.
func (a Account) PayoutVariables(address string) map[string]string {
	return map[string]string{
		"MTN_DISBURSEMENT_BASE_URL": address, "MTN_DISBURSEMENT_TARGET_ENV": a.TargetEnvironment, "MTN_DISBURSEMENT_CURRENCY": a.Currency,
		"MTN_DISBURSEMENT_API_USER": a.APIUser, "MTN_DISBURSEMENT_API_KEY": a.APIKey,
		"MTN_DISBURSEMENT_SUBSCRIPTION_KEY": cmp.Or(a.DisbursementKey, a.SubscriptionKey),
	}
}

// subscribed checks the subscription key; the query parameter is documented
// too.
func (s *Standin) subscribed(r *core.Request) (core.Answer, bool) {
	key := r.Header.Get("Ocp-Apim-Subscription-Key")
	if key == "" {
		key = r.URL.Query().Get("subscription-key")
	}
	s.Lock()
	product, known := s.keys[key]
	s.Unlock()
	switch {
	case known && (product == "" || r.Route == RouteAPIUser || r.Args[0] == product):
		return core.Answer{}, true
	case key == "":
		return gatewayError(401, "Access denied due to missing subscription key. Make sure to include subscription key when making requests to an API."), false
	}
	return gatewayError(401, "Access denied due to invalid subscription key. Make sure to provide a valid key for an active subscription."), false
}

// createUser is POST /v1_0/apiuser.
func (s *Standin) createUser(r *core.Request) core.Answer {
	if hasNoLength(r) {
		return lengthRequired
	}
	if a, ok := s.subscribed(r); !ok {
		return a
	}
	id := strings.ToLower(r.Header.Get("X-Reference-Id"))
	if !isUUID4(id) {
		return badRequest("X-Reference-Id must be a UUID version 4.")
	}
	var b struct {
		Host string `json:"providerCallbackHost"`
	}
	if err := json.Unmarshal(r.Body, &b); err != nil || b.Host == "" || len(b.Host) > 253 || strings.ContainsAny(b.Host, "/ ") {
		return badRequest("providerCallbackHost must be a host name without scheme or path.")
	}
	if h, _, err := net.SplitHostPort(b.Host); err == nil {
		b.Host = h
	}
	s.Lock()
	defer s.Unlock()
	if s.users[id] != nil {
		return refusals["RESOURCE_ALREADY_EXIST"]
	}
	s.users[id] = &user{id: id, host: strings.ToLower(b.Host), environment: "sandbox", currency: "EUR"}
	return core.Answer{Code: 201}
}

// getUser is GET /v1_0/apiuser/{id}.
func (s *Standin) getUser(r *core.Request) core.Answer {
	if a, ok := s.subscribed(r); !ok {
		return a
	}
	s.Lock()
	defer s.Unlock()
	u := s.users[strings.ToLower(r.Args[0])]
	if u == nil {
		return refusals["RESOURCE_NOT_FOUND"]
	}
	return core.JSON(200, struct {
		Host        string `json:"providerCallbackHost"`
		Environment string `json:"targetEnvironment"`
	}{u.host, u.environment})
}

// createKey is POST /v1_0/apiuser/{id}/apikey. A second key replaces the
// first; tokens already given live on.
func (s *Standin) createKey(r *core.Request) core.Answer {
	if hasNoLength(r) {
		return lengthRequired
	}
	if a, ok := s.subscribed(r); !ok {
		return a
	}
	s.Lock()
	defer s.Unlock()
	u := s.users[strings.ToLower(r.Args[0])]
	if u == nil {
		return refusals["RESOURCE_NOT_FOUND"]
	}
	u.key = s.Hex(16)
	return core.JSON(201, struct {
		Key string `json:"apiKey"`
	}{u.key})
}

// token is POST /{product}/token/.
func (s *Standin) token(r *core.Request) core.Answer {
	if hasNoLength(r) {
		return lengthRequired
	}
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); len(r.Body) > 0 && kind == "application/x-www-form-urlencoded" {
		return requestRejected
	}
	if a, ok := s.subscribed(r); !ok {
		return a
	}
	if len(r.Body) > 0 && !json.Valid(r.Body) {
		return badRequest("The body is not JSON.")
	}
	environment := r.Header.Get("X-Target-Environment")
	if s.opts.NewPlatform && environments[environment] == "" {
		return raw(400, typeJSON, `{"error":"Invalid or missing X-Target-Environment header"}`)
	}
	name, key, ok := r.BasicAuth()
	if !ok {
		return gatewayError(401, "Unauthorized. Authorization is missing.")
	}
	if !s.opts.NewPlatform {
		name = strings.ToLower(name)
	}
	s.Lock()
	defer s.Unlock()
	u := s.users[name]
	if u == nil || u.key == "" || subtle.ConstantTimeCompare([]byte(u.key), []byte(key)) != 1 {
		if s.opts.NewPlatform {
			return raw(401, typeJSON, `{"error":"invalid_client"}`)
		}
		return loginFailed
	}
	for t, old := range s.tokens {
		if !r.At.Before(old.expires) {
			delete(s.tokens, t)
		}
	}
	// It looks like MTN's: a JSON Web Token, long and opaque to us.
	enc := base64.RawURLEncoding
	t := enc.EncodeToString([]byte(`{"typ":"JWT","alg":"R256"}`)) + "." + enc.EncodeToString(s.Bytes(48)) + "." + enc.EncodeToString(s.Bytes(32))
	s.tokens[t] = token{user: u, product: r.Args[0], expires: r.At.Add(s.opts.TokenLife)}
	answer := core.JSON(200, struct {
		Token   string `json:"access_token"`
		Type    string `json:"token_type"`
		Seconds int64  `json:"expires_in"`
	}{t, "access_token", int64(s.opts.TokenLife / time.Second)})
	answer.Delay = s.opts.TokenDelay
	return answer
}

// ExpireTokens makes every access token given so far worthless.
func (s *Standin) ExpireTokens() {
	s.Lock()
	defer s.Unlock()
	clear(s.tokens)
}

// authorized checks what every call of a product must carry: subscription key,
// token, target environment.
func (s *Standin) authorized(r *core.Request) (*user, core.Answer, bool) {
	if a, ok := s.subscribed(r); !ok {
		return nil, a, false
	}
	scheme, value, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	s.Lock()
	t, known := s.tokens[value]
	s.Unlock()
	if !strings.EqualFold(scheme, "Bearer") || !known || t.product != r.Args[0] || !r.At.Before(t.expires) {
		return nil, refuse(401), false
	}
	switch env := r.Header.Get("X-Target-Environment"); env {
	case t.user.environment:
		return t.user, core.Answer{}, true
	case "":
		return nil, badRequest("X-Target-Environment is missing."), false
	}
	return nil, refusals["NOT_ALLOWED_TARGET_ENVIRONMENT"], false
}
