package httpapi_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"momoproxy/infra/cloud"
	"momoproxy/infra/testbed"
	"momoproxy/shared/ledger"
	"momoproxy/shared/table"
)

// faults are the details of a 422 as field to message.
func faults(t *testing.T, a testbed.Answer) map[string]string {
	t.Helper()
	is(t, a, 422, "validation_failed")
	found := map[string]string{}
	list, _ := a.Fields["details"].([]any)
	for _, d := range list {
		m := d.(map[string]any)
		found[m["field"].(string)] = m["message"].(string)
	}
	return found
}

func TestAmounts(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		pay := func(amount string) testbed.Answer {
			return w.Pay(strings.Replace(testbed.Order("A-"+base64.RawURLEncoding.EncodeToString([]byte(amount)), good), `"150.00"`, amount, 1))
		}
		for _, amount := range []string{
			`"1e3"`, `1e3`, `1E3`, `"-5"`, `-5`, `-0`, `"+5"`, `"0"`, `0`, `0.00`, `"0.001"`, `0.001`, `"1.234"`, `"٣"`, `" 10 "`, `"10 "`,
			`"` + strings.Repeat("9", 30) + `"`, strings.Repeat("9", 30), `1` + strings.Repeat("0", 15), `""`, `"."`, `"1."`, `".5"`, `"1.2.3"`, `"1,000"`, `"0x10"`,
			`"NaN"`, `"Infinity"`, `"01"`, `"1_000"`, `1e-2`, `"½"`, `"10\u0000"`, `"150.00 SZL"`,
		} {
			if m := faults(t, pay(amount))["amount"]; m == "" {
				t.Errorf("%s: accepted or without a message", amount)
			}
		}
		nothingCreated(t, w)
		for amount, want := range map[string]string{
			`"150.00"`: "150.00", `150`: "150.00", `1.5`: "1.50", `"0.01"`: "0.01", `9999999999999.99`: "9999999999999.99",
		} {
			if a := is(t, pay(amount), 202, ""); a.Text("amount") != want {
				t.Errorf("%s became %s", amount, a.Text("amount"))
			}
		}
	})
}

func TestDuplicateKeys(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		for field, body := range map[string]string{
			"amount":         `{"amount":"1","amount":"1000","externalId":"D","payer":{"partyIdType":"MSISDN","partyId":"26876123456"}}`,
			"payer.partyId":  `{"amount":"1","externalId":"D","payer":{"partyIdType":"MSISDN","partyId":"26876123456","partyId":"26876123457"}}`,
			"payer":          `{"amount":"1","externalId":"D","payer":{"partyIdType":"MSISDN","partyId":"26876123456"},"payer":null}`,
			"metadata.a":     `{"amount":"1","externalId":"D","payer":{"partyIdType":"MSISDN","partyId":"26876123456"},"metadata":{"a":"1","a":"2"}}`,
			"externalId":     `{"amount":"1","externalId":"D","\u0065xternalId":"E","payer":{"partyIdType":"MSISDN","partyId":"26876123456"}}`,
			"payer.partyIdT": `{"amount":"1","externalId":"D","payer":{"partyIdT":"MSISDN","partyIdType":"MSISDN","partyId":"26876123456"}}`,
		} {
			if f := faults(t, w.Pay(body)); f[field] == "" {
				t.Errorf("%s: %v", field, f)
			}
		}
		nothingCreated(t, w)
	})
}

func TestNULBytes(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		is(t, w.Pay("{\"amount\":\"1\",\"externalId\":\"a\x00b\"}"), 400, "malformed_json")
		for _, field := range []string{"externalId", "payerMessage", "payeeNote", "callbackUrl", "currency", "provider", "method"} {
			f := faults(t, w.Pay(`{"amount":"1","payer":{"partyIdType":"MSISDN","partyId":"26876123456"},"`+field+`":"a\u0000b"}`))
			if f[field] == "" {
				t.Errorf("%s with NUL: %v", field, f)
			}
		}
		f := faults(t, w.Pay(`{"amount":"1","externalId":"N","payer":{"partyIdType":"MSISDN","partyId":"2687612\u00003456"},"metadata":{"a\u0000":"b","c":"\u0000"}}`))
		if f["payer.partyId"] == "" || f["metadata"] == "" || f["metadata.c"] == "" {
			t.Errorf("%v", f)
		}
		nothingCreated(t, w)
	})
}

func TestUnknownFields(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		a := w.Pay(`{"ammount":"1","externalID":"X","payer":{"partyIDType":"MSISDN","party_id":"26876123456"},"nonsense":1,"` + strings.Repeat("x", 5000) + `":1}`)
		f := faults(t, a)
		for field, nearest := range map[string]string{"ammount": `"amount"`, "externalID": `"externalId"`, "payer.partyIDType": `"payer.partyIdType"`, "payer.party_id": `"payer.partyId"`} {
			if !strings.Contains(f[field], nearest) {
				t.Errorf("%s: %q; want %s named", field, f[field], nearest)
			}
		}
		if m := f["nonsense"]; m == "" || strings.Contains(m, "did you mean") {
			t.Errorf("nonsense: %q", m)
		}
		if len(a.Body) > 4000 {
			t.Errorf("the answer has %d bytes", len(a.Body))
		}
	})
}

func TestEveryFaultAtOnce(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		a := w.Pay(`{"amount":"0","currency":"EUR","externalId":" ","payer":{"partyIdType":"EMAIL","partyId":"12"},"payerMessage":"\u0007","payeeNote":"`+
			strings.Repeat("n", 161)+`","callbackUrl":"http://10.0.0.1/","method":"card","metadata":{"":"x","long":"`+strings.Repeat("v", 201)+`"}}`, "idempotency-key", strings.Repeat("k", 300))
		f := faults(t, a)
		for _, field := range []string{
			"amount", "currency", "externalId", "payer.partyIdType", "payer.partyId", "payerMessage", "payeeNote",
			"callbackUrl", "method", "metadata", "metadata.long", "Idempotency-Key",
		} {
			if f[field] == "" {
				t.Errorf("%s is not named", field)
			}
		}
		golden(t, "error/422-every-fault", a.Body)
		// Faults of form and of content come together.
		f = faults(t, w.Pay(`{"amount":true,"payer":{"partyId":"12"},"extra":1}`))
		for _, field := range []string{"amount", "externalId", "payer.partyId", "payer.partyIdType", "extra"} {
			if f[field] == "" {
				t.Errorf("%s is not named in %v", field, f)
			}
		}
		golden(t, "error/422-nothing-given", is(t, w.Pay(`{}`), 422, "validation_failed").Body)
		nothingCreated(t, w)
	})
}

func TestUnknownProvider(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		if f := faults(t, w.Pay(strings.Replace(testbed.Order("P", good), "{", `{"provider":"airtel",`, 1))); f["provider"] == "" {
			t.Errorf("%v", f)
		}
	})
}

func TestContentTypes(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		for _, kind := range []string{"application/x-www-form-urlencoded", "text/plain", "application/json, text/plain", "json", ";", "multipart/form-data"} {
			a := is(t, w.Pay(testbed.Order("C", good), "content-type", kind), 415, "unsupported_content_type")
			golden(t, "error/415-unsupported-content-type", a.Body)
		}
		nothingCreated(t, w)
		for i, kind := range []string{"", "application/json", "Application/JSON; charset=utf-8", "application/vnd.shop+json",
			"application/json; utf-8", "application/json, application/json"} {
			is(t, w.Pay(testbed.Order(fmt.Sprint("C", i), good), "content-type", kind), 202, "")
		}
	})
}

func TestBase64Bodies(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		pay := func(body string) testbed.Answer {
			r := cloud.Request("POST /request-to-pay")
			r.Headers["x-proxy-api-key"], r.Headers["Content-Type"] = testbed.ShopKey, "application/json"
			r.Body, r.IsBase64Encoded = body, true
			return w.Call(context.Background(), r)
		}
		is(t, pay(base64.StdEncoding.EncodeToString([]byte(testbed.Order("B64", good)))), 202, "")
		is(t, pay("!!!"), 400, "malformed_json")
		is(t, pay(testbed.Order("B64", good)), 400, "malformed_json")
		is(t, pay(""), 400, "malformed_json")
		is(t, pay(base64.StdEncoding.EncodeToString(make([]byte, 1<<20))), 413, "body_too_large")
		is(t, pay(base64.StdEncoding.EncodeToString([]byte("\xff\xfe"))), 400, "malformed_json")
		// The limit counts the bytes behind the encoding.
		exact := strings.Repeat(" ", 64<<10-len(testbed.Order("EXACT", good))) + testbed.Order("EXACT", good)
		is(t, pay(base64.StdEncoding.EncodeToString([]byte(exact))), 202, "")
		is(t, pay(base64.StdEncoding.EncodeToString([]byte(" "+exact))), 413, "body_too_large")
	})
}

// Whatever an app sends under its key is in the audit log, refused or not,
// and its key is not.
func TestRefusedRequestsAreAudited(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		bodies := []string{`{"amount":`, `{"amount":true}`, strings.Repeat("x", 1<<20), "a\x00b", "\xff\xfe", testbed.Order("AUDIT", good), testbed.Order("AUDIT", good)}
		for _, body := range bodies {
			w.Pay(body)
		}
		w.Pay("amount=1", "content-type", "text/plain")
		page, err := w.Memory.Query(context.Background(), table.Query{Space: table.Audit, Partition: "client#" + w.Shop.ID, Limit: 100})
		if err != nil {
			t.Fatal(err)
		}
		codes := map[int64]int{}
		for _, r := range page.Records {
			if r.Attributes["direction"] != string(ledger.InboundFromApp) {
				t.Errorf("direction %v", r.Attributes["direction"])
			}
			if r.Attributes["http_method"] == ledger.OperatorMethod {
				continue // the making of the client
			}
			code, _ := r.Attributes["response_code"].(int64)
			codes[code]++
		}
		// The accepted one is on its payment's own trail.
		if want := map[int64]int{400: 3, 422: 1, 413: 1, 409: 1, 415: 1}; fmt.Sprint(codes) != fmt.Sprint(want) {
			t.Errorf("audited answers %v; want %v", codes, want)
		}
	})
}

// Two texts are one order only if they are the same bytes, and no two orders
// look the same.
func TestExternalIDs(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		for _, id := range []string{
			"X ", " X", "X\u200b", "X\u00a0", "X\u00a0Y", "X\u202eY", "X\u2066Y", "X\u0085Y", "X\u009fY", "X\u00adY", "X\ufeff", "X\u3164", "X\ufe0f", "X\u2800Y", "X\u3000Y", "\u2003",
			"X\ufffe", "X\uffffY", "X\ufdd0", "X\U0001fffe",
		} {
			body, err := json.Marshal(id)
			if err != nil {
				t.Fatal(err)
			}
			order := strings.Replace(testbed.Order("ID", good), `"ID"`, string(body), 1)
			if f := faults(t, w.Pay(order)); f["externalId"] == "" {
				t.Errorf("%+q is taken: %v", id, f)
			}
			if f := faults(t, w.Pay(strings.Replace(testbed.Order("M", good), "{", `{"metadata":{`+string(body)+`:"v"},`, 1))); f["metadata"] == "" {
				t.Errorf("metadata name %+q is taken: %v", id, f)
			}
		}
		for _, escape := range []string{`Nandi \ud83d`, `Nandi \ud83c`, `\udc00`, `\ud83d\ud83d`, `\ud83dx`, `\ud83d\n`, `\uD83D \uDE00`} {
			order := strings.Replace(testbed.Order("ID", good), `"ID"`, `"`+escape+`"`, 1)
			a := is(t, w.Pay(order), 400, "malformed_json")
			if !strings.Contains(a.Body, "surrogate pair, at line 1, column ") {
				t.Errorf("%s: %s", escape, a.Body)
			}
			is(t, w.Pay(strings.Replace(testbed.Order("N", good), "{", `{"metadata":{"`+escape+`":"v"},`, 1)), 400, "malformed_json")
		}
		nothingCreated(t, w)
		for _, id := range []string{`\ud83d\ude00`, `😀`, `\\ud83d`, `Café 1`, `ORDER-1/2`, `Zażółć`} {
			order := strings.Replace(testbed.Order("ID", good), `"ID"`, `"`+id+`"`, 1)
			want := 202
			if id == `😀` {
				want = 409 // the escaped one is the same order
			}
			if a := w.Pay(order); a.StatusCode != want {
				t.Errorf("%s: %d %s", id, a.StatusCode, a.Body)
			}
		}
	})
}

// A body's fault is named where an editor shows it.
func TestMalformedJSONSaysWhere(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		for body, want := range map[string]string{
			"{\n  \"amount\": \"1.00\",\n}":  `comma before the closing '}', at line 2, column 19.`,
			`{"metadata":{"a":[1,]}}`:        `comma before the closing ']', at line 1, column 20.`,
			"{\n\"externalId\":\"é\" \"b\"}": `a comma is missing before '"', at line 2, column 18.`,
			`{"amount":"1",,"a":1}`:          `a comma too many, at line 1, column 15.`,
			`{,"amount":"1"}`:                `a comma too many, at line 1, column 2.`,
			`{"a":[{} "x"]}`:                 `a comma is missing before '"', at line 1, column 10.`,
			`{"amount" "1"}`:                 `after object key, at line 1, column 11.`,
			`{"amount":01}`:                  `at line 1, column 12.`,
		} {
			if a := is(t, w.Pay(body), 400, "malformed_json"); !strings.Contains(a.Text("error"), want) {
				t.Errorf("%s: %s; want %s", body, a.Body, want)
			}
		}
		is(t, w.Pay("\xef\xbb\xbf"+testbed.Order("BOM", good)), 202, "")
	})
}
