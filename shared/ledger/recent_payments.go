package ledger

import (
	"context"
	"slices"
	"time"

	"momoproxy/shared/payment"
)

const (
	// RecentWindow is how far back Recent looks, by the payments' creation.
	RecentWindow = 15 * time.Minute
	// recentFresh is how long a process may go on with what it has read.
	recentFresh = 15 * time.Second
)

// Recent sums up an app's latest payments at an account.
type Recent struct {
	Payments    int
	Unknown     int           // of them: the provider's answer to the request is unknown
	Ended       int           // of them
	MedianToEnd time.Duration // from creation, of those; 0: none has ended
	LastSuccess time.Time     // zero: none
}

// Recent sums up, by account, what became of the payments that an app made within
// RecentWindow, the newest MaxListed of them, and is at most recentFresh old. It
// reads a list that payments are in anyhow.
func (l *Ledger) Recent(ctx context.Context, clientID string, now time.Time) (map[string]Recent, error) {
	if r, ok := l.recent.get(clientID, now); ok {
		return r, nil
	}
	page, err := l.ListPayments(ctx, clientID, PaymentFilter{From: now.Add(-RecentWindow)}, Paging{Limit: MaxListed})
	if err != nil {
		return nil, err
	}
	all, took := map[string]Recent{}, map[string][]time.Duration{}
	for _, p := range page.Items {
		id := p.AccountID()
		r := all[id]
		r.Payments++
		if p.Phase == payment.PhaseInReconciliation {
			r.Unknown++
		}
		if !p.Open() && !p.EndedAt.IsZero() {
			r.Ended++
			took[id] = append(took[id], p.EndedAt.Sub(p.CreatedAt))
			if p.Status == payment.Successful && p.EndedAt.After(r.LastSuccess) {
				r.LastSuccess = p.EndedAt
			}
		}
		all[id] = r
	}
	for id, durations := range took {
		slices.Sort(durations)
		r := all[id]
		r.MedianToEnd = durations[(len(durations)-1)/2]
		all[id] = r
	}
	l.recent.put(clientID, all, now)
	return all, nil
}
