package main

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	mtnstand "momoproxy/infra/standin/mtn"
	"momoproxy/infra/testbed"
)

// startLocal starts infra/local over a folder and returns its address. It is
// ended with the test.
func startLocal(t *testing.T, dir string) (url string) {
	t.Helper()
	program := filepath.Join(t.TempDir(), "local")
	if said, err := exec.Command("go", "build", "-o", program, "momoproxy/infra/local").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	cmd := exec.Command(program, "-listen", "127.0.0.1:0", "-data", dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if at, ok := strings.CutPrefix(lines.Text(), "MoMo Proxy on "); ok {
			go func() { _, _ = io.Copy(io.Discard, out) }()
			return at
		}
	}
	t.Fatal("it did not come up")
	return ""
}

// eventually asks until the answer is yes.
func eventually(t *testing.T, what string, ask func() bool) {
	t.Helper()
	deadline, tick := time.After(20*time.Second), time.NewTicker(50*time.Millisecond)
	defer tick.Stop()
	for !ask() {
		select {
		case <-deadline:
			t.Fatal("in vain: " + what)
		case <-tick.C:
		}
	}
}

// While infra/local runs, momoctl works on the same folder, and the running
// process hears its doorbells.
func TestBesideTheRunningSystem(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	url := startLocal(t, dir)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/request-to-pay",
		strings.NewReader(testbed.Order("ORDER-1", mtnstand.Payer(mtnstand.ScriptSuccess))))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-Proxy-Api-Key", "APP_CHANGE_THIS")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	var made struct{ ReferenceID string }
	if err := json.NewDecoder(response.Body).Decode(&made); err != nil || made.ReferenceID == "" {
		t.Fatal(response.Status, err)
	}
	attempts := func() int {
		var v deliveryStory
		o := real(t, "delivery", "show", made.ReferenceID, "1", "--json", "--data", dir)
		if o.code == exitOK {
			if err := json.Unmarshal([]byte(o.out), &v); err != nil {
				t.Fatal(err)
			}
		}
		return len(v.Attempts)
	}
	eventually(t, "the first callback", func() bool { return attempts() == 1 })
	for _, args := range [][]string{
		{"delivery", "resend", made.ReferenceID, "1"},
		{"delivery", "replay", "--client", "cli_demo", "--status", "delivered", "--again", "--yes"},
	} {
		before := attempts()
		if o := real(t, append(args, "--data", dir)...); o.code != exitOK || o.err != "" {
			t.Fatalf("%v: %+v", args, o)
		}
		eventually(t, strings.Join(args, " "), func() bool { return attempts() == before+1 })
	}
	contains(t, "payment show", real(t, "payment", "show", made.ReferenceID, "--data", dir).out, "manual attempt 3 -> 200")
	contains(t, "status", real(t, "status", "--data", dir).out, "payments open", "mtn")
	// Its stand-in for MTN is inside it; which account is missing is said.
	if o := real(t, "payment", "check", made.ReferenceID, "--data", dir); o.code != exitFailed || !strings.Contains(o.err, "MTN_BASE_URL") {
		t.Errorf("%+v", o)
	}
}
