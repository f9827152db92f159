package main

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// progress tells how far a run is: as a bar that is drawn over on a terminal,
// as a line now and then elsewhere.
type progress struct {
	out      io.Writer
	terminal bool
	now      func() time.Time
	total    int // as counted before; more may come
	began    time.Time
	before   int // done by the run that this one goes on with
	shown    time.Time
}

const (
	redrawEvery = 200 * time.Millisecond
	lineEvery   = 10 * time.Second
	barWidth    = 30
)

// show tells that done are done, if it is time to.
func (p *progress) show(done int) {
	now := p.now()
	every := lineEvery
	if p.terminal {
		every = redrawEvery
	}
	if p.shown.IsZero() {
		p.shown = p.began
	}
	if now.Sub(p.shown) < every {
		return
	}
	p.shown = now
	p.write(done, "")
}

// end leaves the last state on the screen.
func (p *progress) end(done int) {
	if p.terminal && !p.shown.IsZero() {
		p.write(done, "\n")
	}
}

func (p *progress) write(done int, end string) {
	line := p.line(done)
	if p.terminal {
		fmt.Fprintf(p.out, "\r\x1b[K%s%s", line, end)
		return
	}
	fmt.Fprintln(p.out, line)
}

func (p *progress) line(done int) string {
	total := max(p.total, done)
	if total == 0 {
		return "0 of 0"
	}
	part := float64(done) / float64(total)
	text := fmt.Sprintf("%d of %d, %d%%", done, total, int(100*part))
	if took := p.now().Sub(p.began); took > time.Second && done > p.before {
		rate := float64(done-p.before) / took.Seconds()
		text += fmt.Sprintf(", %.0f/s, %s left", rate, ago(time.Duration(float64(total-done)/rate*float64(time.Second))))
	}
	if !p.terminal {
		return text
	}
	full := int(part * barWidth)
	return "[" + strings.Repeat("#", full) + strings.Repeat(".", barWidth-full) + "] " + text
}
