package forwarder

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"momoproxy/shared/delivery"
	"momoproxy/shared/host"
	"momoproxy/shared/ledger"
)

// An app may give each payment a host of its own, and so leave behind any
// number of endpoints that are not well. It must not keep the sweeper from the
// other apps': each client has a share of a run, and the run begins with
// another client each time.
const (
	// endpointPage is how many endpoints are read at once. Of a client that has
	// more, no more pages are read than it takes to fill its share.
	endpointPage = 1000
	// clientShare is how many of one client's endpoints are maintained in a run,
	// first those that have waited longest. The rest wait for the next.
	clientShare = 200
	// probeShare is how many of them are probed in a run. Probes may hang, and
	// few batches can be worked on at once.
	probeShare = 8
)

// maintainAll maintains the endpoints that are due. A fault with one does not
// stop the rest.
func (s *Sweeper) maintainAll(ctx context.Context, t *Swept) error {
	now := s.Now()
	scheduled, waiting, err := s.schedule(ctx, now)
	if err != nil {
		return err
	}
	t.Open += waiting
	var mu sync.Mutex
	probes := map[string]int{}
	mayProbe := func(client string) bool {
		mu.Lock()
		defer mu.Unlock()
		probes[client]++
		return probes[client] <= probeShare
	}
	did := make([]Swept, len(scheduled))
	faults := s.Parallel.Each(ctx, maxParallel, len(scheduled), func(i int) (err error) {
		did[i], err = s.maintain(ctx, scheduled[i].ClientID, scheduled[i].Endpoint, mayProbe)
		return err
	})
	for i, err := range faults {
		t.Probed += did[i].Probed
		t.Released += did[i].Released
		t.Open += did[i].Open
		if err != nil && !errors.Is(err, host.ErrNotStarted) { // Sweep says that its time is up
			faults[i] = fmt.Errorf("endpoint %s of %s: %w", scheduled[i].Endpoint, scheduled[i].ClientID, err)
		} else {
			faults[i] = nil
		}
	}
	return errors.Join(faults...)
}

// schedule lists the endpoints to maintain now, one of each client at a time,
// and counts the others that are open and wait for their next probe.
func (s *Sweeper) schedule(ctx context.Context, now time.Time) (all []ledger.Attention, waiting int, err error) {
	var clients [][]ledger.Attention
	past, last, cursor := "", "", ""
	for {
		page, err := s.Ledger.Inbox(ctx, ledger.InboxQuery{Kind: ledger.AttentionEndpoint, PastClient: past}, ledger.Paging{Limit: endpointPage, Cursor: cursor})
		if err != nil {
			return nil, 0, err
		}
		enough := false // seen of the client that the page ends with
		for _, a := range page.Items {
			if a.ClientID != last {
				clients, last = append(clients, nil), a.ClientID
			}
			mine := &clients[len(clients)-1]
			wait := a.At.Sub(now)
			later := wait > 0 && wait <= delivery.ProbeEvery // further: a clock ran ahead
			if later {
				waiting++
			} else if len(*mine) < clientShare {
				*mine = append(*mine, a)
			}
			enough = later || len(*mine) == clientShare
		}
		if page.Next == "" {
			break
		}
		if cursor = page.Next; enough {
			past, cursor = last, ""
		}
		if err := ctx.Err(); err != nil {
			return nil, 0, err
		}
	}
	if len(clients) == 0 {
		return nil, waiting, nil
	}
	first := int(now.Unix()/60) % len(clients)
	for n := range clientShare {
		for i := range clients {
			if mine := clients[(first+i)%len(clients)]; n < len(mine) {
				all = append(all, mine[n])
			}
		}
	}
	return all, waiting, nil
}
