package httpapi_test

import (
	"encoding/csv"
	"fmt"
	"strings"
	"testing"
	"time"

	"momoproxy/infra/cloud"
	mtnstand "momoproxy/infra/standin/mtn"
	"momoproxy/infra/testbed"
	"momoproxy/shared/webhook"
)

// listed is GET /payments with a query and an Accept header.
func listed(t *testing.T, w *testbed.World, query, accept string) testbed.Answer {
	t.Helper()
	r := cloud.Request("GET /payments")
	r.RawQueryString = query
	r.Headers["x-proxy-api-key"], r.Headers["accept"] = testbed.ShopKey, accept
	return is(t, w.Call(t.Context(), r), 200, "")
}

// What an app wrote is no formula in its accountant's spreadsheet.
func TestPaymentsCSV(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		const evil = `=HYPERLINK("https://evil.example.com";"pay")`
		for _, order := range []string{"ORDER, 1", evil, "@SUM(A1)", "+1", "-1"} {
			is(t, w.Pay(strings.Replace(testbed.Order("x", mtnstand.Payer(mtnstand.ScriptSuccess)), `"x"`, `"`+strings.ReplaceAll(order, `"`, `\"`)+`"`, 1)), 202, "")
			w.Pass(time.Minute)
		}
		a := listed(t, w, "limit=4", "text/csv")
		rows, err := csv.NewReader(strings.NewReader(a.Body)).ReadAll()
		if err != nil || len(rows) != 5 || a.Headers["content-type"] != "text/csv; charset=utf-8" {
			t.Fatalf("%v %v\n%s", err, a.Headers, a.Body)
		}
		for i, want := range []string{"externalId", "'-1", "'+1", "'@SUM(A1)", "'" + evil} {
			if rows[i][1] != want {
				t.Errorf("row %d: %q, want %q", i, rows[i][1], want)
			}
		}
		if rows[1][4] != "150.00" || rows[1][2] != "SUCCESSFUL" {
			t.Errorf("%q", rows[1])
		}
		next := a.Headers["x-next-cursor"]
		if a = listed(t, w, "limit=4&cursor="+next, "text/csv;q=0.9"); !strings.Contains(a.Body, `"ORDER, 1"`) || a.Headers["x-next-cursor"] != "" {
			t.Errorf("the last page: %v\n%s", a.Headers, a.Body)
		}
		for _, accept := range []string{"", "*/*", "application/json", "text/csv, application/json", "text/html, text/csv, */*;q=0.1"} {
			if a := listed(t, w, "", accept); a.Headers["content-type"] != "application/json" {
				t.Errorf("Accept: %s gets %v", accept, a.Headers)
			}
		}
	})
}

func TestPaymentsCallbackForwarded(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		w.App.Answer(func(_ int, r testbed.Received) webhook.Result {
			if r.Content.ExternalID == "MISSED" {
				return webhook.Result{Code: 500}
			}
			return webhook.Result{Code: 200}
		})
		for order, script := range map[string]string{"GOT": mtnstand.ScriptSuccess, "MISSED": mtnstand.ScriptSuccess, "OPEN": mtnstand.ScriptPending} {
			is(t, w.Pay(testbed.Order(order, mtnstand.Payer(script))), 202, "")
			w.Pass(time.Minute)
		}
		for query, want := range map[string][]string{
			"callbackForwarded=true":                           {"GOT"},
			"callbackForwarded=false&status=SUCCESSFUL,FAILED": {"MISSED"},
			"callbackForwarded=false":                          {"MISSED", "OPEN"},
			"callbackForwarded=false&externalId=GOT":           nil,
		} {
			var got []string
			for _, p := range listed(t, w, query, "").Fields["payments"].([]any) {
				got = append(got, p.(map[string]any)["externalId"].(string))
			}
			if len(got) != len(want) || len(want) > 0 && !strings.Contains(strings.Join(got, " "), want[0]) {
				t.Errorf("%s: %v, want %v", query, got, want)
			}
		}
		// Each costs a read of its events: one request looks at 20.
		for i := range 20 {
			is(t, w.Pay(testbed.Order(fmt.Sprint("MORE-", i), mtnstand.Payer(mtnstand.ScriptPending))), 202, "")
		}
		page := listed(t, w, "callbackForwarded=false&limit=100", "")
		if got, _ := page.Fields["payments"].([]any); len(got) != 20 || page.Fields["nextCursor"] == nil {
			t.Errorf("%d payments, then %v", len(got), page.Fields["nextCursor"])
		}
		r := cloud.Request("GET /payments")
		r.RawQueryString = "callbackForwarded=no"
		r.Headers["x-proxy-api-key"] = testbed.ShopKey
		is(t, w.Call(t.Context(), r), 422, "validation_failed")
	})
}
