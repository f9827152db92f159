package browser

import (
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// load has the API take n payments, some at a time.
func (s *system) load(n int) {
	s.t.Helper()
	var wg sync.WaitGroup
	slots := make(chan struct{}, 16)
	for i := range n {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			for { // an app has a limit of requests, and is told when to come again
				resp, err := s.order(fmt.Sprintf("LOAD-%05d", i))
				if err != nil {
					s.t.Error(err)
					return
				}
				resp.Body.Close()
				wait, _ := strconv.Atoi(resp.Header.Get("Retry-After"))
				switch {
				case resp.StatusCode == http.StatusAccepted:
					return
				case resp.StatusCode != http.StatusTooManyRequests || wait == 0:
					s.t.Errorf("order %d: %s", i, resp.Status)
					return
				}
				<-time.After(time.Duration(wait) * time.Second)
			}
		})
	}
	wg.Wait()
}

func (s *system) order(id string) (*http.Response, error) {
	r, err := http.NewRequest(http.MethodPost, s.gateway+"/request-to-pay", strings.NewReader(order(id)))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Proxy-Api-Key", "APP_CHANGE_THIS")
	return http.DefaultClient.Do(r)
}

// With 10,000 payments the list has each of them, and scrolling through it
// stays smooth: the frames are counted and printed, not judged, since a busy
// machine is slow.
func TestTenThousand(t *testing.T) {
	const n = 10_000
	data := t.TempDir()
	s := start(t, "-data", data)
	if out, err := exec.Command(filepath.Join(filepath.Dir(program), "fill"), "-data", data, "-n", fmt.Sprint(n)).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	p := s.open("", desktop)
	p.until(fmt.Sprint(n), "started today")
	p.do(chromedp.Navigate(s.console + "#/payments"))
	p.until("LOAD-")
	var scrolled struct {
		Rows    int
		Frames  int
		Slow    int     // frames that took over 50 ms
		Longest float64 // ms
	}
	p.do(chromedp.Evaluate(`new Promise((done) => {
		const r = { Frames: 0, Slow: 0, Longest: 0, Rows: 0 };
		let last = performance.now();
		const step = (now) => {
			r.Frames++;
			r.Longest = Math.max(r.Longest, now - last);
			if (now - last > 50) r.Slow++;
			last = now;
			scrollBy(0, 1500);
			if (document.querySelector('.foot').textContent === 'These are all.' && scrollY + innerHeight >= document.documentElement.scrollHeight - 2) {
				r.Rows = document.querySelectorAll('a.row').length;
				done(r);
			} else requestAnimationFrame(step);
		};
		requestAnimationFrame(step);
	})`, &scrolled, awaited))
	t.Logf("%d rows, %d frames, %d of them over 50 ms, the longest %.0f ms", scrolled.Rows, scrolled.Frames, scrolled.Slow, scrolled.Longest)
	if scrolled.Rows != n {
		t.Errorf("%d rows, want %d", scrolled.Rows, n)
	}
}

// While payments come in the first screen shows each at once, and what the
// person has in hand stays: the focus, and what is folded open.
func TestLiveUnderLoad(t *testing.T) {
	s := start(t)
	reference := s.pay(order("ORDER-1"))["referenceId"].(string)
	p := s.open("#/payments/"+reference, desktop)
	p.until("Waiting for the payer")
	p.do(chromedp.Evaluate(`document.querySelector('summary').click(); document.querySelector('summary').focus(); document.querySelector('details').mine = 1`, nil))
	home := s.open("", desktop)
	home.until("1\nstarted today")
	s.load(200)
	s.post("local/payments/"+reference+"/approve", "")
	home.until("201\nstarted today", "LOAD-")
	p.do(page.BringToFront()) // in the background it asks for nothing
	p.until("Paid. MTN confirmed")
	var kept bool
	p.do(chromedp.Evaluate(`document.activeElement.matches('summary') && document.querySelector('details').open && document.querySelector('details').mine === 1`, &kept))
	if !kept {
		t.Error("an update took away the focus or what was folded open")
	}
}
