package engine

import (
	"os/exec"
	"syscall"
)

// start runs cmd so that the kernel kills it when this process ends, even by
// SIGKILL. Its own process group keeps a Ctrl-C at the terminal for us: the
// engine must outlive the tests that are being stopped.
func start(cmd *exec.Cmd) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	return cmd.Start()
}
