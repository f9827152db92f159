package wire_test

import (
	"bytes"
	"encoding/json"
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"

	"momoproxy/shared/provider/wire"
)

func TestReadObject(t *testing.T) {
	t.Parallel()
	const notObject, twice = "not one JSON object", "a key stands twice"
	for body, want := range map[string]string{
		`{}`: "", ` {"a":1} `: "", "\xef\xbb\xbf{\"a\":1}": "", `{"a":{"b":1,"c":1},"b":[{"a":1}]}`: "", `{"a":1,"A":2}`: "",
		``: notObject, `null`: notObject, `[]`: notObject, `"a"`: notObject, `{`: notObject,
		`{"a"}`: notObject, `{"a":1}{}`: notObject, `{"a":1} x`: notObject, `<html>`: notObject, "\u00a0{}": notObject,
		`{"a":1,"a":1}`: twice, `{"a":1,"\u0061":1}`: twice,
	} {
		if _, err := wire.ReadObject([]byte(body)); (err == nil) != (want == "") || err != nil && err.Error() != want {
			t.Errorf("%s: %v, want %q", body, err, want)
		}
	}
}

// FuzzReadObject holds ReadObject to what encoding/json reads of the same bytes.
func FuzzReadObject(f *testing.F) {
	for _, body := range []string{
		`{}`, `{"a":1}`, "\xef\xbb\xbf {\"a\" :\t-1.5e3 , \"b\":[1,{\"}\":\"]\"}],\"c\":\"\\\"\\\\\"}\r\n", `{"a":true,"\u0061":null}`,
		"{\"\xff\":\"\xff\"}", `{"":{"":[[],{}]}}`, `{"a":"\ud800"}`, `{"a":1}{}`, `{"a":1,}`, "\v{}", `{`, `"a"`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		want, ok := decode(body)
		got, err := wire.ReadObject(body)
		if (err == nil) != ok {
			t.Fatalf("%q: %v, and encoding/json reads it: %t", body, err, ok)
		}
		if diff := cmp.Diff(want, got); ok && diff != "" {
			t.Fatalf("%q (-encoding/json +ReadObject):\n%s", body, diff)
		}
		for name, raw := range got {
			var text string
			read, has := got.Text(name)
			if json.Unmarshal(raw, &text) == nil && raw[0] == '"' && (!has || read != text) {
				t.Fatalf("%q: %q, and encoding/json reads %q", raw, read, text)
			}
		}
	})
}

// decode reads one JSON object in which no key stands twice.
func decode(body []byte) (wire.Object, bool) {
	dec := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))))
	if first, err := dec.Token(); err != nil || first != json.Delim('{') {
		return nil, false
	}
	o := wire.Object{}
	for dec.More() {
		key, err := dec.Token()
		name, isText := key.(string)
		var value json.RawMessage
		if err != nil || !isText || dec.Decode(&value) != nil {
			return nil, false
		}
		if _, twice := o[name]; twice {
			return nil, false
		}
		o[name] = value
	}
	_, err := dec.Token()
	_, after := dec.Token()
	return o, err == nil && after == io.EOF
}

func TestText(t *testing.T) {
	t.Parallel()
	o, err := wire.ReadObject([]byte(`{"text":"a\u0062","number":100.50,"null":null,"true":true,"object":{"a":1},"broken":"\ud800"}`))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"text": "ab", "number": "100.50", "true": "true", "object": `{"a":1}`} {
		if got, ok := o.Text(name); !ok || got != want {
			t.Errorf("%s: %q, %v", name, got, ok)
		}
	}
	for _, name := range []string{"null", "missing", "TEXT"} {
		if got, ok := o.Text(name); ok {
			t.Errorf("%s: %q", name, got)
		}
	}
	if child, ok, err := o.Child("object"); !ok || err != nil || string(child["a"]) != "1" {
		t.Errorf("%v, %v, %v", child, ok, err)
	}
	if _, ok, err := o.Child("text"); ok || err != nil {
		t.Errorf("text as an object: %v, %v", ok, err)
	}
}

func TestStorable(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]bool{"a": true, "é ~": true, "": false, "abcdef": false, "a\x00": false, "a\n": false, "\xff": false, "\ufffd": false} {
		if got := wire.Storable(id, 5); got != want {
			t.Errorf("%q: %v", id, got)
		}
	}
}

func TestClean(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"a\tb\nc": "a b c", "a\x00": "a\ufffd", "\xff": "\ufffd", "ééé": "éé", "abcdef": "abcde"} {
		if got := wire.Clean(in, 5); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestBadBaseURL(t *testing.T) {
	t.Parallel()
	for base, plain := range map[string]bool{"https://api.example.com": false, "https://api.example.com/v1": false, "http://127.0.0.1:80": true, "http://localhost": true, "http://[::1]:1": true} {
		if why := wire.BadBaseURL(base, plain); why != "" {
			t.Errorf("%s: %s", base, why)
		}
	}
	for _, base := range []string{"", "api.example.com", "https://", "https://u:p@api.example.com", "https://api.example.com?a=b", "https://api.example.com#a", "http://api.example.com", "ftp://api.example.com", "https:api"} {
		if wire.BadBaseURL(base, true) == "" {
			t.Errorf("%q is taken", base)
		}
	}
	if wire.BadBaseURL("http://127.0.0.1", false) == "" {
		t.Error("http is taken where it must not be")
	}
}
