package loopback

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

// Process is a server in a process of its own.
type Process struct {
	*exec.Cmd
	Said  string        // what its first line said that says where it listens
	Ended chan struct{} // closed when it has ended
}

// Run starts a server and returns when a line of its output says where it
// listens: address takes that out of the line, and is empty for every other.
// Its Stderr is read too, unless cmd has one.
func Run(cmd *exec.Cmd, within time.Duration, address func(line string) string) (*Process, error) {
	reader, writer, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	cmd.Stdout = writer
	if cmd.Stderr == nil {
		cmd.Stderr = writer
	}
	err = cmd.Start()
	_ = writer.Close()
	if err != nil {
		_ = reader.Close()
		return nil, err
	}
	p := &Process{Cmd: cmd, Ended: make(chan struct{})}
	go func() {
		_ = cmd.Wait() // killed, mostly
		close(p.Ended)
	}()
	late := time.AfterFunc(within, func() { _ = cmd.Process.Kill() })
	defer late.Stop()
	lines := bufio.NewScanner(reader)
	var printed strings.Builder
	for lines.Scan() {
		printed.WriteString(lines.Text() + "\n")
		if p.Said = address(lines.Text()); p.Said != "" {
			go func() { // so that it never blocks
				_, _ = io.Copy(io.Discard, reader)
				_ = reader.Close()
			}()
			return p, nil
		}
	}
	_ = cmd.Process.Kill()
	<-p.Ended
	_ = reader.Close()
	return nil, fmt.Errorf("%s did not come up within %s:\n%s", cmd.Path, within, &printed)
}

// End signals the process and waits until it is gone; it is killed when it
// takes longer.
func (p *Process) End(signal os.Signal, within time.Duration) error {
	_ = p.Process.Signal(signal) // it may have ended by itself
	select {
	case <-p.Ended:
		return nil
	case <-time.After(within):
		_ = p.Process.Kill()
		<-p.Ended
		return fmt.Errorf("%s did not end %s within %s", signal, p.Path, within)
	}
}
