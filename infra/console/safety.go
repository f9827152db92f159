package console

import (
	"crypto/rand"
	"crypto/subtle"
	"net"
	"net/http"
	"strings"
)

// policy lets the page load what is embedded here and nothing else, and lets
// no text become markup.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

func setPolicy(h http.Header) {
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
}

const (
	cookieName = "momo-console"
	// TokenHeader carries the token that guards actions.
	TokenHeader = "X-Console-Token"
	// answered: the guard has written the answer itself.
	answered = "answered"
)

// guard says why a request is refused; empty: it is not. A page of another
// site can make this machine's browser send requests here: its Origin gives
// it away, and under a name of its own that leads here its Host does.
func (c *Console) guard(w http.ResponseWriter, r *http.Request) string {
	if !loopbackHost(r.Host) {
		return "This console answers on this machine only: open it as 127.0.0.1 or localhost."
	}
	if origin := r.Header.Get("Origin"); origin != "" && origin != "http://"+r.Host {
		return "This request came from another site."
	}
	if site := r.Header.Get("Sec-Fetch-Site"); site == "cross-site" && r.Header.Get("Sec-Fetch-Mode") != "navigate" {
		return "This request came from another site."
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead && !same(r.Header.Get(TokenHeader), c.token) {
		return "The page is out of date: load it anew."
	}
	if c.Key == "" {
		return ""
	}
	if r.Method == http.MethodGet && r.URL.Path == "/" && same(r.URL.Query().Get("key"), c.Key) {
		http.SetCookie(w, &http.Cookie{Name: cookieName, Value: c.session, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode})
		// The key leaves the address, and so the history of the browser. A
		// cookie this strict is not sent along a redirect that another page or
		// program began, so the page itself goes on.
		w.Header().Set("Refresh", "0; url=/")
		w.WriteHeader(http.StatusOK)
		return answered
	}
	if cookie, err := r.Cookie(cookieName); err == nil && same(cookie.Value, c.session) {
		return ""
	}
	return "Open the console by the address that the terminal printed: it has the key."
}

// loopbackHost says whether a Host header names this machine, with or without
// a port.
func loopbackHost(host string) bool {
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = strings.Trim(host, "[]")
	}
	if strings.EqualFold(name, "localhost") {
		return true
	}
	ip := net.ParseIP(name)
	return ip != nil && ip.IsLoopback()
}

func same(got, want string) bool {
	return subtle.ConstantTimeCompare([]byte(got), []byte(want)) == 1
}

func newToken() string { return rand.Text() }

// NewKey makes a key for Options.Key.
func NewKey() string { return rand.Text() }

// Listen opens a console's listener, on this machine alone.
func Listen(address string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	if !loopbackHost(host) {
		return nil, refusal("the console listens on this machine alone: " + host + " must be 127.0.0.1, ::1 or localhost")
	}
	return net.Listen("tcp", address)
}
