package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"momoproxy/shared/webhook"
)

// beside runs a command that goes on until the test ends, and returns what it
// prints, line by line.
func beside(t *testing.T, args ...string) (lines *bufio.Scanner, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	in, out := io.Pipe()
	var errs bytes.Buffer
	p := program{
		in: strings.NewReader(""), out: out, err: &errs, now: time.Now, getenv: unset, operator: "thandi", open: openStore,
	}
	ended := make(chan int, 1)
	go func() {
		ended <- p.run(ctx, args)
		out.Close()
	}()
	stop = func() {
		cancel()
		if code := <-ended; code != exitOK {
			t.Errorf("%v: exit %d, %s", args, code, errs.String())
		}
		ended <- exitOK
	}
	t.Cleanup(stop)
	return bufio.NewScanner(in), stop
}

func line(t *testing.T, lines *bufio.Scanner, start string) string {
	t.Helper()
	for lines.Scan() {
		if rest, ok := strings.CutPrefix(lines.Text(), start); ok {
			return rest
		}
	}
	t.Fatalf("no line begins with %q", start)
	return ""
}

// A developer's app gets what trigger starts by way of listen, verifies it
// with the printed secret, and the callback URL is then what it was.
func TestListenAndTrigger(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	startLocal(t, dir)
	type received struct {
		header http.Header
		body   []byte
	}
	got := make(chan received, 10)
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got <- received{r.Header, body}
		w.WriteHeader(http.StatusAccepted)
	}))
	defer app.Close()
	callbackURL := func() string {
		var v clientView
		if err := json.Unmarshal([]byte(real(t, "client", "show", "cli_demo", "--json", "--data", dir).out), &v); err != nil {
			t.Fatal(err)
		}
		return v.CallbackURL
	}
	before := callbackURL()
	lines, stop := beside(t, "listen", "--forward-to", app.URL+"/hook", "--data", dir)
	secret, _, _ := strings.Cut(line(t, lines, "Signing secret "), " ")
	if callbackURL() == before {
		t.Fatal("the callback URL is still that of the demo app")
	}
	// The running system may know the old URL for ten seconds.
	var c received
	eventually(t, "a callback", func() bool {
		o := real(t, "trigger", "payment.failed", "--data", dir)
		if o.code != exitOK || !strings.Contains(o.out, "The payer declines in a second.") {
			t.Fatalf("%+v", o)
		}
		select {
		case c = <-got:
			return true
		case <-time.After(2 * time.Second):
			return false
		}
	})
	key, err := webhook.ParseSecret(secret)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := webhook.Verify(c.header, c.body, time.Now(), webhook.Tolerance, key); err != nil {
		t.Errorf("%v: %v", err, c.header)
	}
	if err := webhook.VerifyLegacy(c.header, c.body, "APP_CHANGE_THIS"); err != nil {
		t.Error(err)
	}
	if !strings.Contains(string(c.body), `"event":"payment.failed"`) {
		t.Errorf("%s", c.body)
	}
	go func() {
		for lines.Scan() { // what it prints of each
		}
	}()
	stop()
	if after := callbackURL(); after != before {
		t.Errorf("the callback URL is %s, it was %s", after, before)
	}
}

func TestPlayRefusals(t *testing.T) {
	t.Parallel()
	dir, live := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(live, localLive), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		args []string
		code int
		says string
	}{
		"nothing runs":         {[]string{"trigger", "payment.failed", "--data", dir}, exitFailed, "no running system"},
		"trigger with a stack": {[]string{"trigger", "payment.failed", "--stack", "momo-proxy"}, exitUsage, "local system"},
		"trigger, real money":  {[]string{"trigger", "payment.failed", "--data", live}, exitRefused, "real payments"},
		"listen, real money":   {[]string{"listen", "--forward-to", "http://localhost:3000/", "--data", live}, exitRefused, "real payments"},
		"listen with a stack":  {[]string{"listen", "--forward-to", "http://localhost:3000/", "--stack", "momo-proxy"}, exitUsage, "local system"},
		"listen to nowhere":    {[]string{"listen", "--data", dir}, exitUsage, "--forward-to"},
		"listen to no URL":     {[]string{"listen", "--forward-to", "3000", "--data", dir}, exitUsage, "must be a URL"},
		"console for all":      {[]string{"console", "--listen", "0.0.0.0:0", "--data", dir}, exitFailed, ""},
	} {
		if o := real(t, c.args...); o.code != c.code || !strings.Contains(o.err, c.says) {
			t.Errorf("%s: %+v", name, o)
		}
	}
}

// The console of momoctl asks for the key that it prints, and works on the
// folder of a running system.
func TestConsole(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	startLocal(t, dir)
	eventually(t, "a trigger", func() bool { return real(t, "trigger", "payment.successful", "--data", dir).code == exitOK })
	lines, _ := beside(t, "console", "--listen", "127.0.0.1:0", "--data", dir)
	address := line(t, lines, "Console on ")
	base, _, _ := strings.Cut(address, "?")
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Jar: jar}
	read := func(url string) (int, string) {
		resp, err := client.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body)
		return resp.StatusCode, string(body)
	}
	if code, _ := read(base + "api/overview"); code != http.StatusForbidden {
		t.Errorf("without a key: %d", code)
	}
	if code, _ := read(address); code != http.StatusOK {
		t.Errorf("with the key: %d", code)
	}
	if code, text := read(base + "api/overview"); code != http.StatusOK || !strings.Contains(text, `"order":"TRIGGER-`) {
		t.Errorf("%d %s", code, text)
	}
	if code, text := read(base + "api/about"); code != http.StatusOK || !strings.Contains(text, `"actions":true`) || !strings.Contains(text, `"local":false`) {
		t.Errorf("%d %s", code, text)
	}
}
