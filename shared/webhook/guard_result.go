package webhook

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"time"
	"unicode"
	"unicode/utf8"
)

// Class says why a call brought no answer. It is stored with the attempt and
// is safe to show to the app.
type Class string

const (
	ClassNone        Class = ""                // there is an answer
	ClassURL         Class = "bad_url"         // CheckURL refuses the URL; nothing was sent
	ClassDNS         Class = "dns"             // the name does not exist or has no address
	ClassDNSOurs     Class = "dns_ours"        // our resolver brought no verdict in time; see Ours
	ClassRefused     Class = "refused_address" // the guard refused the address or port
	ClassConnect     Class = "connect"         // no TCP connection
	ClassTLS         Class = "tls"             // no handshake, or an untrusted certificate
	ClassTimeout     Class = "timeout"         // connected, but no complete answer head in time
	ClassReset       Class = "reset"           // the connection ended before the answer
	ClassBadResponse Class = "bad_response"    // what came was not HTTP, or too large a head
	ClassCanceled    Class = "canceled"        // our own context ended first
	ClassLocal       Class = "local"           // this machine ran out of files or memory
)

// Classes lists every class of a call without an answer.
var Classes = []Class{
	ClassURL, ClassDNS, ClassDNSOurs, ClassRefused, ClassConnect, ClassTLS,
	ClassTimeout, ClassReset, ClassBadResponse, ClassCanceled, ClassLocal,
}

// Ours says whether the fault lies with us rather than the app's endpoint.
// ClassDNSOurs looks like a domain whose own name servers are
// broken, so a caller that does not charge it must bound how often.
func (c Class) Ours() bool {
	return c == ClassDNSOurs || c == ClassCanceled || c == ClassLocal
}

// Result is what one call brought. Either Code or Class is set, never both.
type Result struct {
	Code  int   // HTTP status of the answer, a redirect's included; 0: none
	Class Class // why there is none

	RetryAfter string // the header as sent, at most 64 bytes; may be nonsense
	// Location is a redirect's target, which was not followed: absolute,
	// without query, at most 512 bytes.
	Location string
	TLSFault TLSFault // what was wrong; only with ClassTLS
	Control  string   // the webhook-delivery header in lower case, at most 64 bytes

	// Excerpt is the start of the answer's body: valid UTF-8 of at most 4 KiB,
	// other control and invisible characters than newline and tab replaced.
	Excerpt string

	Started  time.Time
	Duration time.Duration
	// Err is the cause behind Class. It may name addresses inside our
	// network: log it, never show it to an app.
	Err error
}

// read takes what is kept of an answer. The body may stop, drip or never end:
// the call's context bounds the time and MaxReadBytes the size, and neither
// changes the verdict, which is the status code.
func (r *Result) read(response *http.Response) {
	r.Code = response.StatusCode
	r.RetryAfter = short(response.Header.Get("Retry-After"))
	r.Control = strings.ToLower(short(response.Header.Get("Webhook-Delivery")))
	if location, err := response.Location(); err == nil && r.Code >= 300 && r.Code <= 399 {
		location.User, location.RawQuery, location.ForceQuery, location.Fragment = nil, "", false, ""
		r.Location = clean([]byte(location.String()), MaxURLLength)
	}
	if r.Code < 200 {
		// 101 hands over the bare connection, which no context bounds.
		return
	}
	body, _ := io.ReadAll(io.LimitReader(response.Body, MaxReadBytes))
	r.Excerpt = clean(body, MaxExcerptBytes)
}

func short(value string) string {
	if len(value) > 64 {
		return ""
	}
	return clean([]byte(value), 64)
}

// clean returns at most limit bytes of valid UTF-8 without characters that
// would act on a terminal, a log or a page: controls, bidirectional marks and
// other format characters, line separators.
func clean(raw []byte, limit int) string {
	var out strings.Builder
	for len(raw) > 0 {
		c, size := utf8.DecodeRune(raw)
		raw = raw[size:]
		switch {
		case c == '\r' && len(raw) > 0 && raw[0] == '\n':
			continue
		case c == '\n', c == '\t':
		case !unicode.IsPrint(c): // what does not print, save the plain space
			c = utf8.RuneError
		}
		if out.Len()+utf8.RuneLen(c) > limit {
			break
		}
		out.WriteRune(c)
	}
	return out.String()
}

// dialError marks what happened before there was a connection.
type dialError struct{ err error }

func (e *dialError) Error() string { return e.err.Error() }
func (e *dialError) Unwrap() error { return e.err }

// classify names a failed round trip. Our own ending context comes first: it
// makes every other error uncertain.
func classify(err error, parent context.Context, p *progress) Class {
	if parent.Err() != nil {
		return ClassCanceled
	}
	for _, local := range []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM} {
		if errors.Is(err, local) {
			return ClassLocal
		}
	}
	var dial *dialError
	var dns *net.DNSError
	switch {
	case errors.Is(err, ErrRefusedAddress):
		return ClassRefused
	case errors.As(err, &dns):
		if dns.IsNotFound {
			return ClassDNS
		}
		return ClassDNSOurs
	case errors.As(err, &dial):
		return ClassConnect
	case p.handshakeFailed.Load() && !p.connected.Load():
		return ClassTLS
	case !p.connected.Load():
		return ClassConnect
	case isTimeout(err):
		return ClassTimeout
	case isReset(err):
		return ClassReset
	}
	return ClassBadResponse
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout()
}

func isReset(err error) bool {
	for _, end := range []error{io.EOF, io.ErrUnexpectedEOF, net.ErrClosed, syscall.ECONNRESET, syscall.EPIPE, syscall.ECONNABORTED} {
		if errors.Is(err, end) {
			return true
		}
	}
	return false
}
