package core_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"momoproxy/infra/standin/core"
)

// TestDeliveries: a client sees the same over a socket and in process.
func TestDeliveries(t *testing.T) {
	t.Parallel()
	timedOut := func(err error) bool {
		var n net.Error
		return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) || errors.As(err, &n) && n.Timeout()
	}
	for name, c := range map[string]struct {
		answer core.Answer
		code   int // 0: no answer at all
		body   string
		bad    func(error) bool // of the call or of reading the body; nil: none
	}{
		"whole":      {core.Answer{Code: 201, Body: []byte("0123456789")}, 201, "0123456789", nil},
		"empty":      {core.Answer{Code: 202}, 202, "", nil},
		"hangs":      {core.Answer{Code: 200, Delivery: core.Hangs}, 0, "", timedOut},
		"late":       {core.Answer{Code: 200, Delay: time.Hour}, 0, "", timedOut},
		"resets":     {core.Answer{Code: 200, Delivery: core.Resets}, 0, "", func(err error) bool { return errors.Is(err, syscall.ECONNRESET) }},
		"breaks off": {core.Answer{Code: 200, Body: []byte("0123456789"), Delivery: core.BreaksOff}, 200, "01234", func(err error) bool { return errors.Is(err, io.ErrUnexpectedEOF) }},
	} {
		c.answer.Header = http.Header{"Content-Type": {"text/plain"}, "X-More": {"1"}}
		l := serving(c.answer)
		server := httptest.NewServer(l)
		for where, transport := range map[string]http.RoundTripper{"socket": http.DefaultTransport, "in process": l} {
			patience := 10 * time.Second
			if c.answer.Delivery == core.Hangs || c.answer.Delay > 0 {
				patience = 100 * time.Millisecond
			}
			code, body, header, err := get(t, transport, patience, server.URL)
			if code != c.code || body != c.body || (err != nil) != (c.bad != nil) || err != nil && !c.bad(err) {
				t.Errorf("%s, %s: %d %q %v", name, where, code, body, err)
			}
			if code > 0 && c.bad == nil && header.Get("X-More") != "1" {
				t.Errorf("%s, %s: header %v", name, where, header)
			}
		}
		server.CloseClientConnections()
		server.Close()
	}
}

// TestNeverEnds: an answer of megabytes.
func TestNeverEnds(t *testing.T) {
	t.Parallel()
	l := serving(core.Answer{Code: 200, Body: []byte(strings.Repeat("x", 100)), Delivery: core.NeverEnds})
	server := httptest.NewServer(l)
	t.Cleanup(server.Close)
	for where, transport := range map[string]http.RoundTripper{"socket": http.DefaultTransport, "in process": l} {
		_, body, _, err := get(t, transport, 10*time.Second, server.URL)
		if len(body) < 16<<20 || err != nil {
			t.Errorf("%s: %d bytes, %v", where, len(body), err)
		}
	}
}

func serving(a core.Answer) core.Connection {
	return core.Connection{
		Serve: func(*http.Request) core.Answer { return a },
		Sleep: func(ctx context.Context, d time.Duration) bool {
			if d == 0 {
				return true
			}
			<-ctx.Done()
			return false
		},
		Hang: time.Hour,
	}
}

func get(t *testing.T, transport http.RoundTripper, patience time.Duration, url string) (int, string, http.Header, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := (&http.Client{Transport: transport}).Do(r)
	if err != nil {
		return 0, "", nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(body), resp.Header, err
}
