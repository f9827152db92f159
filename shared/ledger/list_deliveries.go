package ledger

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"momoproxy/shared/delivery"
	"momoproxy/shared/payment"
	"momoproxy/shared/table"
)

// DeliveryFilter narrows a walk over deliveries.
type DeliveryFilter struct {
	// ClientID may be empty only with Held or Exhausted as the States.
	ClientID string
	States   []delivery.State // one of these; none: any
	Events   []payment.Event  // one of these; none: any
	From, To time.Time        // From <= CreatedAt < To, in milliseconds; zero: unbounded
}

// lateEvent is how long after its payment's creation an event may come about
// and still be found by a From: a provider is asked about a payment for seven
// days. What an operator settles later than that is found by its state, or
// with an earlier From.
const lateEvent = 8 * 24 * time.Hour

// Indexed says that the attention index lists all that f lets through, of all
// clients: its States are held and exhausted, or one of them.
func (f DeliveryFilter) Indexed() bool {
	other := func(s delivery.State) bool { return s != delivery.Held && s != delivery.Exhausted }
	return len(f.States) > 0 && !slices.ContainsFunc(f.States, other)
}

func (f DeliveryFilter) match(d delivery.Delivery) bool {
	return (f.ClientID == "" || d.ClientID == f.ClientID) &&
		(len(f.States) == 0 || slices.Contains(f.States, d.State)) &&
		(len(f.Events) == 0 || slices.Contains(f.Events, d.Event)) &&
		(f.From.IsZero() || !d.CreatedAt.Before(Clock(f.From))) &&
		(f.To.IsZero() || d.CreatedAt.Before(Clock(f.To)))
}

// deliveryCursor says where a walk stands: in which of its index partitions,
// and behind which entry.
func deliveryCursor(part int, after string) string { return strconv.Itoa(part) + "." + after }

func readDeliveryCursor(text string) (part int, after string, err error) {
	if text == "" {
		return 0, "", nil
	}
	number, after, found := strings.Cut(text, ".")
	if part, err = strconv.Atoi(number); err != nil || !found || part < 0 {
		return 0, "", fmt.Errorf("%w: not readable", ErrCursor)
	}
	return part, after, nil
}

// errUnbounded: a walk over everybody's deliveries that no index serves.
var errUnbounded = errors.New("a walk over all clients' deliveries must be of held or exhausted ones")

// ListDeliveries walks deliveries. It looks at no more than limit index
// entries (1 to MaxListed, else MaxListed) and returns those deliveries of
// them that f lets through, so that a page may be short, or empty, and still
// have a cursor; with a client's payments as entries it may also be longer,
// for each may have several events. An empty cursor ends the walk.
//
// Held and exhausted deliveries alone are found in the attention index: the
// exhausted by the time of their event, oldest first, the held by client and
// endpoint. Any others are found by way of the client's payments, oldest
// first, at one query each. A payment's events come in their order.
//
// A cursor names a place in the walk and is good for the same client, States
// and times only; ErrCursor for others. What changes while a walk goes on may
// be met or not.
func (l *Ledger) ListDeliveries(ctx context.Context, f DeliveryFilter, p Paging) (found Page[delivery.Delivery], err error) {
	if f.ClientID == "" && !f.Indexed() {
		return found, errUnbounded
	}
	at, after, err := readDeliveryCursor(p.Cursor)
	if err != nil {
		return found, err
	}
	parts := f.queries()
	if at >= len(parts) {
		return found, fmt.Errorf("%w: of another walk", ErrCursor)
	}
	q := parts[at]
	q.Space, q.Limit, q.After = table.Main, p.within(MaxListed), after
	page, err := l.query(ctx, "list deliveries", q)
	if err != nil {
		return found, err
	}
	if found.Items, err = l.readDeliveries(ctx, page.Records); err != nil {
		return found, err
	}
	found.Items = slices.DeleteFunc(found.Items, func(d delivery.Delivery) bool { return !f.match(d) })
	switch {
	case page.Next != "":
		found.Next = deliveryCursor(at, page.Next)
	case at+1 < len(parts):
		found.Next = deliveryCursor(at+1, "")
	}
	return found, nil
}

// queries are the index partitions that hold what f lets through.
func (f DeliveryFilter) queries() []table.Query {
	if !f.Indexed() {
		q := table.Query{Index: IndexList, Partition: listPartition(f.ClientID)}
		if !f.From.IsZero() {
			q.From = timeKey(f.From.Add(-lateEvent))
		}
		if !f.To.IsZero() {
			q.To = timeKey(f.To)
		}
		return []table.Query{q}
	}
	var all []table.Query
	if slices.Contains(f.States, delivery.Exhausted) {
		from, to := "", ""
		if !f.From.IsZero() {
			from = timeKey(f.From)
		}
		if !f.To.IsZero() {
			to = timeKey(f.To)
		}
		all = append(all, ofKind(AttentionExhausted, from, to))
	}
	if slices.Contains(f.States, delivery.Held) {
		from, to := "", ""
		if f.ClientID != "" {
			from, to = f.ClientID+"#", f.ClientID+"$" // the byte after #
		}
		all = append(all, ofKind(AttentionHeld, from, to))
	}
	return all
}

// readDeliveries reads what index entries name, a few side by side, in their
// order: one delivery, or all of a payment. What is gone is left out.
func (l *Ledger) readDeliveries(ctx context.Context, entries []table.Record) ([]delivery.Delivery, error) {
	found := make([][]delivery.Delivery, len(entries))
	err := l.sideBySide(ctx, len(entries), func(ctx context.Context, i int) (err error) {
		found[i], err = l.deliveriesAt(ctx, entries[i].Key)
		return err
	})
	if err != nil {
		return nil, err
	}
	return slices.Concat(found...), nil
}

func (l *Ledger) deliveriesAt(ctx context.Context, k table.Key) ([]delivery.Delivery, error) {
	reference := referenceOf(k.Partition)
	if !strings.HasPrefix(k.Sort, deliveryPrefix) {
		return l.Deliveries(ctx, reference)
	}
	d, err := l.Delivery(ctx, reference, sequenceOf(k.Sort))
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	return []delivery.Delivery{d}, err
}
