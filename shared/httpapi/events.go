package httpapi

import (
	"context"
	"errors"
	"net/url"
	"strconv"
	"time"

	"momoproxy/shared/delivery"
	"momoproxy/shared/gateway"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
)

// eventPage is one page of an app's events.
type eventPage struct {
	Events    []listedEvent `json:"events"`
	NextAfter *string       `json:"nextAfter"` // null: there has been no event yet
	More      bool          `json:"more"`
}

// listedEvent is an event as GET /events lists it; the names are eventBody's.
type listedEvent struct {
	EventID     string         `json:"eventId"`
	Event       payment.Event  `json:"event"`
	ReferenceID string         `json:"referenceId"`
	Sequence    int            `json:"sequence"`
	CreatedAt   string         `json:"createdAt"`
	State       delivery.State `json:"state"`
	DeliveredAt string         `json:"deliveredAt,omitempty"`
	Body        string         `json:"body"`
}

// listEvents handles GET /events: what an app may have missed, in order.
func (s *SelfService) listEvents(ctx context.Context, r Request) Response {
	client, refused := s.authenticate(ctx, r)
	if refused != nil {
		return *refused
	}
	after, limit, faults := readEventsQuery(r)
	if len(faults) > 0 {
		return invalid(faults)
	}
	page, err := s.Ledger.ListEvents(ctx, client.ID, after, s.Now(), limit)
	if errors.Is(err, ledger.ErrCursor) {
		return invalid([]gateway.Fault{{Field: "after", Message: `must be a nextAfter of this list, or a time such as "2026-11-21T09:30:00Z" (a + is written %2B)`}})
	}
	if err != nil {
		return s.failed(ctx, "events.failed", client, err)
	}
	body := eventPage{Events: make([]listedEvent, 0, len(page.Items)), NextAfter: orNull(page.Next), More: page.More}
	for _, d := range page.Items {
		body.Events = append(body.Events, listedEvent{
			EventID: d.EventID, Event: d.Event, ReferenceID: d.Reference, Sequence: d.Sequence, CreatedAt: payment.Timestamp(d.CreatedAt),
			State: d.State, DeliveredAt: timestamp(d.DeliveredAt), Body: d.Body,
		})
	}
	return respond(200, body)
}

// eventParameters are the names that the query of GET /events may hold.
var eventParameters = fields{"after": nil, "limit": nil}

func readEventsQuery(r Request) (after string, limit int, faults []gateway.Fault) {
	limit = defaultPage
	values, err := url.ParseQuery(r.RawQueryString)
	if err != nil {
		return "", 0, []gateway.Fault{unreadableQuery}
	}
	faults = readQuery(values, eventParameters, nil, func(name string, given []string) (fault string) {
		value := given[0]
		if name == "limit" {
			limit, fault = readLimit(value)
			return fault
		}
		var since time.Time
		switch {
		case value == "":
			return "is empty; leave it out for the first page"
		case readTime(value, &since) == "":
			after = ledger.EventsSince(since)
		default:
			after = value
		}
		return ""
	})
	return after, limit, faults
}

// readLimit reads how many entries a page has.
func readLimit(value string) (n int, fault string) {
	n, err := strconv.Atoi(value)
	if err != nil || n < 1 || n > ledger.MaxListed {
		return 0, "must be a number from 1 to " + strconv.Itoa(ledger.MaxListed)
	}
	return n, ""
}
