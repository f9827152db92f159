package momoproxy_test

import (
	"fmt"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	mtnstand "momoproxy/infra/standin/mtn"
	"momoproxy/infra/testbed"
	"momoproxy/shared/webhook"
)

// threshold is what an alarm on a state compares the backlog with.
func threshold(t *testing.T, alarm, metric string) time.Duration {
	t.Helper()
	var s struct {
		Resources map[string]struct {
			Properties struct {
				MetricName string `yaml:"MetricName"`
				Threshold  string `yaml:"Threshold"`
			} `yaml:"Properties"`
		} `yaml:"Resources"`
	}
	readYAML(t, "template.yaml", &s)
	properties := s.Resources[alarm].Properties
	ms, err := strconv.Atoi(properties.Threshold)
	if err != nil || properties.MetricName != metric {
		t.Fatalf("%s watches %s over %q: %v", alarm, properties.MetricName, properties.Threshold, err)
	}
	return time.Duration(ms) * time.Millisecond
}

// An alarm stands within seven hours for an app that takes nothing, and for as
// long as it takes nothing: its circuit opens meanwhile, and its events are then
// no longer due.
func TestAnAppThatTakesNothingRaisesAnAlarm(t *testing.T) {
	t.Parallel()
	old := threshold(t, "DeliveryOldAlarm", "OldestUndeliveredMilliseconds")
	held := threshold(t, "DeliveryHeldLongAlarm", "OldestHeldMilliseconds")
	synctest.Test(t, func(t *testing.T) {
		w := testbed.New(t, testbed.Options{})
		w.App.Answer(func(int, testbed.Received) webhook.Result { return webhook.Result{Code: 503} })
		for i := range 4 {
			if a := w.Pay(testbed.Order(fmt.Sprintf("ORDER-%d", i), mtnstand.Payer(mtnstand.ScriptSuccess))); a.StatusCode != 202 {
				t.Fatalf("answered %d %s", a.StatusCode, a.Body)
			}
		}
		w.Pass(7 * time.Hour)
		for range 12 {
			backlog, err := w.Ledger.Backlog(t.Context(), time.Now())
			if err != nil {
				t.Fatal(err)
			}
			if backlog.OldestUndelivered <= old && backlog.OldestProbed <= held {
				t.Fatalf("no alarm: %+v", backlog)
			}
			w.Pass(time.Hour)
		}
	})
}
