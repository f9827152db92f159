// Package wire is what every adapter needs that speaks JSON over HTTPS with a
// provider: a client that follows nothing and keeps no proxy, exchanges that
// are bounded and written down without secrets, the classes of what goes
// wrong on the way, and a strict reading of JSON objects. It knows no
// provider.
package wire

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync/atomic"
	"time"

	"momoproxy/shared/provider"
)

const (
	// MaxAnswer bounds what is read of an answer or a callback, in bytes.
	MaxAnswer = provider.MaxBody
	// excerpt is how much is kept of an answer that is not used, in bytes.
	excerpt = 4 << 10
)

var errTooLarge = errors.New("answer over 64 KiB")

// HiddenToken stands in an Exchange for an answer that brought a token.
const HiddenToken = "[token]"

// Reply is what came back from one HTTP exchange.
type Reply struct {
	Code   int    // 0: no answer
	Body   []byte // at most MaxAnswer
	Header http.Header
	// Class of the transport error, empty when the whole answer was read.
	// With a Code it means that the body is not complete.
	Class string
	// Unsent: certain that no byte of the request left, because there was no
	// connection to send it on.
	Unsent bool
	// Stale: nothing came back on a connection that was kept from before, and
	// may have been closed long since.
	Stale bool
}

// Call is one request.
type Call struct {
	Method  string
	Path    string // with its query, behind the base URL
	Headers map[string]string
	Body    []byte
	Secrets []string // never to be seen in the Exchange
	// Record writes the answer down for the Exchange where it may hold a
	// credential; nil: as it is, but for secrets.
	Record func(Reply) string
}

// Trail collects the exchanges of one call to an adapter, oldest first.
type Trail []provider.Exchange

// Client makes exchanges with one provider. It is safe for concurrent use
// and is not changed after New.
type Client struct {
	base    string
	to      http.RoundTripper
	now     func() time.Time
	secrets []string
}

// New makes a Client out of an http.Client's transport: redirects are not
// followed and cookies not kept, whatever it says itself; nil: NewHTTPClient. A
// nil now is time.Now. base has no slash at its end. The secrets are taken out of
// every answer.
func New(base string, client *http.Client, now func() time.Time, secrets ...string) *Client {
	if client == nil {
		client = NewHTTPClient()
	}
	if now == nil {
		now = time.Now
	}
	to := client.Transport
	if to == nil {
		to = http.DefaultTransport
	}
	return &Client{base: base, to: to, now: now, secrets: secrets}
}

// Do makes the exchange once, bounded by timeout, and records it in the
// trail. It never repeats a request that may have been sent. Nor may
// net/http: it repeats a POST only while none of it was written, and is kept
// from repeating a GET, which would be a question that nobody counted.
func (c *Client) Do(ctx context.Context, t *Trail, call Call, timeout time.Duration) Reply {
	started := c.now()
	begin := time.Now()
	r := c.exchange(ctx, call, timeout)
	text := ""
	if call.Record != nil {
		text = call.Record(r)
	} else {
		// What a server echoes reaches neither the audit nor a reason.
		r.Body = redact(redact(r.Body, call.Secrets), c.secrets)
		text = string(r.Body)
	}
	*t = append(*t, provider.Exchange{
		Method:       call.Method,
		URL:          c.base + call.Path,
		RequestBody:  string(call.Body),
		Code:         r.Code,
		ResponseBody: recorded(text, r.Class),
		Started:      started,
		Duration:     time.Since(begin),
		Err:          r.Class,
		Repeated:     r.Repeated(),
	})
	return r
}

// HeaderRepeated is "true" in an answer that repeats the first one to the
// request's Idempotency-Key.
const HeaderRepeated = "Idempotent-Replayed"

// Repeated says whether the answer repeats an earlier one, as it says itself.
func (r Reply) Repeated() bool { return strings.EqualFold(r.Header.Get(HeaderRepeated), "true") }

func (c *Client) exchange(ctx context.Context, call Call, timeout time.Duration) Reply {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	var connected, kept, answered atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(info httptrace.GotConnInfo) {
			connected.Store(true)
			kept.Store(info.Reused)
		},
		GotFirstResponseByte: func() { answered.Store(true) },
	})
	// An empty body must be announced with Content-Length: 0 or MTN answers
	// 411 (observed); a bytes.Reader of length 0 does that on POST.
	req, err := http.NewRequestWithContext(ctx, call.Method, c.base+call.Path, bytes.NewReader(call.Body))
	if err != nil {
		return Reply{Class: ClassTransport}
	}
	if len(call.Body) == 0 && call.Method == http.MethodGet {
		// A body that is not known to be empty before it is read, and cannot
		// be read again: none is sent, and nothing is repeated.
		req.Body, req.GetBody, req.ContentLength = io.NopCloser(strings.NewReader("")), nil, 0
	}
	req.Header.Set("User-Agent", "momo-proxy")
	for name, value := range call.Headers {
		req.Header.Set(name, value)
	}
	if req.Header.Get("Idempotency-Key") != "" {
		req.GetBody = nil // net/http takes the header for leave to repeat a request
	}
	resp, err := c.to.RoundTrip(req)
	if err != nil {
		class := Classify(err)
		noConnection := class == ClassDNS || class == ClassDial || class == ClassTLS
		return Reply{
			Class: class, Unsent: noConnection && !connected.Load(),
			Stale: kept.Load() && !answered.Load() && (class == ClassReset || class == ClassEOF || class == ClassTransport),
		}
	}
	defer resp.Body.Close()
	r := Reply{Code: resp.StatusCode, Header: resp.Header}
	body, err := io.ReadAll(io.LimitReader(resp.Body, MaxAnswer+1))
	if err == nil && len(body) > MaxAnswer {
		body, err = body[:MaxAnswer], errTooLarge
	}
	r.Body, r.Class = body, Classify(err)
	return r
}

// redact takes out every secret.
func redact(body []byte, secrets []string) []byte {
	for _, secret := range secrets {
		if secret != "" && bytes.Contains(body, []byte(secret)) {
			body = bytes.ReplaceAll(body, []byte(secret), []byte("[redacted]"))
		}
	}
	return body
}

// recorded makes an answer fit for an Exchange: each byte that is not UTF-8
// becomes what a JSON decoder makes of it, so that who reads the record again
// reads the same.
func recorded(text, class string) string {
	most := MaxAnswer // also of what grows by it, which no provider sends
	if class == ClassTooLarge {
		most = excerpt
	}
	text = strings.Map(func(r rune) rune { return r }, text)
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "")
	}
	return text
}

// HTML says whether a body is a page and not an answer of the provider's:
// what a gateway or a firewall on the way says.
func HTML(body []byte) bool {
	body = bytes.TrimPrefix(bytes.TrimSpace(body), []byte("\xef\xbb\xbf"))
	return bytes.HasPrefix(bytes.TrimSpace(body), []byte("<"))
}
