package wire_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"syscall"
	"testing"

	"momoproxy/shared/provider/wire"
)

func TestClassify(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err  error
		want string
	}{
		{nil, ""},
		{context.Canceled, "canceled"},
		{&net.DNSError{Err: "no such host", IsNotFound: true}, "dns"},
		{&net.OpError{Op: "dial", Err: &net.DNSError{IsTimeout: true}}, "dns"},
		{&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}, "dial"},
		{&net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded}, "dial"},
		{&net.OpError{Op: "read", Err: os.ErrDeadlineExceeded}, "timeout"},
		{context.DeadlineExceeded, "timeout"},
		{&net.OpError{Op: "read", Err: os.NewSyscallError("read", syscall.ECONNRESET)}, "reset"},
		{&net.OpError{Op: "write", Err: os.NewSyscallError("write", syscall.EPIPE)}, "reset"},
		{tls.RecordHeaderError{Msg: "first record does not look like a TLS handshake"}, "tls"},
		{&net.OpError{Op: "remote error", Err: tls.AlertError(42)}, "tls"},
		{&tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}, "tls"},
		{x509.HostnameError{Host: "x", Certificate: &x509.Certificate{}}, "tls"},
		{io.EOF, "eof"},
		{io.ErrUnexpectedEOF, "eof"},
		{errors.New("something else"), "transport"},
	} {
		if got := wire.Classify(c.err); got != c.want {
			t.Errorf("%v: %q, want %q", c.err, got, c.want)
		}
		if c.err == nil {
			continue
		}
		// As http.Client returns it.
		if got := wire.Classify(&url.Error{Op: "Post", URL: "https://x", Err: fmt.Errorf("wrapped: %w", c.err)}); got != c.want {
			t.Errorf("wrapped %v: %q, want %q", c.err, got, c.want)
		}
	}
}
