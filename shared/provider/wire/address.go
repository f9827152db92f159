package wire

import (
	"net/netip"
	"net/url"
)

// BadBaseURL says what is wrong with the root of a provider's API, as the end
// of a sentence; empty: nothing. It is https; plain says whether http will do
// for a loopback address.
func BadBaseURL(base string, plain bool) string {
	if base == "" {
		return "is missing"
	}
	u, err := url.Parse(base)
	switch {
	case err != nil || u.Host == "" || u.Opaque != "" || u.Hostname() == "":
		return "is not an absolute URL"
	case u.User != nil:
		return "must not hold credentials"
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return "must not have a query or a fragment"
	case u.Scheme == "https":
		return ""
	case u.Scheme == "http" && plain && loopback(u.Hostname()):
		return ""
	}
	return "must be https (http is for a loopback address in a test environment only)"
}

func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}

// VisibleASCII says whether s can stand in a header as it is: not empty, no
// space, no control character, nothing outside ASCII.
func VisibleASCII(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return s != ""
}
