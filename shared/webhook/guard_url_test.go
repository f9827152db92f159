package webhook_test

import (
	"context"
	"errors"
	"io"
	"log"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"momoproxy/shared/webhook"
)

var quiet = log.New(io.Discard, "", 0)

func TestCheckURL(t *testing.T) {
	t.Parallel()
	long := "https://app.example.com/" + strings.Repeat("a", webhook.MaxURLLength-len("https://app.example.com/"))
	for target, want := range map[string]string{
		"https://app.example.com":                              "",
		"https://app.example.com/":                             "",
		"HTTPS://App.Example.COM:443/Cb?order=1&x=":            "",
		"https://xn--caf-dma.example.com/cb":                   "",
		"https://my_app.example.com/cb":                        "",
		"https://9gag.com/1":                                   "",
		"https://8.8.8.8/cb":                                   "",
		"https://[2606:4700:4700::1111]/cb":                    "",
		"https://localhost.example.com/":                       "",
		"https://app.example.com/@x:y":                         "",
		long:                                                   "",
		long + "a":                                             "longer than 512",
		"":                                                     "empty",
		"app.example.com/cb":                                   "absolute",
		"//app.example.com/cb":                                 "absolute",
		"/cb":                                                  "absolute",
		"https:app.example.com":                                "absolute",
		"https:///cb":                                          "absolute",
		"ftp://app.example.com/":                               "absolute",
		"javascript:alert(1)":                                  "absolute",
		"file:///etc/passwd":                                   "absolute",
		"http://app.example.com/":                              "https",
		"http://localhost:3000/cb":                             "https",
		"https://user@app.example.com/":                        "user name",
		"https://user:pw@app.example.com/":                     "user name",
		"https://@app.example.com/":                            "user name",
		"https://app.example.com/#top":                         "fragment",
		"https://app.example.com/#":                            "fragment",
		"https://app.example.com:8443/":                        "port 8443",
		"https://app.example.com:80/":                          "port 80",
		"https://app.example.com:0/":                           "not a number",
		"https://app.example.com:65536/":                       "not a number",
		"https://app.example.com:0443/":                        "not a number",
		"https://app.example.com:/":                            "colon",
		"https://app.example.com:x/":                           "cannot be read",
		"https://caf\u00e9.example.com/":                       "ASCII",
		"https://app.example.com/a b":                          "ASCII",
		"https://app.example.com\\@evil.com/":                  "ASCII",
		"https://app.example.com/\r\nX: y":                     "ASCII",
		"https://app.example.com/\x00":                         "ASCII",
		"https://localhost/":                                   ".localhost",
		"https://LOCALHOST/":                                   ".localhost",
		"https://app.localhost/":                               ".localhost",
		"https://printer.local/":                               ".local",
		"https://metadata.google.internal/":                    ".internal",
		"https://router.home.arpa/":                            ".arpa",
		"https://app.test/":                                    ".test",
		"https://x.onion/":                                     ".onion",
		"https://intranet/":                                    ".intranet",
		"https://app/":                                         "full public name",
		"https://app.example.com./":                            "empty part",
		"https://app..example.com/":                            "empty part",
		"https://.example.com/":                                "empty part",
		"https://-app.example.com/":                            "hyphen",
		"https://app-.example.com/":                            "hyphen",
		"https://ab--cd.example.com/":                          "",
		"https://r3---sn-abc.example.com/cb":                   "",
		"https://a*b.example.com/":                             "letters, digits",
		"https://" + strings.Repeat("a", 64) + ".example.com/": "longer than 63",
		"https://" + strings.Repeat("a.", 127) + "com/":        "longer than 253",
		"https://127.0.0.1/":                                   "public address",
		"https://10.1.2.3/":                                    "public address",
		"https://169.254.169.254/latest/meta-data":             "public address",
		"https://[::1]/":                                       "public address",
		"https://[::ffff:10.0.0.1]/":                           "public address",
		"https://[64:ff9b::a00:1]/":                            "public address",
		"https://[fe80::1%25eth0]/":                            "public address",
		"https://127.1/":                                       "unusual notation",
		"https://0x7f.0.0.1/":                                  "unusual notation",
		"https://0x7f000001/":                                  "unusual notation",
		"https://2130706433/":                                  "unusual notation",
		"https://010.0.0.1/":                                   "unusual notation",
		"https://1.2.3.4.5/":                                   "unusual notation",
		"https://example.com.0x7f/":                            "unusual notation",
		"https://%31%32%37.0.0.1/":                             "cannot be read",
		"https://app.example.com%00.evil.com/":                 "cannot be read",
	} {
		err := webhook.CheckURL(target, webhook.Rules{})
		switch {
		case want == "" && err != nil:
			t.Errorf("%q: %v", target, err)
		case want != "" && (err == nil || !errors.Is(err, webhook.ErrURL) || !strings.Contains(err.Error(), want)):
			t.Errorf("%q: %v, want %q", target, err, want)
		case err != nil && (!strings.HasSuffix(err.Error(), ".") || strings.Contains(err.Error(), "evil")):
			t.Errorf("%q: not a sentence of ours: %v", target, err)
		}
	}
}

func TestCheckURLRules(t *testing.T) {
	t.Parallel()
	loopback, port := webhook.Rules{AllowLoopback: true}, webhook.Rules{Ports: []uint16{8443}}
	for _, tc := range []struct {
		rules  webhook.Rules
		target string
		ok     bool
	}{
		{port, "https://app.example.com:8443/", true},
		{port, "https://app.example.com/", true},
		{port, "https://app.example.com:9443/", false},
		{port, "http://app.example.com:8443/", false},
		{port, "https://localhost:8443/", false},
		{loopback, "http://localhost:3000/cb", true},
		{loopback, "http://app.localhost/cb", true},
		{loopback, "http://127.0.0.1:8080/cb", true},
		{loopback, "http://[::1]:8080/cb", true},
		{loopback, "https://localhost:3000/cb", true},
		{loopback, "https://app.example.com/cb", true},
		{loopback, "http://app.example.com/cb", false},
		{loopback, "https://app.example.com:3000/cb", false},
		{loopback, "http://10.0.0.1/cb", false},
		{loopback, "http://169.254.169.254/", false},
		{loopback, "http://user@localhost/", false},
		{loopback, "http://localhost.evil.com/", false},
		{loopback, "http://printer.local/", false},
		{loopback, "http://[::1%25lo]/", false},
	} {
		if err := webhook.CheckURL(tc.target, tc.rules); (err == nil) != tc.ok {
			t.Errorf("%+v %s: %v", tc.rules, tc.target, err)
		}
	}
}

// Whatever is taken is an https URL with a host and nothing that could change
// hands on the way; whatever the client then connects to is public.
func FuzzCheckURL(f *testing.F) {
	for _, seed := range []string{
		"https://app.example.com/cb", "https://[::ffff:10.0.0.1]:443/", "https://a@b.com", "http://localhost", "https://0x7f.1/",
		"https://xn--a.com:443/?#", "https://%6c%6f%63%61%6c%68%6f%73%74/", "https://1.1.1.1:443", "https://[64:ff9b::1]/",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, target string) {
		err := webhook.CheckURL(target, webhook.Rules{})
		if err != nil {
			if !errors.Is(err, webhook.ErrURL) {
				t.Fatalf("%q: %v is no ErrURL", target, err)
			}
			return
		}
		u, err := url.Parse(target)
		if err != nil || u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.Fragment != "" || len(target) > 512 {
			t.Fatalf("%q was taken", target)
		}
		if port := u.Port(); port != "" && port != "443" {
			t.Fatalf("%q was taken with port %s", target, port)
		}
		zone := newZone()
		zone.set(strings.ToLower(u.Hostname())+".", netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("fd00::1"))
		client := webhook.NewStoppedClient(webhook.Options{Resolver: zone.resolver()}, func(addr netip.AddrPort) error {
			if !webhook.Public(addr.Addr()) || addr.Port() != 443 {
				t.Errorf("%q led to %s", target, addr)
			}
			return errStopped
		})
		result := client.Post(context.Background(), target, nil, nil)
		if result.Class != webhook.ClassRefused && !errors.Is(result.Err, errStopped) {
			t.Fatalf("%q: class %q, %v", target, result.Class, result.Err)
		}
	})
}
