package wire

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"syscall"
	"time"
)

// NewHTTPClient makes the client for one provider alone: no proxy from the
// environment, no redirects, no cookies, TLS 1.2 or newer with the system's
// roots. Only connecting has its own limit; the rest is the caller's
// deadline. Make one per process: it holds the connections.
func NewHTTPClient() *http.Client {
	dialer := &net.Dialer{Timeout: 2 * time.Second, KeepAlive: 15 * time.Second}
	return &http.Client{
		Transport: &http.Transport{
			Proxy:               nil,
			DialContext:         dialer.DialContext,
			TLSClientConfig:     &tls.Config{MinVersion: tls.VersionTLS12},
			TLSHandshakeTimeout: 3 * time.Second,
			ForceAttemptHTTP2:   true,
			MaxIdleConns:        32,
			MaxIdleConnsPerHost: 32,
			// A function sleeps between requests and its connections die
			// unnoticed: do not keep them long, and ask whether they live.
			IdleConnTimeout: 15 * time.Second,
			HTTP2:           &http.HTTP2Config{SendPingTimeout: 2 * time.Second, PingTimeout: 2 * time.Second},

			ExpectContinueTimeout:  time.Second,
			MaxResponseHeaderBytes: 64 << 10,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Classes of transport errors, as they stand in an Exchange.
const (
	ClassCanceled  = "canceled"
	ClassDNS       = "dns"
	ClassDial      = "dial"
	ClassTLS       = "tls"
	ClassTimeout   = "timeout"
	ClassReset     = "reset"
	ClassEOF       = "eof"
	ClassTooLarge  = "too_large"
	ClassTransport = "transport" // none of the above
)

// Classify names the class of a transport error by its types.
func Classify(err error) string {
	if err == nil {
		return ""
	}
	var (
		dns       *net.DNSError
		op        *net.OpError
		record    tls.RecordHeaderError
		alert     tls.AlertError
		verify    *tls.CertificateVerificationError
		authority x509.UnknownAuthorityError
		hostname  x509.HostnameError
		invalid   x509.CertificateInvalidError
	)
	switch {
	case errors.Is(err, context.Canceled):
		return ClassCanceled
	case errors.As(err, &dns):
		return ClassDNS
	case errors.As(err, &op) && op.Op == "dial":
		return ClassDial
	case errors.As(err, &record), errors.As(err, &alert), errors.As(err, &verify),
		errors.As(err, &authority), errors.As(err, &hostname), errors.As(err, &invalid),
		errors.Is(err, http.ErrSchemeMismatch):
		return ClassTLS
	case timedOut(err):
		return ClassTimeout
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, syscall.ECONNABORTED):
		return ClassReset
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return ClassEOF
	case errors.Is(err, errTooLarge):
		return ClassTooLarge
	}
	return ClassTransport
}

// timedOut asks every net.Error of the chain: the outermost, url.Error, asks
// only its direct child.
func timedOut(err error) bool {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) {
		return true
	}
	for n := net.Error(nil); errors.As(err, &n); err = errors.Unwrap(n) {
		if n.Timeout() {
			return true
		}
	}
	return false
}
