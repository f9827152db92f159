package wire_test

import (
	"net/http"
	"testing"
	"time"

	"momoproxy/shared/provider/wire"
)

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	const date = "Sat, 21 Nov 2026 12:00:00 GMT"
	for text, want := range map[string]time.Duration{
		"": 0, "0": 0, "7": 7 * time.Second, " 7 ": 7 * time.Second, "-7": 0, "7.5": 0, "soon": 0,
		"99999999999": 30 * 24 * time.Hour, "99999999999999999999": 0,
		"Sat, 21 Nov 2026 12:01:30 GMT": 90 * time.Second, "Sat, 21 Nov 2026 11:59:00 GMT": 0,
	} {
		r := wire.Reply{Header: http.Header{"Retry-After": {text}, "Date": {date}}}
		if got := wire.RetryAfter(r); got != want {
			t.Errorf("%q: %s; want %s", text, got, want)
		}
	}
	if got := wire.RetryAfter(wire.Reply{Header: http.Header{"Retry-After": {"Sat, 21 Nov 2026 12:01:30 GMT"}}}); got != 0 {
		t.Errorf("a date without the answer's own: %s", got)
	}
	if got := wire.RetryAfter(wire.Reply{}); got != 0 {
		t.Errorf("no answer: %s", got)
	}
}
