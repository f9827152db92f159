// Package line is the connection between a client and a stand-in for a
// provider: it delivers answers, or loses and breaks them as told. The same
// answers go over sockets or, in process, without any.
package line

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// Fate is what becomes of an answer on its way.
type Fate int

// The fates.
const (
	Whole     Fate = iota // it is delivered
	Hangs                 // nothing comes
	Resets                // the connection is reset
	BreaksOff             // half of the body comes
	NeverEnds             // the body goes on until the caller has had enough
)

// endless bounds even a body that never ends, in bytes.
const endless = 16 << 20

// Answer is one answer, before it meets a connection.
type Answer struct {
	Code   int
	Header http.Header
	Body   []byte
	Delay  time.Duration
	Fate   Fate
}

// Line serves answers. Its fields are not changed once it is in use; it is
// safe for concurrent use if Serve and Sleep are.
type Line struct {
	Serve func(*http.Request) Answer
	// Sleep waits; false: the context, or the stand-in, ended first.
	Sleep func(context.Context, time.Duration) bool
	// Hang bounds how long nothing comes when the caller does not give up.
	Hang time.Duration
	// InstantTimeouts makes RoundTrip answer with a timeout at once where
	// nothing would come.
	InstantTimeouts bool
}

// ServeHTTP implements http.Handler. It needs a connection of its own
// (HTTP/1) to show resets and broken answers.
func (l Line) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a := l.Serve(r)
	if !l.Sleep(r.Context(), a.Delay) {
		a.Fate = Resets
	}
	switch a.Fate {
	case Hangs:
		l.Sleep(r.Context(), l.Hang)
		cutOff(w, nil)
		return
	case Resets:
		cutOff(w, nil)
		return
	case BreaksOff:
		head := fmt.Sprintf("HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n",
			a.Code, http.StatusText(a.Code), a.Header.Get("Content-Type"), promised(a))
		cutOff(w, append([]byte(head), half(a.Body)...))
		return
	}
	for name, values := range a.Header {
		w.Header()[name] = values
	}
	if a.Fate == NeverEnds {
		w.WriteHeader(a.Code)
		for sent := 0; sent < endless; sent += len(a.Body) + 1 {
			if _, err := w.Write(append(slices.Clone(a.Body), '\n')); err != nil {
				return
			}
		}
		return
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(a.Body)))
	w.WriteHeader(a.Code)
	_, _ = w.Write(a.Body)
}

// cutOff ends the connection after sending what is given, with a reset when
// that is nothing.
func cutOff(w http.ResponseWriter, send []byte) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil { // no connection of its own: the server must cut it
		panic(http.ErrAbortHandler)
	}
	defer conn.Close()
	if len(send) > 0 {
		_, _ = conn.Write(send)
		return
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
}

// promised is the length announced for a body that breaks off: never what is
// sent.
func promised(a Answer) int { return max(len(a.Body), 2) }

func half(b []byte) []byte { return b[:len(b)/2] }
