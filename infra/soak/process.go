package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"momoproxy/infra/loopback"
)

// patience bounds every wait for the process.
const patience = 30 * time.Second

// build makes the program once, so that a start is only a start.
func build(dir string) (string, error) {
	binary := filepath.Join(dir, "local")
	if out, err := exec.Command("go", "build", "-o", binary, "momoproxy/infra/local").CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return binary, nil
}

// start runs the local system and waits until its gateway listens.
func (w *world) start() (err error) {
	cmd := exec.Command(w.binary, "-listen", w.address, "-data", w.data)
	cmd.Env = append(os.Environ(), w.environment...)
	cmd.SysProcAttr = ownGroup()
	w.process, err = loopback.Run(cmd, patience, func(line string) string {
		address, _ := strings.CutPrefix(line, "MoMo Proxy on ")
		if address == line {
			return ""
		}
		return address
	})
	return err
}

// end signals the process, if there is one, and waits until it is gone.
func (w *world) end(signal os.Signal) error {
	p := w.process
	if p == nil {
		return nil
	}
	w.process = nil
	return p.End(signal, patience)
}
