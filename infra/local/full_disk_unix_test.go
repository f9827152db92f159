//go:build unix

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"momoproxy"
	"momoproxy/shared/config"
)

// fullDiskData names the folder that this test program, started once more as
// a process of its own, is to fill up; see TestFullDisk.
const fullDiskData = "MOMOPROXY_TEST_FULL_DISK"

func init() {
	if data := os.Getenv(fullDiskData); data != "" {
		if err := fillUp(data); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		os.Exit(0)
	}
}

// A process whose files cannot grow any more says so: to people on stderr, and
// to a monitor of /health three minutes after the last heartbeat.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), fullDiskData+"="+t.TempDir())
	var printed, told bytes.Buffer
	cmd.Stdout, cmd.Stderr = &printed, &told
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s\n%s", err, &printed, &told)
	}
	for _, line := range []string{`"message":"heartbeat.failed"`, `"message":"health.reconciler_silent"`} {
		if !strings.Contains(told.String(), line) {
			t.Errorf("stderr does not say %s:\n%s", line, &told)
		}
	}
	if strings.Contains(told.String(), `"level":"INFO"`) || strings.Contains(told.String(), `"level":"WARN"`) {
		t.Errorf("stderr is for errors:\n%s", &told)
	}
}

// fillUp runs in a process of its own, because the limit is the process's: a
// file that reaches it cannot be written any further, as on a full disk.
func fillUp(data string) error {
	var ahead atomic.Int64
	o := options{listen: "127.0.0.1:0", data: data, policy: config.Confirm, template: momoproxy.Template,
		now: func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }}
	s, err := start(context.Background(), o, io.Discard)
	if err != nil {
		return err
	}
	defer s.stop()
	if err := s.expect("before", 200, ""); err != nil {
		return err
	}
	lift, err := limitFiles(filepath.Join(data, "momo-proxy.db-wal"))
	if err != nil {
		return err
	}
	if s.parts.Beat(context.Background()) != nil { // the latest is too young for another
		return errors.New("a heartbeat that is not due fails")
	}
	if err := s.expect("with a fresh heartbeat", 200, ""); err != nil {
		return err
	}
	ahead.Store(int64(2 * time.Minute))
	if s.parts.Beat(context.Background()) == nil {
		return errors.New("the heartbeat could be written: the disk is not full")
	}
	if err := s.expect("after two minutes", 200, ""); err != nil {
		return err
	}
	ahead.Store(int64(4 * time.Minute))
	if err := s.expect("after four minutes", 503, "reconciler_silent"); err != nil {
		return err
	}
	if err := lift(); err != nil {
		return err
	}
	if err := s.parts.Beat(context.Background()); err != nil {
		return err
	}
	return s.expect("with room again", 200, "")
}

// limitFiles lets no file of this process grow beyond the size of one.
func limitFiles(path string) (lift func() error, err error) {
	signal.Ignore(syscall.SIGXFSZ) // the write fails all the same
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	var before syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
		return nil, err
	}
	limit := before
	limit.Cur = uint64(info.Size())
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		return nil, err
	}
	return func() error { return syscall.Setrlimit(syscall.RLIMIT_FSIZE, &before) }, nil
}

// expect asks /health.
func (s *system) expect(when string, status int, code string) error {
	resp, err := http.Get(s.gatewayURL + "/health")
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	var body struct{ Code string }
	if err := json.NewDecoder(resp.Body).Decode(&body); err != nil {
		return err
	}
	if resp.StatusCode != status || body.Code != code {
		return fmt.Errorf("%s /health is %d %q, not %d %q", when, resp.StatusCode, body.Code, status, code)
	}
	return nil
}
