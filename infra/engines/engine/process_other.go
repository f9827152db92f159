//go:build unix && !linux

package engine

import (
	"os"
	"os/exec"
	"strconv"
	"syscall"
)

// start runs cmd and beside it a watcher that kills it when this process
// ends: the watcher reads a pipe whose other end only this process holds.
// The own process group keeps a Ctrl-C at the terminal for us.
func start(cmd *exec.Cmd) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	read, write, err := os.Pipe()
	if err != nil {
		_ = cmd.Process.Kill()
		return err
	}
	watcher := exec.Command("/bin/sh", "-c", `cat >/dev/null; kill -9 "$0"`, strconv.Itoa(cmd.Process.Pid))
	watcher.Stdin = read
	watcher.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := watcher.Start(); err != nil {
		_ = cmd.Process.Kill()
		return err
	}
	_ = read.Close()
	held = append(held, write)
	return nil
}

// held keeps the watchers' pipes open, and from being garbage collected.
var held []*os.File
