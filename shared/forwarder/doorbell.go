package forwarder

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"momoproxy/shared/delivery"
	"momoproxy/shared/queue"
)

// doorbell is the whole message: which delivery to look at. What is due, and
// when, stands in the table.
type doorbell struct {
	Reference string `json:"reference"`
	Sequence  int    `json:"sequence"`
}

// Doorbell rings for deliveries over a queue. Safe for concurrent use.
type Doorbell struct {
	Queue queue.Queue
	Now   func() time.Time
}

// Ring sends a message for each delivery, delayed until its next attempt if
// that is near enough; for a later one nothing is sent, the sweeper rings.
func (b Doorbell) Ring(ctx context.Context, deliveries ...delivery.Delivery) error {
	messages := make([]queue.Message, 0, len(deliveries))
	for _, d := range deliveries {
		delay := max(0, d.DueAt().Sub(b.Now()))
		if d.DueAt().IsZero() {
			delay = 0
		}
		if delay > queue.MaxDelay {
			continue
		}
		body, err := json.Marshal(doorbell{d.Reference, d.Sequence})
		if err != nil {
			return fmt.Errorf("ring: %w", err)
		}
		messages = append(messages, queue.Message{Body: string(body), Group: d.ClientID, Delay: delay})
	}
	if len(messages) == 0 {
		return nil
	}
	if err := b.Queue.Send(ctx, messages...); err != nil {
		return fmt.Errorf("ring: %w", err)
	}
	return nil
}

// ReadDoorbell reads which event a message is about.
func ReadDoorbell(body string) (reference string, sequence int, err error) {
	var b doorbell
	if err := json.Unmarshal([]byte(body), &b); err != nil {
		return "", 0, fmt.Errorf("unreadable doorbell: %w", err)
	}
	if b.Reference == "" || b.Sequence < 1 {
		return "", 0, fmt.Errorf("unreadable doorbell: %.100q", body)
	}
	return b.Reference, b.Sequence, nil
}
