package ledger

import (
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"time"

	"momoproxy/shared/delivery"
	"momoproxy/shared/table"
)

const (
	// EventSettling is how old an event must be to be listed. Younger ones may
	// still be joined by earlier ones: a clock may run ahead of another, a write
	// takes time, and the index lags.
	EventSettling = 10 * time.Second
	// maxEventBytes bounds the bodies of one page, the last of which may pass it.
	maxEventBytes = 1 << 20
	// maxPlace is longer than any entry's sort: a time, a reference, a sequence.
	maxPlace = 100
)

// Events is one page of a client's events.
type Events struct {
	Items []delivery.Delivery
	Next  string // a place behind the last one, or where the page began; empty: the list is empty from its beginning
	More  bool   // further events are old enough already
}

// ListEvents lists a client's events of every state in the order of their
// creation, oldest first, from the place after (empty: from the beginning). It
// returns those created EventSettling before now or earlier: whoever goes on from
// Next meets each event once. What has expired is left out. A place stays good
// for this client for ever; ErrCursor for what is none.
func (l *Ledger) ListEvents(ctx context.Context, clientID, after string, now time.Time, limit int) (page Events, err error) {
	q := table.Query{
		Space: table.Main, Index: IndexList, Partition: eventsPartition(clientID),
		To: timeKey(now.Add(-EventSettling)), Limit: Paging{Limit: limit}.within(MaxListed),
	}
	page.Next = after
	if after != "" {
		if q.From, err = readEventPlace(after); err != nil {
			return page, err
		}
		if q.From >= q.To {
			return page, nil
		}
	}
	entries, err := l.query(ctx, "list events", q)
	if err != nil {
		return page, err
	}
	events, err := l.readDeliveries(ctx, entries.Records)
	if err != nil {
		return page, err
	}
	bytes := 0
	for i, d := range events {
		if bytes > maxEventBytes {
			page.Items, page.More = events[:i], true
			return page, nil
		}
		page.Next = eventPlace(eventEntry(d).Sort)
		bytes += len(d.Body)
	}
	if n := len(entries.Records); n > 0 {
		page.Next = eventPlace(entries.Records[n-1].Index[IndexList].Sort) // an event that has expired is passed by
	}
	page.Items, page.More = events, entries.Next != ""
	return page, nil
}

// placeEnd makes of an entry's sort the lowest one behind it: sorts end with
// six digits, and none begins with another.
const placeEnd = "#"

// EventsSince is the place before the first event created at a time or later.
func EventsSince(t time.Time) string { return base64.RawURLEncoding.EncodeToString([]byte(timeKey(t))) }

func eventPlace(sort string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(sort + placeEnd))
}

func readEventPlace(text string) (string, error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	visible := func(c byte) bool { return c > ' ' && c <= '~' }
	if err != nil || len(b) < len(timeLayout) || len(b) > maxPlace || slices.ContainsFunc(b, func(c byte) bool { return !visible(c) }) {
		return "", fmt.Errorf("%w: not a place", ErrCursor)
	}
	if _, err := time.Parse(timeLayout, string(b[:len(timeLayout)])); err != nil {
		return "", fmt.Errorf("%w: not a place", ErrCursor)
	}
	return string(b), nil
}
