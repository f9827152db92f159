package bench_test

import (
	"context"
	"flag"
	"fmt"
	"strings"
	"testing"
	"time"

	"momoproxy/infra/engines/engine"
	mtnstand "momoproxy/infra/standin/mtn"
	"momoproxy/infra/testbed"
	"momoproxy/shared/table"
)

var strangers = flag.Int("strangers", 300, "how many callbacks anybody sends")

// What callbacks of 60 kB that anybody can send may cost an hour, however
// many they are, where one process takes them all.
const (
	mostStrangerUnits = 800
	mostStrangerBytes = 200 << 10
)

func TestCostOfAnonymousCallbacks(t *testing.T) {
	e := engine.For(t, engine.DynamoDB)
	besideEngine(t, func(t *testing.T, c *connection) { costOfAnonymousCallbacks(t, e, c) })
}

func costOfAnonymousCallbacks(t *testing.T, e engine.Engine, c *connection) {
	m, ctx := newMeter(), context.Background()
	w, past := metered(t, m, e, c)
	a := w.Pay(testbed.Order("ORDER-1", mtnstand.Payer(mtnstand.ScriptPending)))
	if a.StatusCode != 202 {
		t.Fatalf("answered %d %s", a.StatusCode, a.Body)
	}
	m.take()
	filler := strings.Repeat("filler", 10_000)
	began := time.Now().UTC()
	for i := range *strangers {
		switch i % 3 {
		case 0:
			w.CallBack("POST", "", fmt.Sprintf(`{"externalId":"NOBODY-%d","status":"SUCCESSFUL","filler":"%s"}`, i, filler))
		case 1:
			w.CallBack("POST", "x/y", fmt.Sprintf(`{"status":"SUCCESSFUL","filler":"%s"}`, filler))
		case 2:
			w.CallBack("POST", "", fmt.Sprintf(`{"externalId":"ORDER-1","status":"SUCCESSFUL","filler":"%s"}`, filler))
		}
	}
	u := m.take()
	bytes, rows := 0, 0
	partitions := []string{"payment#" + a.Reference()}
	for at := began.Truncate(time.Hour); at.Before(time.Now()); at = at.Add(time.Hour) {
		partitions = append(partitions, "unmatched#"+at.Format("2006-01-02T15"))
	}
	for _, partition := range partitions {
		for after := ""; ; {
			page, err := past.Query(ctx, table.Query{Space: table.Audit, Partition: partition, Limit: 1000, After: after})
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range page.Records {
				if body, _ := r.Attributes["request_body"].(string); strings.Contains(body, "filler") {
					bytes, rows = bytes+len(body), rows+1
				}
			}
			if after = page.Next; after == "" {
				break
			}
		}
	}
	t.Logf("%d callbacks of 60 kB: %.0f write units, %d bytes of bodies in %d audit records", *strangers, u.billed, bytes, rows)
	hours := float64(len(partitions) - 1)
	if rows == 0 || u.billed > mostStrangerUnits*hours || float64(bytes) > mostStrangerBytes*hours {
		t.Errorf("the bounds are %d write units and %d bytes an hour", mostStrangerUnits, mostStrangerBytes)
	}
}
