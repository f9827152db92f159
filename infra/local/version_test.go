package main

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"momoproxy"
)

// A running system shows which release it is: at /health and
// at each stand-in.
func TestVersionIsShown(t *testing.T) {
	t.Parallel()
	s := up(t, nil)
	code, body := call(t, "GET", s.gatewayURL+"/health", "")
	if code != 200 || !bytes.Contains(body, []byte(`"version":"`+momoproxy.Version+`"`)) {
		t.Errorf("%d %s", code, body)
	}
	for _, p := range s.providers {
		resp, err := http.Get(p.url)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if got := resp.Header.Get("Server"); got != "momo-proxy-standin/"+momoproxy.Version {
			t.Errorf("%s: Server %q", p.name, got)
		}
	}
}

// The first line comes before anything is opened, and says what this is.
func TestGreeting(t *testing.T) {
	t.Parallel()
	for _, live := range []bool{false, true} {
		var out strings.Builder
		greet(options{live: live, data: "folder"}, &out)
		if got := out.String(); !strings.HasPrefix(got, "MoMo Proxy "+momoproxy.Version+" ") || strings.Contains(got, "REAL MONEY") != live || !strings.Contains(got, "docs/") {
			t.Errorf("live %t: %s", live, got)
		}
	}
}
