package docs

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
)

// A Session is one terminal: a bash that runs a page's blocks one after the
// other, so that variables and background programs of one are there in the
// next. A command that fails ends it.
type Session struct {
	cmd   *exec.Cmd
	input io.WriteCloser

	mu      sync.Mutex
	changed chan struct{} // closed and replaced whenever output grows or the shell ends
	output  bytes.Buffer
	ended   bool
	blocks  int
}

// NewSession starts bash in dir with this environment.
func NewSession(dir string, environment []string) (*Session, error) {
	s := &Session{cmd: exec.Command("bash"), changed: make(chan struct{})}
	ownGroup(s.cmd)
	s.cmd.Dir, s.cmd.Env = dir, environment
	reader, writer, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer writer.Close()
	s.cmd.Stdout, s.cmd.Stderr = writer, writer
	if s.input, err = s.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	read := make(chan struct{})
	go func() {
		defer close(read)
		defer reader.Close()
		_, _ = io.Copy(s, reader)
	}()
	go func() {
		_ = s.cmd.Wait()
		killGroup(s.cmd) // what it left running holds the pipe open
		<-read
		s.mu.Lock()
		defer s.mu.Unlock()
		s.ended = true
		s.announce()
	}()
	_, err = io.WriteString(s.input, "set -euo pipefail\n")
	return s, err
}

// Write takes what the terminal's programs print.
func (s *Session) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.announce()
	return s.output.Write(p)
}

func (s *Session) announce() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// Run types a block in and waits until it has ended. It returns where its
// output begins, for Await.
func (s *Session) Run(text string) (from int, err error) {
	s.mu.Lock()
	s.blocks++
	end := fmt.Sprintf("[block %d has ended]", s.blocks)
	from = s.output.Len()
	s.mu.Unlock()
	if _, err := fmt.Fprintf(s.input, "%s\necho %q\n", strings.TrimRight(text, "\n"), end); err != nil {
		return from, fmt.Errorf("%w:\n%s", err, s.Printed(0))
	}
	return from, s.until(from, func(printed string) bool { return strings.Contains(printed, end+"\n") })
}

// Await waits until what was printed from there on has the lines that a page
// shows.
func (s *Session) Await(from int, shown string) error {
	return s.until(from, func(printed string) bool { return Shows(printed, shown) })
}

// Printed is the output from there on.
func (s *Session) Printed(from int) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.output.String()[from:]
}

func (s *Session) until(from int, is func(printed string) bool) error {
	for {
		s.mu.Lock()
		printed, ended, changed := s.output.String()[from:], s.ended, s.changed
		s.mu.Unlock()
		if is(printed) {
			return nil
		}
		if ended {
			return fmt.Errorf("a command failed:\n%s", printed)
		}
		<-changed
	}
}

// Close ends the shell and what it left running.
func (s *Session) Close() { killGroup(s.cmd) }
