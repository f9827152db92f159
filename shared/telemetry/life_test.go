package telemetry_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"momoproxy/infra/standin/core"
	mtnstand "momoproxy/infra/standin/mtn"
	"momoproxy/infra/testbed"
	"momoproxy/shared/telemetry"
	"momoproxy/shared/webhook"
)

// TestMetricsOfALife runs payments that go well and badly through the whole
// system, and holds the lines it writes to the table: what the table calls a
// number is one, and what it calls a dimension is there.
func TestMetricsOfALife(t *testing.T) {
	t.Parallel()
	// What this life does not meet; each needs a fault of its own.
	absent := []string{"Panics", "RecordsLost", "CallbacksFailed", "AccountsRefused", "LoginsRefused", "DeliveriesStopped",
		"RefundAnomalies", "RefundAccountsMissing", "OrdersPaidTwice"}
	sums := map[string]float64{}
	synctest.Test(t, func(t *testing.T) {
		var lines safeBuffer
		w := testbed.New(t, testbed.Options{})
		log := telemetry.WithMetrics(telemetry.New(&lines, slog.LevelInfo), "momo-proxy")
		w.Gateway.Log, w.API.Log, w.Forwarder.Log, w.Sweeper.Log = log, log, log, log
		for _, p := range w.Gateway.Providers {
			p.Log = log
		}

		pay := func(order, plan string) {
			if a := w.Pay(testbed.Order(order, mtnstand.Payer(plan))); a.StatusCode >= 500 && a.StatusCode != 503 {
				t.Fatalf("%s: %d %s", plan, a.StatusCode, a.Body)
			}
		}
		pay("ORDER-1", mtnstand.ScriptSuccess)
		pay("ORDER-2", "status_wrong_amount")
		w.CallBack("POST", "/callback", `{"externalId":"NOBODY","status":"SUCCESSFUL"}`)
		w.Pass(5 * time.Minute)
		answer := func(code int) {
			w.App.Answer(func(int, testbed.Received) webhook.Result { return webhook.Result{Code: code} })
		}
		answer(http.StatusNotFound)
		pay("ORDER-10", mtnstand.ScriptSuccess)
		w.Pass(20 * time.Minute)
		pay("ORDER-3", "timeout_before")
		if err := w.Sandbox.AddRule(core.Rule{Route: mtnstand.RouteRequestToPay, Fault: core.Error503Before, Times: 18}); err != nil {
			t.Fatal(err)
		}
		for i := range 6 { // two apps and six payers meet a dead provider
			key := []string{testbed.ShopKey, testbed.OtherKey}[i%2]
			w.Pay(testbed.Order(fmt.Sprintf("DEAD-%d", i), fmt.Sprintf("2687612345%d", i)), "x-proxy-api-key", key)
		}
		pay("ORDER-9", mtnstand.ScriptPending)
		w.Pass(61 * time.Hour) // past half of the way to being disabled
		answer(http.StatusOK)
		w.Pass(time.Hour)
		answer(http.StatusGone)
		own := strings.Replace(testbed.Order("ORDER-12", mtnstand.Payer(mtnstand.ScriptSuccess)), "{", `{"callbackUrl":"`+testbed.ShopURL+`/own",`, 1)
		if a := w.Pay(own); a.StatusCode != http.StatusAccepted {
			t.Fatalf("%d %s", a.StatusCode, a.Body)
		}
		w.Pass(5 * time.Minute)
		pay("ORDER-11", mtnstand.ScriptSuccess)
		w.Pass(time.Hour)
		collect(t, lines.String(), sums)
	})
	for _, m := range telemetry.Metrics {
		value, met := sums[m.Name]
		if met == slices.Contains(absent, m.Name) {
			t.Errorf("%s met: %v (%v)", m.Name, met, value)
		}
	}
	for _, name := range []string{"PaymentsEnded", "PaymentAnomalies", "CallbacksUnmatched", "CircuitsOpened", "CircuitOpen", "ProviderErrors",
		"Attempts", "OpenEndpoints", "DisabledEndpoints", "OpenPayments", "UnknownPayments", "OldestUnknownMilliseconds", "ReconcileLagMilliseconds"} {
		if sums[name] == 0 {
			t.Errorf("%s stayed 0", name)
		}
	}
}

// collect sums up the metrics of all lines.
func collect(t *testing.T, lines string, sums map[string]float64) {
	t.Helper()
	tells := map[string]bool{}
	for _, m := range telemetry.Metrics {
		tells[m.Line] = true
	}
	for line := range strings.Lines(lines) {
		var root map[string]any
		if err := json.Unmarshal([]byte(line), &root); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if root["_aws"] == nil {
			continue
		}
		if message, _ := root["message"].(string); !tells[message] {
			t.Errorf("metrics on %s", message)
		}
		checkFormat(t, line)
		for _, m := range telemetry.Metrics {
			if value, ok := root[m.Name].(float64); ok && m.Line == root["message"] {
				sums[m.Name] += value
			}
		}
	}
}

type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}
