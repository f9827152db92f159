package sandbox

import (
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net"
	"net/http"
	"strings"
	"time"
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

// MTNAccount is one API user of MTN Collections. Empty fields of a new
// account are filled in by Provision.
type MTNAccount struct {
	APIUser         string // UUID version 4; base64 on the new platform
	APIKey          string
	SubscriptionKey string
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
func (s *Sandbox) Provision(a MTNAccount) (MTNAccount, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a.APIUser == "" {
		a.APIUser = s.uuid4()
	}
	if !s.opts.NewPlatform {
		a.APIUser = strings.ToLower(a.APIUser)
	}
	if a.APIKey == "" {
		a.APIKey = s.apiKey()
	}
	if a.SubscriptionKey == "" {
		a.SubscriptionKey = s.apiKey()
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
	s.mtn.keys[a.SubscriptionKey] = true
	s.mtn.users[a.APIUser] = &user{
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
	expires time.Time
}

// mtn is all that MTN knows.
type mtn struct {
	keys     map[string]bool
	users    map[string]*user
	tokens   map[string]token
	payments map[string]*payment
	order    []*payment // oldest first
}

func newMTN(keys []string) mtn {
	m := mtn{keys: map[string]bool{}, users: map[string]*user{}, tokens: map[string]token{}, payments: map[string]*payment{}}
	for _, k := range keys {
		m.keys[k] = true
	}
	return m
}

// subscribed checks the subscription key; the query parameter is documented
// too.
func (s *Sandbox) subscribed(r *request) (reply, bool) {
	key := r.Header.Get("Ocp-Apim-Subscription-Key")
	if key == "" {
		key = r.URL.Query().Get("subscription-key")
	}
	s.mu.Lock()
	known := s.mtn.keys[key]
	s.mu.Unlock()
	switch {
	case known:
		return reply{}, true
	case key == "":
		return gatewayError(401, "Access denied due to missing subscription key. Make sure to include subscription key when making requests to an API."), false
	}
	return gatewayError(401, "Access denied due to invalid subscription key. Make sure to provide a valid key for an active subscription."), false
}

// createUser is POST /v1_0/apiuser.
func (s *Sandbox) createUser(r *request) reply {
	if r.hasNoLength() {
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
	if err := json.Unmarshal(r.body, &b); err != nil || b.Host == "" || len(b.Host) > 253 || strings.ContainsAny(b.Host, "/ ") {
		return badRequest("providerCallbackHost must be a host name without scheme or path.")
	}
	if h, _, err := net.SplitHostPort(b.Host); err == nil {
		b.Host = h
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mtn.users[id] != nil {
		return refusals["RESOURCE_ALREADY_EXIST"]
	}
	s.mtn.users[id] = &user{id: id, host: strings.ToLower(b.Host), environment: "sandbox", currency: "EUR"}
	return reply{code: 201}
}

// getUser is GET /v1_0/apiuser/{id}.
func (s *Sandbox) getUser(r *request) reply {
	if a, ok := s.subscribed(r); !ok {
		return a
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.mtn.users[strings.ToLower(r.args[0])]
	if u == nil {
		return refusals["RESOURCE_NOT_FOUND"]
	}
	return jsonOf(200, struct {
		Host        string `json:"providerCallbackHost"`
		Environment string `json:"targetEnvironment"`
	}{u.host, u.environment})
}

// createKey is POST /v1_0/apiuser/{id}/apikey. A second key replaces the
// first; tokens already given live on.
func (s *Sandbox) createKey(r *request) reply {
	if r.hasNoLength() {
		return lengthRequired
	}
	if a, ok := s.subscribed(r); !ok {
		return a
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.mtn.users[strings.ToLower(r.args[0])]
	if u == nil {
		return refusals["RESOURCE_NOT_FOUND"]
	}
	u.key = s.apiKey()
	return jsonOf(201, struct {
		Key string `json:"apiKey"`
	}{u.key})
}

// token is POST /collection/token/.
func (s *Sandbox) token(r *request) reply {
	if r.hasNoLength() {
		return lengthRequired
	}
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); len(r.body) > 0 && kind == "application/x-www-form-urlencoded" {
		return requestRejected
	}
	if a, ok := s.subscribed(r); !ok {
		return a
	}
	if len(r.body) > 0 && !json.Valid(r.body) {
		return badRequest("The body is not JSON.")
	}
	environment := r.Header.Get("X-Target-Environment")
	if s.opts.NewPlatform && environments[environment] == "" {
		return jsonReply(400, `{"error":"Invalid or missing X-Target-Environment header"}`)
	}
	name, key, ok := r.BasicAuth()
	if !ok {
		return gatewayError(401, "Unauthorized. Authorization is missing.")
	}
	if !s.opts.NewPlatform {
		name = strings.ToLower(name)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.mtn.users[name]
	if u == nil || u.key == "" || subtle.ConstantTimeCompare([]byte(u.key), []byte(key)) != 1 {
		if s.opts.NewPlatform {
			return jsonReply(401, `{"error":"invalid_client"}`)
		}
		return jsonReply(500, `{"error":"login_failed"}`)
	}
	for t, old := range s.mtn.tokens {
		if !r.at.Before(old.expires) {
			delete(s.mtn.tokens, t)
		}
	}
	t := s.accessToken()
	s.mtn.tokens[t] = token{user: u, expires: r.at.Add(s.opts.TokenLife)}
	return jsonOf(200, struct {
		Token   string `json:"access_token"`
		Type    string `json:"token_type"`
		Seconds int64  `json:"expires_in"`
	}{t, "access_token", int64(s.opts.TokenLife / time.Second)})
}

// ExpireTokens makes every access token given so far worthless.
func (s *Sandbox) ExpireTokens() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.mtn.tokens)
}

// authorized checks what every collection call must carry: subscription key,
// token, target environment.
func (s *Sandbox) authorized(r *request) (*user, reply, bool) {
	if a, ok := s.subscribed(r); !ok {
		return nil, a, false
	}
	scheme, value, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	s.mu.Lock()
	t, known := s.mtn.tokens[value]
	s.mu.Unlock()
	if !strings.EqualFold(scheme, "Bearer") || !known || !r.at.Before(t.expires) {
		return nil, faults[Unauthorized].answer(reply{}), false
	}
	switch env := r.Header.Get("X-Target-Environment"); env {
	case t.user.environment:
		return t.user, reply{}, true
	case "":
		return nil, badRequest("X-Target-Environment is missing."), false
	}
	return nil, refusals["NOT_ALLOWED_TARGET_ENVIRONMENT"], false
}

// present reports a header that is there, whatever it says.
func present(h http.Header, name string) bool { return len(h.Values(name)) > 0 }

// isUUID4 takes the canonical form in either case.
func isUUID4(s string) bool {
	if len(s) != 36 || s[14] != '4' || !strings.ContainsRune("89abAB", rune(s[19])) {
		return false
	}
	for i := range len(s) {
		c := s[i]
		switch {
		case i == 8 || i == 13 || i == 18 || i == 23:
			if c != '-' {
				return false
			}
		case c >= '0' && c <= '9', c >= 'a' && c <= 'f', c >= 'A' && c <= 'F':
		default:
			return false
		}
	}
	return true
}
