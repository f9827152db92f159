package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
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
	next    int           // number of the next order
	every   time.Duration // the widest of those limits

	environment []string // of the gateway

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

func newWorld(o options) (w *world, err error) {
	w = &world{o: o,
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
	if w.environment, err = w.startProviders(); err != nil {
		return nil, err
	}
	if o.every > 0 {
		w.environment = append(w.environment, "GODEBUG=gctrace=1")
	}
	if out, err := exec.Command("go", "build", "-o", w.binary(), "momoproxy/infra/local").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("go build: %w\n%s", err, out)
	}
	if err := w.start(); err != nil {
		return nil, err
	}
	return w, w.makeApps()
}

func (w *world) binary() string { return filepath.Join(w.dir, "local") }
func (w *world) file() string   { return filepath.Join(w.dir, "data", "momo-proxy.db") }

// start starts the local system and waits until it listens.
func (w *world) start() error {
	cmd := exec.Command(w.binary(), "-listen", w.address, "-data", filepath.Join(w.dir, "data"))
	cmd.Env = append(os.Environ(), w.environment...)
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
	table, err := sqlite.Open(w.file())
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

func (w *world) close() {
	if w.process != nil {
		_ = w.process.End(syscall.SIGTERM, 15*time.Second)
	}
	for _, f := range w.closing {
		f()
	}
	_ = os.RemoveAll(w.dir)
}
