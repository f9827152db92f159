package momentpay_test

import (
	"testing"
	"time"

	"momoproxy/shared/provider/momentpay"
)

// TestSubmitRetryAfter: the wait that the last answer asks for is passed on.
func TestSubmitRetryAfter(t *testing.T) {
	t.Parallel()
	for answer, want := range map[string]time.Duration{`429 Retry-After:60|{}`: time.Minute, accepted: 0} {
		p, _ := scripted(t, created, answer)
		if a := p.Submit(t.Context(), fixed(momentpay.MethodLink), ""); a.RetryAfter != want {
			t.Errorf("%s: %s, want %s", answer, a.RetryAfter, want)
		}
	}
}
