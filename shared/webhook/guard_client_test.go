package webhook_test

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"momoproxy/shared/webhook"
)

var local = webhook.Rules{AllowLoopback: true}

// quick gives up fast enough for a test, and late enough for a busy machine.
const quick = 2 * time.Second

func post(t *testing.T, o webhook.Options, target string) webhook.Result {
	t.Helper()
	client := webhook.NewClient(o)
	defer client.CloseIdle()
	result := client.Post(context.Background(), target, nil, []byte("{}"))
	if (result.Code == 0) == (result.Class == webhook.ClassNone) {
		t.Errorf("code %d with class %q", result.Code, result.Class)
	}
	if result.Duration > time.Minute { // it hangs; a busy machine is only slow
		t.Errorf("took %s", result.Duration)
	}
	return result
}

// raw is a server that hands the test a bare connection whose request head
// and two-byte body have been read.
func raw(t *testing.T, serve func(conn net.Conn)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
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
				reader := bufio.NewReader(conn)
				for line := "x"; line != "\r\n"; {
					if line, err = reader.ReadString('\n'); err != nil {
						return
					}
				}
				if _, err := reader.Discard(2); err == nil {
					serve(conn)
				}
			}()
		}
	}()
	return "http://" + listener.Addr().String() + "/cb"
}

func TestPostSendsExactlyWhatItIsGiven(t *testing.T) {
	t.Parallel()
	body := "{\"a\": \"\u00e9\"}\n"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got, _ := io.ReadAll(r.Body)
		want := map[string]string{
			"method": "POST", "path": "/cb", "query": "x=1&y=%2F", "body": body, "Webhook-Id": "evt_1",
			"Content-Type": "application/json", "User-Agent": "MoMo-Proxy/1", "Accept-Encoding": "", "Authorization": "", "Cookie": "",
		}
		have := map[string]string{"method": r.Method, "path": r.URL.Path, "query": r.URL.RawQuery, "body": string(got)}
		for name := range want {
			if name[0] <= 'Z' {
				have[name] = r.Header.Get(name)
			}
		}
		if diff := cmp.Diff(want, have); diff != "" {
			t.Errorf("request (-want +got):\n%s", diff)
		}
		w.Header().Set("Retry-After", "120")
		w.Header().Set("Webhook-Delivery", "Abort-Message")
		w.Header().Set("Set-Cookie", "a=b")
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = io.WriteString(w, "busy\x1b[31m\r\nline\xff\u202e two\x00")
	}))
	defer server.Close()
	client := webhook.NewClient(webhook.Options{Rules: local})
	header := http.Header{"webhook-id": {"evt_1"}}
	for range 2 {
		got := client.Post(context.Background(), server.URL+"/cb?x=1&y=%2F", header, []byte(body))
		if got.Started.IsZero() || got.Duration <= 0 {
			t.Errorf("started %v, took %s", got.Started, got.Duration)
		}
		got.Started, got.Duration = time.Time{}, 0
		want := webhook.Result{Code: 503, RetryAfter: "120", Control: "abort-message", Excerpt: "busy\ufffd[31m\nline\ufffd\ufffd two\ufffd"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("result (-want +got):\n%s", diff)
		}
	}
	if len(header) != 1 || header.Get("Content-Type") != "" {
		t.Errorf("the caller's header changed: %v", header)
	}
}

func TestRedirectsAreAnswers(t *testing.T) {
	t.Parallel()
	var calls atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		http.Redirect(w, r, "http://169.254.169.254/latest/meta-data?token=1", http.StatusTemporaryRedirect)
	}))
	defer server.Close()
	result := post(t, webhook.Options{Rules: local}, server.URL)
	if result.Code != 307 || result.Location != "http://169.254.169.254/latest/meta-data" || calls.Load() != 1 {
		t.Errorf("code %d, location %q, %d calls", result.Code, result.Location, calls.Load())
	}
}

func TestTheEnvironmentsProxyIsIgnored(t *testing.T) {
	proxy := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the proxy was asked") }))
	defer proxy.Close()
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"} {
		t.Setenv(name, proxy.URL)
	}
	var seen approvals
	zone := newZone()
	zone.set("hook.example.com.", netip.MustParseAddr("1.1.1.1"))
	client := webhook.NewStoppedClient(webhook.Options{Resolver: zone.resolver(), Rules: local}, seen.stop)
	client.Post(context.Background(), "https://hook.example.com/", nil, nil)
	if diff := cmp.Diff([]string{"1.1.1.1:443"}, seen.addrs); diff != "" {
		t.Errorf("connections (-want +got):\n%s", diff)
	}
}

func TestHostileServers(t *testing.T) {
	t.Parallel()
	const head = "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"
	forever := func(conn net.Conn, piece string) {
		for {
			if _, err := io.WriteString(conn, piece); err != nil {
				return
			}
		}
	}
	// wait holds the connection open until the client leaves.
	wait := func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }
	for _, tc := range []struct {
		name  string
		serve func(net.Conn)
		code  int
		class webhook.Class
		body  int // bytes of excerpt
	}{
		{"never answers", wait, 0, webhook.ClassTimeout, 0},
		{"answers half a head", func(c net.Conn) { _, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nX: "); wait(c) }, 0, webhook.ClassTimeout, 0},
		{"answers a head and stops", func(c net.Conn) { _, _ = io.WriteString(c, head); wait(c) }, 200, "", 0},
		{"drips", func(c net.Conn) {
			_, _ = io.WriteString(c, head+"a")
			_, _ = io.WriteString(c, "b")
			wait(c)
		}, 200, "", 2},
		{"never ends its body", func(c net.Conn) { _, _ = io.WriteString(c, head); forever(c, strings.Repeat("x", 1000)) }, 200, "", 4096},
		{"never ends its body, in chunks", func(c net.Conn) {
			_, _ = io.WriteString(c, "HTTP/1.1 500 Oops\r\nTransfer-Encoding: chunked\r\n\r\n")
			forever(c, "4\r\nabcd\r\n")
		}, 500, "", 4096},
		{"never ends its head", func(c net.Conn) { _, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\n"); forever(c, "X-Header: y\r\n") }, 0, webhook.ClassBadResponse, 0},
		{"never ends one header", func(c net.Conn) {
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nX: ")
			forever(c, strings.Repeat("x", 1000))
		}, 0, webhook.ClassBadResponse, 0},
		{"never ends its early hints", func(c net.Conn) { forever(c, "HTTP/1.1 103 Early Hints\r\nX: y\r\n\r\n") }, 0, webhook.ClassBadResponse, 0},
		{"closes early", func(net.Conn) {}, 0, webhook.ClassReset, 0},
		{"resets", func(c net.Conn) { _ = c.(*net.TCPConn).SetLinger(0) }, 0, webhook.ClassReset, 0},
		{"cuts its head", func(c net.Conn) { _, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nX: y\r\n") }, 0, webhook.ClassReset, 0},
		{"cuts its body", func(c net.Conn) { _, _ = io.WriteString(c, head+"abc") }, 200, "", 3},
		{"talks garbage", func(c net.Conn) { _, _ = io.WriteString(c, "220 mail.example.com ESMTP\r\n\r\n") }, 0, webhook.ClassBadResponse, 0},
		{"talks garbage in a header", func(c net.Conn) { _, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nno colon\r\n\r\n") }, 0, webhook.ClassBadResponse, 0},
		{"switches protocols", func(c net.Conn) {
			_, _ = io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\nabc")
			wait(c)
		}, 101, "", 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			timeout := quick
			if tc.body == webhook.MaxExcerptBytes || tc.class == webhook.ClassBadResponse || tc.class == webhook.ClassReset {
				timeout = webhook.Timeout // what must end such a call is the size or the server
			}
			result := post(t, webhook.Options{Rules: local, Timeout: timeout}, raw(t, tc.serve))
			if result.Code != tc.code || result.Class != tc.class || len(result.Excerpt) != tc.body {
				t.Errorf("code %d, class %q, %d bytes of excerpt (%v); want %d, %q, %d",
					result.Code, result.Class, len(result.Excerpt), result.Err, tc.code, tc.class, tc.body)
			}
		})
	}
}

func TestNothingListens(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = listener.Close()
	if result := post(t, webhook.Options{Rules: local}, "http://"+listener.Addr().String()); result.Class != webhook.ClassConnect {
		t.Errorf("class %q, %v", result.Class, result.Err)
	}
}

func TestTLS(t *testing.T) {
	t.Parallel()
	answer := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = fmt.Fprintf(w, "HTTP/%d", r.ProtoMajor) })
	start := func(configure func(*httptest.Server)) (*httptest.Server, *x509.CertPool) {
		server := httptest.NewUnstartedServer(answer)
		server.Config.ErrorLog = quiet
		configure(server)
		server.StartTLS()
		t.Cleanup(server.Close)
		pool := x509.NewCertPool()
		pool.AddCert(server.Certificate())
		return server, pool
	}
	good, pool := start(func(*httptest.Server) {})
	two, poolTwo := start(func(s *httptest.Server) { s.EnableHTTP2 = true })
	dated, poolDated := start(func(s *httptest.Server) {
		s.TLS = &tls.Config{MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10}
	})
	old, poolOld := start(func(s *httptest.Server) {
		s.TLS = &tls.Config{Certificates: []tls.Certificate{expiredCertificate(t)}}
	})
	plain := httptest.NewServer(answer)
	defer plain.Close()
	silent := "https://" + strings.TrimPrefix(silentListener(t), "http://")

	for _, tc := range []struct {
		name   string
		target string
		pool   *x509.CertPool
		class  webhook.Class
		body   string
		fault  webhook.TLSFault
	}{
		{"trusted certificate", good.URL, pool, "", "HTTP/1", ""},
		{"HTTP/2", two.URL, poolTwo, "", "HTTP/2", ""},
		{"unknown authority", good.URL, nil, webhook.ClassTLS, "", webhook.TLSUnknownAuthority},
		{"another name's certificate", strings.Replace(good.URL, "127.0.0.1", "localhost", 1), pool, webhook.ClassTLS, "", webhook.TLSWrongName},
		{"TLS 1.1", dated.URL, poolDated, webhook.ClassTLS, "", webhook.TLSVersion},
		{"plain HTTP on the port", strings.Replace(plain.URL, "http", "https", 1), pool, webhook.ClassTLS, "", webhook.TLSNotTLS},
		{"expired certificate", old.URL, poolOld, webhook.ClassTLS, "", webhook.TLSExpired},
		{"no handshake", silent, pool, webhook.ClassTLS, "", webhook.TLSTimeout},
	} {
		timeout := webhook.Timeout
		if tc.target == silent {
			timeout = quick
		}
		result := post(t, webhook.Options{Rules: local, RootCAs: tc.pool, Timeout: timeout}, tc.target)
		if result.Class != tc.class || result.Excerpt != tc.body || result.TLSFault != tc.fault {
			t.Errorf("%s: class %q, fault %q, body %q (%v)", tc.name, result.Class, result.TLSFault, result.Excerpt, result.Err)
		}
	}
}

// expiredCertificate is its own authority, for 127.0.0.1.
func expiredCertificate(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1, 0),
		IsCA: true, BasicConstraintsValid: true, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// silentListener accepts and says nothing.
func silentListener(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
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
			go func() { _, _ = io.Copy(io.Discard, conn); _ = conn.Close() }()
		}
	}()
	return "http://" + listener.Addr().String()
}

func TestOurOwnEndingIsNotTheAppsFault(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	client := webhook.NewClient(webhook.Options{Rules: local})
	target := raw(t, func(conn net.Conn) { cancel(); _, _ = io.Copy(io.Discard, conn) })
	if result := client.Post(ctx, target, nil, []byte("{}")); result.Class != webhook.ClassCanceled {
		t.Errorf("class %q, %v", result.Class, result.Err)
	}
	if result := client.Post(ctx, target, nil, []byte("{}")); result.Class != webhook.ClassCanceled {
		t.Errorf("before the start: class %q, %v", result.Class, result.Err)
	}
}

func TestLoopbackNeedsToBeAllowed(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	if result := post(t, webhook.Options{Rules: local}, server.URL); result.Code != 200 {
		t.Errorf("allowed: class %q, %v", result.Class, result.Err)
	}
	if result := post(t, webhook.Options{}, server.URL); result.Class != webhook.ClassURL {
		t.Errorf("not allowed: class %q, %v", result.Class, result.Err)
	}
	// A public name that leads to this machine is no way around.
	zone := newZone()
	zone.set("hook.example.com.", netip.MustParseAddr("127.0.0.1"))
	port := uint16(netip.MustParseAddrPort(server.Listener.Addr().String()).Port())
	o := webhook.Options{Resolver: zone.resolver(), Rules: webhook.Rules{Ports: []uint16{port}}}
	if result := post(t, o, fmt.Sprintf("https://hook.example.com:%d/", port)); result.Class != webhook.ClassRefused {
		t.Errorf("by name: class %q, %v", result.Class, result.Err)
	}
}

func FuzzClean(f *testing.F) {
	f.Add([]byte("ok\r\n\x1b\xff"), 10)
	f.Fuzz(func(t *testing.T, in []byte, limit int) {
		if limit < 0 {
			return
		}
		out := webhook.Clean(in, limit)
		if len(out) > limit || !utf8.ValidString(out) || strings.ContainsAny(out, "\x00\x07\x1b\r\u202e\u2028\ufeff") {
			t.Fatalf("Clean(%q, %d) = %q", in, limit, out)
		}
	})
}
