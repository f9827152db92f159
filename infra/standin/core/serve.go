package core

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"time"
)

// RouteCallback is the route of what a provider sends to us; all others are
// the provider's own.
const (
	RouteCallback = "callback"
	RouteUnknown  = "unknown"
)

// MaxBody bounds what is read of a request, in bytes.
const MaxBody = 64 << 10

// Request is one request to a provider, read whole.
type Request struct {
	*http.Request
	Call
	Args []string // what the path names, in order
	Body []byte
	At   time.Time
	Rule Rule
}

// Handler serves the provider and, under /_standin/, the control API. It
// needs a connection of its own (HTTP/1) to show resets and broken answers.
func (s *Standin[T]) Handler() http.Handler { return s.connection() }

// RoundTripper answers requests in process, without sockets and whatever
// host they name; see Connection.RoundTrip.
func (s *Standin[T]) RoundTripper() http.RoundTripper { return s.connection() }

// Knows says whether a request takes one of the provider's routes.
func (s *Standin[T]) Knows(r *http.Request) bool {
	route, _, _ := s.provider.Find(r)
	return route != RouteUnknown
}

func (s *Standin[T]) connection() Connection {
	return Connection{Serve: s.serve, Sleep: s.sleep, Hang: s.Hang, InstantTimeouts: s.InstantTimeouts}
}

// serve answers one request. It is the whole of the stand-in but for what the
// connection does with the answer.
func (s *Standin[T]) serve(hr *http.Request) Answer {
	if strings.HasPrefix(hr.URL.Path, controlPrefix) {
		return s.control(hr)
	}
	r := &Request{Request: hr, At: s.Now()}
	var answer func(*Request) Answer
	r.Provider = s.provider.Name
	r.Route, r.Args, answer = s.provider.Find(hr)
	s.count(r.Route)
	body, err := io.ReadAll(io.LimitReader(hr.Body, MaxBody+1))
	switch {
	case err != nil:
		return s.provider.Refuse(400)
	case len(body) > MaxBody:
		return s.provider.Refuse(413)
	}
	r.Body = body
	if s.provider.Admit != nil {
		if no, ok := s.provider.Admit(r); !ok {
			return no
		}
	}
	if answer == nil {
		return s.provider.Refuse(404)
	}
	s.provider.About(r, &r.Call)
	r.Rule = s.take(r.Call)
	var a Answer
	if s.Before(r.Rule.Fault) {
		s.askedInVain(r)
	} else {
		a = answer(r)
	}
	a = s.Spoil(r.Rule.Fault, r, a)
	a.Delay = max(a.Delay, r.Rule.delay())
	return a
}

// askedInVain counts a request for a payment that was lost before it was acted
// on.
func (s *Standin[T]) askedInVain(r *Request) {
	if !slices.Contains(s.provider.Paying, r.Route) {
		return
	}
	s.Lock()
	defer s.Unlock()
	s.Ask(r.Call)
}
