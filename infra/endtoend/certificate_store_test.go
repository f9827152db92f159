package endtoend

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// roots is how many authorities provided.al2023 trusts.
const roots = 143

// certificateStore is a folder that holds trusted authorities as the image of
// provided.al2023 does, and a certificate that the last of them has issued
// through an intermediate, as AWS's own are: RSA of 2,048 bits.
//
//	etc/pki/tls/certs/ca-bundle.crt -> ../../ca-trust/extracted/pem/tls-ca-bundle.pem
//	etc/ssl/certs/NAME.pem          one file for each authority, and two links HASH.0 to it
//
// Go reads the bundle and then every file of both folders:
// https://github.com/golang/go/issues/79018
type certificateStore struct {
	root   string
	server tls.Certificate
}

func newCertificateStore(t *testing.T) *certificateStore {
	t.Helper()
	s := &certificateStore{root: t.TempDir()}
	bundle, single := filepath.Join(s.root, "etc/pki/ca-trust/extracted/pem"), filepath.Join(s.root, "etc/ssl/certs")
	linked := filepath.Join(s.root, "etc/pki/tls/certs")
	for _, dir := range []string{bundle, single, linked} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	var all []byte
	for i := range roots {
		// Half of the real ones have a key of this kind, which is quicker made.
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.issue(t, authority(i), authority(i), &key.PublicKey, key)})
		if i == roots-1 {
			block = s.issueServer(t)
		}
		all = append(all, block...)
		name := fmt.Sprintf("Authority_%03d.pem", i)
		if err := os.WriteFile(filepath.Join(single, name), block, 0o644); err != nil {
			t.Fatal(err)
		}
		for link := range 2 {
			if err := os.Symlink(name, filepath.Join(single, fmt.Sprintf("%07x%d.0", i, link))); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := os.WriteFile(filepath.Join(bundle, "tls-ca-bundle.pem"), all, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("../../ca-trust/extracted/pem/tls-ca-bundle.pem", filepath.Join(linked, "ca-bundle.crt")); err != nil {
		t.Fatal(err)
	}
	return s
}

func authority(i int) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(int64(i) + 1), Subject: pkix.Name{Organization: []string{"Trust"}, CommonName: fmt.Sprint("Authority ", i)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
}

func (s *certificateStore) issue(t *testing.T, c, parent *x509.Certificate, public, signer any) []byte {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, c, parent, public, signer)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// issueServer makes root, intermediate and server certificate, and returns the
// root.
func (s *certificateStore) issueServer(t *testing.T) []byte {
	t.Helper()
	var keys [3]*rsa.PrivateKey
	for i := range keys {
		var err error
		if keys[i], err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
			t.Fatal(err)
		}
	}
	root, middle := authority(roots-1), authority(roots)
	server := &x509.Certificate{
		SerialNumber: big.NewInt(roots + 2), Subject: pkix.Name{CommonName: "localhost"},
		NotBefore: root.NotBefore, NotAfter: root.NotAfter, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	s.server = tls.Certificate{PrivateKey: keys[2], Certificate: [][]byte{
		s.issue(t, server, middle, &keys[2].PublicKey, keys[1]),
		s.issue(t, middle, root, &keys[1].PublicKey, keys[0]),
	}}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.issue(t, root, root, &keys[0].PublicKey, keys[0])})
}

// serve serves h over TLS and returns its address.
func (s *certificateStore) serve(t *testing.T, h http.Handler) string {
	t.Helper()
	server := httptest.NewUnstartedServer(h)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{s.server}}
	server.StartTLS()
	t.Cleanup(server.Close)
	return server.URL
}

// variables are those by which a function finds the store: the template's, and
// Go's own places where the template names none.
func (s *certificateStore) variables(template map[string]string) map[string]string {
	file, dirs := template["SSL_CERT_FILE"], template["SSL_CERT_DIR"]
	if file == "" {
		file = "/etc/pki/tls/certs/ca-bundle.crt"
	}
	if dirs == "" {
		dirs = "/etc/ssl/certs:" + s.root + "/etc/pki/tls/certs"
	}
	return map[string]string{"SSL_CERT_FILE": s.root + file, "SSL_CERT_DIR": s.root + dirs}
}
