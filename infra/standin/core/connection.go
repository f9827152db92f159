package core

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// Delivery is what becomes of an answer on its way.
type Delivery int

// The deliveries.
const (
	Whole     Delivery = iota // it arrives
	Hangs                     // nothing comes
	Resets                    // the connection is reset
	BreaksOff                 // half of the body comes
	NeverEnds                 // the body goes on until the caller has had enough
	Slow                      // the second half of the body comes slowBody later
)

// endless bounds even a body that never ends, in bytes.
const endless = 16 << 20

const slowBody = 30 * time.Second

// Answer is one answer, before it meets a connection.
type Answer struct {
	Code   int
	Header http.Header
	Body   []byte
	Delay  time.Duration
	// Delivery is what becomes of it; Whole by default.
	Delivery Delivery
}

// Connection delivers answers, over sockets or in process. Its fields are not
// changed once it is in use; it is safe for concurrent use if Serve and Sleep
// are.
type Connection struct {
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
func (c Connection) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a := c.Serve(r)
	if !c.Sleep(r.Context(), a.Delay) {
		a.Delivery = Resets
	}
	switch a.Delivery {
	case Hangs:
		c.Sleep(r.Context(), c.Hang)
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
	if a.Delivery == NeverEnds {
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
	if a.Delivery == Slow && len(a.Body) > 0 {
		first := half(a.Body)
		_, _ = w.Write(first)
		_ = http.NewResponseController(w).Flush() // a server that cannot sends both halves late
		if !c.Sleep(r.Context(), slowBody) {
			return
		}
		a.Body = a.Body[len(first):]
	}
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
