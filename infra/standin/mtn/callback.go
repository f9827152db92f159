package mtn

import (
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"momoproxy/infra/standin/core"
)

// DocumentedRetries is the longer of MTN's two accounts of callback retries:
// 20 tries a second apart, then 30 two minutes apart, then hourly (here for
// a day).
func DocumentedRetries() []time.Duration {
	return slices.Concat(
		slices.Repeat([]time.Duration{time.Second}, 20),
		slices.Repeat([]time.Duration{2 * time.Minute}, 30),
		slices.Repeat([]time.Duration{time.Hour}, 24))
}

// compose writes a callback with the headers that were seen. It has no payer
// message, and no reference id.
func (s *Standin) compose(p *payment, n core.Notice, at time.Time) core.Letter {
	m := p.State(at)
	if n.Status != "" {
		m = core.State{Status: n.Status, Reason: n.Reason}
	}
	b := view(p, m)
	if n.Forged != "" && n.Status == successful {
		b.FinancialTransactionID = "6" + s.Letters("0123456789", 8) // the forger does not know the true one
	}
	l := core.Letter{Status: m.Status, Body: n.Body, Header: http.Header{
		"Content-Type": {"application/json; charset=utf-8"}, "User-Agent": {"LWAC Http Client 1.0"},
	}}
	if l.Body == nil {
		l.Body, _ = json.Marshal(b) // strings only: cannot fail
	}
	return l
}
