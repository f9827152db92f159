package cloud_test

import (
	"context"
	"encoding/json"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"momoproxy"
	"momoproxy/infra/cloud"
)

// The constants of this package are the template's.
func TestQueueAndScheduleAreTheTemplates(t *testing.T) {
	t.Parallel()
	var template struct {
		Resources map[string]struct {
			Properties struct {
				Timeout           int `yaml:"Timeout"`
				VisibilityTimeout int `yaml:"VisibilityTimeout"`
				Events            map[string]struct {
					Type       string `yaml:"Type"`
					Properties struct {
						Schedule  string `yaml:"Schedule"`
						BatchSize int    `yaml:"BatchSize"`
					} `yaml:"Properties"`
				} `yaml:"Events"`
			} `yaml:"Properties"`
		} `yaml:"Resources"`
	}
	if err := yaml.Unmarshal(momoproxy.Template, &template); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for id, r := range template.Resources {
		for _, e := range r.Properties.Events {
			switch seen[e.Type] = true; e.Type {
			case "Schedule":
				if e.Properties.Schedule != "rate(1 minute)" || cloud.Interval != time.Minute || time.Duration(r.Properties.Timeout)*time.Second != cloud.RunLimit {
					t.Errorf("%s: %s, %d s", id, e.Properties.Schedule, r.Properties.Timeout)
				}
			case "SQS":
				if e.Properties.BatchSize != cloud.BatchSize {
					t.Errorf("%s: batches of %d", id, e.Properties.BatchSize)
				}
			}
		}
	}
	if visibility := time.Duration(template.Resources["DeliveryQueue"].Properties.VisibilityTimeout) * time.Second; visibility != cloud.Visibility || !seen["Schedule"] || !seen["SQS"] {
		t.Errorf("a visibility of %s; events of %v", visibility, seen)
	}
}

// The event has the form of the one under events/.
func TestScheduledEvent(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("../../events/reconciler/schedule.json")
	if err != nil {
		t.Fatal(err)
	}
	var want events.EventBridgeEvent
	if err := json.Unmarshal(source, &want); err != nil {
		t.Fatal(err)
	}
	got := cloud.Scheduled("momo-proxy-ReconcilerFunctionEveryMinute", want.Time)
	if got.ID == cloud.Scheduled("x", want.Time).ID {
		t.Error("two events have one id")
	}
	got.ID = want.ID
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-events/ +made):\n%s", diff)
	}
}

func TestEvery(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		began := time.Now()
		var at []time.Duration
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			cloud.Every(ctx, time.Minute, func(context.Context) {
				if at = append(at, time.Since(began)); len(at) == 2 {
					time.Sleep(70 * time.Second) // over the next one's time
				}
			})
		}()
		time.Sleep(5*time.Minute + time.Second)
		cancel()
		<-ended
		if diff := cmp.Diff([]time.Duration{time.Minute, 2 * time.Minute, 3*time.Minute + 10*time.Second, 4 * time.Minute, 5 * time.Minute}, at); diff != "" {
			t.Error(diff)
		}
	})
}
