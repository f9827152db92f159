package ledger_test

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"momoproxy/infra/cloud"
	mtnstand "momoproxy/infra/standin/mtn"
	"momoproxy/infra/testbed"
	"momoproxy/shared/httpapi"
	"momoproxy/shared/ledger"
	"momoproxy/shared/table"
	"momoproxy/shared/table/sqlite"
	"momoproxy/shared/webhook"
)

// spellings are the forms in which a secret could stand somewhere.
func spellings(secret string) []string {
	plain := strings.TrimPrefix(secret, "whsec_")
	all := []string{plain, hex.EncodeToString([]byte(plain)), strings.ToUpper(hex.EncodeToString([]byte(plain)))}
	for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		for shift := range 3 { // as part of a longer text, at each place it can begin
			encoded := encoding.EncodeToString([]byte(strings.Repeat("x", shift) + plain))
			all = append(all, encoded[4:len(encoded)-2])
		}
	}
	if raw, err := base64.StdEncoding.DecodeString(plain); err == nil && len(raw) >= 24 {
		all = append(all, string(raw), hex.EncodeToString(raw))
	}
	return all
}

// shows says which secret a text shows, if one.
func shows(text string, secrets map[string]string) string {
	for secret, what := range secrets {
		for _, s := range spellings(secret) {
			if strings.Contains(text, s) {
				return what
			}
		}
	}
	return ""
}

// The life of a client and its payments, with rotations of both kinds, what
// fails on the way and what is asked afterwards: no key and no secret is
// readable in the files of the database, in the log, in an answer, in an error
// or in anything printed.
func TestRotatedKeysAreNeverReadable(t *testing.T) {
	t.Parallel()
	secrets := map[string]string{testbed.ShopKey: "the first key", testbed.ShopSecret: "the first secret", testbed.OtherKey: "the other app's key", testbed.OtherSecret: "the other app's secret"}
	fresh := func(what string) string {
		key := ledger.NewAPIKey(rand.Reader)
		secrets[key] = what
		return key
	}
	freshSecret := func(what string) string {
		s, err := webhook.NewSecret(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		secrets[s.Reveal()] = what
		return s.Reveal()
	}
	keys := []string{testbed.ShopKey, fresh("the second key"), fresh("the third key"), fresh("a key that was refused")}
	signing := []string{testbed.ShopSecret, freshSecret("the second secret"), freshSecret("the third secret"), freshSecret("a secret that was refused")}

	var stored []table.Record
	var mu sync.Mutex // of said: providers call the API beside the test
	var said []string
	say := func(text ...string) {
		mu.Lock()
		defer mu.Unlock()
		said = append(said, text...)
	}
	var log string
	synctest.Test(t, func(t *testing.T) {
		w := testbed.New(t, testbed.Options{Observe: func(_ httpapi.Request, resp httpapi.Response) {
			say(fmt.Sprint(resp.Body, resp.Headers))
		}})
		tell := func(err error) {
			if err == nil {
				t.Error("this was to fail")
			}
			say(fmt.Sprintf("%v %+v %#v %q", err, err, err, err))
		}
		shop := w.Shop
		now := time.Now()
		for i := 1; i <= 2; i++ {
			w.App.Add(testbed.ShopURL, keys[i-1], signing[i-1])
			w.Pay(testbed.Order(fmt.Sprint("ORDER-", i), mtnstand.Payer(mtnstand.ScriptSuccess)), "x-proxy-api-key", keys[i-1])
			w.Pass(time.Minute)
			var err error
			if shop, err = w.Ledger.Rotate(t.Context(), shop, ledger.Rotation{Of: ledger.APIKey, Fresh: keys[i], Now: now, Until: now.Add(time.Hour)}); err != nil {
				t.Fatal(err)
			}
			if shop, err = w.Ledger.Rotate(t.Context(), shop, ledger.Rotation{Of: ledger.SigningSecret, Fresh: signing[i], Now: now, Until: now.Add(time.Hour)}); err != nil {
				t.Fatal(err)
			}
			r := cloud.Request("GET /payments")
			r.Headers["x-proxy-api-key"] = keys[i]
			w.Call(t.Context(), r)
			r.RawQueryString = "cursor=" + keys[i]
			w.Call(t.Context(), r)
		}
		// What is refused tells nothing of what it was given.
		_, err := w.Ledger.Rotate(t.Context(), shop, ledger.Rotation{Of: ledger.APIKey, Fresh: keys[3], Now: now, Until: now})
		tell(err)
		_, err = w.Ledger.Rotate(t.Context(), shop, ledger.Rotation{Of: ledger.APIKey, Fresh: testbed.OtherKey, Now: now, Until: now.Add(time.Hour)})
		tell(err)
		_, err = w.Ledger.Rotate(t.Context(), w.Shop, ledger.Rotation{Of: ledger.APIKey, Fresh: keys[3], Now: now, Until: now.Add(time.Hour)})
		tell(err)
		_, err = w.Ledger.Rotate(t.Context(), shop, ledger.Rotation{Of: ledger.SigningSecret, Fresh: signing[3], Now: now, Until: now})
		tell(err)
		_, err = w.Ledger.Rotate(t.Context(), w.Shop, ledger.Rotation{Of: ledger.SigningSecret, Fresh: signing[3], Now: now, Until: now.Add(time.Hour)})
		tell(err)
		_, err = w.Ledger.CreateClient(t.Context(), shop)
		tell(err)
		_, err = ledger.New(w.Memory, ring(t), ledger.Options{}).Client(t.Context(), shop.ID) // another sealing key
		tell(err)
		var printed bytes.Buffer
		handler := slog.NewJSONHandler(&printed, nil)
		slog.New(handler).Info("client", "value", shop, "pointer", &shop, "list", []ledger.Client{shop})
		encoded, err := json.Marshal(map[string]any{"client": shop, "pointer": &shop})
		if err != nil {
			t.Fatal(err)
		}
		say(printed.String(), string(encoded))
		known, err := w.Ledger.Keys(t.Context(), shop)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range []any{shop, &shop, []ledger.Client{shop}, map[string]ledger.Client{"a": shop}, struct{ C ledger.Client }{shop}, known, w.Ring} {
			for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
				say(fmt.Sprintf(verb, v))
			}
		}
		say(func() (text string) { // a panic with a client in its hand
			defer func() { text = fmt.Sprint(recover(), string(debug.Stack())) }()
			panic(shop)
		}())
		w.Gateway.CheckURL = func(string) error { panic(shop) }
		w.Pay(strings.Replace(testbed.Order("PANIC", "26876123456"), "{", `{"callbackUrl":"https://shop.example.com/",`, 1), "x-proxy-api-key", keys[2])
		if !strings.Contains(w.Log(), "request.panic") {
			t.Error("nothing panicked")
		}
		for _, of := range []ledger.Rotated{ledger.APIKey, ledger.SigningSecret} {
			if shop, err = w.Ledger.EndOld(t.Context(), shop, of, now); err != nil {
				t.Fatal(err)
			}
		}
		w.Pass(time.Hour)
		stored, log = w.Records(), w.Log()
	})

	for _, text := range said {
		if what := shows(text, secrets); what != "" {
			t.Errorf("%s is shown: %s", what, text)
		}
	}
	if what := shows(log, secrets); what != "" {
		t.Errorf("the log shows %s", what)
	}
	if len(said) < 70 || len(log) < 1000 {
		t.Errorf("%d texts and a log of %d bytes; the run did nothing", len(said), len(log))
	}
	dump := databaseFiles(t, stored)
	if what := shows(dump, secrets); what != "" {
		t.Errorf("the files of the database show %s", what)
	}
	for _, there := range []string{"client/rotate-key", "client/end-old-secret", ledger.KeyHash(keys[2]), "OUTBOUND_TO_APP"} {
		if !strings.Contains(dump, there) {
			t.Errorf("%s is not in the files: what was looked through?", there)
		}
	}
	if shows(dump+keys[1], secrets) == "" || shows(base64.StdEncoding.EncodeToString([]byte("key="+keys[1])), secrets) == "" {
		t.Error("a secret that is there goes unseen")
	}
}

// databaseFiles writes records into a database of its own and returns the
// bytes of its files.
func databaseFiles(t *testing.T, records []table.Record) string {
	t.Helper()
	dir := t.TempDir()
	db, err := sqlite.Open(filepath.Join(dir, "dump.db"))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range records {
		r.Version = 0
		if err := db.Write(t.Context(), table.Put(r)); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		content, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		all.Write(content)
	}
	return all.String()
}
