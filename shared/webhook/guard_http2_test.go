package webhook_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/binary"
	"io"
	"math/big"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"momoproxy/shared/webhook"
)

// certificate makes one for 127.0.0.1 that signs itself and is valid from a
// time on, for a day.
func certificate(t *testing.T, from time.Time) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: from, NotAfter: from.Add(24 * time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

// rawTLS is a server that hands the test a connection after its handshake.
func rawTLS(t *testing.T, from time.Time, protocol string, serve func(net.Conn)) (target string, pool *x509.CertPool) {
	t.Helper()
	cert, pool := certificate(t, from)
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{protocol}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = conn.Close() }()
				if conn.(*tls.Conn).Handshake() == nil {
					serve(conn)
				}
			}()
		}
	}()
	return "https://" + listener.Addr().String() + "/cb", pool
}

func TestCertificatesOfOtherDays(t *testing.T) {
	t.Parallel()
	for name, from := range map[string]time.Time{
		"expired":       time.Now().Add(-48 * time.Hour),
		"not yet valid": time.Now().Add(24 * time.Hour),
	} {
		target, pool := rawTLS(t, from, "http/1.1", func(net.Conn) { t.Errorf("%s: it was trusted", name) })
		if result := post(t, webhook.Options{Rules: local, RootCAs: pool}, target); result.Class != webhook.ClassTLS {
			t.Errorf("%s: class %q, %v", name, result.Class, result.Err)
		}
	}
}

// Frame types of HTTP/2 (RFC 9113, section 6).
const (
	frameData, frameHeaders, frameReset, frameSettings       = 0, 1, 3, 4
	framePing, frameGoAway, frameWindow, frameContinued      = 6, 7, 8, 9
	flagEndStream, flagEndHeaders                       byte = 1, 4
)

func frame(kind, flags byte, stream uint32, payload ...byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(payload))<<8|uint32(kind))
	b = binary.BigEndian.AppendUint32(append(b, flags), stream)
	return append(b, payload...)
}

// readRequest reads what a client says until it has asked for something.
func readRequest(c net.Conn) {
	const preface = 24
	if _, err := io.CopyN(io.Discard, c, preface); err != nil {
		return
	}
	for {
		var head [9]byte
		if _, err := io.ReadFull(c, head[:]); err != nil {
			return
		}
		length := binary.BigEndian.Uint32(head[:]) >> 8
		if _, err := io.CopyN(io.Discard, c, int64(length)); err != nil || head[3] == frameHeaders {
			return
		}
	}
}

// Servers that speak HTTP/2 badly get no more of us than those that speak
// HTTP/1.1 so: each call ends in time, and it is their fault.
func TestHostileHTTP2(t *testing.T) {
	t.Parallel()
	settings := frame(frameSettings, 0, 0)
	ok := []byte{0x88} // :status 200, by its place in HPACK's table
	say := func(frames ...[]byte) func(net.Conn) {
		return func(c net.Conn) {
			_, _ = c.Write(settings)
			readRequest(c)
			for _, f := range frames {
				_, _ = c.Write(f)
			}
			_, _ = io.Copy(io.Discard, c)
		}
	}
	forever := func(first, again []byte) func(net.Conn) {
		return func(c net.Conn) {
			_, _ = c.Write(settings)
			readRequest(c) // frames of a stream that is not open yet end the connection
			go func() { _, _ = io.Copy(io.Discard, c) }()
			_, _ = c.Write(first)
			for {
				if _, err := c.Write(again); err != nil {
					return
				}
			}
		}
	}
	for name, tc := range map[string]struct {
		serve func(net.Conn)
		code  int
		class webhook.Class
		or    webhook.Class // also right; empty: none
	}{
		"never answers":              {func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }, 0, webhook.ClassTimeout, ""},
		"settings and no more":       {say(), 0, webhook.ClassTimeout, ""},
		"speaks HTTP/1.1":            {func(c net.Conn) { _, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\n"); _, _ = io.Copy(io.Discard, c) }, 0, webhook.ClassBadResponse, ""},
		"leaves after the request":   {func(c net.Conn) { _, _ = c.Write(settings); readRequest(c) }, 0, webhook.ClassReset, ""},
		"leaves after the handshake": {func(net.Conn) {}, 0, webhook.ClassReset, webhook.ClassBadResponse}, // net/http has no error to match if it ends before the request
		"a frame too large":          {say([]byte{0xff, 0xff, 0xff, frameData, 0, 0, 0, 0, 1}), 0, webhook.ClassBadResponse, ""},
		"a head without a status":    {say(frame(frameHeaders, flagEndHeaders|flagEndStream, 1)), 0, webhook.ClassBadResponse, ""},
		"a head that is no HPACK":    {say(frame(frameHeaders, flagEndHeaders|flagEndStream, 1, 0xff, 0xff, 0xff, 0xff, 0xff)), 0, webhook.ClassBadResponse, ""},
		"a body before its head":     {say(frame(frameData, flagEndStream, 1, 'x')), 0, webhook.ClassBadResponse, ""},
		"an answer nobody asked for": {say(frame(frameHeaders, flagEndHeaders|flagEndStream, 77, ok...)), 0, webhook.ClassTimeout, ""},
		"resets the stream":          {say(frame(frameReset, 0, 1, 0, 0, 0, 1)), 0, webhook.ClassBadResponse, ""},
		"goes away":                  {say(frame(frameGoAway, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2)), 0, webhook.ClassTimeout, ""}, // it may still answer
		"goes away without us":       {say(frame(frameGoAway, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)), 0, webhook.ClassBadResponse, ""},
		"refuses the stream":         {say(frame(frameReset, 0, 1, 0, 0, 0, 7)), 0, webhook.ClassBadResponse, ""},
		"no window to send in":       {say(frame(frameWindow, 0, 0, 0, 0, 0, 0)), 0, webhook.ClassBadResponse, ""},
		"pings for ever":             {forever(nil, frame(framePing, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8)), 0, webhook.ClassTimeout, ""},
		"never ends its head":        {forever(frame(frameHeaders, 0, 1, ok...), frame(frameContinued, 0, 1)), 0, webhook.ClassTimeout, ""},
		"a head and no body":         {say(frame(frameHeaders, flagEndHeaders, 1, ok...)), 200, webhook.ClassNone, ""},
		"resets after the head":      {say(frame(frameHeaders, flagEndHeaders, 1, ok...), frame(frameReset, 0, 1, 0, 0, 0, 2)), 200, webhook.ClassNone, ""},
		"never ends its body":        {forever(frame(frameHeaders, flagEndHeaders, 1, ok...), frame(frameData, 0, 1, make([]byte, 1000)...)), 200, webhook.ClassNone, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var connections atomic.Int32
			target, pool := rawTLS(t, time.Now().Add(-time.Hour), "h2", func(c net.Conn) { connections.Add(1); tc.serve(c) })
			timeout := 2 * quick
			if (tc.class == webhook.ClassBadResponse || tc.class == webhook.ClassReset) && tc.or == "" {
				timeout = webhook.Timeout // what must end such a call is the server
			}
			result := post(t, webhook.Options{Rules: local, RootCAs: pool, Timeout: timeout}, target)
			if result.Code != tc.code || result.Class != tc.class && (tc.or == "" || result.Class != tc.or) || result.Class.Ours() || len(result.Excerpt) > webhook.MaxExcerptBytes {
				t.Errorf("code %d, class %q, %d bytes of excerpt (%v); want %d, %q", result.Code, result.Class, len(result.Excerpt), result.Err, tc.code, tc.class)
			}
			if n := connections.Load(); n != 1 {
				t.Errorf("%d connections: one attempt is one request", n)
			}
		})
	}
}
