package sandbox

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"time"
)

// Routes of the provider, as rules and counters name them.
const (
	RouteAPIUser       = "apiuser"
	RouteToken         = "token"
	RouteRequestToPay  = "requesttopay"
	RouteStatus        = "status"
	RouteBalance       = "balance"
	RouteAccountHolder = "accountholder"
	RouteCallback      = "callback" // from the provider to us
	routeUnknown       = "unknown"
)

var routes = []string{RouteAPIUser, RouteToken, RouteRequestToPay, RouteStatus, RouteBalance, RouteAccountHolder, RouteCallback}

// maxBody bounds what is read of a request.
const maxBody = 64 << 10

// request is one request to a provider, read whole.
type request struct {
	*http.Request
	route string
	args  []string // what the path names, in order
	body  []byte
	at    time.Time
	rule  Rule
}

// serve answers one request. It is the whole of the sandbox but for what the
// connection does with the answer.
func (s *Sandbox) serve(hr *http.Request) reply {
	if strings.HasPrefix(hr.URL.Path, controlPrefix) {
		return s.control(hr)
	}
	r := &request{Request: hr, at: s.opts.Now()}
	var answer func(*request) reply
	r.route, r.args, answer = s.find(hr)
	// MTN names slashes in a row as a cause of 400.
	if strings.Contains(hr.URL.EscapedPath(), "//") {
		s.count(r)
		return badRequest("The URL has an empty path segment.")
	}
	busy := s.count(r)
	if answer == nil {
		return gatewayError(404, "Resource not found")
	}
	body, err := io.ReadAll(io.LimitReader(hr.Body, maxBody+1))
	if err != nil && !errors.Is(err, io.EOF) {
		return badRequest("The body could not be read.")
	}
	if len(body) > maxBody {
		return gatewayError(413, "Request Entity Too Large")
	}
	r.body = body
	if busy && s.opts.EnforceGETLimit {
		return faults[TooMany].answer(reply{})
	}
	call := s.callOf(r)
	r.rule = s.take(call)
	f := faults[r.rule.Fault]
	var a reply
	if f.before {
		s.lost(call)
		a = f.answer(reply{})
	} else {
		a = answer(r)
		if f.answer != nil {
			a = f.answer(a)
		}
	}
	a.delay = max(a.delay, time.Duration(r.rule.DelayMS)*time.Millisecond)
	return a
}

// find maps method and path to a route.
func (s *Sandbox) find(r *http.Request) (string, []string, func(*request) reply) {
	p := strings.Split(strings.TrimPrefix(r.URL.Path, "/"), "/")
	get, post := r.Method == http.MethodGet, r.Method == http.MethodPost
	is := func(want ...string) bool {
		if len(p) != len(want) {
			return false
		}
		for i := range want {
			if want[i] != "*" && want[i] != p[i] {
				return false
			}
		}
		return true
	}
	switch {
	case post && is("v1_0", "apiuser"):
		return RouteAPIUser, nil, s.createUser
	case get && is("v1_0", "apiuser", "*"):
		return RouteAPIUser, p[2:], s.getUser
	case post && is("v1_0", "apiuser", "*", "apikey"):
		return RouteAPIUser, p[2:3], s.createKey
	case post && (is("collection", "token", "") || is("collection", "token")):
		return RouteToken, nil, s.token
	case post && is("collection", "v1_0", "requesttopay"):
		return RouteRequestToPay, nil, s.requestToPay
	case get && is("collection", "v1_0", "requesttopay", "*"):
		return RouteStatus, p[3:], s.status
	case get && (is("collection", "v1_0", "account", "balance") || is("collection", "v1_0", "account", "balance", "*")):
		return RouteBalance, p[4:], s.balance
	case get && is("collection", "v1_0", "accountholder", "*", "*", "active"):
		return RouteAccountHolder, p[3:5], s.accountHolderActive
	}
	return routeUnknown, nil, nil
}

// callOf says what a request is about as far as can be told without judging
// it.
func (s *Sandbox) callOf(r *request) Call {
	c := Call{Provider: "mtn", Route: r.route}
	switch r.route {
	case RouteRequestToPay:
		c.Reference = strings.ToLower(r.Header.Get("X-Reference-Id"))
		if ask, fault := readAsk(r.body); fault == "" {
			c.Payer, c.Amount = ask.Payer.PartyID, ask.Amount
		}
	case RouteStatus:
		c.Reference = strings.ToLower(r.args[0])
		s.mu.Lock()
		if p := s.mtn.payments[c.Reference]; p != nil {
			c.Payer = p.ask.Payer.PartyID
		}
		s.mu.Unlock()
	}
	return c
}

// hasNoLength reports a request with neither body nor Content-Length, which
// MTN's front answers 411.
func (r *request) hasNoLength() bool {
	return r.ContentLength == 0 && r.Header.Get("Content-Length") == ""
}
