package sandbox

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"syscall"
)

// Handler serves the providers and, under /_sandbox/, the control API. It
// needs a connection of its own (HTTP/1) to show resets and broken answers.
func (s *Sandbox) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.write(w, r, s.serve(r))
	})
}

// write puts an answer on a socket, or fails to, as it says.
func (s *Sandbox) write(w http.ResponseWriter, r *http.Request, a reply) {
	if !s.sleep(r.Context(), a.delay) {
		a.wire = resets
	}
	switch a.wire {
	case hangs:
		s.sleep(r.Context(), s.opts.Hang)
		cutOff(w, nil)
	case resets:
		cutOff(w, nil)
	case breaksOff:
		head := fmt.Sprintf("HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n",
			a.code, http.StatusText(a.code), typeOr(a.kind), promised(a))
		cutOff(w, append([]byte(head), half(a.body)...))
	default:
		if a.kind != "" {
			w.Header().Set("Content-Type", a.kind)
		}
		w.Header().Set("Content-Length", strconv.Itoa(len(a.body)))
		w.WriteHeader(a.code)
		_, _ = w.Write(a.body)
	}
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

func typeOr(kind string) string {
	if kind == "" {
		return typeJSON
	}
	return kind
}

// promised is the length announced for a body that breaks off: never what is
// sent.
func promised(a reply) int { return max(len(a.body), 2) }

func half(b []byte) []byte { return b[:len(b)/2] }

// RoundTripper answers requests in process, without sockets and whatever
// host they name. It behaves as a connection would: swallowed requests wait
// for the context (see Options.InstantTimeouts and Hang), resets are
// *net.OpError with ECONNRESET, broken answers end in io.ErrUnexpectedEOF.
func (s *Sandbox) RoundTripper() http.RoundTripper { return roundTripper{s} }

type roundTripper struct{ s *Sandbox }

// RoundTrip implements http.RoundTripper.
func (t roundTripper) RoundTrip(out *http.Request) (*http.Response, error) {
	if out.Body != nil {
		defer out.Body.Close()
	}
	ctx := out.Context()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	a := t.s.serve(asReceived(out))
	if a.wire == hangs && t.s.opts.InstantTimeouts {
		return nil, timeoutError{}
	}
	if !t.s.sleep(ctx, a.delay) {
		return nil, gaveUp(ctx)
	}
	switch a.wire {
	case hangs:
		t.s.sleep(ctx, t.s.opts.Hang)
		return nil, gaveUp(ctx)
	case resets:
		return nil, &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", syscall.ECONNRESET)}
	}
	resp := &http.Response{
		Status:     strconv.Itoa(a.code) + " " + http.StatusText(a.code),
		StatusCode: a.code,
		Proto:      "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header:        http.Header{},
		ContentLength: int64(len(a.body)),
		Body:          io.NopCloser(bytes.NewReader(a.body)),
		Request:       out,
	}
	if a.kind != "" {
		resp.Header.Set("Content-Type", a.kind)
	}
	if a.wire == breaksOff {
		resp.ContentLength = int64(promised(a))
		resp.Body = io.NopCloser(io.MultiReader(bytes.NewReader(half(a.body)), brokenOff{}))
	}
	resp.Header.Set("Content-Length", strconv.FormatInt(resp.ContentLength, 10))
	return resp, nil
}

// asReceived turns a client's request into the one a server would see.
func asReceived(out *http.Request) *http.Request {
	in := out.Clone(out.Context())
	in.RemoteAddr = "127.0.0.1:1"
	in.RequestURI = out.URL.RequestURI()
	if in.Host == "" {
		in.Host = out.URL.Host
	}
	switch {
	case out.Body == nil || out.Body == http.NoBody:
		in.Body, in.ContentLength = http.NoBody, 0
		// As net/http's own transport does for methods that carry a body.
		if out.Method == http.MethodPost || out.Method == http.MethodPut || out.Method == http.MethodPatch {
			in.Header.Set("Content-Length", "0")
		}
	case out.ContentLength > 0:
		in.Header.Set("Content-Length", strconv.FormatInt(out.ContentLength, 10))
	default:
		in.ContentLength = -1 // chunked
	}
	return in
}

// gaveUp says why a wait ended: the caller's context, or ours.
func gaveUp(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return timeoutError{}
}

// timeoutError is a network timeout: net.Error with Timeout true, and
// os.ErrDeadlineExceeded to errors.Is.
type timeoutError struct{}

func (timeoutError) Error() string        { return "sandbox: i/o timeout" }
func (timeoutError) Timeout() bool        { return true }
func (timeoutError) Temporary() bool      { return true }
func (timeoutError) Is(target error) bool { return target == os.ErrDeadlineExceeded }

type brokenOff struct{}

func (brokenOff) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
