package httpapi_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"momoproxy/infra/cloud"
	"momoproxy/infra/standin/core"
	mtnstand "momoproxy/infra/standin/mtn"
	"momoproxy/infra/testbed"
	"momoproxy/shared/gateway"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
	"momoproxy/shared/table"
	"momoproxy/shared/table/tabletest"
)

// pending starts a payment that MTN keeps open and of which it says nothing
// by itself.
func pending(t *testing.T, w *testbed.World, externalID string) (reference string) {
	t.Helper()
	a := is(t, w.Pay(testbed.Order(externalID, mtnstand.Payer(mtnstand.ScriptPending))), 202, "")
	return a.Reference()
}

// received is one answer for every callback there can be.
func received(t *testing.T, what string, a testbed.Answer) {
	t.Helper()
	if a.StatusCode != 200 || a.Body != gateway.CallbackAnswer {
		t.Errorf("%s: answered %d %s", what, a.StatusCode, a.Body)
	}
}

// inbound lists the callbacks in a payment's audit trail.
func inbound(w *testbed.World, reference string) []ledger.AuditRecord {
	var found []ledger.AuditRecord
	for _, a := range w.Trail(reference) {
		if a.Direction == ledger.InboundFromProvider {
			found = append(found, a)
		}
	}
	return found
}

// unmatched counts the callbacks audited without a payment.
func unmatched(t *testing.T, w *testbed.World) int {
	t.Helper()
	n := 0
	for hour := range 3 {
		at := time.Now().UTC().Add(-time.Duration(hour) * time.Hour).Format("2006-01-02T15")
		page, err := w.Memory.Query(context.Background(), table.Query{Space: table.Audit, Partition: "unmatched#" + at, Limit: 1000})
		if err != nil {
			t.Fatal(err)
		}
		n += len(page.Records)
	}
	return n
}

func TestCallbackEndsPayment(t *testing.T) {
	for _, method := range []string{"POST", "PUT"} {
		t.Run(method, func(t *testing.T) {
			bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
				ref := pending(t, w, "ORDER-1")
				if err := w.Sandbox.SetOutcome(ref, "SUCCESSFUL", "", false); err != nil {
					t.Fatal(err)
				}
				a := w.CallBack(method, w.CallbackPath(ref), `{"externalId":"`+ref+`","status":"SUCCESSFUL"}`)
				received(t, method, a)
				golden(t, "callback-answer/200", a.Body)
				if w.Status(ref) != payment.Successful {
					t.Errorf("%s", w.Status(ref))
				}
				endsOnce(t, w, ref, payment.Successful, time.Minute)
			})
		})
	}
}

// A forged callback is asked about and never believed.
func TestCallbackForged(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		ref := pending(t, w, "ORDER-1")
		received(t, "bare", w.CallBack("POST", "", `{"externalId":"ORDER-1","status":"SUCCESSFUL","financialTransactionId":"FTX-1"}`))
		received(t, "by reference", w.CallBack("POST", "", `{"referenceId":"`+ref+`","status":"SUCCESSFUL"}`))
		received(t, "with token", w.CallBack("POST", w.CallbackPath(ref), `{"status":"SUCCESSFUL"}`))
		w.Pass(time.Hour)
		if w.Status(ref) != payment.Pending || len(w.App.Got()) != 0 {
			t.Errorf("%s; the app received %d callbacks", w.Status(ref), len(w.App.Got()))
		}
		if n := len(inbound(w, ref)); n != 3 {
			t.Errorf("%d of 3 callbacks are audited", n)
		}
	})
}

func TestCallbackBadInput(t *testing.T) {
	bodies := map[string]string{
		"empty": "", "blank": " ", "null": "null", "array": "[]", "number": "5", "cut": `{"externalId":"ORDER-1","status`,
		"unknown status": `{"externalId":"ORDER-1","status":"SETTLED"}`, "no status": `{"externalId":"ORDER-1"}`,
		"duplicate status": `{"externalId":"ORDER-1","status":"FAILED","status":"SUCCESSFUL"}`,
		"NUL":              "{\"externalId\":\"ORDER-1\x00\"}", "escaped NUL": `{"externalId":"ORDER-1\u0000","status":"SUCCESSFUL"}`,
		"not UTF-8": "{\"externalId\":\"\xff\"}", "one MiB": `{"externalId":"ORDER-1","status":"` + strings.Repeat("x", 1<<20) + `"}`,
		"HTML": "<html>Request Rejected</html>", "deep": strings.Repeat("[", 20_000),
		"wrong types": `{"externalId":{},"status":[],"amount":{},"payer":5,"reason":{"code":[]}}`,
		"other payer": `{"externalId":"ORDER-1","status":"SUCCESSFUL","amount":"999999","currency":"USD","payer":{"partyId":"1"}}`,
		"long id":     `{"externalId":"` + strings.Repeat("y", 5000) + `","status":"SUCCESSFUL"}`,
	}
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		ref := pending(t, w, "ORDER-1")
		path := w.CallbackPath(ref)
		for name, body := range bodies {
			for _, method := range []string{"POST", "PUT"} {
				received(t, name+" with token", w.CallBack(method, path, body))
				received(t, name+" bare", w.CallBack(method, "", body))
			}
			r := cloud.Request("POST /callback")
			r.IsBase64Encoded, r.Body = true, base64.StdEncoding.EncodeToString([]byte(body))
			received(t, name+" in base64", w.Call(context.Background(), r))
			r.Body = body + "!"
			received(t, name+" in broken base64", w.Call(context.Background(), r))
			time.Sleep(10 * time.Second)
		}
		w.Pass(time.Hour)
		if w.Status(ref) != payment.Pending || len(w.App.Got()) != 0 {
			t.Errorf("%s; the app received %d callbacks", w.Status(ref), len(w.App.Got()))
		}
		proven := 0
		for _, a := range inbound(w, ref) {
			if strings.HasSuffix(a.URL, "/***") {
				proven++
			}
		}
		if want := 2 * len(bodies); proven != want {
			t.Errorf("%d of %d proven callbacks are in the audit log", proven, want)
		}
		if hints := len(inbound(w, ref)) - proven; hints == 0 || hints > 4 {
			t.Errorf("%d hints are in the payment's trail", hints)
		}
		if n := unmatched(t, w); n == 0 || n > 60 {
			t.Errorf("%d unmatched callbacks are in the audit log", n)
		}
		if log := w.Log(); strings.Contains(log, "request.panic") {
			t.Errorf("something panicked:\n%s", log)
		}
		if _, token, _ := strings.Cut(path, "/"); strings.Contains(dump(w), token) || strings.Contains(w.Log(), token) {
			t.Error("the callback token is stored or logged")
		}
	})
}

// dump is everything stored, as text.
func dump(w *testbed.World) string {
	var all strings.Builder
	for _, r := range w.Records() {
		fmt.Fprintf(&all, "%s %v %v\n", r.Key, r.Attributes, r.Index)
	}
	return all.String()
}

func TestCallbackForUnknownPayment(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		const unknown = "00000000-0000-4000-8000-000000000000"
		received(t, "bare", w.CallBack("POST", "", `{"externalId":"NOBODY","status":"SUCCESSFUL"}`))
		received(t, "reference", w.CallBack("POST", "", `{"referenceId":"`+unknown+`","status":"SUCCESSFUL"}`))
		received(t, "path", w.CallBack("PUT", unknown+"/token", `{"status":"SUCCESSFUL"}`))
		received(t, "nonsense path", w.CallBack("PUT", "\x00..%2f/\xff", `{"status":"SUCCESSFUL"}`))
		if n := unmatched(t, w); n != 4 {
			t.Errorf("%d of 4 are audited as unmatched", n)
		}
		if n := w.Sandbox.Counters().Requests[mtnstand.RouteStatus]; n != 0 {
			t.Errorf("MTN was asked %d times", n)
		}
	})
}

func TestCallbackWrongToken(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		ref := pending(t, w, "ORDER-1")
		other := pending(t, w, "ORDER-2")
		_, token, _ := strings.Cut(w.CallbackPath(other), "/")
		for _, path := range []string{ref + "/wrong", ref + "/", ref + "/" + token, ref + "/" + w.Payment(ref).CallbackTokenHash} {
			received(t, path, w.CallBack("POST", path, `{"externalId":"`+ref+`","status":"SUCCESSFUL"}`))
		}
		if n := w.Sandbox.Counters().Requests[mtnstand.RouteStatus]; n != 0 {
			t.Errorf("MTN was asked %d times", n)
		}
		if n := unmatched(t, w); n != 4 {
			t.Errorf("%d of 4 are audited", n)
		}
		// An upper-case reference with the right token is the right one.
		_, own, _ := strings.Cut(w.CallbackPath(ref), "/")
		received(t, "upper case", w.CallBack("POST", strings.ToUpper(ref)+"/"+own, `{"status":"SUCCESSFUL"}`))
		if n := len(inbound(w, ref)); n != 1 {
			t.Errorf("%d callbacks on the payment's trail; want 1", n)
		}
	})
}

func TestCallbackForEndedPayment(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		a := is(t, w.Pay(testbed.Order("ORDER-1", good)), 202, "")
		path := w.CallbackPath(a.Reference())
		w.Pass(time.Minute)
		asked := w.Sandbox.Counters().Requests[mtnstand.RouteStatus]
		received(t, "the same", w.CallBack("POST", path, `{"status":"SUCCESSFUL"}`))
		if n := w.Sandbox.Counters().Requests[mtnstand.RouteStatus]; n != asked {
			t.Errorf("a repetition made us ask MTN")
		}
		received(t, "a contradiction", w.CallBack("POST", path, `{"status":"FAILED","reason":"EXPIRED"}`))
		received(t, "unreadable", w.CallBack("POST", path, `FAILED`))
		endsOnce(t, w, a.Reference(), payment.Successful, time.Hour)
		trail := inbound(w, a.Reference())
		if len(trail) != 4 {
			t.Errorf("%d of 4 callbacks are audited", len(trail))
		}
		noted := false
		for _, r := range trail {
			noted = noted || r.Note == string(payment.AnomalyContradiction)
		}
		if !noted {
			t.Error("the contradiction is not noted in the audit log")
		}
	})
}

// A failed payment that a callback calls successful is corrected only by
// MTN's own word, with a second event.
func TestCallbackCorrectsFailure(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		a := is(t, w.Pay(testbed.Order("ORDER-1", mtnstand.Payer("corrected"))), 202, "")
		w.Pass(28 * time.Hour)
		got := w.App.About(a.Reference())
		if len(got) != 2 || got[0].Content.Status != "FAILED" || got[1].Content.Status != "SUCCESSFUL" || got[1].Content.Sequence != 2 {
			t.Errorf("the app received %v", got)
		}
		is(t, w.Pay(testbed.Order("ORDER-1", good)), 409, "duplicate_external_id") // held again
	})
}

// A bare callback whose id several apps use is confirmed for each by its own
// question.
func TestCallbackBareMatchesSeveralApps(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		shop := pending(t, w, "ORDER-1")
		other := is(t, w.Pay(testbed.Order("ORDER-1", mtnstand.Payer(mtnstand.ScriptPending)), "x-proxy-api-key", testbed.OtherKey), 202, "").Reference()
		if err := w.Sandbox.SetOutcome(other, "SUCCESSFUL", "", false); err != nil {
			t.Fatal(err)
		}
		received(t, "bare", w.CallBack("POST", "", `{"externalId":"ORDER-1","status":"SUCCESSFUL"}`))
		if w.Status(shop) != payment.Pending || w.Status(other) != payment.Pending {
			t.Error("it was asked about inside the request")
		}
		w.Pass(time.Minute)
		if w.Status(shop) != payment.Pending || w.Status(other) != payment.Successful {
			t.Errorf("shop's is %s, other's %s", w.Status(shop), w.Status(other))
		}
		if len(inbound(w, shop)) != 1 || len(inbound(w, other)) != 1 {
			t.Error("the callback is not on both trails")
		}
		w.Pass(time.Minute)
		if got := w.App.Got(); len(got) != 1 || got[0].URL != testbed.OtherURL {
			t.Errorf("the apps received %v", got)
		}
	})
}

func TestCallbackTrusted(t *testing.T) {
	bubble(t, testbed.Options{TrustCallbacks: true}, func(t *testing.T, w *testbed.World) {
		ref := pending(t, w, "ORDER-1234")
		received(t, "by hand", w.CallBack("POST", "", `{"externalId":"ORDER-1234","status":"SUCCESSFUL","financialTransactionId":"FTX-123456"}`))
		if p := w.Payment(ref); p.Status != payment.Successful || p.FinancialTransactionID != "FTX-123456" {
			t.Errorf("%s %s", p.Status, p.FinancialTransactionID)
		}
	})
}

// The table does not answer, or the handler panics: the answer is the same,
// and MTN's own status is asked later all the same.
func TestCallbackWhenTableIsDown(t *testing.T) {
	for name, fault := range map[string]func(){"error": func() {}, "panic": func() { panic("table") }} {
		t.Run(name, func(t *testing.T) {
			var down atomic.Bool
			o := testbed.Options{Table: func(inner table.Table) table.Table {
				return tabletest.Faulty(inner, func(string, []table.Key) tabletest.Fault {
					if down.Load() {
						fault()
						return tabletest.Fault{When: tabletest.Before}
					}
					return tabletest.Fault{}
				})
			}}
			bubble(t, o, func(t *testing.T, w *testbed.World) {
				ref := pending(t, w, "ORDER-1")
				if err := w.Sandbox.SetOutcome(ref, "SUCCESSFUL", "", false); err != nil {
					t.Fatal(err)
				}
				down.Store(true)
				received(t, "with token", w.CallBack("POST", w.CallbackPath(ref), `{"status":"SUCCESSFUL"}`))
				received(t, "bare", w.CallBack("POST", "", `{"externalId":"ORDER-1","status":"SUCCESSFUL"}`))
				down.Store(false)
				endsOnce(t, w, ref, payment.Successful, time.Hour)
			})
		})
	}
}

// The provider waits two seconds for the answer to its callback, however long
// it takes over our question itself; its callback is not forgotten.
func TestCallbackIsAnsweredInTime(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		a := w.Pay(testbed.Order("ORDER-1", mtnstand.Payer("callback_lost")))
		time.Sleep(3 * time.Second)
		if err := w.Sandbox.AddRule(core.Rule{Route: mtnstand.RouteStatus, Fault: core.TimeoutBefore}); err != nil {
			t.Fatal(err)
		}
		started := time.Now()
		path := w.CallbackPath(a.Reference())
		got := w.CallBack("POST", path, `{"status":"SUCCESSFUL"}`)
		if took := time.Since(started); got.StatusCode != 200 || took > 2*time.Second {
			t.Errorf("answered %d after %v", got.StatusCode, took)
		}
		w.Sandbox.ClearRules()
		w.Pass(2 * time.Minute)
		if w.Status(a.Reference()) != payment.Successful {
			t.Errorf("it is %s", w.Status(a.Reference()))
		}
	})
}
