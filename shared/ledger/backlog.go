package ledger

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"momoproxy/shared/table"
)

// Backlog says how much waits where, counted in the indexes and therefore
// seconds old at the most. Ages are zero where there is nothing.
type Backlog struct {
	// OpenPayments are asked about until they end. A few that have ended
	// count too, for which an invoice or a late correction is looked for.
	OpenPayments int
	// UnknownPayments wait for the provider's word on whether it has them, or
	// are held for an operator; OldestUnknown is how long the first has.
	UnknownPayments int
	OldestUnknown   time.Duration
	// UnknownRefunds may have been executed or not; OldestUnknownRefund is how
	// long ago the first was asked for.
	UnknownRefunds      int
	OldestUnknownRefund time.Duration

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
	// OpenEndpoints are those whose circuit is open or which are being drained.
	OpenEndpoints     int
	DisabledEndpoints int
	// ExhaustedDeliveries have used up their attempts and wait for an operator.
	ExhaustedDeliveries int

	// Truncated: there was more than is counted. Counts and ages are
	// then lower bounds, but OldestUnknown and OldestOverdue are still right.
	Truncated bool

	payments, deliveries [DueShards]bool // something is due by now
}

// PaymentsDue says whether a shard may have a payment whose check is due. Of a
// backlog that nobody could read (nil), each may.
func (b *Backlog) PaymentsDue(shard int) bool { return b == nil || b.payments[shard] }

// DeliveriesDue says the same of deliveries' attempts.
func (b *Backlog) DeliveriesDue(shard int) bool { return b == nil || b.deliveries[shard] }

// EndpointsDue says whether an endpoint may have to be maintained.
func (b *Backlog) EndpointsDue() bool { return b == nil || b.OpenEndpoints > 0 }

const (
	// countPages bounds what is counted of each kind in an index partition:
	// 5,000 entries, so that a backlog of any size is read in at most 75
	// queries.
	countPages = 5
	// OpenHorizon: an open payment's next question is due within the hour,
	// by every provider's schedule. What is due later is asked about daily,
	// long after its end.
	OpenHorizon = time.Hour + 5*time.Minute
)

// Backlog counts. It reads index entries and no record: a query for each shard
// and one for the inbox, and more where a thousand entries or more wait. On an
// error there is none.
func (l *Ledger) Backlog(ctx context.Context, now time.Time) (*Backlog, error) {
	c := counting{now: now, disabled: map[string]bool{}}
	payments := string(DuePayment) + "#" + timeKey(now.Add(OpenHorizon))
	for c.shard = range DueShards { // deliveries stand before payments
		err := l.count(ctx, &c, table.Query{Index: IndexDue, Partition: duePartition(c.shard), To: payments}, string(DueDelivery), string(DuePayment))
		if err != nil {
			return nil, err
		}
	}
	err := l.count(ctx, &c, table.Query{Index: IndexAttention, Partition: attentionPartition},
		string(AttentionDisabled), // before what is held for them
		string(AttentionEndpoint), string(AttentionExhausted), string(AttentionHeld), string(AttentionPayment), string(AttentionRefund))
	if err != nil {
		return nil, err
	}
	return &c.Backlog, nil
}

// count counts a range of an index partition: in one page, if it fits, and
// else kind by kind, up to countPages of each.
func (l *Ledger) count(ctx context.Context, c *counting, q table.Query, kinds ...string) error {
	q.Space, q.Limit = table.Main, table.MaxLimit
	page, err := l.query(ctx, "count "+q.Partition, q)
	if err != nil || page.Next == "" {
		return c.addAll(page, err)
	}
	last := q.To
	for i, kind := range kinds {
		q.From, q.To, q.After = kind+"#", kind+"$", "" // the byte after #
		if i == len(kinds)-1 && last != "" {
			q.To = last
		}
		for n := 0; n == 0 || q.After != ""; n++ {
			if n == countPages {
				c.Truncated = true
				break
			}
			page, err := l.query(ctx, "count "+kind, q)
			if err := c.addAll(page, err); err != nil {
				return err
			}
			q.After = page.Next
		}
	}
	return nil
}

// counting is a backlog that is being counted.
type counting struct {
	Backlog
	now      time.Time
	shard    int
	disabled map[string]bool // by client and origin
}

func (c *counting) addAll(page table.Page, err error) error {
	for _, rec := range page.Records {
		for index, at := range rec.Index { // one
			add := c.addDue
			if index == IndexAttention {
				add = c.addAttention
			}
			parts := strings.Split(at.Sort, "#")
			if len(parts) < 3 || add(parts) != nil {
				return fmt.Errorf("%w: %s entry of %s", ErrCorrupt, index, rec.Key)
			}
		}
	}
	return err
}

// addDue counts an entry of the due index by the parts of its sort key.
func (c *counting) addDue(parts []string) error {
	if parts[0] == string(DuePayment) {
		c.OpenPayments++
		return c.due(&c.payments, parts[1])
	}
	c.DueDeliveries++
	return errors.Join(c.due(&c.deliveries, parts[1]), c.since(&c.OldestOverdue, parts[1]), c.since(&c.OldestUndelivered, parts[len(parts)-1]))
}

// addAttention counts an entry of the inbox.
func (c *counting) addAttention(parts []string) error {
	switch AttentionKind(parts[0]) {
	case AttentionPayment:
		c.UnknownPayments++
		return c.since(&c.OldestUnknown, parts[1])
	case AttentionRefund:
		c.UnknownRefunds++
		return c.since(&c.OldestUnknownRefund, parts[1])
	case AttentionDisabled:
		c.DisabledEndpoints++
		c.disabled[strings.Join(parts[1:], "#")] = true
	case AttentionEndpoint:
		c.OpenEndpoints++
	case AttentionExhausted:
		c.ExhaustedDeliveries++
	case AttentionHeld:
		c.HeldDeliveries++
		at := max(len(parts)-3, 1)
		if endpoint := strings.Join(parts[1:at], "#"); !strings.HasSuffix(endpoint, "#") && !c.disabled[endpoint] {
			if err := c.since(&c.OldestProbed, parts[at]); err != nil {
				return err
			}
		}
		return c.since(&c.OldestHeld, parts[at])
	}
	return nil
}

func (c *counting) due(shards *[DueShards]bool, stamp string) error {
	at, err := readTimeKey(stamp)
	shards[c.shard] = shards[c.shard] || !at.After(c.now)
	return err
}

func (c *counting) since(oldest *time.Duration, stamp string) error {
	at, err := readTimeKey(stamp)
	if err == nil {
		*oldest = max(*oldest, c.now.Sub(at))
	}
	return err
}
