package core

import (
	"bytes"
	"context"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"strconv"
	"syscall"
)

// RoundTrip implements http.RoundTripper: requests are answered in process,
// whatever host they name, as a connection would. Where nothing comes it
// waits for the context, resets are *net.OpError with ECONNRESET, broken
// answers end in io.ErrUnexpectedEOF.
func (c Connection) RoundTrip(out *http.Request) (*http.Response, error) {
	if out.Body != nil {
		defer out.Body.Close()
	}
	ctx := out.Context()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	a := c.Serve(asReceived(out))
	if a.Delivery == Hangs && c.InstantTimeouts {
		return nil, timeoutError{}
	}
	if !c.Sleep(ctx, a.Delay) {
		return nil, gaveUp(ctx)
	}
	switch a.Delivery {
	case Hangs:
		c.Sleep(ctx, c.Hang)
		return nil, gaveUp(ctx)
	case Resets:
		return nil, &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", syscall.ECONNRESET)}
	}
	resp := &http.Response{
		Status:     strconv.Itoa(a.Code) + " " + http.StatusText(a.Code),
		StatusCode: a.Code,
		Proto:      "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header:        a.Header.Clone(),
		ContentLength: int64(len(a.Body)),
		Body:          io.NopCloser(bytes.NewReader(a.Body)),
		Request:       out,
	}
	if resp.Header == nil {
		resp.Header = http.Header{}
	}
	switch a.Delivery {
	case BreaksOff:
		resp.ContentLength = int64(promised(a))
		resp.Body = io.NopCloser(io.MultiReader(bytes.NewReader(half(a.Body)), brokenOff{}))
	case NeverEnds:
		resp.ContentLength = -1
		resp.Body = io.NopCloser(io.LimitReader(&again{body: append(bytes.Clone(a.Body), '\n')}, endless))
		return resp, nil
	case Slow:
		first := half(a.Body)
		resp.Body = io.NopCloser(io.MultiReader(bytes.NewReader(first), &pause{c: c, ctx: ctx}, bytes.NewReader(a.Body[len(first):])))
	}
	resp.Header.Set("Content-Length", strconv.FormatInt(resp.ContentLength, 10))
	return resp, nil
}

// asReceived turns a client's request into the one a server would see.
func asReceived(out *http.Request) *http.Request {
	in := new(http.Request)
	*in = *out
	in.Header = maps.Clone(out.Header)
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

func (timeoutError) Error() string        { return "stand-in: i/o timeout" }
func (timeoutError) Timeout() bool        { return true }
func (timeoutError) Temporary() bool      { return true }
func (timeoutError) Is(target error) bool { return target == os.ErrDeadlineExceeded }

// pause is a body that has nothing for a while.
type pause struct {
	c   Connection
	ctx context.Context
}

func (p *pause) Read([]byte) (int, error) {
	if p.c.InstantTimeouts {
		return 0, timeoutError{}
	}
	if !p.c.Sleep(p.ctx, slowBody) {
		return 0, gaveUp(p.ctx)
	}
	return 0, io.EOF
}

type brokenOff struct{}

func (brokenOff) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// again reads the same bytes over and over.
type again struct {
	body []byte
	at   int
}

func (a *again) Read(p []byte) (int, error) {
	n := copy(p, a.body[a.at:])
	a.at = (a.at + n) % len(a.body)
	return n, nil
}
