package mtn

import (
	"context"
	"crypto/rsa"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
	"momoproxy/shared/provider/wire"
)

var _ provider.Examiner = (*Provider)(nil)

// The production platforms, each with credentials of its own, and the test
// environment (portal; the new platform observed 2026-09).
const (
	sandboxHost     = "sandbox.momodeveloper.mtn.com"
	oldPlatformHost = "proxy.momoapi.mtn.com"
	newPlatformHost = "momoapi.momo.africa"
)

// examination is one account under examination.
type examination struct {
	*Provider
	provider.Surroundings
	session session
}

// Examine implements provider.Examiner.
func (p *Provider) Examine(ctx context.Context, s provider.Surroundings) []provider.Finding {
	e := &examination{Provider: p, Surroundings: s, session: session{p: p}}
	found := []provider.Finding{e.environment(), e.apiUser(), e.certificate()}
	// Everything behind here needs a token, and doctor has said so if there is none.
	if _, err := p.tokens.get(ctx, &e.session.trail, bySchedule); err != nil {
		return found
	}
	return append(found, e.balance(ctx), e.accountHolder(ctx), e.callbackHost(ctx), e.address())
}

// environment: base URL and target environment belong together. An integrator's
// staging pointed at the live host by mistake (observed).
func (e *examination) environment() provider.Finding {
	f := provider.Finding{Check: "target_environment", State: provider.Fine,
		Found: fmt.Sprintf("X-Target-Environment %s, currency %s, at %s", e.cfg.TargetEnvironment, e.cfg.Currency, e.cfg.BaseURL)}
	u, _ := url.Parse(e.cfg.BaseURL) // Validate has read it
	switch host, production := u.Hostname(), e.cfg.Production(); {
	case production && host == sandboxHost:
		f.State, f.Next = provider.Fault, "MTN_TARGET_ENV is a country's and MTN_BASE_URL the sandbox's. Take the base URL that your agreement names."
	case !production && (host == oldPlatformHost || host == newPlatformHost):
		f.State, f.Next = provider.Fault, "MTN_BASE_URL is production's and MTN_TARGET_ENV is sandbox. Set the target environment that your agreement names."
	case production && host != oldPlatformHost && host != newPlatformHost:
		f.State, f.Next = provider.Doubt, "No integrator has named this host. Compare it with your agreement."
	}
	return f
}

// apiUser: its form tells which platform made it (observed 2026-09).
func (e *examination) apiUser() provider.Finding {
	f := provider.Finding{Check: "api_user", State: provider.Fine, Found: "MTN_API_USER is a UUID, as the old platform and the sandbox make them"}
	isUUID, u := payment.IsReference(e.cfg.APIUser), e.cfg.BaseURL
	if !isUUID {
		f.Found = "MTN_API_USER is no UUID, as the new platform makes them"
	}
	switch isNew := strings.HasSuffix(u, "//"+newPlatformHost); {
	case isNew && isUUID:
		f.State, f.Next = provider.Fault, "It was made on the old platform, and MTN_BASE_URL is the new one. Make system credentials in the Partner Portal."
	case !isNew && !isUUID && e.cfg.Production():
		f.State, f.Next = provider.Fault, "It was made on the new platform, or has a typing error. Take the old platform's API user, or set MTN_BASE_URL to https://"+newPlatformHost+"."
	case !isUUID && !isNew:
		f.State, f.Next = provider.Fault, "The sandbox's API user is the UUID that you chose as X-Reference-Id when you made it."
	}
	return f
}

// issuers are the intermediate authorities read on MTN's lists (portal of
// Rwanda, community post 271), by the beginning of their common names.
var issuers = []string{
	"Amazon RSA 2048 M01", "Amazon RSA 2048 M02", "Amazon RSA 2048 M03", "Server CA 1B",
	"Go Daddy Secure Certificate Authority - G2", "Sectigo RSA", "Sectigo ECC", "DigiCert", "GeoTrust", "RapidSSL", "Thawte", "GlobalSign",
	"ZeroSSL", "cPanel", "Gandi", "GTS CA 1C3", "GTS CA 1D4", "WE1", "WR3", "WR4", "Cloudflare Inc ECC CA-3",
	"Microsoft Azure TLS Issuing CA 03", "Microsoft Azure TLS Issuing CA 05", "Microsoft Azure TLS Issuing CA 07", "R3", "E1",
}

// certificate: MTN calls back only hosts whose issuer it knows, and a renewal
// may bring another.
func (e *examination) certificate() provider.Finding {
	f := provider.Finding{Check: "certificate_issuer", State: provider.Unknown, Found: "the callback host's certificate was not read",
		Next: "See public_address. Read it after each renewal: MTN calls back only hosts whose issuer it knows."}
	if e.Certificate == nil {
		return f
	}
	issuer := e.Certificate.Issuer.CommonName
	_, isRSA := e.Certificate.PublicKey.(*rsa.PublicKey)
	listed := slices.ContainsFunc(issuers, func(known string) bool {
		rest, ok := strings.CutPrefix(issuer, known)
		return ok && (rest == "" || rest[0] == ' ')
	})
	f.State, f.Next, f.Found = provider.Fine, "", fmt.Sprintf("issued by %s, key %s, until %s", issuer, e.Certificate.PublicKeyAlgorithm, e.Certificate.NotAfter.UTC().Format("2006-01-02"))
	switch {
	case !listed:
		f.State, f.Next = provider.Doubt, "It is not on the lists that were read. Callbacks may not come, and nobody tells you; reconciliation still finds the endings."
		f.Mail = fmt.Sprintf("Our callback host %s has a certificate by %s. Please confirm that this intermediate authority is in your key store, or add it.", e.CallbackHost, issuer)
	case !isRSA:
		f.State, f.Next = provider.Doubt, "Take a certificate with an RSA key: MTN's list has hardly any authority for others."
		f.Mail = fmt.Sprintf("Our callback host %s has a certificate by %s with an ECDSA key. Please confirm that you accept it.", e.CallbackHost, issuer)
	}
	return f
}

// ask makes one authorised question and judges what every question can meet.
// ok: it is answered by 200 and no web page.
func (e *examination) ask(ctx context.Context, check, path string) (r wire.Reply, f provider.Finding, ok bool) {
	r, err := e.session.send(ctx, wire.Call{Method: http.MethodGet, Path: path})
	code, message := errorBody(r)
	f = provider.Finding{Check: check, State: provider.Fault, Found: strings.Join(strings.Fields(fmt.Sprintf("MTN answers %d %s %s", r.Code, code, wire.Clean(message, 200))), " ")}
	switch {
	case r.Code == 0:
		f.Found, f.Next = "MTN does not answer ("+r.Class+")", "Try again. If it stays so, ask MTN whether your address is let in."
		if err != nil {
			f.Found = "MTN gave no token"
		}
	case wire.HTML(r.Body):
		f.Found = fmt.Sprintf("a web page comes instead of MTN's answer, HTTP %d", r.Code)
		f.Next = "A firewall before MTN refuses the request. Send the account manager the time and your outgoing address."
		f.Mail = fmt.Sprintf("Your firewall answers our request to %s with a web page (HTTP %d). Our outgoing address is %s. Please let it in.", e.cfg.BaseURL, r.Code, e.addressOrNone())
	case code == codeForbiddenIP || r.Code == http.StatusForbidden:
		f.Next = "MTN lets in listed addresses alone. Give yours: see outgoing_address."
		f.Mail = fmt.Sprintf("Please let in our outgoing address %s for Collections.", e.addressOrNone())
	case code == "NOT_ALLOWED_TARGET_ENVIRONMENT":
		f.Next = "The account does not belong to " + e.cfg.TargetEnvironment + ". Ask for the name of your target environment."
		f.Mail = "Which X-Target-Environment belongs to our Collections account? " + e.cfg.TargetEnvironment + " is refused with NOT_ALLOWED_TARGET_ENVIRONMENT."
	case code == "NOT_ALLOWED":
		f.Next = "The account may not do this yet. Somebody at MTN has to switch it on, and again after each change."
		f.Mail = fmt.Sprintf("Our API user is refused with NOT_ALLOWED when we ask for the %s. Please switch this on for our account.", strings.ReplaceAll(check, "_", " "))
	case r.Code == http.StatusUnauthorized:
		f.Next = "Is MTN_SUBSCRIPTION_KEY that of Collections, from this platform's portal?"
	case r.Code == http.StatusTooManyRequests:
		f.State, f.Next = provider.Doubt, "MTN's request limit is spent. Try again in a minute."
	case r.Code != http.StatusOK:
		f.Next = "Repeat it in an hour. If it stays so, send the account manager this answer."
	default:
		f.State, f.Found = provider.Fine, ""
		return r, f, true
	}
	return r, f, false
}

// unreadable is f when an answer is not what MTN documents.
func unreadable(f provider.Finding) provider.Finding {
	f.State, f.Found, f.Next = provider.Fault, "MTN's answer is unreadable", "Send the account manager the time of this question."
	return f
}

func (e *examination) addressOrNone() string {
	if e.Address == "" {
		return "<see outgoing_address>"
	}
	return e.Address
}

// balance is the cheapest question that shows whether this account may ask
// anything in this environment (portal: {"availableBalance","currency"}).
func (e *examination) balance(ctx context.Context) provider.Finding {
	r, f, ok := e.ask(ctx, "balance", "/collection/v1_0/account/balance")
	if !ok {
		return f
	}
	body, err := wire.ReadObject(r.Body)
	if err != nil {
		return unreadable(f)
	}
	currency, _ := body.Text("currency")
	f.Found = "the balance is answered, in " + currency
	if currency != e.cfg.Currency {
		f.State, f.Found = provider.Fault, fmt.Sprintf("the account's currency is %s, and %s is configured", currency, e.cfg.Currency)
		f.Next = "Every payment would be refused with INVALID_CURRENCY. Correct MTN_CURRENCY or MTN_TARGET_ENV."
	}
	return f
}

// accountHolder: what is neither MTN's yes nor its no is unknown.
func (e *examination) accountHolder(ctx context.Context) provider.Finding {
	const check = "account_holder"
	if e.Payer == "" {
		return provider.Finding{Check: check, State: provider.Unknown, Found: "not asked: no number was given", Next: "Repeat with --payer and a number of your own."}
	}
	r, f, ok := e.ask(ctx, check, accountHolderPath(e.Payer))
	if !ok {
		return f
	}
	switch readActive(r) {
	case provider.Active:
		f.Found = e.Payer.Masked() + " has an active wallet"
	case provider.Inactive:
		f.State, f.Found, f.Next = provider.Doubt, e.Payer.Masked()+" has no active wallet", "Give the number of a wallet that is active."
	default:
		f.State, f.Found, f.Next = provider.Doubt, "MTN's answer says neither true nor false", "Report it: the answer's form is not documented."
	}
	return f
}

// callbackHost can be read in the sandbox alone: in production the Partner
// Portal has it.
func (e *examination) callbackHost(ctx context.Context) provider.Finding {
	f := provider.Finding{Check: "registered_callback_host", State: provider.Unknown, Found: "production does not show the registered host",
		Next: fmt.Sprintf("In the Partner Portal the callback host must be exactly %s: no scheme, no port, no path.", e.CallbackHost),
		Mail: fmt.Sprintf("Please confirm that the callback host registered for our API user is %s.", e.CallbackHost)}
	switch {
	case e.CallbackHost == "":
		f.Found, f.Next, f.Mail = "there is no public address", "Set the public base URL first.", ""
		return f
	case e.cfg.Production():
		return f
	}
	r, f, ok := e.ask(ctx, "registered_callback_host", "/v1_0/apiuser/"+url.PathEscape(e.cfg.APIUser))
	if !ok {
		return f
	}
	body, err := wire.ReadObject(r.Body)
	if err != nil {
		return unreadable(f)
	}
	registered, _ := body.Text("providerCallbackHost")
	if host, _, err := net.SplitHostPort(registered); err == nil {
		registered = host
	}
	f.Found = "registered is " + registered
	if !strings.EqualFold(registered, e.CallbackHost) {
		f.State = provider.Fault
		f.Next = fmt.Sprintf("Every payment would be refused with INVALID_CALLBACK_URL_HOST. Make an API user with providerCallbackHost %s.", e.CallbackHost)
	}
	return f
}

// address: whether Collections needs a listed one is not confirmed.
func (e *examination) address() provider.Finding {
	f := provider.Finding{Check: "address_list", State: provider.Unknown, Found: "MTN answers; whether it lets every address in is not confirmed"}
	if !e.cfg.Production() {
		f.State, f.Found = provider.Fine, "the sandbox takes every address"
		return f
	}
	f.Next = "Ask. An Eswatini integrator works without a fixed address."
	f.Mail = "Does Collections need our outgoing address on a list? We have none that is fixed."
	if e.Fixed {
		f.Mail = fmt.Sprintf("Does Collections need our outgoing address on a list? It is %s, and fixed.", e.Address)
	}
	return f
}
