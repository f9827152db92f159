package webhook

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"strings"
	"sync/atomic"
	"time"
)

// The bounds of one call. Connecting includes DNS. Timeout runs from the start
// to the last byte read; where Options shorten it, a TLS handshake gets half.
const (
	ConnectTimeout   = 3 * time.Second
	HandshakeTimeout = 5 * time.Second
	Timeout          = 10 * time.Second
	MaxHeaderBytes   = 64 << 10
	MaxReadBytes     = 16 << 10 // of the answer's body; then the connection closes
	MaxExcerptBytes  = 4 << 10  // kept in Result
)

// idleTimeout lets a batch for one app share a connection, and is shorter
// than what servers close after. net/http counts it in wall time, so a
// connection that slept through a frozen sandbox is not reused.
const idleTimeout = 4 * time.Second

const defaultUserAgent = "MoMo-Proxy/1"

// Options configure a Client. The zero value is right for production.
type Options struct {
	Rules     Rules
	UserAgent string         // empty: "MoMo-Proxy/1"
	Resolver  *net.Resolver  // nil: net.DefaultResolver
	RootCAs   *x509.CertPool // nil: the system's
	// Shorter bounds than the package's; zero or longer: the package's.
	ConnectTimeout, Timeout time.Duration
}

// Client makes every outgoing call to an app: deliveries, resends, tests. It
// connects over TLS 1.2 or later to public addresses on allowed ports, judged
// after DNS at connect time; it follows no redirect, takes no proxy from the
// environment, keeps no cookies and undoes no compression. It is safe for
// concurrent use; there should be one per process.
type Client struct {
	rules     Rules
	userAgent string
	timeout   time.Duration
	transport *http.Transport
}

// NewClient never fails and opens nothing.
func NewClient(o Options) *Client {
	return newClient(o, nil)
}

func newClient(o Options, approved func(netip.AddrPort) error) *Client {
	rules := Rules{Ports: append([]uint16(nil), o.Rules.Ports...), AllowLoopback: o.Rules.AllowLoopback}
	c := &Client{rules: rules, userAgent: o.UserAgent, timeout: shorter(o.Timeout, Timeout)}
	if c.userAgent == "" {
		c.userAgent = defaultUserAgent
	}
	dialer := net.Dialer{Timeout: shorter(o.ConnectTimeout, ConnectTimeout), Resolver: o.Resolver}
	public, loopback := dialer, dialer
	public.Control = guard{rules: rules, approved: approved}.control
	loopback.Control = guard{rules: rules, loopbackOnly: true, approved: approved}.control
	// Unencrypted HTTP/2 is left out: nothing local needs it.
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	c.transport = &http.Transport{
		Proxy:                  nil,
		DialContext:            dialContext(&public, &loopback),
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: o.RootCAs},
		TLSHandshakeTimeout:    shorter(c.timeout/2, HandshakeTimeout),
		DisableCompression:     true,
		MaxIdleConns:           32,
		MaxIdleConnsPerHost:    2,
		IdleConnTimeout:        idleTimeout,
		MaxResponseHeaderBytes: MaxHeaderBytes,
		Protocols:              &protocols,
	}
	return c
}

// dialContext sends names that mean this machine to a dialer that reaches
// nothing else, and resolves all other names as rooted ones, so that a search
// domain of the machine's network is never tried for an app's host.
func dialContext(public, loopback *net.Dialer) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		dialer := public
		if host, port, err := net.SplitHostPort(address); err == nil {
			if loopbackName(strings.ToLower(host)) {
				dialer = loopback
			} else if _, err := netip.ParseAddr(host); err != nil && !strings.HasSuffix(host, ".") {
				address = net.JoinHostPort(host+".", port)
			}
		}
		conn, err := dialer.DialContext(ctx, network, address)
		if err != nil {
			return nil, &dialError{err}
		}
		return conn, nil
	}
}

func shorter(wish, bound time.Duration) time.Duration {
	if wish > 0 && wish < bound {
		return wish
	}
	return bound
}

// Post sends body to rawURL with header added and reads a bounded part of the
// answer. It never fails: Result says what happened. A call ends within
// Timeout, or when ctx does (which is then our fault, not the app's). header
// is not changed. Content-Type is application/json unless header says so.
func (c *Client) Post(ctx context.Context, rawURL string, header http.Header, body []byte) Result {
	result := Result{Started: time.Now()}
	c.post(ctx, rawURL, header, body, &result)
	result.Duration = time.Since(result.Started)
	return result
}

func (c *Client) post(parent context.Context, rawURL string, header http.Header, body []byte, result *Result) {
	target, err := parseURL(rawURL, c.rules)
	if err != nil {
		result.Class, result.Err = ClassURL, err
		return
	}
	ctx, cancel := context.WithTimeout(parent, c.timeout)
	defer cancel()
	var progress progress
	ctx = httptrace.WithClientTrace(ctx, progress.trace())

	request, err := http.NewRequestWithContext(ctx, http.MethodPost, target.String(), bytes.NewReader(body))
	if err != nil {
		result.Class, result.Err = ClassURL, urlFault("The URL cannot be read.")
		return
	}
	// One attempt is one request: with a body to repeat, an HTTP/2 connection
	// would send it again and again to a server that resets the stream.
	request.GetBody = nil
	for name, values := range header {
		name = http.CanonicalHeaderKey(name)
		if documented, ok := documentedNames[name]; ok {
			name = documented
		}
		request.Header[name] = values
	}
	if request.Header.Get("Content-Type") == "" {
		request.Header.Set("Content-Type", "application/json")
	}
	if request.Header.Get("User-Agent") == "" {
		request.Header.Set("User-Agent", c.userAgent)
	}
	// RoundTrip, not http.Client: one request, one answer, whatever it says.
	response, err := c.transport.RoundTrip(request)
	if err != nil {
		result.Class, result.Err = classify(err, parent, &progress), err
		if result.Class == ClassTLS {
			result.TLSFault = tlsFault(err)
		}
		return
	}
	defer func() { _ = response.Body.Close() }()
	result.read(response)
}

// documentedNames are the headers of a delivery as the documents spell them, by
// Go's spelling. HTTP/1.1 carries the case, and some receivers keep it (PHP's
// getallheaders).
var documentedNames = map[string]string{
	"Webhook-Id":             "webhook-id",
	"Webhook-Timestamp":      "webhook-timestamp",
	"Webhook-Signature":      "webhook-signature",
	"X-Momo-Proxy-Signature": HeaderLegacy,
	"X-Momo-Proxy-Reference": "X-MoMo-Proxy-Reference",
	"X-Momo-Proxy-Sequence":  "X-MoMo-Proxy-Sequence",
}

// CloseIdle closes connections that no call uses.
func (c *Client) CloseIdle() { c.transport.CloseIdleConnections() }

// progress records how far a call got. Dialing may outlive the call, so it
// is written from several goroutines.
type progress struct{ connected, handshakeFailed atomic.Bool }

func (p *progress) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { p.connected.Store(true) },
		TLSHandshakeDone: func(_ tls.ConnectionState, err error) {
			if err != nil {
				p.handshakeFailed.Store(true)
			}
		},
	}
}
