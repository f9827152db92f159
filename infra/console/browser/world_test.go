// Package browser drives the console in headless Chromium, as a person does.
// It is a module of its own, so that the product's go.mod lists what the
// product needs. `make console-test` runs it.
package browser

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// patience bounds every wait, so that a test which would hang ends.
const patience = 60 * time.Second

var (
	program string // infra/local, built once
	browser context.Context
)

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "console-test")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	program = filepath.Join(dir, "local")
	build := exec.Command("go", "build", "-o", dir, "./infra/local", "./infra/console/fill")
	build.Dir = "../../.."
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
		return 1
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(filepath.Join(dir, "profile")),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true))
	if path := os.Getenv("CHROMIUM"); path != "" {
		options = append(options, chromedp.ExecPath(path))
	}
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	defer stop()
	var cancel context.CancelFunc
	browser, cancel = chromedp.NewContext(allocator, chromedp.WithErrorf(func(string, ...any) {})) // events that it does not know
	defer cancel()
	if err := chromedp.Run(browser); err != nil {
		fmt.Fprintln(os.Stderr, "no browser: install Debian's chromium, or set CHROMIUM to the path of one:", err)
		return 1
	}
	return m.Run()
}

// system is infra/local as a process.
type system struct {
	t                *testing.T
	gateway, console string
	token            string
	end              func() // once
}

var addresses = regexp.MustCompile(`(?m)^MoMo Proxy on (\S+)$|^  console +(\S+)$`)

// start runs the local system in memory.
func start(t *testing.T, arguments ...string) *system {
	t.Helper()
	arguments = append([]string{"-data", ":memory:", "-listen", "127.0.0.1:0", "-console", "127.0.0.1:0"}, arguments...)
	cmd := exec.Command(program, arguments...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var errs bytes.Buffer
	cmd.Stderr = &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	end := sync.OnceFunc(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
	})
	t.Cleanup(func() {
		end()
		if t.Failed() {
			t.Logf("the system said: %s", errs.String())
		}
	})
	s := &system{t: t, end: end}
	lines := bufio.NewScanner(out)
	for (s.gateway == "" || s.console == "") && lines.Scan() {
		for _, found := range addresses.FindAllStringSubmatch(lines.Text(), -1) {
			s.gateway += found[1]
			s.console += found[2]
		}
	}
	if s.console == "" {
		t.Fatalf("the system did not start: %s", errs.String())
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	index := s.read("")
	_, rest, _ := strings.Cut(index, `console-token" content="`)
	s.token, _, _ = strings.Cut(rest, `"`)
	return s
}

func (s *system) read(path string) string {
	s.t.Helper()
	resp, err := http.Get(s.console + path)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return string(body)
}

// post has the console do something.
func (s *system) post(path, body string) map[string]any {
	s.t.Helper()
	req, err := http.NewRequest(http.MethodPost, s.console+"api/"+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("X-Console-Token", s.token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	answer := map[string]any{}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || resp.StatusCode != http.StatusOK {
		s.t.Fatalf("%s: %d %v %v", path, resp.StatusCode, answer, err)
	}
	return answer
}

// trigger starts a payment that ends in an event.
func (s *system) trigger(event string) (reference string) {
	s.t.Helper()
	return s.post("local/trigger", fmt.Sprintf(`{"event":%q}`, event))["reference"].(string)
}

// pay starts a payment as the demo app does; what the API answers.
func (s *system) pay(body string) map[string]any {
	s.t.Helper()
	answer := map[string]any{}
	text := s.post("local/pay", fmt.Sprintf(`{"body":%q}`, body))["body"].(string)
	if err := json.Unmarshal([]byte(text), &answer); err != nil {
		s.t.Fatal(err)
	}
	return answer
}

// order is a request to pay of a payer who leaves it open.
func order(id string) string {
	return fmt.Sprintf(`{"amount":"150.00","externalId":%q,"payer":{"partyIdType":"MSISDN","partyId":"26876992002"}}`, id)
}

// view is a kind of screen.
type view struct {
	width, height int64
	dark, phone   bool
}

var desktop = view{width: 1280, height: 900}

// tab is one open page. What goes wrong in it fails the test.
type tab struct {
	t       *testing.T
	ctx     context.Context
	console string

	mu     sync.Mutex
	faults []string
	sent   map[network.RequestID]string // addresses
	got    map[network.RequestID]int64  // bytes of the answers
	// allowed are the starts of faults that the test provokes.
	allowed []string
}

// open opens a page of the console.
func (s *system) open(hash string, v view) *tab {
	s.t.Helper()
	return s.openWith("", hash, v)
}

// openWith opens a page in which a script runs before the page's own.
func (s *system) openWith(script, hash string, v view) *tab {
	s.t.Helper()
	ctx, cancel := chromedp.NewContext(browser)
	s.t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, patience)
	s.t.Cleanup(cancel)
	p := &tab{t: s.t, ctx: ctx, console: s.console, sent: map[network.RequestID]string{}, got: map[network.RequestID]int64{}}
	chromedp.ListenTarget(ctx, func(event any) {
		switch e := event.(type) {
		case *runtime.EventExceptionThrown:
			p.fault("exception: " + e.ExceptionDetails.Error())
		case *runtime.EventConsoleAPICalled:
			if e.Type == runtime.APITypeError || e.Type == runtime.APITypeWarning {
				text := "console: "
				for _, a := range e.Args {
					text += string(a.Value) + a.Description
				}
				p.fault(text)
			}
		case *log.EventEntryAdded:
			if e.Entry.Level == log.LevelError || e.Entry.Level == log.LevelWarning {
				p.fault("log: " + e.Entry.Text + " " + e.Entry.URL)
			}
		case *network.EventDataReceived:
			p.mu.Lock()
			p.got[e.RequestID] += e.DataLength
			p.mu.Unlock()
		case *network.EventRequestWillBeSent:
			p.mu.Lock()
			p.sent[e.RequestID] = e.Request.URL
			p.mu.Unlock()
			if !strings.HasPrefix(e.Request.URL, s.console) && !strings.HasPrefix(e.Request.URL, "data:") {
				p.fault("foreign request: " + e.Request.URL)
			}
		}
	})
	scheme := "light"
	if v.dark {
		scheme = "dark"
	}
	metrics := emulation.SetDeviceMetricsOverride(v.width, v.height, 1, v.phone)
	p.do(network.Enable(), log.Enable(), metrics,
		emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}),
		chromedp.ActionFunc(func(ctx context.Context) error {
			if script == "" {
				return nil
			}
			_, err := page.AddScriptToEvaluateOnNewDocument(script).Do(ctx)
			return err
		}),
		chromedp.Navigate(s.console+hash), chromedp.WaitVisible("main > :not(.loading)"))
	s.t.Cleanup(p.check)
	return p
}

func (p *tab) fault(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, prefix := range p.allowed {
		if strings.HasPrefix(text, prefix) {
			return
		}
	}
	p.faults = append(p.faults, text)
}

// asked counts the requests for an address and the bytes of their answers.
func (p *tab) asked(path string) (requests int, bytes int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for id, address := range p.sent {
		if u, err := url.Parse(address); err == nil && u.Path == path {
			requests++
			bytes += p.got[id]
		}
	}
	return requests, bytes
}

// check fails the test for what went wrong in the page.
func (p *tab) check() {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, f := range p.faults {
		p.t.Error(f)
	}
	p.faults = nil
}

func (p *tab) do(actions ...chromedp.Action) {
	p.t.Helper()
	if err := chromedp.Run(p.ctx, actions...); err != nil {
		p.check()
		var text string
		_ = chromedp.Run(browserOf(p.ctx), chromedp.Text("body", &text))
		p.t.Fatalf("%v; the page says:\n%s", err, text)
	}
}

// browserOf gives a page whose time is up a moment to say what it shows.
func browserOf(ctx context.Context) context.Context {
	late, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	context.AfterFunc(late, cancel)
	return late
}

// until waits for the page's text to have each of the texts.
func (p *tab) until(texts ...string) {
	p.t.Helper()
	for _, text := range texts {
		p.do(chromedp.Poll(fmt.Sprintf(`document.body.innerText.includes(%q)`, text), nil, chromedp.WithPollingTimeout(patience)))
	}
}

// press presses the button or follows the link of that name.
func (p *tab) press(name string) {
	p.t.Helper()
	p.do(chromedp.Click(fmt.Sprintf(`//*[self::button or self::a or self::summary][normalize-space(.)=%q]`, name), chromedp.BySearch, chromedp.NodeVisible))
}

func (p *tab) text(selector string) (text string) {
	p.t.Helper()
	p.do(chromedp.Text(selector, &text, chromedp.ByQuery))
	return text
}

// awaited has an evaluated promise awaited.
func awaited(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }

// quoted is a text as a JSON and JavaScript literal.
func quoted(text string) string {
	b, _ := json.Marshal(text) // always marshals
	return string(b)
}

func encoded(text string) string { return url.QueryEscape(text) }
