//go:build unix

package httpapi_test

import (
	"syscall"
	"time"
)

// cpuTime is the processor time that this process has used, its garbage
// collector included: on a machine that others use, too, the clock on the
// wall tells nothing.
func cpuTime() time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}
