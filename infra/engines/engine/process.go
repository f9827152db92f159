package engine

import (
	"bytes"
	"context"
	"fmt"
	"momoproxy/infra/loopback"
	"net"
	"os/exec"
	"runtime"
	"strconv"
	"sync"
	"time"
)

// server says how to run one engine.
type server struct {
	name string
	// command builds the process for a loopback port.
	command func(port int) *exec.Cmd
	// ready answers nil once the engine at endpoint takes requests.
	ready func(ctx context.Context, endpoint string) error
}

// launch runs the server and returns when it is ready. The process ends with
// this one, however this one ends (see start in process_*.go).
func launch(ctx context.Context, s server) (Engine, error) {
	var last error
	for range 3 {
		address, err := loopback.FreeAddress()
		if err != nil {
			return Engine{}, err
		}
		_, text, _ := net.SplitHostPort(address)
		port, err := strconv.Atoi(text)
		if err != nil {
			return Engine{}, err
		}
		e, err := launchOn(ctx, s, port)
		if err == nil {
			return e, nil
		}
		last = err
		if ctx.Err() != nil {
			break
		}
	}
	return Engine{}, last
}

func launchOn(ctx context.Context, s server, port int) (Engine, error) {
	cmd := s.command(port)
	var out tail
	cmd.Stdout, cmd.Stderr = &out, &out
	// A grandchild that keeps the pipe open must not keep Stop waiting.
	cmd.WaitDelay = 2 * time.Second

	started := make(chan error, 1)
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		// On Linux the kernel kills the child when the thread that started
		// it ends, so that thread is kept until the child is gone.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := start(cmd)
		started <- err
		if err == nil {
			_ = cmd.Wait()
		}
	}()
	if err := <-started; err != nil {
		return Engine{}, err
	}
	stop := sync.OnceFunc(func() {
		_ = cmd.Process.Kill()
		<-gone
	})

	endpoint := "http://" + net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		probe, cancel := context.WithTimeout(ctx, 5*time.Second)
		err := s.ready(probe, endpoint)
		cancel()
		select {
		case <-gone:
			// Checked first: another engine may have taken the port and
			// answered the probe in this one's place.
			return Engine{}, fmt.Errorf("%s ended before it was ready: %v\n%s", s.name, cmd.ProcessState, out.String())
		default:
		}
		if err == nil {
			return Engine{Name: s.name, Endpoint: endpoint, Stop: stop}, nil
		}
		select {
		case <-gone:
		case <-tick.C:
		case <-ctx.Done():
			stop()
			return Engine{}, fmt.Errorf("%s was not ready in time: %w (last: %v)\n%s", s.name, ctx.Err(), err, out.String())
		}
	}
}

// absent returns those of the commands that are not on PATH.
func absent(commands []string) []string {
	var missing []string
	for _, c := range commands {
		if _, err := exec.LookPath(c); err != nil {
			missing = append(missing, c)
		}
	}
	return missing
}

// tail keeps the last few KiB written to it, for error texts.
type tail struct {
	mu  sync.Mutex
	buf []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, p...)
	if over := len(t.buf) - 8<<10; over > 0 {
		t.buf = append(t.buf[:0], t.buf[over:]...)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(bytes.TrimSpace(t.buf))
}
