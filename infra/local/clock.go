package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// clock is the machine's clock, which a person can move forward to see what
// takes a day. The proxy, the stand-ins and the demo app all go by it. How far
// it was moved is kept in the data folder: records of tomorrow must not be met
// by a clock of today.
type clock struct {
	base func() time.Time
	path string // empty: kept nowhere

	mu     sync.Mutex
	ahead  time.Duration
	timers map[*clockTimer]struct{}
}

type clockTimer struct {
	at   time.Time
	real *time.Timer
}

// clockFile is in the data folder once the clock was moved. momoctl reads it.
const clockFile = "clock.json"

type keptClock struct {
	AheadMs int64 `json:"aheadMs"`
}

func newClock(base func() time.Time, folder string) (*clock, error) {
	if base == nil {
		base = time.Now
	}
	c := &clock{base: base, timers: map[*clockTimer]struct{}{}}
	if folder == ":memory:" {
		return c, nil
	}
	c.path = filepath.Join(folder, clockFile)
	text, err := os.ReadFile(c.path)
	if errors.Is(err, fs.ErrNotExist) {
		return c, nil
	}
	var kept keptClock
	if err == nil {
		err = json.Unmarshal(text, &kept)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.path, err)
	}
	c.ahead = time.Duration(kept.AheadMs) * time.Millisecond
	return c, nil
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.base().Add(c.ahead)
}

func (c *clock) Ahead() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ahead
}

// AfterFunc calls f in a goroutine of its own, d from now on this clock.
func (c *clock) AfterFunc(d time.Duration, f func()) (stop func() bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := &clockTimer{at: c.base().Add(c.ahead + d)}
	take := func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		_, waits := c.timers[t]
		delete(c.timers, t)
		return waits
	}
	t.real = time.AfterFunc(d, func() {
		if take() {
			f()
		}
	})
	c.timers[t] = struct{}{}
	return func() bool {
		t.real.Stop()
		return take()
	}
}

// Forward moves the clock. What is due by then is done at once.
func (c *clock) Forward(by time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.path != "" {
		text, _ := json.Marshal(keptClock{(c.ahead + by).Milliseconds()}) // always marshals
		if err := os.WriteFile(c.path, text, 0o600); err != nil {
			return err
		}
	}
	c.ahead += by
	now := c.base().Add(c.ahead)
	for t := range c.timers {
		t.real.Reset(max(0, t.at.Sub(now)))
	}
	return nil
}
