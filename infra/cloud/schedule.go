package cloud

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"time"

	"github.com/aws/aws-lambda-go/events"
)

// What template.yaml says of the schedule.
const (
	Interval = time.Minute
	RunLimit = 50 * time.Second // the reconciler's timeout
)

// Scheduled is the event that a function on a schedule is started with.
func Scheduled(function string, at time.Time) events.EventBridgeEvent {
	return events.EventBridgeEvent{
		Version: "0", ID: rand.Text(), DetailType: "Scheduled Event", Source: "aws.events",
		AccountID: "123456789012", Time: at.UTC().Truncate(time.Second), Region: "eu-west-1",
		Resources: []string{"arn:aws:events:eu-west-1:123456789012:rule/" + function}, Detail: json.RawMessage("{}"),
	}
}

// Every starts run again and again until ctx ends, the first time after one
// interval. Runs do not overlap: one that is late takes the next one's place.
func Every(ctx context.Context, interval time.Duration, run func(context.Context)) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			run(ctx)
		}
	}
}
