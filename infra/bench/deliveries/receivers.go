package main

import (
	"bufio"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"momoproxy/infra/loopback"
	"momoproxy/infra/receiver"
	"momoproxy/shared/webhook"
)

// app is one receiver: what it verifies with, and whether it answers.
type app struct {
	ID     string
	APIKey string
	Secret string
	// Hangs: it accepts every request and never answers.
	Hangs bool
}

// newApps makes n apps with keys of their own. The first hanging of them hang.
func newApps(n, hanging int) ([]app, error) {
	apps := make([]app, n)
	for i := range apps {
		secret, err := webhook.NewSecret(rand.Reader)
		if err != nil {
			return nil, err
		}
		apps[i] = app{ID: fmt.Sprintf("cli_bench%d", i), APIKey: rand.Text() + rand.Text(), Secret: secret.Reveal(), Hangs: i < hanging}
	}
	return apps, nil
}

// received is what the receivers saw.
type received struct {
	Verified int           // distinct events of which both signatures verified
	Repeated int           // deliveries of an event that was verified before
	Refused  int           // signatures that did not verify
	Hung     int           // requests left without an answer
	CPU      time.Duration // processor time of the process
}

// receivers are the apps, in a process of their own, so that what the
// forwarder uses can be separated from what they use.
type receivers struct {
	urls  []string
	stdin io.WriteCloser
	lines *json.Decoder
	child *exec.Cmd
}

// startReceivers runs this program again as the apps.
func startReceivers(apps []app) (*receivers, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	child := exec.Command(self, receiveArgument)
	child.Stderr = os.Stderr
	in, err := child.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := child.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := child.Start(); err != nil {
		return nil, err
	}
	r := &receivers{stdin: in, lines: json.NewDecoder(out), child: child}
	if err := errors.Join(json.NewEncoder(in).Encode(apps), r.lines.Decode(&r.urls)); err != nil {
		return nil, errors.Join(err, child.Process.Kill())
	}
	return r, nil
}

// stop ends the receivers and tells what they saw.
func (r *receivers) stop() (received, error) {
	var saw received
	err := errors.Join(r.stdin.Close(), r.lines.Decode(&saw), r.child.Wait())
	return saw, err
}

// receiveArgument makes this program the receivers.
const receiveArgument = "receivers"

// receive is the child: it reads the apps from in, answers with their URLs,
// and with what it saw when in ends.
func receive(in io.Reader, out io.Writer) error {
	lines := bufio.NewReader(in)
	text, err := lines.ReadBytes('\n')
	if err != nil {
		return err
	}
	var apps []app
	if err := json.Unmarshal(text, &apps); err != nil {
		return err
	}
	var saw sight
	urls := make([]string, len(apps))
	for i, a := range apps {
		secret, err := webhook.ParseSecret(a.Secret)
		if err != nil {
			return err
		}
		keys := receiver.Keys{APIKey: a.APIKey, Secret: secret}
		url, stop, err := loopback.Serve(keys.Handler(time.Now, saw.handler(a)), "127.0.0.1:0")
		if err != nil {
			return err
		}
		defer stop()
		urls[i] = url + "/callback"
	}
	if err := json.NewEncoder(out).Encode(urls); err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, lines); err != nil {
		return err
	}
	saw.mu.Lock()
	defer saw.mu.Unlock()
	saw.CPU = processorTime()
	return json.NewEncoder(out).Encode(saw.received)
}

// sight gathers what all receivers of the process see.
type sight struct {
	mu     sync.Mutex
	events map[string]bool
	received
}

func (s *sight) handler(a app) func(*http.Request, receiver.Attempt) int {
	return func(r *http.Request, c receiver.Attempt) int {
		if a.Hangs {
			s.note(func() { s.Hung++ })
			<-r.Context().Done()
			return http.StatusOK // to nobody
		}
		if c.Fault != nil {
			s.note(func() { s.Refused++ })
			return http.StatusForbidden
		}
		s.note(func() {
			if s.events == nil {
				s.events = map[string]bool{}
			}
			if s.events[c.EventID] {
				s.Repeated++
				return
			}
			s.events[c.EventID] = true
			s.Verified++
		})
		return http.StatusOK
	}
}

func (s *sight) note(what func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	what()
}

// processorTime is what this process has used so far, kernel included.
func processorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
