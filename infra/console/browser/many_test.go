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

// With 10,000 payments the list has each of them, and its end is no more work
// than its beginning. The rows in the page, the requests and their bytes are
// bounded, and the last thousand rows take no more long tasks than the first
// thousand did in the same run. A busy machine makes both slow, so no time is
// judged.
func TestTenThousand(t *testing.T) {
	const (
		n, part    = 10_000, 1000
		mostRows   = 400   // in the page at once
		mostNodes  = 5_000 // elements, of which a row has about ten
		bytesOfRow = 450
	)
	s := start(t, "-data", filled(t, n))
	p := s.open("", desktop)
	p.until(fmt.Sprint(n), "started today")
	p.do(chromedp.Navigate(s.console + "#/payments"))
	p.until("LOAD-")
	if requests, bytes := p.asked("/api/payments"); requests > 3 || bytes > 300*bytesOfRow {
		t.Errorf("before anybody scrolls: %d requests, %d bytes", requests, bytes)
	}
	var scrolled struct {
		Rows, Nodes int // the most at once
		Ended       string
		Long        struct{ First, Middle, End int }
		Longest     float64 // ms, not judged
		Seen        int
	}
	p.do(chromedp.Evaluate(fmt.Sprintf(`new Promise((done) => {
		const r = { Rows: 0, Nodes: 0, Longest: 0, Long: { First: 0, Middle: 0, End: 0 } };
		const orders = new Set();
		let phase = 'First';
		new PerformanceObserver((list) => {
			for (const e of list.getEntries()) { r.Long[phase]++; r.Longest = Math.max(r.Longest, e.duration); }
		}).observe({ type: 'longtask' });
		const step = () => {
			const rows = document.querySelectorAll('a.row');
			for (const row of rows) orders.add(row.children[1].textContent);
			phase = orders.size < %[1]d ? 'First' : orders.size < %[2]d ? 'Middle' : 'End';
			r.Rows = Math.max(r.Rows, rows.length);
			r.Nodes = Math.max(r.Nodes, document.getElementsByTagName('*').length);
			scrollBy(0, phase === 'Middle' ? 1500 : 400);
			const foot = document.querySelector('.foot');
			if (foot.textContent === 'These are all.' && scrollY + innerHeight >= document.documentElement.scrollHeight - 2) {
				r.Ended = rows[rows.length - 1].children[1].textContent;
				r.Seen = orders.size;
				done(r);
			} else requestAnimationFrame(step);
		};
		requestAnimationFrame(step);
	})`, part, n-part), &scrolled, awaited))
	requests, bytes := p.asked("/api/payments")
	t.Logf("%+v, %d requests, %d bytes", scrolled, requests, bytes)
	if scrolled.Seen != n || scrolled.Ended != fmt.Sprintf("LOAD-%05d", n-1) {
		t.Errorf("%d payments were seen, the last was %s", scrolled.Seen, scrolled.Ended)
	}
	if scrolled.Rows > mostRows || scrolled.Nodes > mostNodes {
		t.Errorf("%d rows and %d elements were in the page at once", scrolled.Rows, scrolled.Nodes)
	}
	if requests > n/100+5 || bytes > n*bytesOfRow {
		t.Errorf("%d requests, %d bytes", requests, bytes)
	}
	if scrolled.Long.End > 2*scrolled.Long.First+10 {
		t.Errorf("the last %d rows took %d long tasks, the first %d", part, scrolled.Long.End, scrolled.Long.First)
	}
	// Back at the top the rows that were removed are there again, and a new
	// payment comes in above them.
	p.do(chromedp.Evaluate(`scrollTo(0, 0)`, nil))
	p.until("LOAD-00000")
	s.pay(order("ORDER-NEW"))
	p.until("ORDER-NEW")
	var first string
	p.do(chromedp.Evaluate(`document.querySelector('a.row').children[1].textContent`, &first))
	if first != "ORDER-NEW" {
		t.Errorf("the first row is %s", first)
	}
}

// filled is the folder of a system with n open payments.
func filled(t *testing.T, n int) (data string) {
	t.Helper()
	data = t.TempDir()
	start(t, "-data", data).end()
	if out, err := exec.Command(filepath.Join(filepath.Dir(program), "fill"), "-data", data, "-n", fmt.Sprint(n)).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return data
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
