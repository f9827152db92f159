package webhook_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"net/http"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"momoproxy/shared/webhook"
)

var update = flag.Bool("update", false, "rewrite testdata/signature-vectors.json")

const vectorFile = "testdata/signature-vectors.json"

// vectors is the file that a receiver in any language can replay.
type vectors struct {
	About   []string `json:"about"`
	Vectors []vector `json:"vectors"`
}

type vector struct {
	Name      string            `json:"name"`
	Scheme    string            `json:"scheme"` // "standard" or "legacy"
	Secrets   []string          `json:"secrets,omitempty"`
	APIKey    string            `json:"apiKey,omitempty"`
	Headers   map[string]string `json:"headers"`
	Body      string            `json:"bodyBase64"`
	Now       int64             `json:"now,omitempty"`
	Tolerance int64             `json:"toleranceSeconds,omitempty"`
	Result    string            `json:"result"`
}

var results = map[string]error{
	"ok": nil, "missing_header": webhook.ErrMissingHeader, "bad_header": webhook.ErrHeader,
	"no_match": webhook.ErrNoMatch, "too_old": webhook.ErrTooOld, "too_new": webhook.ErrTooNew,
}

func fixedSecret(t testing.TB, fill byte, size int) webhook.Secret {
	t.Helper()
	key := make([]byte, size)
	for i := range key {
		key[i] = fill + byte(i)
	}
	secret, err := webhook.ParseSecret("whsec_" + base64.StdEncoding.EncodeToString(key))
	if err != nil {
		t.Fatal(err)
	}
	return secret
}

// makeVectors builds every case from fixed secrets, times and bodies.
func makeVectors(t *testing.T) vectors {
	const (
		id     = "evt_2f1c8a3e7b904d56"
		signed = 1767225600 // 2026-01-01T00:00:00Z
		key    = "9b1d0c6f2a7e4835b1c09d8e7f6a5b4c3d2e1f00112233445566778899aabbcc"
	)
	body := []byte(`{"referenceId":"5f0e8b8e-3c0f-4a55-9d6e-0b7a3c1d2e4f","externalId":"ORDER-98765",` +
		`"status":"SUCCESSFUL","financialTransactionId":"1234567890","reason":"","amount":150.00}`)
	oldSecret, newSecret := fixedSecret(t, 0x10, 32), fixedSecret(t, 0x80, 64)
	short := fixedSecret(t, 0x40, 24)

	sign := func(body []byte, secrets ...webhook.Secret) map[string]string {
		signature, err := webhook.Sign(id, time.Unix(signed, 0), body, secrets...)
		if err != nil {
			t.Fatal(err)
		}
		return map[string]string{"webhook-id": id, "webhook-timestamp": strconv.Itoa(signed), "webhook-signature": signature}
	}
	with := func(headers map[string]string, name, value string) map[string]string {
		headers[name] = value
		return headers
	}
	without := func(headers map[string]string, name string) map[string]string {
		delete(headers, name)
		return headers
	}
	legacy := func(value string) map[string]string { return map[string]string{"x-momo-proxy-signature": value} }
	tampered := bytes.Replace(body, []byte("150.00"), []byte("950.00"), 1)
	unicode := []byte("{\"reason\":\"sal\u00e1rio \u20ac \u4e2d\",\r\n \"zero\":\"\x00\"}\n")
	oldSignature := sign(body, oldSecret)["webhook-signature"]

	var all []vector
	standard := func(name string, headers map[string]string, body []byte, now int64, result string, secrets ...webhook.Secret) {
		v := vector{Name: name, Scheme: "standard", Headers: headers, Body: base64.StdEncoding.EncodeToString(body),
			Now: now, Tolerance: 300, Result: result}
		for _, s := range secrets {
			v.Secrets = append(v.Secrets, s.Reveal())
		}
		all = append(all, v)
	}
	old := func(name string, headers map[string]string, body []byte, result string) {
		all = append(all, vector{Name: name, Scheme: "legacy", APIKey: key, Headers: headers,
			Body: base64.StdEncoding.EncodeToString(body), Result: result})
	}

	standard("valid", sign(body, oldSecret), body, signed, "ok", oldSecret)
	standard("valid, secret of 24 bytes", sign(body, short), body, signed, "ok", short)
	standard("valid, secret of 64 bytes", sign(body, newSecret), body, signed, "ok", newSecret)
	standard("valid, empty body", sign(nil, oldSecret), nil, signed, "ok", oldSecret)
	standard("valid, body with multi-byte characters, CR LF and NUL", sign(unicode, oldSecret), unicode, signed, "ok", oldSecret)
	standard("valid, oldest time allowed", sign(body, oldSecret), body, signed+300, "ok", oldSecret)
	standard("valid, newest time allowed", sign(body, oldSecret), body, signed-300, "ok", oldSecret)
	standard("tampered body", sign(body, oldSecret), tampered, signed, "no_match", oldSecret)
	standard("body with a newline added", sign(body, oldSecret), append(bytes.Clone(body), '\n'), signed, "no_match", oldSecret)
	standard("tampered id", with(sign(body, oldSecret), "webhook-id", "evt_2f1c8a3e7b904d57"), body, signed, "no_match", oldSecret)
	standard("tampered timestamp", with(sign(body, oldSecret), "webhook-timestamp", strconv.Itoa(signed+1)), body, signed, "no_match", oldSecret)
	standard("expired", sign(body, oldSecret), body, signed+301, "too_old", oldSecret)
	standard("too new", sign(body, oldSecret), body, signed-301, "too_new", oldSecret)
	standard("during rotation, receiver holds the old secret", sign(body, newSecret, oldSecret), body, signed, "ok", oldSecret)
	standard("during rotation, receiver holds the new secret", sign(body, newSecret, oldSecret), body, signed, "ok", newSecret)
	standard("during rotation, receiver holds both", sign(body, newSecret, oldSecret), body, signed, "ok", newSecret, oldSecret)
	standard("after rotation, receiver holds the old secret", sign(body, newSecret), body, signed, "no_match", oldSecret)
	standard("after rotation, receiver holds the new secret", sign(body, newSecret), body, signed, "ok", newSecret)
	standard("old sender, receiver has dropped the old secret", sign(body, oldSecret), body, signed, "no_match", newSecret)
	standard("several signatures, the last is ours", with(sign(body, oldSecret), "webhook-signature",
		"v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= v2,c29tZXRoaW5nIG5ldw== v1a,bm90IG91cnM= "+oldSignature), body, signed, "ok", oldSecret)
	standard("only an unknown version", with(sign(body, oldSecret), "webhook-signature", "v2,"+oldSignature[3:]), body, signed, "no_match", oldSecret)
	standard("signature cut short", with(sign(body, oldSecret), "webhook-signature", oldSignature[:len(oldSignature)-8]), body, signed, "no_match", oldSecret)
	standard("no id", without(sign(body, oldSecret), "webhook-id"), body, signed, "missing_header", oldSecret)
	standard("no timestamp", without(sign(body, oldSecret), "webhook-timestamp"), body, signed, "missing_header", oldSecret)
	standard("no signature", without(sign(body, oldSecret), "webhook-signature"), body, signed, "missing_header", oldSecret)
	standard("timestamp is not a number", with(sign(body, oldSecret), "webhook-timestamp", "yesterday"), body, signed, "bad_header", oldSecret)

	hexSignature := webhook.SignLegacy(body, key)
	old("legacy, valid", legacy(hexSignature), body, "ok")
	old("legacy, tampered body", legacy(hexSignature), tampered, "no_match")
	old("legacy, made with another key", legacy(webhook.SignLegacy(body, "another key")), body, "no_match")
	old("legacy, no header", map[string]string{}, body, "missing_header")
	old("legacy, not hex", legacy("v1,"+hexSignature[3:]), body, "bad_header")

	return vectors{
		About: []string{
			"Each vector is what a receiver holds (secrets or apiKey, now) and what arrives (headers, body); result is the verdict.",
			"standard: Standard Webhooks 1.0.0, HMAC-SHA256 over webhook-id.webhook-timestamp.body with the base64-decoded key after whsec_.",
			"legacy: X-MoMo-Proxy-Signature, lower-case hex HMAC-SHA256 over the body with the API key's text as key; knows no time.",
			"bodyBase64 holds the exact bytes. now is unix seconds. Secrets and keys here are for tests alone.",
		},
		Vectors: all,
	}
}

func TestVectorFileIsCurrent(t *testing.T) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	if err := enc.Encode(makeVectors(t)); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(vectorFile, buf.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	stored, err := os.ReadFile(vectorFile)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(stored), buf.String()); diff != "" {
		t.Errorf("signatures changed; receivers would break (-stored +now):\n%s", diff)
	}
}

func TestVectors(t *testing.T) {
	stored, err := os.ReadFile(vectorFile)
	if err != nil {
		t.Fatal(err)
	}
	var file vectors
	if err := json.Unmarshal(stored, &file); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, v := range file.Vectors {
		t.Run(v.Name, func(t *testing.T) {
			body, err := base64.StdEncoding.DecodeString(v.Body)
			if err != nil {
				t.Fatal(err)
			}
			header := http.Header{}
			for name, value := range v.Headers {
				header.Set(name, value)
			}
			want, known := results[v.Result]
			if !known {
				t.Fatalf("unknown result %q", v.Result)
			}
			seen[v.Result] = true
			if v.Scheme == "legacy" {
				if err := webhook.VerifyLegacy(header, body, v.APIKey); !errors.Is(err, want) {
					t.Errorf("VerifyLegacy() = %v, want %v", err, want)
				}
				return
			}
			var secrets []webhook.Secret
			for _, text := range v.Secrets {
				secret, err := webhook.ParseSecret(text)
				if err != nil {
					t.Fatal(err)
				}
				secrets = append(secrets, secret)
			}
			id, err := webhook.Verify(header, body, time.Unix(v.Now, 0), time.Duration(v.Tolerance)*time.Second, secrets...)
			if !errors.Is(err, want) {
				t.Errorf("Verify() = %v, want %v", err, want)
			}
			if wantID := v.Headers["webhook-id"]; err == nil && id != wantID || err != nil && id != "" {
				t.Errorf("Verify() id = %q with error %v", id, err)
			}
		})
	}
	for result := range results {
		if !seen[result] {
			t.Errorf("no vector ends in %q", result)
		}
	}
}
