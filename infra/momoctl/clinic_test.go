package main

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"momoproxy/infra/standin"
	"momoproxy/infra/standin/core"
	mtnstand "momoproxy/infra/standin/mtn"
	"momoproxy/shared/host"
	"momoproxy/shared/ledger"
	tablesqlite "momoproxy/shared/table/sqlite"
)

// clinic is a healthy system on one machine whose accounts are the stand-ins',
// by the names that the providers have on the internet. A test makes it ill.
type clinic struct {
	t       *testing.T
	dir     string
	env     map[string]string
	account mtnstand.Account // at MTN; provisioned when doctor runs
	mtn     *mtnstand.Standin
	others  map[string]standin.Standin // by host
	health  int                        // what /health answers
	unknown string                     // a host that has no DNS record
	off     time.Duration              // of this machine's clock
	issuer  string
	keys    certificateKey
	names   []string
	ends    time.Time
}

const (
	clinicHost = "momopay.example.com"
	oldHost    = "proxy.momoapi.mtn.com"
	newHost    = "momoapi.momo.africa"
	testHost   = "sandbox.momodeveloper.mtn.com"
)

type certificateKey struct{ ca, leaf crypto.Signer }

var rsaKeys = sync.OnceValue(func() certificateKey {
	ca, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	leaf, _ := rsa.GenerateKey(rand.Reader, 2048)
	return certificateKey{ca, leaf}
})

func newClinic(t *testing.T) *clinic {
	t.Helper()
	c := &clinic{t: t, dir: t.TempDir(), env: map[string]string{"PUBLIC_BASE_URL": "https://" + clinicHost}, others: map[string]standin.Standin{},
		health: http.StatusOK, issuer: "Amazon RSA 2048 M02", keys: rsaKeys(), names: []string{clinicHost, oldHost, newHost, testHost}, ends: time.Now().AddDate(0, 3, 0)}
	c.at(oldHost, "mtnswaziland")
	for file, key := range map[string][]byte{localSealingKey: bytes.Repeat([]byte{7}, 32), localPayerKey: bytes.Repeat([]byte{8}, 32)} {
		if err := os.WriteFile(filepath.Join(c.dir, file), []byte(base64.StdEncoding.EncodeToString(key)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c.change(func(*ledger.Ledger) error { return nil })
	return c
}

// at makes the account of a platform.
func (c *clinic) at(platform, environment string) {
	user := "3f2a1b0c-4d5e-4f60-8a7b-9c0d1e2f3a4b"
	if platform == newHost {
		user = "c3lzdGVtLWNyZWRlbnRpYWw="
	}
	c.mtn = mtnstand.New(mtnstand.Options{NewPlatform: platform == newHost})
	c.t.Cleanup(c.mtn.Close)
	c.account = mtnstand.Account{APIUser: user, APIKey: "key", SubscriptionKey: "subscription", TargetEnvironment: environment, CallbackHost: clinicHost}
	for name, value := range map[string]string{"MTN_BASE_URL": "https://" + platform, "MTN_TARGET_ENV": environment, "MTN_API_USER": user,
		"MTN_API_KEY": "key", "MTN_SUBSCRIPTION_KEY": "subscription"} {
		c.env[name] = value
	}
}

// with adds the account of another provider.
func (c *clinic) with(name, address string) {
	kind, _ := standin.Named(name)
	s, err := kind.Start(core.Options{}, "https://"+clinicHost)
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(s.Close)
	c.others[address], c.names = s, append(c.names, address)
	for name, value := range s.Variables("https://" + address) {
		c.env[name] = value
	}
}

func (c *clinic) rule(r core.Rule) {
	if err := c.mtn.AddRule(r); err != nil {
		c.t.Fatal(err)
	}
}

// change writes into the store.
func (c *clinic) change(f func(*ledger.Ledger) error) {
	c.t.Helper()
	table, err := tablesqlite.Open(filepath.Join(c.dir, localDatabase))
	if err != nil {
		c.t.Fatal(err)
	}
	if err := f(ledger.New(table, nil, ledger.Options{HashPayer: strings.ToUpper})); err != nil {
		c.t.Fatal(err)
	}
	if err := table.Close(); err != nil {
		c.t.Fatal(err)
	}
}

// serve is all of the internet that doctor sees.
func (c *clinic) serve() network {
	if _, err := c.mtn.Provision(c.account); err != nil {
		c.t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if other := c.others[r.Host]; other != nil {
			other.Handler().ServeHTTP(w, r)
			return
		}
		if r.Host == clinicHost {
			w.WriteHeader(c.health)
			return
		}
		c.mtn.Handler().ServeHTTP(w, r)
	}))
	serial, begin := big.NewInt(1), time.Now().AddDate(0, -1, 0)
	ca := &x509.Certificate{SerialNumber: serial, Subject: pkix.Name{CommonName: c.issuer}, NotBefore: begin, NotAfter: c.ends, IsCA: true, BasicConstraintsValid: true}
	leaf := &x509.Certificate{SerialNumber: serial, DNSNames: c.names, NotBefore: begin, NotAfter: c.ends}
	der, err := x509.CreateCertificate(rand.Reader, leaf, ca, c.keys.leaf.Public(), c.keys.ca)
	if err != nil {
		c.t.Fatal(err)
	}
	root, err := x509.CreateCertificate(rand.Reader, ca, ca, c.keys.ca.Public(), c.keys.ca)
	if err != nil {
		c.t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(root)
	if err != nil {
		c.t.Fatal(err)
	}
	s.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: c.keys.leaf}}}
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // of handshakes that are to fail
	s.StartTLS()
	c.t.Cleanup(s.Close)
	n := network{roots: x509.NewCertPool(), dial: func(ctx context.Context, _, address string) (net.Conn, error) {
		if name, _, _ := net.SplitHostPort(address); name == c.unknown {
			return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
		}
		return (&net.Dialer{}).DialContext(ctx, "tcp", s.Listener.Addr().String())
	}}
	n.roots.AddCert(parsed)
	return n
}

// run runs doctor.
func (c *clinic) run(args ...string) outcome {
	c.t.Helper()
	var out, errs bytes.Buffer
	p := program{
		in: strings.NewReader(""), out: &out, err: &errs, now: func() time.Time { return time.Now().Add(c.off) }, sleep: host.Machine().Sleep, random: rand.Reader,
		getenv: func(name string) string { return c.env[name] }, operator: "thandi", open: openStore, network: c.serve(),
	}
	code := p.run(c.t.Context(), append([]string{"doctor", "--data", c.dir}, args...))
	return outcome{code, out.String(), errs.String()}
}
