package webhook_test

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"momoproxy/shared/webhook"
)

var noon = time.Unix(1767268800, 0)

func newSecret(t testing.TB) webhook.Secret {
	t.Helper()
	secret, err := webhook.NewSecret(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return secret
}

func library(t testing.TB, secret webhook.Secret) *standardwebhooks.Webhook {
	t.Helper()
	wh, err := standardwebhooks.NewWebhook(secret.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	return wh
}

// The library reads the wall clock, so this test does too.
func TestStandardWebhooksLibraryVerifiesWhatWeSend(t *testing.T) {
	t.Parallel()
	oldSecret, newest := newSecret(t), newSecret(t)
	body := []byte(`{"status":"SUCCESSFUL"}`)
	header, err := webhook.Headers("evt_1", time.Now(), body, newest, oldSecret)
	if err != nil {
		t.Fatal(err)
	}
	for name, secret := range map[string]webhook.Secret{"new": newest, "old": oldSecret} {
		if err := library(t, secret).Verify(body, header); err != nil {
			t.Errorf("the library refuses our message under the %s secret: %v", name, err)
		}
	}
	if err := library(t, newSecret(t)).Verify(body, header); !errors.Is(err, standardwebhooks.ErrNoMatchingSignature) {
		t.Errorf("under a foreign secret: %v", err)
	}
	after, err := webhook.Headers("evt_1", time.Now(), body, newest)
	if err != nil {
		t.Fatal(err)
	}
	if err := library(t, oldSecret).Verify(body, after); !errors.Is(err, standardwebhooks.ErrNoMatchingSignature) {
		t.Errorf("the old secret after the overlap: %v", err)
	}
}

func TestWeVerifyWhatTheStandardWebhooksLibrarySigns(t *testing.T) {
	t.Parallel()
	for _, size := range []int{24, 32, 64} {
		secret := fixedSecret(t, 7, size)
		body := []byte("{\"a\": 1}\n")
		signature, err := library(t, secret).Sign("msg_x", noon, body)
		if err != nil {
			t.Fatal(err)
		}
		header := http.Header{}
		header.Set("webhook-id", "msg_x")
		header.Set("webhook-timestamp", strconv.FormatInt(noon.Unix(), 10))
		header.Set("webhook-signature", signature)
		if id, err := webhook.Verify(header, body, noon, webhook.Tolerance, secret); err != nil || id != "msg_x" {
			t.Errorf("secret of %d bytes: Verify() = %q, %v", size, id, err)
		}
	}
}

func TestVerifyRefusesAmbiguousAndOversizeHeaders(t *testing.T) {
	t.Parallel()
	secret := newSecret(t)
	body := []byte("{}")
	for _, tc := range []struct {
		name   string
		change func(http.Header)
		want   error
	}{
		{"untouched", func(http.Header) {}, nil},
		{"id twice", func(h http.Header) { h.Add(webhook.HeaderID, "evt_2") }, webhook.ErrHeader},
		{"timestamp twice", func(h http.Header) { h.Add(webhook.HeaderTimestamp, "1") }, webhook.ErrHeader},
		{"signature twice", func(h http.Header) { h.Add(webhook.HeaderSignature, "v1,AA==") }, webhook.ErrHeader},
		{"id with a full stop", func(h http.Header) { h.Set(webhook.HeaderID, "evt.1") }, webhook.ErrHeader},
		{"id with a control character", func(h http.Header) { h.Set(webhook.HeaderID, "evt\n1") }, webhook.ErrHeader},
		{"long id", func(h http.Header) { h.Set(webhook.HeaderID, strings.Repeat("x", 129)) }, webhook.ErrHeader},
		{"long timestamp", func(h http.Header) { h.Set(webhook.HeaderTimestamp, "1767268800000000") }, webhook.ErrHeader},
		{"signed timestamp", func(h http.Header) { h.Set(webhook.HeaderTimestamp, "+1767268800") }, webhook.ErrHeader},
		{"negative timestamp", func(h http.Header) { h.Set(webhook.HeaderTimestamp, "-1767268800") }, webhook.ErrHeader},
		{"timestamp with leading zero", func(h http.Header) { h.Set(webhook.HeaderTimestamp, "01767268800") }, webhook.ErrHeader},
		{"empty timestamp", func(h http.Header) { h.Set(webhook.HeaderTimestamp, "") }, webhook.ErrMissingHeader},
		{"long signature", func(h http.Header) {
			h.Set(webhook.HeaderSignature, h.Get(webhook.HeaderSignature)+strings.Repeat(" v1,AAAA", 300))
		}, webhook.ErrHeader},
		{"empty signatures around ours", func(h http.Header) {
			h.Set(webhook.HeaderSignature, " v1, v1 ,  "+h.Get(webhook.HeaderSignature)+" v1,")
		}, nil},
		{"hex instead of base64", func(h http.Header) { h.Set(webhook.HeaderSignature, "v1,"+strings.Repeat("ab", 32)) }, webhook.ErrNoMatch},
	} {
		header, err := webhook.Headers("evt_1", noon, body, secret)
		if err != nil {
			t.Fatal(err)
		}
		tc.change(header)
		if _, err := webhook.Verify(header, body, noon, webhook.Tolerance, secret); !errors.Is(err, tc.want) {
			t.Errorf("%s: %v, want %v", tc.name, err, tc.want)
		}
	}
}

// id "a" at time 1 with body "2.rest" and id "a.1" at time 2 with body "rest"
// would be one signed text; neither side may take such an id.
func TestAnIDCannotBorrowAnotherMessagesSignature(t *testing.T) {
	t.Parallel()
	secret := newSecret(t)
	signature, err := webhook.Sign("a", time.Unix(1, 0), []byte("2.rest"), secret)
	if err != nil {
		t.Fatal(err)
	}
	header := http.Header{"Webhook-Id": {"a.1"}, "Webhook-Timestamp": {"2"}, "Webhook-Signature": {signature}}
	if _, err := webhook.Verify(header, []byte("rest"), time.Unix(2, 0), webhook.Tolerance, secret); !errors.Is(err, webhook.ErrHeader) {
		t.Errorf("Verify() = %v", err)
	}
	if _, err := webhook.Sign("a.1", time.Unix(2, 0), nil, secret); !errors.Is(err, webhook.ErrID) {
		t.Errorf("Sign() = %v", err)
	}
}

func TestNothingIsSignedOrVerifiedWithoutASecret(t *testing.T) {
	t.Parallel()
	if _, err := webhook.Headers("evt_1", noon, nil); !errors.Is(err, webhook.ErrSecret) {
		t.Errorf("no secret: %v", err)
	}
	if _, err := webhook.Headers("evt_1", noon, nil, newSecret(t), webhook.Secret{}); !errors.Is(err, webhook.ErrSecret) {
		t.Errorf("a zero secret: %v", err)
	}
	header, err := webhook.Headers("evt_1", noon, nil, newSecret(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, secrets := range [][]webhook.Secret{nil, {{}}} {
		if _, err := webhook.Verify(header, nil, noon, webhook.Tolerance, secrets...); !errors.Is(err, webhook.ErrNoMatch) {
			t.Errorf("Verify() with %d secrets = %v", len(secrets), err)
		}
	}
	empty := http.Header{}
	empty.Set(webhook.HeaderLegacy, webhook.SignLegacy(nil, ""))
	if err := webhook.VerifyLegacy(empty, nil, ""); !errors.Is(err, webhook.ErrNoMatch) {
		t.Errorf("VerifyLegacy() with an empty key = %v", err)
	}
}

func TestVerifyLegacyIsStrict(t *testing.T) {
	t.Parallel()
	good := webhook.SignLegacy([]byte("{}"), "key")
	for value, want := range map[string]error{
		good: nil, strings.ToUpper(good): webhook.ErrHeader, good[:62]: webhook.ErrHeader,
		good + "00": webhook.ErrHeader, "": webhook.ErrMissingHeader, strings.Repeat("0", 64): webhook.ErrNoMatch,
	} {
		header := http.Header{}
		header.Set("x-momo-proxy-signature", value)
		if err := webhook.VerifyLegacy(header, []byte("{}"), "other", "key"); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", value, err, want)
		}
	}
}

func TestParseSecret(t *testing.T) {
	t.Parallel()
	encode := func(n int) string { return "whsec_" + base64.StdEncoding.EncodeToString(make([]byte, n)) }
	for text, ok := range map[string]bool{
		encode(24): true, encode(32): true, encode(64): true,
		encode(23): false, encode(65): false, encode(4096): false,
		"": false, "whsec_": false, strings.TrimPrefix(encode(32), "whsec_"): false,
		"WHSEC_" + encode(32)[6:]: false, encode(32) + "\n": false, " " + encode(32): false,
		strings.TrimRight(encode(32), "="): false, "whsec_" + strings.Repeat("-_", 22): false,
		// Trailing bits that are not zero: a second spelling of one secret.
		encode(32)[:48] + "B=": false,
	} {
		secret, err := webhook.ParseSecret(text)
		if ok != (err == nil) || err != nil && !errors.Is(err, webhook.ErrSecret) {
			t.Errorf("ParseSecret(%q) = %v", text, err)
		}
		if ok && secret.Reveal() != text {
			t.Errorf("%q became %q", text, secret.Reveal())
		}
		if err != nil && len(text) > 20 && strings.Contains(err.Error(), text[6:20]) {
			t.Errorf("the error repeats the text: %v", err)
		}
	}
}

func TestASecretNeverPrintsItself(t *testing.T) {
	t.Parallel()
	key := []byte("0123456789abcdefghijklmnopqrstuv")
	secret, err := webhook.NewSecret(bytes.NewReader(key))
	if err != nil {
		t.Fatal(err)
	}
	type inside struct{ secret webhook.Secret }
	type outside struct{ Secret webhook.Secret }
	var printed []string
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		for _, value := range []any{secret, &secret, inside{secret}, &inside{secret}, outside{secret}, []webhook.Secret{secret}} {
			printed = append(printed, fmt.Sprintf(verb, value))
		}
	}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "secret", secret, "in", outside{secret}, "list", []webhook.Secret{secret})
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "secret", secret, "in", inside{secret})
	encoded, err := json.Marshal(outside{secret})
	if err != nil {
		t.Fatal(err)
	}
	printed = append(printed, log.String(), string(encoded))
	for _, text := range printed {
		for _, leak := range []string{string(key[:8]), secret.Reveal()[6:16], fmt.Sprintf("%x", key[:8]), "48 49 50", "0x30, 0x31"} {
			if strings.Contains(text, leak) {
				t.Errorf("printed %q", text)
			}
		}
	}
	if id := secret.ID(); len(id) != 8 || id != secret.ID() || strings.Contains(secret.Reveal(), id) {
		t.Errorf("ID() = %q", id)
	}
}

func TestNewSecretReportsShortRandomness(t *testing.T) {
	t.Parallel()
	if _, err := webhook.NewSecret(strings.NewReader("short")); err == nil {
		t.Error("no error")
	}
	a, b := newSecret(t), newSecret(t)
	if a.Equal(b) || !a.Equal(a) || a.Equal(webhook.Secret{}) || !(webhook.Secret{}).Equal(webhook.Secret{}) {
		t.Error("Equal is wrong")
	}
}

func FuzzParseSecret(f *testing.F) {
	f.Add("whsec_MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1ub3BxcnN0dXY=")
	f.Add("whsec_")
	f.Add("whsec_====")
	f.Fuzz(func(t *testing.T, text string) {
		secret, err := webhook.ParseSecret(text)
		if err != nil {
			if !errors.Is(err, webhook.ErrSecret) || !secret.IsZero() {
				t.Fatalf("error %v, secret %v", err, !secret.IsZero())
			}
			return
		}
		if secret.Reveal() != text {
			t.Fatalf("%q became %q", text, secret.Reveal())
		}
		if _, err := webhook.Headers("evt", noon, nil, secret); err != nil {
			t.Fatal(err)
		}
	})
}

// Whatever arrives, Verify does not panic, and what it takes the library takes
// too (time aside).
func FuzzVerify(f *testing.F) {
	secret := fixedSecret(f, 3, 32)
	header, err := webhook.Headers("evt_1", noon, []byte("{}"), secret)
	if err != nil {
		f.Fatal(err)
	}
	f.Add("evt_1", header.Get(webhook.HeaderTimestamp), header.Get(webhook.HeaderSignature), []byte("{}"))
	f.Add("evt_1", header.Get(webhook.HeaderTimestamp), "v1,x v1 ,v1, v2,"+header.Get(webhook.HeaderSignature), []byte("{}"))
	f.Add("", "-1", " , ", []byte(nil))
	f.Fuzz(func(t *testing.T, id, timestamp, signature string, body []byte) {
		h := http.Header{}
		h.Set(webhook.HeaderID, id)
		h.Set(webhook.HeaderTimestamp, timestamp)
		h.Set(webhook.HeaderSignature, signature)
		got, err := webhook.Verify(h, body, noon, webhook.Tolerance, secret)
		if err != nil {
			if got != "" {
				t.Fatalf("id %q with %v", got, err)
			}
			return
		}
		if got != id {
			t.Fatalf("id %q, want %q", got, id)
		}
		if err := library(t, secret).VerifyIgnoringTimestamp(body, h); err != nil {
			t.Fatalf("we take what the library refuses: %v", err)
		}
	})
}
