// Neighbours measures what an app gets beside somebody who abuses the system:
// another app whose payers the provider leaves unanswered (503) or answers
// with 429, one that asks without end, or a stranger who floods the callback
// and unknown routes. Over HTTP, against the local system as a process of its
// own, with its stand-ins and its database.
//
//	go run ./infra/bench/neighbours            # six times half a minute
//
// The app beside it asks for a payment once a second. Refused is every answer
// but 202.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// payers are those of MTN's stand-in, by infra/standin/README.md.
var payers = []string{"26876990503", "26876990429"}

func main() {
	span := flag.Duration("span", 30*time.Second, "how long each measurement takes")
	flag.Parse()
	if err := measure(*span); err != nil {
		log.Fatal(err)
	}
}

func measure(span time.Duration) error {
	dir, err := os.MkdirTemp("", "momo-proxy-neighbours")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	data := filepath.Join(dir, "data")
	url, stop, err := start(filepath.Join(dir, "local"), data)
	if err != nil {
		return err
	}
	defer stop()
	bad, err := newKey(data, "A")
	if err != nil {
		return err
	}
	good, err := newKey(data, "B")
	if err != nil {
		return err
	}
	failing := func(t *tally, order string, i int) { t.pay(url, bad, order, payers[i%len(payers)]) }
	flood := func(t *tally, order string, i int) { t.pay(url, bad, order, fmt.Sprint("268762", 10000+i%1000)) }
	filler := strings.Repeat("x", 60_000)
	callback := func(t *tally, order string, i int) {
		t.send(url+"/callback", "", fmt.Sprintf(`{"externalId":%q,"status":"SUCCESSFUL","filler":%q}`, order, filler))
	}
	unknown := func(t *tally, order string, i int) { t.send(url+"/"+order, "", filler) }
	for _, m := range []struct {
		name    string
		abuse   func(t *tally, order string, i int)
		threads int
		pause   time.Duration
	}{
		{"B alone", nil, 0, 0},
		{"A's payers fail, five a second", failing, 1, 200 * time.Millisecond},
		{"A's payers fail, 16 at a time", failing, 16, 50 * time.Millisecond},
		{"A asks 16 at a time", flood, 16, 0},
		{"callbacks of 60 kB, 8 at a time", callback, 8, 0},
		{"unknown routes, 8 at a time", unknown, 8, 0},
	} {
		fmt.Println(m.name+":", beside(url, good, m.abuse, m.threads, m.pause, span))
	}
	return nil
}

// newKey makes a client and returns its API key.
func newKey(data, name string) (string, error) {
	cmd := exec.Command("go", "run", "./infra/momoctl", "--data", data, "--json", "client", "create", "--name", name, "--callback-url", "https://"+name+".example.com/momo")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("create client %s: %w", name, err)
	}
	var made struct {
		APIKey string `json:"apiKey"`
	}
	err = json.Unmarshal(out, &made)
	return made.APIKey, err
}

// start builds the local system and runs it until stop.
func start(binary, data string) (url string, stop func(), err error) {
	build := exec.Command("go", "build", "-o", binary, "./infra/local")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return "", nil, err
	}
	cmd := exec.Command(binary, "-data", data, "-listen", "127.0.0.1:0")
	output, err := cmd.StdoutPipe()
	if err != nil {
		return "", nil, err
	}
	if err := cmd.Start(); err != nil {
		return "", nil, err
	}
	stop = func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
	}
	lines := bufio.NewScanner(output)
	for lines.Scan() {
		if url, ok := strings.CutPrefix(lines.Text(), "MoMo Proxy on "); ok {
			go func() { _, _ = io.Copy(io.Discard, output) }()
			return url, stop, nil
		}
	}
	stop()
	return "", nil, fmt.Errorf("the local system did not start")
}

// tally counts the answers of one app.
type tally struct {
	mu    sync.Mutex
	codes map[int]int
	took  []time.Duration
}

func (t *tally) String() string {
	slices.Sort(t.took)
	n := len(t.took)
	if n == 0 {
		return "none"
	}
	return fmt.Sprintf("%d of %d refused, p50 %s, p99 %s, answers %v", n-t.codes[202], n,
		t.took[n/2].Round(100*time.Microsecond), t.took[n*99/100].Round(100*time.Microsecond), t.codes)
}

func beside(url, good string, abuse func(t *tally, order string, i int), threads int, pause, span time.Duration) string {
	run := fmt.Sprint(time.Now().UnixNano())
	end := time.Now().Add(span)
	ordinary, abusive := &tally{codes: map[int]int{}}, &tally{codes: map[int]int{}}
	var all sync.WaitGroup
	for thread := range threads {
		all.Go(func() {
			for i := 0; time.Now().Before(end); i++ {
				ask := func() { abuse(abusive, fmt.Sprint("A-", run, "-", thread, "-", i), i) }
				if threads == 1 {
					all.Go(ask) // at its rate, however long each takes
				} else {
					ask()
				}
				time.Sleep(pause)
			}
		})
	}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for i := 0; time.Now().Before(end); i++ {
		all.Go(func() { ordinary.pay(url, good, fmt.Sprint("B-", run, "-", i), fmt.Sprint("268761", 10000+i)) })
		<-tick.C
	}
	all.Wait()
	return fmt.Sprintf("B %s; the other %s", ordinary, abusive)
}

func (t *tally) pay(url, key, order, payer string) {
	t.send(url+"/request-to-pay", key, fmt.Sprintf(`{"amount":"150.00","externalId":%q,"payer":{"partyIdType":"MSISDN","partyId":%q}}`, order, payer))
}

func (t *tally) send(url, key, body string) {
	r, _ := http.NewRequest(http.MethodPost, url, bytes.NewReader([]byte(body))) // the URL is the system's own
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Proxy-Api-Key", key)
	began := time.Now()
	resp, err := http.DefaultClient.Do(r)
	code := 0
	if err == nil {
		_, _ = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		code = resp.StatusCode
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.codes[code]++
	t.took = append(t.took, time.Since(began))
}
