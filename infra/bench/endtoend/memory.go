package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
)

// lines reads what the gateway writes to its standard error: the garbage
// collector's reports, and errors, of which it prints the first.
type lines struct {
	mu   sync.Mutex
	rest []byte // of a line that has not ended
	n    int    // errors
	live int    // MB of heap that the last collection left
}

// collected is a collector's report: heap before, at its end and left, in MB
// (https://pkg.go.dev/runtime#hdr-Environment_Variables).
var collected = regexp.MustCompile(`^gc \d+ @.* \d+->\d+->(\d+) MB`)

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rest = append(l.rest, b...)
	for {
		line, rest, ended := bytes.Cut(l.rest, []byte("\n"))
		if !ended {
			return len(b), nil
		}
		if m := collected.FindSubmatch(line); m != nil {
			l.live, _ = strconv.Atoi(string(m[1]))
		} else if l.n++; l.n <= 3 {
			fmt.Printf("the gateway logged: %s\n", line)
		}
		l.rest = rest
	}
}

// taken is how many errors were logged since it was last called.
func (l *lines) taken() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := l.n
	l.n = 0
	return n
}

func (l *lines) liveHeap() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.live
}

// watch prints the gateway's memory at intervals until ctx ends.
func (w *world) watch(ctx context.Context) {
	fmt.Printf("%10s %10s %14s %12s %10s\n", "after", "payments", "live heap MB", "resident MB", "file MB")
	tick := time.NewTicker(w.o.every)
	defer tick.Stop()
	for began := time.Now(); ; {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		w.mu.Lock()
		payments := len(w.all)
		w.mu.Unlock()
		fmt.Printf("%10v %10d %14d %12.1f %10.1f\n", time.Since(began).Round(time.Second), payments,
			w.errors.liveHeap(), float64(w.residentMemory())/1e6, float64(w.fileSize())/1e6)
	}
}

func (w *world) fileSize() int64 {
	info, err := os.Stat(w.file())
	if err != nil {
		return 0
	}
	return info.Size()
}

// processorTime is what the gateway has used so far; 0 elsewhere than on Linux.
func (w *world) processorTime() time.Duration {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", w.process.Process.Pid))
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	user, _ := strconv.Atoi(fields[11]) // hundredths of a second, by the kernel
	kernel, _ := strconv.Atoi(fields[12])
	return time.Duration(user+kernel) * 10 * time.Millisecond
}

// residentMemory is in bytes; 0 elsewhere than on Linux.
func (w *world) residentMemory() int64 {
	statm, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", w.process.Process.Pid))
	if err != nil {
		return 0
	}
	pages, _ := strconv.ParseInt(strings.Fields(string(statm))[1], 10, 64)
	return pages * int64(os.Getpagesize())
}
