package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"time"
)

// machine is what a container calls this machine.
const machine = "host.docker.internal"

// authority is where a container finds the certificate; the binary's folder
// is mounted there.
const authority = "/var/task/authority.pem"

// certificate makes one for this run: the functions speak to a provider over
// TLS only, unless it is on their own machine, which a container's is not.
func certificate() (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{CommonName: "sam local"}, DNSNames: []string{machine},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(24 * time.Hour), BasicConstraintsValid: true, IsCA: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, err
}

// trust puts the certificate beside every built binary.
func trust(c tls.Certificate, built string) error {
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Certificate[0]})
	folders, err := filepath.Glob(filepath.Join(built, "*", "bootstrap"))
	if err != nil {
		return err
	}
	for _, bootstrap := range folders {
		if err := os.WriteFile(filepath.Join(filepath.Dir(bootstrap), filepath.Base(authority)), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}
