package httpapi_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"momoproxy/infra/testbed"
	"momoproxy/shared/httpapi"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestMain asks at the end of a whole run whether everything that
// openapi.yaml describes has been produced.
func TestMain(m *testing.M) {
	flag.Parse()
	code := m.Run()
	whole := true
	for _, name := range []string{"test.run", "test.skip", "test.fuzz", "test.list"} {
		if flag.Lookup(name).Value.String() != "" {
			whole = false
		}
	}
	if code == 0 && whole {
		for _, missing := range openapi.unseen() {
			fmt.Printf("openapi.yaml describes what no test has produced: %s\n", missing)
			code = 1
		}
	}
	os.Exit(code)
}

// bubble runs a test with a World of its own under virtual time. Every answer
// and every callback is held against openapi.yaml.
func bubble(t *testing.T, o testbed.Options, test func(t *testing.T, w *testbed.World)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		observe := o.Observe
		o.Observe = func(r httpapi.Request, resp httpapi.Response) {
			openapi.check(t, r, resp)
			if observe != nil {
				observe(r, resp)
			}
		}
		if o.Limits == nil {
			o.Limits = httpapi.NewRateLimit(1000, 100_000) // there, and in nobody's way
		}
		w := testbed.New(t, o)
		test(t, w)
		for _, r := range w.App.Got() {
			openapi.checkEvent(t, r)
		}
	})
}

// golden compares a JSON text with testdata/golden/name.json, laid out for
// people.
func golden(t *testing.T, name, text string) {
	t.Helper()
	var out bytes.Buffer
	if err := json.Indent(&out, []byte(text), "", "  "); err != nil {
		t.Fatalf("%s: %v: %q", name, err, text)
	}
	out.WriteByte('\n')
	path := filepath.Join("testdata", "golden", name+".json")
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, out.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (go test ./shared/httpapi -update writes it)", err)
	}
	if diff := cmp.Diff(string(want), out.String()); diff != "" {
		t.Errorf("%s (-golden +now):\n%s", name, diff)
	}
}

// is ends the test unless an answer has a status and a code.
func is(t *testing.T, a testbed.Answer, status int, code string) testbed.Answer {
	t.Helper()
	if a.StatusCode != status || a.Code() != code {
		t.Fatalf("answered %d %s; want %d %q", a.StatusCode, a.Body, status, code)
	}
	return a
}
