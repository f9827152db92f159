package httpapi_test

import (
	"bytes"
	"encoding/json"
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
	"momoproxy/shared/httpapi"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
	"momoproxy/shared/table"
)

// checkPayer is POST /payers/check under an API key.
func checkPayer(t *testing.T, w *testbed.World, key, body string) testbed.Answer {
	t.Helper()
	r := cloud.Request("POST /payers/check")
	r.Headers["x-proxy-api-key"], r.Headers["content-type"] = key, "application/json"
	r.Body = body
	return w.Call(t.Context(), r)
}

func number(payer string) string { return fmt.Sprintf(`{"payer":%q}`, payer) }

// holders counts the questions about payers that MTN got.
func holders(w *testbed.World) int { return w.Sandbox.Counters().Requests[mtnstand.RouteAccountHolder] }

func TestCheckPayer(t *testing.T) {
	for name, c := range map[string]struct{ body, want string }{
		"MTN's by its prefix":        {number("+268 7612-3456"), `"26876123456","country":"SZ","predictedProvider":"mtn","active":"yes","askedProvider":"mtn"`},
		"another network's":          {number("26879123456"), `"26879123456","country":"SZ","predictedProvider":null,"active":"yes","askedProvider":"mtn"`},
		"not active":                 {number("46733123451"), `"46733123451","country":null,"predictedProvider":"mtn","active":"no","askedProvider":"mtn"`},
		"not found":                  {number("46733123450"), `"46733123450","country":null,"predictedProvider":"mtn","active":"unknown","askedProvider":"mtn"`},
		"not allowed":                {number("46733123452"), `"46733123452","country":null,"predictedProvider":"mtn","active":"unknown","askedProvider":"mtn"`},
		"another environment":        {number("46733123453"), `"46733123453","country":null,"predictedProvider":"mtn","active":"unknown","askedProvider":"mtn"`},
		"an internal error":          {number("46733123454"), `"46733123454","country":null,"predictedProvider":"mtn","active":"unknown","askedProvider":"mtn"`},
		"unavailable":                {number("46733123455"), `"46733123455","country":null,"predictedProvider":"mtn","active":"unknown","askedProvider":"mtn"`},
		"of a provider that is dumb": {`{"payer":"244923456789","provider":"mom-factura"}`, `"244923456789","country":"AO","predictedProvider":"mom-factura","active":"unknown","askedProvider":null`},
		"of another country":         {`{"payer":"26876123456","provider":"momentpay"}`, `"26876123456","country":"SZ","predictedProvider":null,"active":"unknown","askedProvider":null`},
		"portable":                   {`{"payer":"27823778084","provider":"mtn"}`, `"27823778084","country":"ZA","predictedProvider":null,"active":"yes","askedProvider":"mtn"`},
		"null provider":              {`{"payer":"26876123456","provider":null}`, `"26876123456","country":"SZ","predictedProvider":"mtn","active":"yes","askedProvider":"mtn"`},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
				if a := is(t, checkPayer(t, w, testbed.ShopKey, c.body), 200, ""); a.Body != `{"payer":`+c.want+`}` {
					t.Errorf("%s", a.Body)
				}
			})
		})
	}
}

func TestCheckPayerFaults(t *testing.T) {
	bubble(t, testbed.Options{Limits: httpapi.NewRateLimit(1, 40)}, func(t *testing.T, w *testbed.World) {
		for body, want := range map[string]string{
			`{}`:                    `"field":"payer","message":"is required: a number with its country code"`,
			`{"payer":26876123456}`: `"field":"payer","message":"must be a string"`,
			`{"payer":"abc"}`:       `"field":"payer","message":"must be 8 to 15 digits`,
			`{"payer":"76123456"}`:  `"field":"payer","message":"is not a mobile number with its country code`,
			`{"payer":"923456789","provider":"mom-factura"}`: `must be in international form, which is \"244923456789\" for this number`,
			`{"payer":"26876123456","provider":"orange"}`:    `"field":"provider","message":"is not configured here; configured: mom-factura, momentpay, mtn"`,
			`{"payer":"26876123456","msisdn":"x"}`:           `"field":"msisdn","message":"is not a field of this request`,
			`{"payer":"26876123456","payer":"26876123457"}`:  `"field":"payer","message":"appears more than once"`,
		} {
			if a := is(t, checkPayer(t, w, testbed.ShopKey, body), 422, "validation_failed"); !strings.Contains(a.Body, want) {
				t.Errorf("%s: %s", body, a.Body)
			}
		}
		is(t, checkPayer(t, w, testbed.ShopKey, `[]`), 400, "malformed_json")
		is(t, checkPayer(t, w, testbed.ShopKey, strings.Repeat(" ", httpapi.MaxBody+1)), 413, "body_too_large")
		is(t, checkPayer(t, w, "", number(good)), 401, "unauthorized")
		r := cloud.Request("POST /payers/check")
		r.Headers["x-proxy-api-key"], r.Headers["content-type"] = testbed.ShopKey, "text/plain"
		is(t, w.Call(t.Context(), r), 415, "unsupported_content_type")
		if n := holders(w); n != 0 {
			t.Errorf("MTN was asked %d times", n)
		}
		for range 40 {
			if a := checkPayer(t, w, testbed.ShopKey, `{}`); a.StatusCode == 429 {
				is(t, a, 429, "rate_limited")
				return
			}
		}
		t.Error("no limit of requests")
	})
}

// An app that may use some accounts gets nothing of the others.
func TestCheckPayerKeepsToTheAppsAccounts(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		c := w.Shop
		c.Accounts = []string{"momentpay"}
		if _, faults := w.Gateway.ReadCheck(c, good, "mtn"); len(faults) != 1 || faults[0].Field != "provider" {
			t.Errorf("mtn: %v", faults)
		}
		check, faults := w.Gateway.ReadCheck(c, "27823778084", "")
		if len(faults) > 0 || check.AskedOf != "" || check.Predicted != "momentpay" {
			t.Errorf("%+v, %v", check, faults)
		}
	})
}

// Whatever else MTN answers is unknown. The number is stored and logged nowhere.
func TestCheckPayerOnAnyDoubt(t *testing.T) {
	for _, fault := range []core.Fault{
		core.TimeoutBefore, core.ResetBefore, core.Error400Before, core.Error401Before, core.Error403Before, core.Error404Before, core.Error429Before,
		core.Error500Before, core.Error503Before, core.HTML200Before, core.Truncated,
	} {
		t.Run(string(fault), func(t *testing.T) {
			bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
				if err := w.Sandbox.AddRule(core.Rule{Route: mtnstand.RouteAccountHolder, Fault: fault, Match: core.Match{Payer: good}}); err != nil {
					t.Fatal(err)
				}
				started := time.Now()
				if a := is(t, checkPayer(t, w, testbed.ShopKey, number(good)), 200, ""); a.Text("active") != "unknown" {
					t.Errorf("%s", a.Body)
				}
				if took := time.Since(started); took > 9*time.Second {
					t.Errorf("it took %s", took)
				}
				records := fmt.Sprint(w.Records())
				if strings.Contains(records, good) || strings.Contains(w.Log(), good) || !strings.Contains(w.Log(), "payer.checked") {
					t.Errorf("stored or logged:\n%s\n%s", records, w.Log())
				}
			})
		})
	}
}

// Without a token, and while the circuit is open, MTN is not asked.
func TestCheckPayerGoesThroughTheGuard(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		unknown := func(why string) {
			t.Helper()
			if a := is(t, checkPayer(t, w, testbed.ShopKey, number(good)), 200, ""); a.Text("active") != "unknown" || holders(w) != 0 {
				t.Errorf("%s: %s; asked %d times", why, a.Body, holders(w))
			}
		}
		if err := w.Sandbox.AddRule(core.Rule{Route: mtnstand.RouteToken, Fault: mtnstand.LoginFailed}); err != nil {
			t.Fatal(err)
		}
		unknown("no token")
		w.Sandbox.ClearRules()
		time.Sleep(10 * time.Second)
		outage(t, w)
		w.Sandbox.ClearRules()
		unknown("circuit open")
	})
}

func TestCheckPayerTakesAnAppsShare(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		asked := 0
		for range 20 { // at once: an app has its share of MTN's questions
			if is(t, checkPayer(t, w, testbed.ShopKey, number(good)), 200, "").Text("active") == "yes" {
				asked++
			}
		}
		if asked == 0 || asked > 3 || holders(w) != asked {
			t.Errorf("MTN was asked %d times, %d of them answered", holders(w), asked)
		}
	})
}

// One app goes through no country's numbers, and takes nothing from another.
func TestCheckPayerIsLimited(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		for i := range gateway.CheckBurst {
			time.Sleep(10 * time.Millisecond)
			is(t, checkPayer(t, w, testbed.ShopKey, number(fmt.Sprint(26876100000+i))), 200, "")
		}
		is(t, checkPayer(t, w, testbed.ShopKey, `{"payer":"244923456789","provider":"mom-factura"}`), 200, "") // asks nobody
		before := holders(w)
		a := is(t, checkPayer(t, w, testbed.ShopKey, number(good)), 429, "too_many_checks")
		golden(t, "error/429-too-many-checks", a.Body)
		if holders(w) != before {
			t.Error("MTN was asked all the same")
		}
		is(t, checkPayer(t, w, testbed.OtherKey, number(good)), 200, "")
		is(t, w.Pay(testbed.Order("ORDER-1", good)), 202, "")
		if d := wait(t, a); d > gateway.CheckEvery {
			t.Errorf("wait %s", d)
		} else {
			time.Sleep(d)
		}
		is(t, checkPayer(t, w, testbed.ShopKey, number(good)), 200, "")
		is(t, checkPayer(t, w, testbed.ShopKey, number(good)), 429, "too_many_checks")
		time.Sleep(time.Hour)
		is(t, checkPayer(t, w, testbed.ShopKey, number(good)), 200, "")
	})
}

func TestCheckPayerStorageFaults(t *testing.T) {
	var down atomic.Bool
	bubble(t, tableDown(&down, table.ErrUnavailable), func(t *testing.T, w *testbed.World) {
		is(t, checkPayer(t, w, testbed.ShopKey, number(good)), 200, "")
		for _, r := range w.Records() {
			if r.Partition == "limit#check#cli_shop" {
				r.Attributes["next_free_at"] = int64(7)
				if err := w.Memory.Write(t.Context(), table.Put(r)); err != nil {
					t.Fatal(err)
				}
			}
		}
		is(t, checkPayer(t, w, testbed.ShopKey, number(good)), 500, "internal")
		down.Store(true)
		wait(t, is(t, checkPayer(t, w, testbed.ShopKey, number(good)), 503, "unavailable"))
	})
}

// A body is read as encoding/json reads it, or refused; a number that is taken is
// one that a request to pay takes, or of a country that is known.
func FuzzReadPayerCheck(f *testing.F) {
	for _, b := range append(bodies, number(good), number("+268 7612-3456"), `{"payer":"26876123456","provider":"mtn"}`, `{"payer":null}`, `{"provider":"mtn"}`) {
		f.Add([]byte(b))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		payer, name, faults, err := httpapi.ReadPayerCheck(body)
		if err != nil || len(faults) > 0 {
			return
		}
		var want struct {
			Payer    string `json:"payer"`
			Provider string `json:"provider"`
		}
		if err := json.Unmarshal(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")), &want); err != nil || want.Payer != payer || want.Provider != name {
			t.Fatalf("%q, %q; encoding/json: %+v, %v", payer, name, want, err)
		}
		g := &gateway.Gateway{Providers: testbed.Guarded(&gateway.Gateway{Ledger: ledger.New(nil, nil, ledger.Options{})}, provider.Offline{Known: provider.Capabilities{Name: "mtn", Plan: payment.PlanAnyMarket}})}
		check, faults := g.ReadCheck(ledger.Client{}, payer, "")
		if len(faults) > 0 {
			return
		}
		if _, err := payment.ParseMSISDN(string(check.Payer), payment.PlanAnyMarket); err != nil {
			t.Errorf("%q is taken as %q: %v", payer, check.Payer, err)
		}
	})
}
