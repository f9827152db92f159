//go:build unix

package main

import "syscall"

// ownGroup keeps a Ctrl-C from the process: it is for us, who end it in our
// own time.
func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
