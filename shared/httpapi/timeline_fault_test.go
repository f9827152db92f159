package httpapi_test

import (
	"testing"
	"time"

	"momoproxy/infra/testbed"
	"momoproxy/shared/webhook"
)

// An attempt says where a redirect pointed, and which TLS fault there was.
func TestTimelineSaysWhatAnAttemptMet(t *testing.T) {
	const final = "https://www.shop.example.com/momo/callback"
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		faults := append([]webhook.TLSFault{""}, webhook.TLSFaults...)
		w.App.Answer(func(n int, _ testbed.Received) webhook.Result {
			if n == 1 {
				return webhook.Result{Code: 308, Location: final}
			}
			return webhook.Result{Class: webhook.ClassTLS, TLSFault: faults[(n-1)%len(faults)]}
		})
		reference := is(t, w.Pay(testbed.Order("FAULT", good)), 202, "").Reference()
		w.Pass(time.Hour)
		a := is(t, own(t, w, timelineRoute, reference, testbed.ShopKey), 200, "")
		event := a.Fields["events"].([]any)[0].(map[string]any)
		attempts := event["attempts"].([]any)
		if len(attempts) <= len(webhook.TLSFaults) {
			t.Fatalf("%d attempts", len(attempts))
		}
		first := attempts[0].(map[string]any)
		if first["location"] != final || first["tlsFault"] != nil || first["error"] != nil {
			t.Errorf("%v", first)
		}
		for i, fault := range webhook.TLSFaults {
			at := attempts[i+1].(map[string]any)
			if at["error"] != "tls" || at["tlsFault"] != string(fault) || at["location"] != nil {
				t.Errorf("attempt %d: %v; want %s", i+2, at, fault)
			}
		}
	})
}
