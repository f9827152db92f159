package endtoend

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// process is one function's binary under a Lambda Runtime API of its own
// (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html). Like one
// execution environment it answers one event at a time.
type process struct {
	name    string
	timeout time.Duration
	api     *httptest.Server
	closing chan struct{}
	pending chan *invocation

	mu       sync.Mutex
	handed   map[string]*invocation // given out, not answered
	ready    time.Duration          // from the start to the first question for work
	initFail string                 // body of an init error

	cmd     *exec.Cmd
	started time.Time
	exited  chan struct{}
	output  output
	stop    func() // ends the process; it may be called more than once
}

// invocation is one event on its way through the function.
type invocation struct {
	id    string
	event []byte
	done  chan struct{}
	body  []byte
	fault string // body of an error answer
}

// output keeps what a process prints.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// launch starts a binary with this environment and nothing else but what
// Lambda itself sets. It ends with the test.
func launch(t *testing.T, name, binary string, timeout time.Duration, environment map[string]string) *process {
	t.Helper()
	p := &process{
		name: name, timeout: timeout, closing: make(chan struct{}), exited: make(chan struct{}),
		pending: make(chan *invocation), handed: map[string]*invocation{},
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", p.next)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/response", p.answer)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/error", p.answer)
	mux.HandleFunc("POST /2018-06-01/runtime/init/error", p.initError)
	p.api = httptest.NewServer(mux)

	p.cmd = exec.Command(binary)
	p.cmd.Stdout, p.cmd.Stderr = &p.output, &p.output
	p.cmd.Env = []string{
		"AWS_LAMBDA_RUNTIME_API=" + strings.TrimPrefix(p.api.URL, "http://"),
		"AWS_LAMBDA_FUNCTION_NAME=" + name, "AWS_LAMBDA_FUNCTION_VERSION=$LATEST", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=256",
		"AWS_REGION=" + region, "_HANDLER=bootstrap", "TZ=:UTC", "PATH=/usr/local/bin:/usr/bin:/bin",
	}
	for variable, value := range environment {
		p.cmd.Env = append(p.cmd.Env, variable+"="+value)
	}
	p.started = time.Now()
	if err := p.cmd.Start(); err != nil {
		p.api.Close()
		t.Fatal(err)
	}
	go func() {
		defer close(p.exited)
		_ = p.cmd.Wait() // its state is read after exited
	}()
	p.stop = sync.OnceFunc(func() {
		_ = p.cmd.Process.Kill()
		<-p.exited
		close(p.closing)
		p.api.Close()
	})
	t.Cleanup(func() {
		p.stop()
		if t.Failed() {
			t.Logf("output of %s:\n%s", name, p.output.String())
		}
	})
	return p
}

// readyAfter is how long after its start it first asked for work; 0: not yet.
func (p *process) readyAfter() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ready
}

// next hands out one event, with everything that the Runtime API sends along.
func (p *process) next(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	if p.ready == 0 {
		p.ready = time.Since(p.started)
	}
	p.mu.Unlock()
	select {
	case i := <-p.pending:
		p.mu.Lock()
		p.handed[i.id] = i
		p.mu.Unlock()
		h := w.Header()
		h.Set("Lambda-Runtime-Aws-Request-Id", i.id)
		h.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(time.Now().Add(p.timeout).UnixMilli(), 10))
		h.Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:"+region+":123456789012:function:"+p.name)
		h.Set("Lambda-Runtime-Trace-Id", "Root=1-6920304c-58406520a006649127e371b1;Parent=53995c3f42cd8ad8;Sampled=1")
		h.Set("Content-Type", "application/json")
		_, _ = w.Write(i.event) // a process that is gone is seen by its exit
	case <-p.closing:
		w.WriteHeader(http.StatusInternalServerError)
	case <-r.Context().Done():
	}
}

func (p *process) answer(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	p.mu.Lock()
	i := p.handed[r.PathValue("id")]
	delete(p.handed, r.PathValue("id"))
	p.mu.Unlock()
	if err != nil || i == nil {
		http.Error(w, `{"errorType":"InvalidRequestID"}`, http.StatusBadRequest)
		return
	}
	i.body = body
	if strings.HasSuffix(r.URL.Path, "/error") {
		i.fault = string(body)
	}
	w.WriteHeader(http.StatusAccepted)
	close(i.done)
}

func (p *process) initError(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	p.mu.Lock()
	p.initFail = string(body)
	p.mu.Unlock()
	w.WriteHeader(http.StatusAccepted)
}

// invoke runs the function on one event. It fails as Lambda would: when the
// function reports an error, ends, or takes longer than its timeout.
func (p *process) invoke(ctx context.Context, event []byte) ([]byte, error) {
	i := &invocation{id: rand.Text(), event: event, done: make(chan struct{})}
	// A start may take ten seconds, and other events come first.
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second+2*p.timeout)
	defer cancel()
	select {
	case p.pending <- i:
	case <-p.exited:
		return nil, fmt.Errorf("%s ended: %s", p.name, p.cmd.ProcessState)
	case <-ctx.Done():
		return nil, fmt.Errorf("%s did not ask for work: %w", p.name, ctx.Err())
	}
	late := time.NewTimer(p.timeout)
	defer late.Stop()
	select {
	case <-i.done:
	case <-p.exited:
		return nil, fmt.Errorf("%s ended over an event: %s", p.name, p.cmd.ProcessState)
	case <-late.C:
		return nil, fmt.Errorf("%s took longer than %s", p.name, p.timeout)
	}
	if i.fault != "" {
		return nil, errors.New(p.name + ": " + i.fault)
	}
	return i.body, nil
}

// call is invoke with events and answers as Go values.
func (p *process) call(ctx context.Context, event, answer any) error {
	source, ok := event.([]byte)
	if !ok {
		var err error
		if source, err = json.Marshal(event); err != nil {
			return err
		}
	}
	body, err := p.invoke(ctx, source)
	if err != nil || answer == nil {
		return err
	}
	if err := json.Unmarshal(body, answer); err != nil {
		return fmt.Errorf("%s answered %q: %w", p.name, body, err)
	}
	return nil
}
