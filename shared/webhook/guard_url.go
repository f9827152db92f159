package webhook

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// MaxURLLength bounds a callback URL, in bytes; the contract's own limit.
const MaxURLLength = 512

// ErrURL is the identity of every fault CheckURL finds.
var ErrURL = errors.New("URL not usable for callbacks")

// Rules say where callbacks may go. The zero value is right for production:
// https, port 443, public addresses.
type Rules struct {
	// Ports are allowed besides 443. Anything on a public address that
	// listens elsewhere is more likely to be an admin page or a database
	// than an app's callback, so the list is empty unless an operator adds
	// to it (8443 is the usual wish).
	Ports []uint16
	// AllowLoopback lets loopback addresses through, on any port and over
	// http too. For development on one machine only.
	AllowLoopback bool
}

func (r Rules) allowsPort(port uint16) bool {
	return port == 443 || slices.Contains(r.Ports, port)
}

// urlFault is a sentence for the developer who sent the URL.
type urlFault string

func (f urlFault) Error() string        { return string(f) }
func (f urlFault) Is(target error) bool { return target == ErrURL }

// CheckURL says what is wrong with a URL that an app gives for its callbacks,
// without asking DNS. It serves to tell a developer early; what protects the
// system is the guard, which judges the address of each connection. The
// error is a sentence to show as it is, and wraps ErrURL.
func CheckURL(raw string, rules Rules) error {
	_, err := parseURL(raw, rules)
	return err
}

func parseURL(raw string, rules Rules) (*url.URL, error) {
	if raw == "" {
		return nil, urlFault("The URL is empty.")
	}
	if len(raw) > MaxURLLength {
		return nil, urlFault(fmt.Sprintf("The URL is longer than %d characters.", MaxURLLength))
	}
	for _, c := range []byte(raw) {
		if c <= ' ' || c > '~' || c == '\\' {
			return nil, urlFault("The URL may hold only printable ASCII without spaces and backslashes; write a host with other letters in its xn-- form and percent-encode the rest.")
		}
	}
	if strings.Contains(raw, "#") {
		return nil, urlFault("The URL must not have a fragment (#…): it would never be sent.")
	}
	u, err := url.Parse(raw)
	if err != nil {
		return nil, urlFault("The URL cannot be read.")
	}
	if u.Scheme != "https" && u.Scheme != "http" || u.Opaque != "" || u.Host == "" {
		return nil, urlFault("The URL must be absolute and start with https:// and a host.")
	}
	if u.User != nil {
		return nil, urlFault("The URL must not hold a user name or password; check the callback's signature instead.")
	}
	host := strings.ToLower(u.Hostname())
	local := rules.AllowLoopback && loopbackName(host)
	if u.Scheme == "http" && !local {
		return nil, urlFault("The URL must use https.")
	}
	if err := checkPort(u, rules, local); err != nil {
		return nil, err
	}
	if local {
		return u, nil
	}
	if err := checkHost(host); err != nil {
		return nil, err
	}
	return u, nil
}

func checkPort(u *url.URL, rules Rules, local bool) error {
	text := u.Port()
	if text == "" {
		if strings.HasSuffix(u.Host, ":") {
			return urlFault("The URL has a colon but no port after its host.")
		}
		return nil
	}
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil || port == 0 || text[0] == '0' {
		return urlFault("The URL's port is not a number from 1 to 65535.")
	}
	if local || rules.allowsPort(uint16(port)) {
		return nil
	}
	allowed := []string{"443"}
	for _, p := range rules.Ports {
		allowed = append(allowed, strconv.Itoa(int(p)))
	}
	return urlFault(fmt.Sprintf("The URL's port %d is not allowed; callbacks go to port %s.", port, strings.Join(allowed, " or ")))
}

// privateSuffixes never resolve to the same host for everybody: RFC 6761,
// 6762, 7686, 8375, 9476, ICANN's .internal, and names in common private use
// that ICANN will not delegate. ".example" is left to DNS: documentation
// needs a name that can be typed.
var privateSuffixes = []string{
	"localhost", "local", "localdomain", "internal", "intranet", "private", "corp", "home", "lan",
	"test", "invalid", "onion", "alt", "arpa",
}

// checkHost takes a lower-case host without brackets.
func checkHost(host string) error {
	if addr, err := netip.ParseAddr(host); err == nil {
		if !Public(addr) {
			return urlFault("The URL's host must be a public address.")
		}
		return nil
	}
	if strings.ContainsAny(host, ":%[]") {
		return urlFault("The URL's host is not an address.")
	}
	if len(host) > 253 {
		return urlFault("The URL's host name is longer than 253 characters.")
	}
	labels := strings.Split(host, ".")
	for _, label := range labels {
		if err := checkLabel(label); err != nil {
			return err
		}
	}
	last := labels[len(labels)-1]
	if endsInNumber(last) {
		// "127.1", "0x7f.1" and "2130706433" are addresses to some resolvers.
		return urlFault("The URL's host looks like an address in an unusual notation; write a host name, or four decimal numbers.")
	}
	if slices.Contains(privateSuffixes, last) {
		return urlFault(fmt.Sprintf("The URL's host ends in .%s, which does not exist on the public internet.", last))
	}
	if len(labels) < 2 {
		return urlFault("The URL's host must be a full public name, such as app.example.com.")
	}
	return nil
}

func checkLabel(label string) error {
	switch {
	case label == "":
		return urlFault("The URL's host name has an empty part (two dots in a row, or a dot at an end).")
	case len(label) > 63:
		return urlFault("The URL's host name has a part longer than 63 characters.")
	case label[0] == '-' || label[len(label)-1] == '-':
		return urlFault("No part of the URL's host name may start or end with a hyphen.")
	}
	for _, c := range []byte(label) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return urlFault("The URL's host name may hold only letters, digits, hyphens and dots; write other letters in xn-- form.")
		}
	}
	return nil
}

func endsInNumber(label string) bool {
	if hex, ok := strings.CutPrefix(label, "0x"); ok {
		return strings.Trim(hex, "0123456789abcdef") == ""
	}
	return strings.Trim(label, "0123456789") == ""
}

// loopbackName says whether host, in lower case, can only mean this machine.
func loopbackName(host string) bool {
	if addr, err := netip.ParseAddr(host); err == nil {
		return addr.Zone() == "" && addr.Unmap().IsLoopback()
	}
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}
