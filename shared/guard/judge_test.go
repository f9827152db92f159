package guard

import (
	"testing"
	"time"

	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
)

func TestJudge(t *testing.T) {
	t.Parallel()
	last := func(code int, body, class string) []provider.Exchange {
		return []provider.Exchange{{Code: 202}, {Code: code, ResponseBody: body, Err: class}}
	}
	nothing := payment.Evidence{Verdict: payment.SaysNothing}
	unanswerable := payment.Evidence{Verdict: payment.SaysUnanswerable}
	for name, c := range map[string]struct {
		told provider.Answer
		want shows
	}{
		"accepted":                       {provider.Answer{Evidence: payment.Evidence{Verdict: payment.SaysAccepted}, Exchanges: last(202, "", "")}, showsAnswer},
		"a refused payer":                {provider.Answer{Evidence: payment.Evidence{Verdict: payment.SaysRefused}, Exchanges: last(500, "{}", "")}, showsAnswer},
		"an error that nobody knows":     {provider.Answer{Evidence: nothing, Exchanges: last(500, "{}", "")}, showsAnswer},
		"nothing was sent":               {provider.Answer{Evidence: nothing}, showsFailure},
		"no connection":                  {provider.Answer{Evidence: nothing, Exchanges: last(0, "", "dial")}, showsFailure},
		"no answer in time":              {provider.Answer{Evidence: nothing, Exchanges: last(0, "", provider.ErrClassTimeout)}, showsFailure},
		"502":                            {provider.Answer{Evidence: nothing, Exchanges: last(502, "{}", "")}, showsFailure},
		"503":                            {provider.Answer{Evidence: nothing, Exchanges: last(503, "{}", "")}, showsFailure},
		"504":                            {provider.Answer{Evidence: nothing, Exchanges: last(504, "{}", "")}, showsFailure},
		"a web page":                     {provider.Answer{Evidence: nothing, Exchanges: last(200, "\n <html>Request Rejected", "")}, showsFailure},
		"our account":                    {provider.Answer{Evidence: payment.Evidence{Verdict: payment.SaysRefused, AccountFault: true}, Exchanges: last(403, "{}", "")}, showsFailure},
		"429":                            {provider.Answer{Evidence: nothing, Exchanges: last(429, "{}", "")}, showsLimit},
		"a limit by another status":      {provider.Answer{Evidence: payment.Evidence{Verdict: payment.SaysRefused, Code: provider.CodeLimitSpent}, Exchanges: last(400, "{}", "")}, showsLimit},
		"a payer who takes long":         {provider.Answer{Evidence: unanswerable, Exchanges: last(0, "", provider.ErrClassTimeout)}, showsNothing},
		"a payer who takes long, by 504": {provider.Answer{Evidence: unanswerable, Exchanges: last(504, "", "")}, showsNothing},
		"a payer, and no connection":     {provider.Answer{Evidence: unanswerable, Exchanges: last(0, "", "reset")}, showsFailure},
	} {
		if got := judge(c.told); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}

func TestLastAnswered(t *testing.T) {
	t.Parallel()
	var l lastAnswered
	if other := l.other("A"); other.clientID != "" {
		t.Errorf("%q of nobody", other.clientID)
	}
	for i, app := range []string{"A", "B", "B", "B"} {
		l.note(app, noon.Add(time.Duration(i)*time.Second))
	}
	for app, want := range map[string]time.Time{"A": noon.Add(3 * time.Second), "B": noon, "C": noon.Add(3 * time.Second)} {
		if other := l.other(app); other.clientID == app || other.clientID == "" || !other.at.Equal(want) {
			t.Errorf("beside %s: %q at %s, want %s", app, other.clientID, other.at, want)
		}
	}
}
