package delivery

import (
	"math"
	"math/rand/v2"
	"net/http"
	"testing"
	"time"
)

var attemptedAt = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func TestScheduleIsAsPublished(t *testing.T) {
	t.Parallel()
	want := []time.Duration{
		0, 5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute, 30 * time.Minute,
		2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour,
	}
	if MaxAttempts != len(want) {
		t.Fatalf("MaxAttempts = %d", MaxAttempts)
	}
	var total time.Duration
	for i, base := range want {
		if got := Wait(i+1, 0.5); got != base {
			t.Errorf("Wait(%d) = %s, want %s", i+1, got, base)
		}
		total += base
	}
	if total < 75*time.Hour || total > 76*time.Hour {
		t.Errorf("all of it takes %s", total)
	}
}

func TestWaitBounds(t *testing.T) {
	t.Parallel()
	source := rand.New(rand.NewPCG(1, 2))
	randoms := []float64{0, 1, math.Nextafter(1, 0), -1, 2, math.NaN(), math.Inf(1), math.Inf(-1)}
	for range 1000 {
		randoms = append(randoms, source.Float64())
	}
	for n := -3; n < MaxAttempts+5; n++ {
		base := waits[min(max(n, 1), MaxAttempts)-1]
		for _, random := range randoms {
			got := Wait(n, random)
			if got < base*8/10 || got > base*12/10 {
				t.Fatalf("Wait(%d, %v) = %s, outside 20 %% of %s", n, random, got, base)
			}
			if free := waitFree(n, random); free < firstFreeWait*8/10 || free > longestFreeWait*12/10 {
				t.Fatalf("waitFree(%d, %v) = %s", n, random, free)
			}
		}
	}
	if Wait(8, 0) == Wait(8, 0.999) {
		t.Error("no jitter")
	}
	for free, want := range []time.Duration{30 * time.Second, time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute, 15 * time.Minute, 15 * time.Minute} {
		if got := waitFree(free, 0.5); got != want {
			t.Errorf("waitFree(%d) = %s, want %s", free, got, want)
		}
	}
	if got := waitFree(math.MaxInt, 0.5); got != longestFreeWait {
		t.Errorf("waitFree(very many) = %s", got)
	}
}

func TestParseRetryAfter(t *testing.T) {
	t.Parallel()
	const year = 365 * 24 * time.Hour
	for header, want := range map[string]time.Duration{
		"0": 0, "120": 2 * time.Minute, " 5 ": 5 * time.Second, "007": 7 * time.Second,
		"31536000": year, "99999999999": year, "99999999999999999999999999": year,
		attemptedAt.Add(time.Hour).Format(http.TimeFormat):  time.Hour,
		attemptedAt.Add(-time.Hour).Format(http.TimeFormat): 0,
		"Sunday, 01-Mar-26 12:30:00 GMT":                    30 * time.Minute,
		"Sun Mar  1 12:30:00 2026":                          30 * time.Minute,
		"Fri, 31 Dec 9999 23:59:59 GMT":                     year,
		"":                                                  -1, "-5": -1, "+5": -1, "1.5": -1, "5s": -1, "soon": -1, "1e3": -1, "0x10": -1, "\u0663": -1,
		"Sun, 32 Mar 2026 12:00:00 GMT": -1,
	} {
		got, ok := ParseRetryAfter(header, attemptedAt)
		if ok != (want >= 0) || ok && got != want {
			t.Errorf("ParseRetryAfter(%q) = %s, %v, want %s", header, got, ok, want)
		}
	}
}

func TestRetryAfterIsClamped(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		base   time.Duration
		header string
		random float64
		want   time.Duration
	}{
		{5 * time.Second, "", 0, 5 * time.Second},
		{5 * time.Second, "nonsense", 0, 5 * time.Second},
		{5 * time.Second, "0", 0.5, 5 * time.Second},
		{time.Minute, "59", 0, time.Minute},
		{5 * time.Second, "100", 0, 100 * time.Second},
		{5 * time.Second, "100", 0.5, 110 * time.Second},
		{5 * time.Second, "3600", 0, time.Hour},
		{5 * time.Second, "86400", 0.9, time.Hour},
		{2 * time.Hour, "86400", 0, 4 * time.Hour},
		{2 * time.Hour, "10800", 0, 3 * time.Hour},
		{24 * time.Hour, "99999999999999999999", 0, 48 * time.Hour},
		{5 * time.Second, attemptedAt.Add(10 * time.Minute).Format(http.TimeFormat), 0, 10 * time.Minute},
	} {
		if got := withRetryAfter(tc.base, tc.header, attemptedAt, tc.random); got != tc.want {
			t.Errorf("withRetryAfter(%s, %q, %v) = %s, want %s", tc.base, tc.header, tc.random, got, tc.want)
		}
	}
}

func FuzzRetryAfter(f *testing.F) {
	for _, header := range []string{"", "0", "120", "-1", "9999999999999999999", "Sun, 01 Mar 2026 12:30:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT"} {
		f.Add(header, int64(0), 0.5, 3)
	}
	f.Fuzz(func(t *testing.T, header string, unix int64, random float64, n int) {
		now := time.Unix(unix%(1<<40), 0)
		wait, ok := ParseRetryAfter(header, now)
		if wait < 0 || wait > 365*24*time.Hour || !ok && wait != 0 {
			t.Fatalf("ParseRetryAfter(%q) = %s, %v", header, wait, ok)
		}
		base := Wait(n, random)
		if got := withRetryAfter(base, header, now, random); got < base || got > max(2*base, time.Hour) {
			t.Fatalf("withRetryAfter(%s, %q) = %s", base, header, got)
		}
	})
}
