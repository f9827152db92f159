package wire

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// longestRetryAfter keeps a number of seconds within a time.Duration.
const longestRetryAfter = 30 * 24 * 60 * 60

// RetryAfter is the wait that an answer asks for, in seconds or as a date; 0:
// none. A date counts from the answer's own, so that our clock does not matter.
func RetryAfter(r Reply) time.Duration {
	text := strings.TrimSpace(r.Header.Get("Retry-After"))
	if text == "" {
		return 0 // as nearly always; a parse error costs more than the answer
	}
	if seconds, err := strconv.Atoi(text); err == nil {
		return time.Duration(min(max(seconds, 0), longestRetryAfter)) * time.Second
	}
	until, err := http.ParseTime(text)
	since, dateErr := http.ParseTime(r.Header.Get("Date"))
	if err != nil || dateErr != nil {
		return 0
	}
	return max(until.Sub(since), 0)
}
