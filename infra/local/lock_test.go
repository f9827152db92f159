package main

import (
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"momoproxy/shared/config"
)

// One folder, one process: a second is refused, and a killed one is no
// obstacle. A demonstration has a folder of its own.
func TestOneProcessForOneFolder(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	arguments := []string{"-listen", "127.0.0.1:0", "-data", data}
	first := launch(t, nil, arguments...)
	for _, more := range [][]string{nil, {"-demo"}} {
		second := refused(t, nil, append(arguments, more...)...)
		if code := second.cmd.ProcessState.ExitCode(); code != 1 || !strings.Contains(second.printed(), "is in use by another infra/local") {
			t.Errorf("exit %d: %s", code, second.printed())
		}
	}
	beside := launch(t, nil, "-demo")
	select {
	case <-beside.ended:
	case <-time.After(patience):
	}
	if !strings.Contains(beside.printed(), "demo: done") {
		t.Errorf("a demonstration beside it:\n%s", beside.printed())
	}
	response, err := http.Get(first.URL + "/health")
	if err != nil || response.StatusCode != http.StatusOK {
		t.Errorf("the first was disturbed: %v %v", response, err)
	} else {
		_ = response.Body.Close()
	}
	first.end(t, os.Kill)
	launch(t, nil, arguments...)
}

func TestLockData(t *testing.T) {
	t.Parallel()
	o := options{data: filepath.Join(t.TempDir(), "a ?#% folder"), policy: config.Confirm}
	for range 2 {
		unlock, err := lockData(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := lockData(t.Context(), o); !errors.Is(err, errInUse) {
			t.Errorf("a second time: %v", err)
		}
		other := o
		other.aws = true // other tables
		unlockOther, err := lockData(t.Context(), other)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(unlock(), unlockOther()); err != nil {
			t.Error(err)
		}
	}
	for range 2 {
		if _, err := lockData(t.Context(), options{data: ":memory:"}); err != nil {
			t.Error(err)
		}
	}
	path := filepath.Join(t.TempDir(), "a file")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := lockData(t.Context(), options{data: path}); err == nil || errors.Is(err, errInUse) {
		t.Errorf("no folder: %v", err)
	}
}

func TestProviderGoesWithDemo(t *testing.T) {
	t.Parallel()
	var said strings.Builder
	if _, err := readOptions([]string{"-provider", "momentpay"}, &said); err == nil || !strings.Contains(said.String(), "-provider goes with -demo") {
		t.Errorf("%v: %s", err, said.String())
	}
	if _, err := readOptions([]string{"-provider", "momentpay", "-demo"}, io.Discard); err != nil {
		t.Error(err)
	}
}
