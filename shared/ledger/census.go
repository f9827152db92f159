package ledger

import (
	"context"
	"fmt"
	"strings"
	"time"

	"momoproxy/shared/table"
)

// Census says how much stands where, counted in the indexes and therefore
// seconds old at the most. Ages are zero where there is nothing.
type Census struct {
	// OpenPayments are asked about until they end. A few that have ended
	// count too, for which an invoice or a late correction is looked for.
	OpenPayments int
	// UnknownPayments wait for the provider's word on whether it has them, or
	// are held for an operator; OldestUnknown is how long the first has.
	UnknownPayments int
	OldestUnknown   time.Duration

	// DueDeliveries are to be attempted, now or at a later time. The oldest of
	// their events came about OldestUndelivered ago; the most overdue attempt
	// should have been made OldestOverdue ago.
	DueDeliveries     int
	OldestUndelivered time.Duration
	OldestOverdue     time.Duration
	// HeldDeliveries wait for their endpoint or for an operator; the oldest
	// event of them came about OldestHeld ago.
	HeldDeliveries int
	OldestHeld     time.Duration
	// OldestProbed is OldestHeld of those alone whose endpoint is tried by
	// probes: the others wait for a person, who was notified.
	OldestProbed time.Duration
	// UnwellEndpoints are those whose circuit is open, which are being drained,
	// or which are disabled.
	UnwellEndpoints int
	// ExhaustedDeliveries have used up their attempts and wait for an operator.
	ExhaustedDeliveries int

	// Truncated: there was more than a census counts. Counts and ages are
	// then lower bounds, but OldestUnknown and OldestOverdue are still right.
	Truncated bool
}

const (
	// censusPages bounds what is read of each index partition: 5,000 entries,
	// so that a census of a table in any state is at most 65 queries.
	censusPages = 5
	// openHorizon: an open payment's next question is due within the hour,
	// by every provider's schedule. What is due later is asked about daily,
	// long after its end.
	openHorizon = time.Hour + 5*time.Minute
)

// Census counts. It reads index entries and no record, in queries of a
// thousand; on an error the counts are of no use.
func (l *Ledger) Census(ctx context.Context, now time.Time) (Census, error) {
	var c Census
	since := func(oldest *time.Duration, stamp string) error {
		at, err := time.Parse(timeLayout, stamp)
		if err == nil {
			*oldest = max(*oldest, now.Sub(at))
		}
		return err
	}
	unwell := func([]string) error {
		c.UnwellEndpoints++
		return nil
	}
	for shard := range DueShards {
		err := l.count(ctx, &c, table.Query{
			Index: IndexDue, Partition: duePartition(dueKindPayment, shard), To: timeKey(now.Add(openHorizon)),
		}, func([]string) error {
			c.OpenPayments++
			return nil
		})
		if err != nil {
			return Census{}, err
		}
		err = l.count(ctx, &c, table.Query{Index: IndexDue, Partition: duePartition(dueKindDelivery, shard)}, func(parts []string) error {
			c.DueDeliveries++
			if err := since(&c.OldestOverdue, parts[0]); err != nil {
				return err
			}
			return since(&c.OldestUndelivered, parts[len(parts)-1])
		})
		if err != nil {
			return Census{}, err
		}
	}
	disabled := map[string]bool{} // by client and origin
	for _, kind := range []struct {
		AttentionKind
		see func(parts []string) error
	}{
		{AttentionPayment, func(parts []string) error {
			c.UnknownPayments++
			return since(&c.OldestUnknown, parts[0])
		}},
		{AttentionDisabled, func(parts []string) error { // before what is held for them
			disabled[strings.Join(parts, "#")] = true
			return unwell(parts)
		}},
		{AttentionHeld, func(parts []string) error {
			c.HeldDeliveries++
			at := max(len(parts)-3, 0)
			if endpoint := strings.Join(parts[:at], "#"); !strings.HasSuffix(endpoint, "#") && !disabled[endpoint] {
				if err := since(&c.OldestProbed, parts[at]); err != nil {
					return err
				}
			}
			return since(&c.OldestHeld, parts[at])
		}},
		{AttentionExhausted, func([]string) error {
			c.ExhaustedDeliveries++
			return nil
		}},
		{AttentionEndpoint, unwell},
	} {
		if err := l.count(ctx, &c, table.Query{Index: IndexAttention, Partition: string(kind.AttentionKind)}, kind.see); err != nil {
			return Census{}, err
		}
	}
	return c, nil
}

// count shows see the parts of each entry's sort key, up to censusPages.
func (l *Ledger) count(ctx context.Context, c *Census, q table.Query, see func(parts []string) error) error {
	q.Space, q.Limit = table.Main, table.MaxLimit
	for range censusPages {
		page, err := l.table.Query(ctx, q)
		if err != nil {
			return fmt.Errorf("count %s %s: %w", q.Index, q.Partition, err)
		}
		for _, rec := range page.Records {
			if err := see(strings.Split(rec.Index[q.Index].Sort, "#")); err != nil {
				return fmt.Errorf("%w: %s entry of %s", ErrCorrupt, q.Index, rec.Key)
			}
		}
		if page.Next == "" {
			return nil
		}
		q.After = page.Next
	}
	c.Truncated = true
	return nil
}
