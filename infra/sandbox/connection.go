package sandbox

import (
	"net/http"

	"momoproxy/infra/sandbox/line"
)

// Handler serves the providers and, under /_sandbox/, the control API. It
// needs a connection of its own (HTTP/1) to show resets and broken answers.
func (s *Sandbox) Handler() http.Handler { return s.line() }

// RoundTripper answers requests in process, without sockets and whatever
// host they name. It behaves as a connection would: swallowed requests wait
// for the context (see Options.InstantTimeouts and Hang), resets are
// *net.OpError with ECONNRESET, broken answers end in io.ErrUnexpectedEOF.
func (s *Sandbox) RoundTripper() http.RoundTripper { return s.line() }

func (s *Sandbox) line() line.Line {
	return line.Line{Serve: s.answer, Sleep: s.sleep, Hang: s.opts.Hang, InstantTimeouts: s.opts.InstantTimeouts}
}

var fates = map[wire]line.Fate{whole: line.Whole, hangs: line.Hangs, resets: line.Resets, breaksOff: line.BreaksOff}

func (s *Sandbox) answer(r *http.Request) line.Answer {
	a := s.serve(r)
	header := http.Header{}
	switch {
	case a.kind != "":
		header.Set("Content-Type", a.kind)
	case a.wire == breaksOff:
		header.Set("Content-Type", typeJSON)
	}
	return line.Answer{Code: a.code, Header: header, Body: a.body, Delay: a.delay, Fate: fates[a.wire]}
}
