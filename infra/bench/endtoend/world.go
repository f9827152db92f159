package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"momoproxy/infra/loopback"
	"momoproxy/infra/receiver"
	"momoproxy/infra/standin/core"
	"momoproxy/shared/ledger"
	"momoproxy/shared/seal"
	"momoproxy/shared/table/sqlite"
	"momoproxy/shared/webhook"
)

// app is one client of the proxy, with its server.
type app struct {
	w *world
	receiver.Keys
}

// world is the gateway's process and all that is around it.
type world struct {
	o       options
	dir     string
	address string
	process *loopback.Process
	client  *http.Client
	apps    []*app
	closing []func()

	orders  []core.Order  // one of each provider without a limit
	limited []core.Order  // one of each with a limit of submissions
	every   time.Duration // the widest of those limits

	errors     lines // that the gateway logged
	unverified atomic.Int64
	memory     [2]int64
	cpu        time.Duration

	mu       sync.Mutex
	all      []*payment
	open     map[string]*payment  // accepted, not called
	early    map[string]time.Time // called before the answer was read
	refusals map[string]int
}

// lines counts those written to it, and prints the first of them.
type lines struct{ n atomic.Int64 }

func (l *lines) Write(b []byte) (int, error) {
	if l.n.Add(int64(bytes.Count(b, []byte("\n")))) <= 3 {
		fmt.Printf("the gateway logged: %s", b)
	}
	return len(b), nil
}

func newWorld(o options) (w *world, err error) {
	w = &world{o: o, open: map[string]*payment{}, early: map[string]time.Time{}, refusals: map[string]int{},
		client: &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 500, MaxIdleConns: 500}}}
	defer func() {
		if err != nil {
			w.close()
		}
	}()
	if w.dir, err = os.MkdirTemp("", "momo-proxy-endtoend"); err != nil {
		return nil, err
	}
	if w.address, err = loopback.FreeAddress(); err != nil {
		return nil, err
	}
	environment, err := w.startProviders()
	if err != nil {
		return nil, err
	}
	if err := w.start(environment); err != nil {
		return nil, err
	}
	return w, w.makeApps()
}

// start builds and starts the local system and waits until it listens.
func (w *world) start(environment []string) error {
	binary := filepath.Join(w.dir, "local")
	if out, err := exec.Command("go", "build", "-o", binary, "momoproxy/infra/local").CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, out)
	}
	cmd := exec.Command(binary, "-listen", w.address, "-data", filepath.Join(w.dir, "data"))
	cmd.Env = append(os.Environ(), environment...)
	cmd.Stderr = &w.errors
	var err error
	w.process, err = loopback.Run(cmd, 30*time.Second, func(line string) string {
		if strings.HasPrefix(line, "MoMo Proxy ") && strings.Contains(line, w.address) {
			return w.address
		}
		return ""
	})
	return err
}

func (w *world) makeApps() error {
	text, err := os.ReadFile(filepath.Join(w.dir, "data", "sealing.key"))
	if err != nil {
		return err
	}
	keys, err := seal.ParseKeys(string(text))
	if err != nil {
		return err
	}
	table, err := sqlite.Open(filepath.Join(w.dir, "data", "momo-proxy.db"))
	if err != nil {
		return err
	}
	clients := ledger.New(table, keys, ledger.Options{})
	for i := range w.o.apps {
		secret, err := webhook.NewSecret(rand.Reader)
		if err != nil {
			return err
		}
		a := &app{w: w, Keys: receiver.Keys{APIKey: ledger.NewAPIKey(rand.Reader), Secret: secret}}
		url, stop, err := loopback.Serve(a.Handler(time.Now, a.got), "127.0.0.1:0")
		if err != nil {
			return err
		}
		w.closing = append(w.closing, stop)
		_, err = clients.CreateClient(context.Background(), ledger.Client{ID: ledger.NewClientID(rand.Reader), Name: fmt.Sprint("app ", i), Active: true,
			CreatedAt: ledger.Clock(time.Now()), APIKey: a.APIKey, SigningSecrets: []string{secret.Reveal()}, CallbackURL: url + "/callback"})
		if err != nil {
			return err
		}
		w.apps = append(w.apps, a)
	}
	return table.Close()
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

func (w *world) close() {
	if w.process != nil {
		_ = w.process.End(syscall.SIGTERM, 15*time.Second)
	}
	for _, f := range w.closing {
		f()
	}
	_ = os.RemoveAll(w.dir)
}
