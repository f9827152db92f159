package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"momoproxy/infra/loopback"
)

// makeSides builds what runs: this tree and, with -old, that revision too. The
// side that runs alone at first, and when everything comes to rest, is decided
// by -back.
func (w *world) makeSides() (err error) {
	if w.address, err = loopback.FreeAddress(); err != nil {
		return err
	}
	now := &side{name: "this tree", binary: filepath.Join(w.dir, "local"), address: w.address, data: w.data}
	if err := build(now.binary, ""); err != nil {
		return err
	}
	w.sides = []*side{now}
	if w.o.old == "" {
		return nil
	}
	source := filepath.Join(w.dir, "source")
	for _, args := range [][]string{{"clone", "--quiet", "--shared", ".", source}, {"-C", source, "checkout", "--quiet", "--detach", w.o.old}} {
		if out, err := exec.Command("git", args...).CombinedOutput(); err != nil {
			return fmt.Errorf("git %s: %w\n%s", args[0], err, out)
		}
	}
	old := &side{name: w.o.old, binary: filepath.Join(w.dir, "local-old")}
	if err := build(old.binary, source); err != nil {
		return err
	}
	w.sides = []*side{old, now}
	if w.o.back {
		w.sides = []*side{now, old}
	}
	_, port, err := net.SplitHostPort(w.address)
	if err != nil {
		return err
	}
	w.environment = append(w.environment, "PUBLIC_BASE_URL=http://localhost:"+port)
	w.sides[0].data, w.sides[1].data = w.data, filepath.Join(w.dir, "data-of-the-second")
	if err := os.Mkdir(w.sides[1].data, 0o700); err != nil {
		return err
	}
	for _, name := range []string{"momo-proxy.db", "sealing.key", "payer.key"} {
		if err := os.Symlink(filepath.Join(w.data, name), filepath.Join(w.sides[1].data, name)); err != nil {
			return err
		}
	}
	for _, s := range w.sides {
		if s.address, err = loopback.FreeAddress(); err != nil {
			return err
		}
	}
	_, stop, err := loopback.Serve(w.gateway(), w.address)
	w.stops = append(w.stops, stop)
	return err
}

// gateway gives each request to one of the sides that run, as API Gateway does
// while a deployment replaces functions. A side that dies meanwhile breaks the
// connection.
func (w *world) gateway() http.Handler {
	var proxies []*httputil.ReverseProxy
	for _, s := range w.sides {
		p := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: s.address})
		p.ErrorHandler = func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) }
		proxies = append(proxies, p)
	}
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		n := rand.IntN(len(w.sides))
		for range w.sides {
			if w.sides[n].runs() {
				break
			}
			n = (n + 1) % len(w.sides)
		}
		proxies[n].ServeHTTP(rw, r)
	})
}

// deployAndKill goes on as a deployment does: the first side alone, both, the
// second alone. All the while a process that runs is killed without a warning
// and started again.
func (w *world) deployAndKill(ctx context.Context, random *rand.Rand) error {
	if len(w.sides) == 1 {
		return w.killNowAndThen(ctx, w.sides, random)
	}
	both, cancel := context.WithTimeout(ctx, w.o.duration/5)
	defer cancel()
	if err := w.killNowAndThen(both, w.sides[:1], random); err != nil {
		return err
	}
	if err := w.start(w.sides[1]); err != nil {
		return err
	}
	both, cancel = context.WithTimeout(ctx, w.o.duration*3/5)
	defer cancel()
	if err := w.killNowAndThen(both, w.sides, random); err != nil {
		return err
	}
	if err := w.sides[0].end(os.Kill); err != nil {
		return err
	}
	return w.killNowAndThen(ctx, w.sides[1:], random)
}

// killNowAndThen kills a process without a warning and starts it again.
func (w *world) killNowAndThen(ctx context.Context, sides []*side, random *rand.Rand) error {
	for pause(ctx, time.Duration(4000+random.IntN(8000))*time.Millisecond) {
		s := sides[random.IntN(len(sides))]
		if err := s.end(os.Kill); err != nil {
			return err
		}
		w.kills++
		if err := w.start(s); err != nil {
			return err
		}
	}
	return nil
}

// order names the versions in the order in which they run.
func (w *world) versions() string {
	var names []string
	for _, s := range w.sides {
		names = append(names, s.name)
	}
	return strings.Join(names, ", then both, then ")
}
