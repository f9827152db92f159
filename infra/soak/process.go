package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"momoproxy/infra/loopback"
)

// patience bounds every wait for the process.
const patience = 30 * time.Second

// side is a process of the local system. A soak has one; with an older
// revision two. One of them has a folder of links to what the other stores,
// because infra/local takes no folder that another one uses.
type side struct {
	name    string // of its version
	binary  string
	address string
	data    string // its folder

	mu      sync.Mutex
	process *loopback.Process // nil: it does not run
}

// build makes the program once, so that a start is only a start. source is
// the folder of the module, empty for this one.
func build(binary, source string) error {
	cmd := exec.Command("go", "build", "-o", binary, "momoproxy/infra/local")
	cmd.Dir = source
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, out)
	}
	return nil
}

// start runs the local system and waits until its gateway listens.
func (w *world) start(s *side) error {
	cmd := exec.Command(s.binary, "-listen", s.address, "-data", s.data)
	cmd.Env = append(os.Environ(), w.environment...)
	cmd.SysProcAttr = ownGroup()
	process, err := loopback.Run(cmd, patience, func(line string) string {
		address, _ := strings.CutPrefix(line, "MoMo Proxy on ")
		if address == line {
			return ""
		}
		return address
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	s.process = process
	return err
}

// end signals the process, if there is one, and waits until it is gone.
func (s *side) end(signal os.Signal) error {
	s.mu.Lock()
	p := s.process
	s.process = nil
	s.mu.Unlock()
	if p == nil {
		return nil
	}
	return p.End(signal, patience)
}

func (s *side) runs() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.process != nil
}
