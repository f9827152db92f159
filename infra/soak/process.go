package main

import (
	"bufio"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// patience bounds every wait for the process.
const patience = 30 * time.Second

// process is the local system.
type process struct {
	cmd   *exec.Cmd
	ended chan struct{}
}

// build makes the program once, so that a start is only a start.
func build(dir string) (string, error) {
	binary := filepath.Join(dir, "local")
	if out, err := exec.Command("go", "build", "-o", binary, "momoproxy/infra/local").CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return binary, nil
}

// start runs the program and waits until its gateway listens.
func (w *world) start() error {
	p := &process{cmd: exec.Command(w.binary, "-listen", w.address, "-data", w.data), ended: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), w.environment...)
	p.cmd.SysProcAttr = ownGroup()
	output, err := p.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	p.cmd.Stderr = p.cmd.Stdout
	if err := p.cmd.Start(); err != nil {
		return err
	}
	up := make(chan struct{})
	var printed strings.Builder
	go func() {
		listening := false
		for lines := bufio.NewScanner(output); lines.Scan(); {
			if !listening && strings.HasPrefix(lines.Text(), "MoMo Proxy on ") {
				listening = true
				close(up)
			}
			if !listening {
				printed.WriteString(lines.Text() + "\n")
			}
		}
		_ = p.cmd.Wait() // killed, mostly
		close(p.ended)
	}()
	select {
	case <-up:
		w.process = p
		return nil
	case <-p.ended:
		return fmt.Errorf("the local system did not come up:\n%s", &printed)
	case <-time.After(patience):
		_ = p.cmd.Process.Kill()
		<-p.ended
		return errors.New("the local system did not come up in time")
	}
}

// end signals the process, if there is one, and waits until it is gone.
func (w *world) end(signal os.Signal) error {
	p := w.process
	if p == nil {
		return nil
	}
	w.process = nil
	_ = p.cmd.Process.Signal(signal) // it may have ended by itself
	select {
	case <-p.ended:
		return nil
	case <-time.After(patience):
		_ = p.cmd.Process.Kill()
		<-p.ended
		return fmt.Errorf("%s did not end the local system within %s", signal, patience)
	}
}

// fixedAddress finds a port below those that outgoing connections get, so
// that it stays free between two starts: MTN knows it from callback URLs.
func fixedAddress() (string, error) {
	var err error
	for range 100 {
		var l net.Listener
		if l, err = net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 20000+rand.IntN(12000))); err == nil {
			defer l.Close()
			return l.Addr().String(), nil
		}
	}
	return "", fmt.Errorf("no free port: %w", err)
}
