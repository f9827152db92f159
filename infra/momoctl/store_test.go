package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"momoproxy/shared/host"
)

// real runs momoctl as main does.
func real(t *testing.T, args ...string) outcome {
	t.Helper()
	var out, errs bytes.Buffer
	p := program{
		in: strings.NewReader(""), out: &out, err: &errs, now: time.Now, sleep: host.Machine().Sleep, random: rand.Reader,
		getenv: unset, operator: "thandi", open: openStore,
	}
	code := p.run(t.Context(), args)
	return outcome{code, out.String(), errs.String()}
}

// demo runs infra/local for one payment and returns what it said.
func demo(t *testing.T, dir string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	said, err := exec.CommandContext(ctx, "go", "run", "momoproxy/infra/local", "-demo", "-data", dir).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	return string(said)
}

// What infra/local leaves behind is what momoctl opens.
func TestStoreOfInfraLocal(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	said := demo(t, dir)
	reference := regexp.MustCompile(`"referenceId":"([^"]+)"`).FindStringSubmatch(said)
	if reference == nil {
		t.Fatalf("no payment in:\n%s", said)
	}
	o := real(t, "payment", "show", reference[1], "--data", dir)
	if o.code != exitOK {
		t.Fatalf("%+v", o)
	}
	contains(t, "payment show", o.out, "SUCCESSFUL", "cli_demo", "delivered")
	if o := real(t, "delivery", "resend", reference[1], "1", "--data", dir); o.code != exitOK || o.err != "" {
		t.Errorf("%+v", o)
	}
	// Its doorbell is heard by the next infra/local.
	demo(t, dir)
	contains(t, "timeline", real(t, "payment", "show", reference[1], "--data", dir).out, "operator thandi", "attempt 2 -> 200")
	// Loopback is for local work alone.
	if o := real(t, "client", "create", "--name", "Kiosk", "--callback-url", "http://127.0.0.1:9000/momo", "--data", dir); o.code != exitOK {
		t.Errorf("%+v", o)
	}
	if o := real(t, "client", "show", "cli_demo", "--data", dir); o.code != exitOK || strings.Contains(o.out, "APP_CHANGE_THIS") {
		t.Errorf("%+v", o)
	}
}

// A store made by mistake would look like an empty system.
func TestNoStoreIsMade(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "mistyped")
	for range 2 {
		o := real(t, "client", "show", "cli_shop", "--data", dir)
		if o.code != exitFailed || !strings.Contains(o.err, "no store in") {
			t.Errorf("%+v", o)
		}
		if left, err := os.ReadDir(dir); err == nil && len(left) > 0 {
			t.Errorf("%v was made", left)
		}
		_ = os.Mkdir(dir, 0o700)
	}
}
