package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"momoproxy/shared/provider"
)

// network is how doctor reaches public addresses; a test has its own.
type network struct {
	dial  func(ctx context.Context, network, address string) (net.Conn, error) // nil: the machine's
	roots *x509.CertPool                                                       // nil: the machine's
}

// publicTimeout bounds a look at an address: a token may take 20 seconds.
const publicTimeout = 30 * time.Second

// client follows no redirect and knows no proxy.
func (n network) client() *http.Client {
	return &http.Client{
		Transport:     &http.Transport{DialContext: n.dial, TLSClientConfig: &tls.Config{RootCAs: n.roots}, DisableKeepAlives: true},
		Timeout:       publicTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// look makes one request to an address.
func (n network) look(ctx context.Context, address string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	res, err := n.client().Do(req)
	if err == nil {
		_ = res.Body.Close() // its head says all
	}
	return res, err
}

// renewBefore is how long before its end a certificate should have been
// renewed.
const renewBefore = 14 * 24 * time.Hour

// publicAddress: providers call back by name, over https, on the usual port.
func publicAddress(ctx context.Context, p *patient) []provider.Finding {
	f := provider.Finding{Check: "public_address", State: provider.Fault}
	base := p.parts.Config.PublicBaseURL
	u, err := url.Parse(base)
	if base == "" || err != nil || u.Host == "" {
		f.Found, f.Next = "there is none", "Set PUBLIC_BASE_URL (of a stack: the parameter PublicBaseUrl) to where providers reach this API."
		return []provider.Finding{f}
	}
	p.CallbackHost = u.Hostname()
	addr, notAddress := netip.ParseAddr(u.Hostname())
	switch {
	case u.Hostname() == "localhost" || notAddress == nil && addr.IsLoopback():
		f.State, f.Found, f.Next = provider.Doubt, base+" is this machine: only a stand-in can call back", "For a real provider give the public address."
		return []provider.Finding{f}
	case notAddress == nil:
		f.Found, f.Next = base+" is a bare address", "Providers refuse addresses as callback hosts. Use a name."
		return []provider.Finding{f}
	case u.Scheme != "https" || u.Port() != "" && u.Port() != "443":
		f.Found, f.Next = base+" is not https on port 443", "Put a web server with a certificate in front (docs/deploy-one-machine.md), or use API Gateway's address."
		return []provider.Finding{f}
	}
	res, err := p.network.look(ctx, base+"/health")
	if err != nil {
		f.Found, f.Next = whyUnreachable(err)
		return []provider.Finding{f}
	}
	p.Certificate = res.TLS.PeerCertificates[0]
	switch left := p.Certificate.NotAfter.Sub(p.now()); {
	case res.StatusCode == http.StatusServiceUnavailable:
		f.Found, f.Next = base+"/health answers 503", "Table or queue do not answer, or the reconciler is silent: see momoctl status and its log."
	case res.StatusCode != http.StatusOK:
		f.Found, f.Next = fmt.Sprintf("%s/health answers %d", base, res.StatusCode), "Something else answers there. Does the name lead to this API, and is the path passed on unchanged?"
	case left < renewBefore:
		f.State, f.Found = provider.Doubt, fmt.Sprintf("the certificate of %s ends in %s", u.Host, ago(left))
		f.Next = "Renew it, and run doctor again: a renewal may bring another issuer."
	default:
		f.State, f.Found = provider.Fine, base+"/health answers 200"
	}
	return []provider.Finding{f}
}

func whyUnreachable(err error) (found, next string) {
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns):
		return "its name is not found: " + dns.Name, "Set its DNS record, and wait until it is known."
	case errors.As(err, &unknown):
		return "its certificate is by an authority that nobody knows, or an intermediate is missing", "Serve the whole chain of a public authority."
	case errors.As(err, &name):
		return "its certificate is for another name", "Get one for the callback host."
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "its certificate has expired", "Renew it. Until then no provider calls back."
	}
	var in *url.Error
	if errors.As(err, &in) {
		err = in.Err
	}
	return "it does not answer: " + err.Error(), "Is the service up, and does the firewall let port 443 in?"
}

// What a clock may be off.
const (
	clockDoubt = 30 * time.Second
	clockFault = 5 * time.Minute // what a webhook's signature allows
)

// clockOf compares this machine's clock with a provider's. AWS keeps a
// function's.
func (p *patient) clockOf(ctx context.Context, adapter provider.Provider) []provider.Finding {
	if p.stack != nil {
		return nil
	}
	f := provider.Finding{Check: "clock", State: provider.Unknown, Found: "the provider does not say what time it is", Next: "It is compared once the provider answers."}
	res, err := p.network.look(ctx, adapter.Capabilities().BaseURL)
	if err != nil {
		return []provider.Finding{f}
	}
	theirs, err := http.ParseTime(res.Header.Get("Date"))
	if err != nil {
		return []provider.Finding{f}
	}
	off := p.now().Sub(theirs).Abs().Round(10 * time.Second) // theirs has whole seconds
	f.State, f.Found, f.Next = provider.Fine, "it agrees with the provider's", ""
	if off > clockDoubt {
		f.State, f.Found, f.Next = provider.Doubt, "it is "+off.String()+" off the provider's", "Let it follow a time server: timedatectl set-ntp true."
	}
	if off > clockFault {
		f.State = provider.Fault
	}
	return []provider.Finding{f}
}
