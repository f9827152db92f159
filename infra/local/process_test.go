package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync"
	"testing"
	"time"
)

// patience bounds every wait for another process.
const patience = 20 * time.Second

var built struct {
	once sync.Once
	dir  string
	path string
	err  error
}

func TestMain(m *testing.M) {
	code := m.Run()
	if built.dir != "" {
		_ = os.RemoveAll(built.dir)
	}
	os.Exit(code)
}

// binary builds this program, once for all tests.
func binary(t *testing.T) string {
	t.Helper()
	built.once.Do(func() {
		if built.dir, built.err = os.MkdirTemp("", "momo-proxy-local"); built.err != nil {
			return
		}
		built.path = filepath.Join(built.dir, "local")
		if out, err := exec.Command("go", "build", "-o", built.path, ".").CombinedOutput(); err != nil {
			built.err = fmt.Errorf("go build: %w\n%s", err, out)
		}
	})
	if built.err != nil {
		t.Fatal(built.err)
	}
	return built.path
}

// process is the program running as one of its own.
type process struct {
	cmd   *exec.Cmd
	URL   string // of its gateway
	ended chan struct{}

	mu     sync.Mutex
	output bytes.Buffer
}

var gatewayLine = regexp.MustCompile(`^MoMo Proxy on (http://\S+)$`)

// launch starts the program and waits until its gateway listens. It is killed
// with the test if it is still there.
func launch(t *testing.T, environment []string, arguments ...string) *process {
	t.Helper()
	p := spawn(t, environment, arguments...)
	if p.URL == "" {
		<-p.ended
		t.Fatalf("it did not come up: %s\n%s", p.cmd.ProcessState, p.printed())
	}
	return p
}

// refused starts the program, which must end by itself and never listen.
func refused(t *testing.T, environment []string, arguments ...string) *process {
	t.Helper()
	p := spawn(t, environment, arguments...)
	if p.URL != "" {
		t.Fatalf("it runs:\n%s", p.printed())
	}
	<-p.ended
	return p
}

// spawn starts the program and waits until its gateway listens or its output
// ends.
func spawn(t *testing.T, environment []string, arguments ...string) *process {
	t.Helper()
	p := &process{cmd: exec.Command(binary(t), arguments...), ended: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), environment...)
	output, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	p.cmd.Stdout, p.cmd.Stderr = writer, writer
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = writer.Close()
	up := make(chan string, 1)
	read := make(chan struct{})
	go func() {
		defer close(read)
		defer close(up)
		p.read(output, up)
	}()
	go func() {
		<-read
		_ = p.cmd.Wait() // its state is read after ended
		_ = output.Close()
		close(p.ended)
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		<-p.ended
	})
	select {
	case p.URL = <-up:
	case <-time.After(patience):
		t.Fatalf("it neither came up nor ended:\n%s", p.printed())
	}
	return p
}

func (p *process) read(output io.Reader, up chan<- string) {
	lines := bufio.NewScanner(output)
	for lines.Scan() {
		p.mu.Lock()
		p.output.WriteString(lines.Text() + "\n")
		p.mu.Unlock()
		if found := gatewayLine.FindStringSubmatch(lines.Text()); found != nil {
			up <- found[1]
		}
	}
}

func (p *process) printed() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.output.String()
}

// end sends a signal and waits until the process is gone.
func (p *process) end(t *testing.T, signal os.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
	select {
	case <-p.ended:
	case <-time.After(patience):
		t.Fatalf("%s does not end it:\n%s", signal, p.printed())
	}
}
