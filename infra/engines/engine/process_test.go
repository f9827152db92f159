package engine

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Variables that turn this test binary into an engine, or into a process
// that starts one.
const (
	serveVariable = "MOMOPROXY_TEST_SERVE_PORT"
	startVariable = "MOMOPROXY_TEST_START"
)

func TestMain(m *testing.M) {
	switch {
	case os.Getenv(serveVariable) == "broken":
		fmt.Fprintln(os.Stderr, "cannot start: out of luck")
		os.Exit(1)
	case os.Getenv(serveVariable) != "":
		address := net.JoinHostPort("127.0.0.1", os.Getenv(serveVariable))
		fmt.Fprintln(os.Stderr, http.ListenAndServe(address, http.NotFoundHandler()))
		os.Exit(1)
	case os.Getenv(startVariable) != "":
		e, err := launch(context.Background(), fake(""))
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Println(e.Endpoint)
		select {} // until killed
	}
	os.Exit(m.Run())
}

// fake is a server made of this test binary; mode replaces its port.
func fake(mode string) server {
	return server{
		name: "fake",
		command: func(port int) *exec.Cmd {
			cmd := exec.Command(os.Args[0], "-test.run=^$")
			value := strconv.Itoa(port)
			if mode != "" {
				value = mode
			}
			cmd.Env = append(os.Environ(), startVariable+"=", serveVariable+"="+value)
			return cmd
		},
		ready: func(ctx context.Context, endpoint string) error {
			if err := answers("/")(ctx, endpoint); err != nil && !strings.Contains(err.Error(), "404") {
				return err
			}
			return nil
		},
	}
}

func answering(endpoint string) bool {
	res, err := (&http.Client{Timeout: time.Second}).Get(endpoint)
	if err == nil {
		res.Body.Close()
	}
	return err == nil
}

func TestLaunchAndStop(t *testing.T) {
	t.Parallel()
	e, err := launch(t.Context(), fake(""))
	if err != nil {
		t.Fatal(err)
	}
	if !answering(e.Endpoint) {
		t.Error("it does not answer")
	}
	e.Stop()
	e.Stop()
	if answering(e.Endpoint) {
		t.Error("it answers after Stop")
	}
}

func TestLaunchTellsWhyNot(t *testing.T) {
	t.Parallel()
	_, err := launch(t.Context(), fake("broken"))
	if err == nil || !strings.Contains(err.Error(), "out of luck") {
		t.Errorf("launch = %v; want the server's own words", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	s := fake("")
	s.ready = func(context.Context, string) error { return fmt.Errorf("not yet") }
	if _, err := launch(ctx, s); err == nil || !strings.Contains(err.Error(), "not yet") {
		t.Errorf("launch = %v; want what it waited for", err)
	}
}

// TestEngineDiesWithItsProcess kills the process that started an engine, which
// then has no chance to stop it.
func TestEngineDiesWithItsProcess(t *testing.T) {
	t.Parallel()
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), startVariable+"=1")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	endpoint := strings.TrimSpace(line)
	if !answering(endpoint) {
		t.Error("it does not answer")
	}
	_ = cmd.Process.Kill()
	_, _ = io.Copy(io.Discard, out)
	_ = cmd.Wait()
	for deadline := time.Now().Add(10 * time.Second); answering(endpoint); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it lives on")
		}
	}
}

func TestNoEngineIsAnError(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	for _, s := range Services {
		t.Setenv(s.EndpointVariable(), "")
		if e, err := Start(t.Context(), s); err == nil || !strings.Contains(err.Error(), s.EndpointVariable()) {
			t.Errorf("%s: Start = %v, %v; want an error that says what to do", s, e, err)
		}
		t.Setenv(s.EndpointVariable(), "http://127.0.0.1:1/")
		if e, err := Start(t.Context(), s); err != nil || e.Endpoint != "http://127.0.0.1:1" {
			t.Errorf("%s: Start = %v, %v; want the one that is named", s, e, err)
		}
	}
}
