package bench_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// besideEngine runs a test on a virtual clock, beside an engine that lives on
// the machine's. The clock stands still while the engine answers: however slow
// it is, no cache, token or lease ends meanwhile.
func besideEngine(t *testing.T, test func(*testing.T, *connection)) {
	t.Helper()
	c := &connection{requests: make(chan *http.Request), answers: make(chan answered)}
	defer close(c.requests)
	go c.serve()
	now := time.Now()
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(now)) // the engine removes what has expired
		test(t, c)
	})
}

// connection carries requests out of a bubble, one at a time. Its channels are
// made outside: a goroutine that waits on one stops the bubble's clock.
type connection struct {
	mu       sync.Mutex
	requests chan *http.Request
	answers  chan answered
}

type answered struct {
	response *http.Response
	err      error
}

// Do implements aws.HTTPClient.
func (c *connection) Do(r *http.Request) (*http.Response, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.requests <- r.WithContext(context.Background()) // r's own belongs to the bubble
	a := <-c.answers
	return a.response, a.err
}

func (c *connection) serve() {
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	for r := range c.requests {
		response, err := client.Do(r)
		if err == nil {
			var body []byte
			body, err = io.ReadAll(response.Body)
			response.Body.Close()
			response.Body = io.NopCloser(bytes.NewReader(body))
		}
		c.answers <- answered{response, err}
	}
}
