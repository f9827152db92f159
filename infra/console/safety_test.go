package console

import (
	"io/fs"
	"net/http"
	"strings"
	"testing"
)

// Nothing that another site can make this machine's browser send is answered.
func TestGuard(t *testing.T) {
	bubble(t, nil, func(t *testing.T, d *desk) {
		reference := d.pay("ORDER-1", "success")
		act := "/api/payments/" + reference + "/reveal"
		for name, c := range map[string]struct {
			method, path string
			headers      []string
			want         int
		}{
			"own page":                      {"GET", "/api/overview", nil, 200},
			"own page, named localhost":     {"GET", "/", []string{"Host", "localhost:8081"}, 200},
			"own page, IPv6":                {"GET", "/", []string{"Host", "[::1]:8081"}, 200},
			"own origin":                    {"GET", "/api/overview", []string{"Origin", "http://127.0.0.1:8088"}, 200},
			"a name that leads here":        {"GET", "/api/overview", []string{"Host", "evil.example.com"}, 403},
			"a name that leads here, port":  {"GET", "/", []string{"Host", "evil.example.com:8081"}, 403},
			"a name with ours in it":        {"GET", "/", []string{"Host", "127.0.0.1.evil.example.com"}, 403},
			"an address of the network":     {"GET", "/", []string{"Host", "192.168.1.7:8081"}, 403},
			"no host":                       {"GET", "/", []string{"Host", ""}, 403},
			"another site":                  {"GET", "/api/overview", []string{"Origin", "https://evil.example.com"}, 403},
			"another port":                  {"GET", "/api/overview", []string{"Origin", "http://127.0.0.1:3000"}, 403},
			"the null origin":               {"GET", "/api/overview", []string{"Origin", "null"}, 403},
			"another site's image":          {"GET", "/api/overview", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "no-cors"}, 403},
			"action":                        {"POST", act, nil, 200},
			"action without a token":        {"POST", act, []string{TokenHeader, ""}, 403},
			"action with a wrong token":     {"POST", act, []string{TokenHeader, "guess"}, 403},
			"action of another site":        {"POST", act, []string{"Origin", "https://evil.example.com"}, 403},
			"action under another name":     {"POST", act, []string{"Host", "evil.example.com:8081"}, 403},
			"another method":                {"DELETE", act, nil, 405},
			"another method, without token": {"DELETE", act, []string{TokenHeader, ""}, 403},
			"no such page":                  {"GET", "/page/../console.go", nil, 307},
		} {
			w := d.send(c.method, c.path, "", c.headers...)
			if w.Code != c.want {
				t.Errorf("%s: %d %s, want %d", name, w.Code, w.Body, c.want)
			}
			if w.Header().Get("Content-Security-Policy") != policy || w.Header().Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("%s: headers %v", name, w.Header())
			}
			if w.Header().Get("Access-Control-Allow-Origin") != "" {
				t.Errorf("%s: other sites may read it", name)
			}
		}
		trail := d.Trail(reference)
		shown := 0
		for _, a := range trail {
			if a.URL == "console/show-number" {
				shown++
			}
		}
		if shown != 1 {
			t.Errorf("%d records of a shown number, want 1", shown)
		}
	})
}

// With a key nothing is answered before it was given, and it does not stay in
// the address.
func TestKey(t *testing.T) {
	bubble(t, func(o *Options) { o.Key = "the-key" }, func(t *testing.T, d *desk) {
		for _, path := range []string{"/", "/?key=guess", "/api/overview", "/api/stream?view=overview", "/page/app.js"} {
			if w := d.send("GET", path, ""); w.Code != http.StatusForbidden || strings.Contains(w.Body.String(), d.token) {
				t.Errorf("%s without a key: %d %s", path, w.Code, w.Body)
			}
		}
		w := d.send("GET", "/?key=the-key", "")
		cookies := w.Result().Cookies()
		if len(cookies) != 1 || !cookies[0].HttpOnly || cookies[0].SameSite != http.SameSiteStrictMode || w.Header().Get("Refresh") != "0; url=/" {
			t.Fatalf("%v", w.Header())
		}
		if strings.Contains(cookies[0].Value, "the-key") {
			t.Error("the cookie is the key")
		}
		for _, path := range []string{"/", "/api/overview", "/page/app.js"} {
			if w := d.send("GET", path, "", "Cookie", cookies[0].String()); w.Code != http.StatusOK {
				t.Errorf("%s with the cookie: %d", path, w.Code)
			}
		}
	})
}

// What is embedded is small, and neither runs nor loads anything that the
// policy would have to allow.
func TestPage(t *testing.T) {
	total := 0
	err := fs.WalkDir(embedded, "page", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := fs.ReadFile(embedded, path)
		total += len(text)
		for _, bad := range []string{"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", " style=\"", " onclick=\"", "https://", "@import", "url("} {
			if strings.Contains(string(text), bad) && !strings.Contains(path, ".svg") {
				t.Errorf("%s has %s", path, bad)
			}
		}
		return err
	})
	if err != nil || total == 0 {
		t.Fatal(err)
	}
	if t.Logf("%d bytes", total); total >= 150_000 {
		t.Errorf("%d bytes are embedded, 150,000 are too many", total)
	}
}

func TestListen(t *testing.T) {
	for _, address := range []string{"0.0.0.0:0", ":0", "192.168.1.7:0", "example.com:0", "nonsense"} {
		if l, err := Listen(address); err == nil {
			l.Close()
			t.Errorf("it listens on %s", address)
		}
	}
	l, err := Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
}

// A console that is read-only changes nothing.
func TestReadOnly(t *testing.T) {
	bubble(t, func(o *Options) { o.Actions = false }, func(t *testing.T, d *desk) {
		reference := d.pay("ORDER-1", "pending_forever")
		for path, body := range map[string]string{
			"payments/" + reference + "/check":               "",
			"payments/" + reference + "/settle":              `{"status":"SUCCESSFUL","reason":"seen"}`,
			"payments/" + reference + "/deliveries/1/resend": "",
			"endpoint":       `{"app":"cli_shop","endpoint":"https://shop.example.com:443"}`,
			"app":            `{"app":"cli_shop"}`,
			"account":        `{"account":"mtn","percent":1}`,
			"accounts/check": "",
			"local/pay":      `{}`,
		} {
			if code, answer := d.post(path, body); code != http.StatusConflict || !strings.Contains(answer, "read-only") {
				t.Errorf("%s: %d %s", path, code, answer)
			}
		}
		if code, _ := d.post("payments/"+reference+"/reveal", ""); code != http.StatusOK {
			t.Errorf("a number cannot be asked for: %d", code)
		}
	})
}
