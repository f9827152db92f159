package delivery

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// waits are the times between attempts, before jitter: wait n lies before
// attempt n+1. Quick at first, since a payer stands in front of a checkout
// page; then 75.7 hours in all, so that an app that breaks on Friday evening
// still gets its callbacks on Monday.
var waits = [...]time.Duration{
	0,
	5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute, 30 * time.Minute,
	2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour,
}

const (
	// MaxAttempts is how many charged attempts a delivery gets.
	MaxAttempts = len(waits)
	// MaxFree bounds the attempts that are not charged, half a day's worth. A
	// domain whose own name servers are broken looks like a fault of our
	// resolver, and no retry is endless.
	MaxFree = 48
)

const (
	jitter          = 0.2 // to either side
	maxRetryAfter   = time.Hour
	firstFreeWait   = 30 * time.Second
	longestFreeWait = 15 * time.Minute
)

// Wait returns the time from the end of charged attempt n-1 to attempt n,
// counted from 1, with ±20 % jitter drawn from random in [0,1). Zero for the
// first attempt and before; past MaxAttempts the last wait repeats.
func Wait(n int, random float64) time.Duration {
	n = min(max(n, 1), MaxAttempts)
	return spread(waits[n-1], random)
}

// waitFree returns the time to the next attempt after free earlier ones that
// were not charged: 30 s, doubling to 15 min, with the same jitter.
func waitFree(free int, random float64) time.Duration {
	wait := longestFreeWait
	if free = max(free, 0); free < 5 {
		wait = min(firstFreeWait<<free, longestFreeWait)
	}
	return spread(wait, random)
}

// spread puts wait within ±20 %.
func spread(wait time.Duration, random float64) time.Duration {
	return time.Duration(float64(wait) * (1 - jitter + 2*jitter*clampRandom(random)))
}

// clampRandom keeps a faulty source of randomness from breaking the bounds.
func clampRandom(random float64) float64 {
	if !(random > 0) { // NaN too
		return 0
	}
	return min(random, 1)
}

// withRetryAfter lengthens base, a wait already jittered, to what the endpoint
// asked for. The answer lies in [base, max(2·base, 1 h)]: an endpoint may ask
// for patience, neither for haste nor for silence. Up to 20 % is added to what
// was asked, so that deliveries with one answer do not return together.
func withRetryAfter(base time.Duration, header string, now time.Time, random float64) time.Duration {
	asked, ok := ParseRetryAfter(header, now)
	if !ok {
		return base
	}
	late := time.Duration(float64(asked) * jitter * clampRandom(random))
	return min(max(asked+late, base), max(2*base, maxRetryAfter))
}

// ParseRetryAfter reads a Retry-After header (RFC 9110 10.2.3): a number of
// seconds, or an HTTP date seen from now; a date that has passed is 0. Numbers
// beyond a year count as a year. ok is false for anything else.
func ParseRetryAfter(header string, now time.Time) (wait time.Duration, ok bool) {
	const year = 365 * 24 * time.Hour
	header = strings.TrimSpace(header)
	if header == "" {
		return 0, false
	}
	if strings.Trim(header, "0123456789") == "" {
		seconds, err := strconv.ParseInt(header, 10, 64)
		if err != nil || seconds > int64(year/time.Second) {
			return year, true // too many digits for an int64 included
		}
		return time.Duration(seconds) * time.Second, true
	}
	at, err := http.ParseTime(header)
	if err != nil {
		return 0, false
	}
	return min(max(at.Sub(now), 0), year), true
}
