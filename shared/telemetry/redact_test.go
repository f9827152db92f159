package telemetry_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"momoproxy/shared/telemetry"
)

func TestRedact(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ in, want string }{
		"empty":             {"", ""},
		"nothing to hide":   {`{ "amount": 10.50, "status":"PENDING",  "n":[1, null,true]}`, `{ "amount": 10.50, "status":"PENDING",  "n":[1, null,true]}`},
		"MTN token answer":  {`{"access_token":"eyJ0.x.y","token_type":"access_token","expires_in":3600}`, `{"access_token":"[redacted]","token_type":"access_token","expires_in":3600}`},
		"camel and case":    {`{"apiKey":"a","API_KEY":"b","X-Proxy-Api-Key":"c","clientSecret":"d"}`, `{"apiKey":"[redacted]","API_KEY":"[redacted]","X-Proxy-Api-Key":"[redacted]","clientSecret":"[redacted]"}`},
		"number and bool":   {`{"pin":1234,"otp":true,"amount":5}`, `{"pin":"[redacted]","otp":"[redacted]","amount":5}`},
		"none stays none":   {`{"token":null,"secret":""}`, `{"token":null,"secret":""}`},
		"object and array":  {`{"credentials":{"a":[1,"}"],"b":2},"tokens":["x",{"y":"]"}],"ok":1}`, `{"credentials":"[redacted]","tokens":"[redacted]","ok":1}`},
		"deep":              {`[{"a":{"b":[{"password":"x"}]}}]`, `[{"a":{"b":[{"password":"[redacted]"}]}}]`},
		"escaped name":      {`{"api\u005fkey":"x","a\"b":"y"}`, `{"api\u005fkey":"[redacted]","a\"b":"y"}`},
		"escaped quote":     {`{"secret":"a\"b\\","next":"c"}`, `{"secret":"[redacted]","next":"c"}`},
		"spaces kept":       {"{\n  \"token\" : \"x\" ,\n  \"a\": 1\n}", "{\n  \"token\" : \"[redacted]\" ,\n  \"a\": 1\n}"},
		"duplicate names":   {`{"token":"a","token":"b"}`, `{"token":"[redacted]","token":"[redacted]"}`},
		"prefix in value":   {`{"note":"use whsec_MfKQ+9/x= or mmp_live_abc."}`, `{"note":"use whsec_[redacted] or mmp_live_[redacted]"}`},
		"escaped slash":     {`{"note":"whsec_ab\/cd end"}`, `{"note":"whsec_[redacted] end"}`},
		"broken, slash":     {`{"note":"whsec_ab\/cd end"`, `{"note":"whsec_[redacted] end"`},
		"prefix escaped":    {`{"note":"\u0042earer abc"}`, `{"note":"Bearer [redacted]"}`},
		"untouched escapes": {`{"note":"\u00e9 \/ <b>"}`, `{"note":"\u00e9 \/ <b>"}`},
		"JSON in JSON":      {`{"body":"{\"token\":\"x\\\"y\",\"a\":1}"}`, `{"body":"{\"token\":\"[redacted]\",\"a\":1}"}`},
		"name as value":     {`{"field":"token","message":"token is missing"}`, `{"field":"token","message":"token is missing"}`},
		"JSON string":       {`"Bearer abc"`, `"Bearer [redacted]"`},
		"number":            {`12`, `12`},
		"form":              {"grant_type=client_credentials&client_secret=a%2Fb&scope=x", "grant_type=client_credentials&client_secret=[redacted]&scope=x"},
		"query":             {"GET /x?token=abc&y=1 HTTP/1.1", "GET /x?token=[redacted]&y=1 HTTP/1.1"},
		"form with scheme":  {"token=Bearer abc&x=1", "token=[redacted]&x=1"},
		"header lines":      {"Host: h\r\nAuthorization: Basic dTpw\r\nOcp-Apim-Subscription-Key: 5f\r\nX-Reference-Id: 1", "Host: h\r\nAuthorization: [redacted]\r\nOcp-Apim-Subscription-Key: [redacted]\r\nX-Reference-Id: 1"},
		"prose stays":       {"provider token: timeout after 5s", "provider token: timeout after 5s"},
		"schemes in prose":  {"sent basic  dTpw, then BEARER x.y-z~1+/=!", "sent basic  [redacted], then BEARER [redacted]!"},
		"not a scheme":      {"forbearer x, basically", "forbearer x, basically"},
		"broken JSON":       {`{"access_token":"abc","x":1`, `{"access_token":"[redacted]","x":1`},
		"open string":       {`{"x":1,"access_token":"abc`, `{"x":1,"access_token":"[redacted]`},
		"out of step":       {`x" {"api_key":"abc"}`, `x" {"api_key":"[redacted]"}`},
		"broken, nested":    {`{"body":"{\"token\":\"a\\\"b\",\"c\":1}`, `{"body":"{\"token\":\"[redacted]\",\"c\":1}`},
		"broken, object":    {`{"secret": {"a":"b"}, "c"`, `{"secret": [redacted], "c"`},
		"single quotes":     {`{'password': 'a b', 'c': 1}`, `{'password': '[redacted]', 'c': 1}`},
		"twice":             {"Bearer [redacted] token=[redacted] token=[redacted]more", "Bearer [redacted] token=[redacted] token=[redacted]"},
		"HTML":              {`<input name="x" value="whsec_abc">`, `<input name="x" value="whsec_[redacted]">`},
		"not UTF-8":         {"a\xff\xfeb\x00", "a\ufffdb\x00"},
		"not UTF-8 in JSON": {"{\"a\":\"\xff\",\"token\":\"\xff\"}", "{\"a\":\"\ufffd\",\"token\":\"[redacted]\"}"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := telemetry.Redact(c.in); got != c.want {
				t.Errorf("Redact(%q)\n got %s\nwant %s", c.in, got, c.want)
			}
		})
	}
}

func TestRedactCuts(t *testing.T) {
	t.Parallel()
	const secret = "SECRETVALUE"
	exact := `{"a":"` + strings.Repeat("x", telemetry.MaxBody-8) + `"}`
	if got := telemetry.Redact(exact); got != exact {
		t.Errorf("a body of MaxBody bytes was changed: %d bytes", len(got))
	}
	for name, c := range map[string]struct{ in, tail string }{
		"text":        {strings.Repeat("x", 1<<20), "…[cut, 1048576 bytes]"},
		"characters":  {strings.Repeat("🙂", 5000), "…[cut, 20000 bytes]"},
		"bytes":       {strings.Repeat("\xff\xfe", 10000), "…[cut, 20000 bytes]"},
		"grows":       {strings.Repeat(`token=a&`, 2048), "…[cut, 16384 bytes]"},
		"JSON":        {`{"access_token":"` + secret + `","pad":"` + strings.Repeat("x", 20000) + `"}`, "…[cut, 20039 bytes]"},
		"cut secret":  {strings.Repeat("x", telemetry.MaxBody-10) + " whsec_" + secret, "…[cut, 16392 bytes]"},
		"long secret": {`{"token":"` + strings.Repeat(secret, 2000) + `"}`, "…[cut, 22012 bytes]"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := telemetry.Redact(c.in)
			if len(got) > telemetry.MaxBody || !utf8.ValidString(got) || !strings.HasSuffix(got, c.tail) {
				t.Errorf("%d bytes, ends in %q", len(got), got[max(0, len(got)-40):])
			}
			if strings.Contains(got, secret[:4]) {
				t.Error("the secret shows")
			}
		})
	}
}

// FuzzRedact: any bytes give valid UTF-8 within the bound; JSON stays JSON
// of the same kind.
func FuzzRedact(f *testing.F) {
	for _, s := range []string{
		"", `{"token":"a","b":[1,{"secret":{"x":"}"}}]}`, `"\u0042earer abc"`, "a=1&token=Bearer x", "Authorization: Basic x\n",
		`{"b":"{\"token\":\"x\"}"}`, `{"b":"{\"token\":\"x`, "\xff{\"pin\":\x00}", `[["whsec_"]]`, `{"a\"token":'`, "token='a", `\\\"token\\\":\\\"a\\\\\\\"b\\\"`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		out := telemetry.Redact(in)
		if len(out) > telemetry.MaxBody || !utf8.ValidString(out) {
			t.Fatalf("%d bytes, valid %v", len(out), utf8.ValidString(out))
		}
		if strings.Contains(out, "…[cut, ") && !strings.Contains(in, "…[cut, ") {
			return
		}
		if json.Valid([]byte(in)) && !json.Valid([]byte(out)) {
			t.Fatalf("JSON broke: %q became %q", in, out)
		}
	})
}

// FuzzRedactHides: whatever stands around it, and however its text needs to
// be escaped, a secret is not seen.
func FuzzRedactHides(f *testing.F) {
	f.Add("", "", "x")
	f.Add(`{"a":`, `}`, `a"b\`)
	f.Add(`x" {`, `, "b":1`, "é\n")
	f.Add(`{"a":"{`, `"`, `\"`)
	const mark = "Zq7-mark-9Yx"
	f.Fuzz(func(t *testing.T, before, after, secret string) {
		if strings.Contains(before+after, "Zq7") || len(before)+len(after) > 1000 || len(secret) > 100 {
			return
		}
		value, err := json.Marshal(secret + mark)
		if err != nil {
			t.Fatal(err)
		}
		pair := `"api_key":` + string(value)
		// As a whole document, surrounded by anything, and once more inside
		// a JSON string.
		inner, err := json.Marshal("{" + pair + "}")
		if err != nil {
			t.Fatal(err)
		}
		for _, in := range []string{
			"{" + pair + "}",
			"{" + pair,
			before + ` {` + pair + after,
			`{"body":` + string(inner) + `}`,
			`{"body":` + string(inner),
			before + " token=" + mark + after,
			before + "\nAuthorization: x " + mark + "\n" + after,
			before + " whsec_" + mark + after,
			before + " Bearer " + mark + after,
		} {
			if out := telemetry.Redact(in); strings.Contains(out, mark) {
				t.Fatalf("%q became %q", in, out)
			}
		}
	})
}
