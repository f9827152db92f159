package seal_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"momoproxy/shared/seal"
)

func keyOf(b byte) []byte { return bytes.Repeat([]byte{b}, seal.KeySize) }

func ring(t testing.TB, keys ...[]byte) *seal.Ring {
	t.Helper()
	r, err := seal.NewRing(keys...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func sealed(t testing.TB, r *seal.Ring, plain, owner string) string {
	t.Helper()
	s, err := r.Seal([]byte(plain), owner)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	r := ring(t, keyOf(1))
	for _, plain := range []string{"", "x", "whsec_abc", "\x00\xff", strings.Repeat("p", seal.MaxPlain)} {
		s := sealed(t, r, plain, "client:c1")
		if strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") != "" || !strings.HasPrefix(s, "v1.") {
			t.Errorf("form %q", s)
		}
		if len(plain) > 3 && strings.Contains(s, plain) {
			t.Error("the secret shows")
		}
		got, err := r.Open(s, "client:c1")
		if err != nil || string(got) != plain {
			t.Errorf("Open = %q, %v; want %q", got, err, plain)
		}
	}
	if a, b := sealed(t, r, "x", "o"), sealed(t, r, "x", "o"); a == b {
		t.Error("sealed twice alike: the nonce repeats")
	}
	if _, err := r.Seal(make([]byte, seal.MaxPlain+1), "o"); err == nil {
		t.Error("sealed more than MaxPlain")
	}
	if _, err := r.Seal([]byte("x"), ""); err == nil {
		t.Error("sealed without an owner")
	}
}

// stored holds "whsec_abc" of client:c1:webhook under the key of sevens.
const stored = "v1.39fb784a.AAECAwQFBgcICQoLb-maFX5WuCsUTW3FqBfoa1hs1d8pxomMfA"

// TestFixed holds the form, with a text made by another AES-GCM: what is
// stored must always open.
func TestFixed(t *testing.T) {
	t.Parallel()
	got, err := ring(t, keyOf(7)).Open(stored, "client:c1:webhook")
	if err != nil || string(got) != "whsec_abc" {
		t.Errorf("Open = %q, %v", got, err)
	}
}

func TestDoesNotOpen(t *testing.T) {
	t.Parallel()
	r := ring(t, keyOf(1))
	good := sealed(t, r, "secret", "client:c1")
	head, body := good[:len("v1.00000000.")], good[len("v1.00000000."):]
	other := sealed(t, ring(t, keyOf(2)), "secret", "client:c1")
	for name, c := range map[string]struct{ text, owner string }{
		"other owner":         {good, "client:c2"},
		"owner with more":     {good, "client:c1 "},
		"no owner":            {good, ""},
		"unknown key":         {other, "client:c1"},
		"another key's id":    {other[:len(head)] + body, "client:c1"},
		"our id, other's":     {head + other[len(head):], "client:c1"},
		"other version":       {"v2" + good[2:], "client:c1"},
		"cut":                 {good[:len(good)-1], "client:c1"},
		"cut to the nonce":    {good[:len(head)+16], "client:c1"},
		"cut into the nonce":  {good[:len(head)+4], "client:c1"},
		"longer":              {good + "AAAA", "client:c1"},
		"line end":            {good + "\n", "client:c1"},
		"line end inside":     {head + body[:4] + "\r\n" + body[4:], "client:c1"},
		"padding":             {good + "=", "client:c1"},
		"empty":               {"", "client:c1"},
		"dots":                {"..", "client:c1"},
		"head only":           {head, "client:c1"},
		"upper-case id":       {"v1." + strings.ToUpper(head[3:]) + body + "A", "client:c1"},
		"far too long":        {head + strings.Repeat("A", 1<<20), "client:c1"},
		"plain text unsealed": {"whsec_abc", "client:c1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got, err := r.Open(c.text, c.owner); !errors.Is(err, seal.ErrOpen) || got != nil {
				t.Errorf("Open = %q, %v; want ErrOpen", got, err)
			}
		})
	}
	// Every single character matters.
	for i := range good {
		for _, b := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.") {
			changed := good[:i] + string(b) + good[i+1:]
			if _, err := r.Open(changed, "client:c1"); changed != good && !errors.Is(err, seal.ErrOpen) {
				t.Fatalf("opens although character %d is %q", i, b)
			}
		}
	}
}

func TestRotation(t *testing.T) {
	t.Parallel()
	before, during, after := ring(t, keyOf(1)), ring(t, keyOf(2), keyOf(1)), ring(t, keyOf(2))
	old := sealed(t, before, "secret", "o")
	if got, err := during.Open(old, "o"); err != nil || string(got) != "secret" {
		t.Errorf("during the rotation: %q, %v", got, err)
	}
	if !before.Current(old) || during.Current(old) {
		t.Error("Current does not tell the first key's texts from others")
	}
	anew := sealed(t, during, "secret", "o")
	if !during.Current(anew) {
		t.Error("the first key does not seal")
	}
	if _, err := after.Open(anew, "o"); err != nil {
		t.Error(err)
	}
	if _, err := after.Open(old, "o"); !errors.Is(err, seal.ErrOpen) {
		t.Errorf("a key that is out still opens: %v", err)
	}
}

func TestParseKeys(t *testing.T) {
	t.Parallel()
	odd := append([]byte{0xfb, 0xff, 0xfe}, keyOf(9)[:29]...) // needs + and /
	standard, url := base64.StdEncoding.EncodeToString(odd), base64.RawURLEncoding.EncodeToString(odd)
	one := base64.StdEncoding.EncodeToString(keyOf(1))
	for name, c := range map[string]struct {
		text string
		ok   bool
	}{
		"one":         {one, true},
		"two":         {one + "," + standard, true},
		"spaces":      {" " + one + " , " + url + "\n", true},
		"URL-safe":    {url, true},
		"empty":       {"", false},
		"empty last":  {one + ",", false},
		"short":       {base64.StdEncoding.EncodeToString(keyOf(1)[:16]), false},
		"long":        {base64.StdEncoding.EncodeToString(append(keyOf(1), 0)), false},
		"not base64":  {"not a key!", false},
		"hex":         {hex.EncodeToString(keyOf(1)), false},
		"twice":       {one + "," + one, false},
		"twice alike": {standard + "," + url, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, err := seal.ParseKeys(c.text)
			if (err == nil) != c.ok || (r != nil) != c.ok {
				t.Fatalf("ParseKeys = %v, %v", r, err)
			}
			if err != nil && len(c.text) > 8 && strings.Contains(err.Error(), c.text) {
				t.Errorf("the error shows the key: %v", err)
			}
		})
	}
	a, err := seal.ParseKeys(standard)
	if err != nil {
		t.Fatal(err)
	}
	b, err := seal.ParseKeys(url)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Open(sealed(t, a, "x", "o"), "o"); err != nil {
		t.Error("one key in two spellings is two keys")
	}
}

// TestNeverShown: no way of printing a ring shows a key, on its own or
// inside a struct.
func TestNeverShown(t *testing.T) {
	t.Parallel()
	k := []byte("0123456789abcdefghijklmnopqrstuv")
	r := ring(t, k)
	holder := struct {
		Ring *seal.Ring
		Some int
	}{r, 1}
	var shown strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
		fmt.Fprintf(&shown, verb+"\n"+verb+"\n", r, holder)
	}
	log := slog.New(slog.NewJSONHandler(&shown, nil))
	log.Info("ring", "ring", r, "holder", holder)
	slog.New(slog.NewTextHandler(&shown, nil)).Info("ring", "ring", r, "holder", holder)
	text, err := json.Marshal(holder)
	if err != nil {
		t.Fatal(err)
	}
	shown.Write(text)
	for _, secret := range []string{string(k), hex.EncodeToString(k), strings.ToUpper(hex.EncodeToString(k)), base64.StdEncoding.EncodeToString(k), fmt.Sprint(k), fmt.Sprintf("%#v", k)} {
		if strings.Contains(shown.String(), secret[1:len(secret)-1]) {
			t.Errorf("shown:\n%s", shown.String())
		}
	}
	var none *seal.Ring
	if got := fmt.Sprint(none); got != "seal.Ring(nil)" {
		t.Errorf("a nil ring prints %q", got)
	}
}

func FuzzOpen(f *testing.F) {
	r := ring(f, keyOf(7), keyOf(2))
	const owner = "client:c1:webhook"
	for _, s := range []string{stored, stored[:20], "", "v1..", stored[:12], stored[:12] + "AAAA", stored + "="} {
		f.Add(s, owner)
	}
	f.Fuzz(func(t *testing.T, text, by string) {
		plain, err := r.Open(text, by)
		if text == stored && by == owner {
			if string(plain) != "whsec_abc" || err != nil {
				t.Fatalf("Open = %q, %v", plain, err)
			}
			return
		}
		// Nobody without the key makes another text that opens.
		if !errors.Is(err, seal.ErrOpen) || plain != nil {
			t.Fatalf("Open(%q, %q) = %q, %v", text, by, plain, err)
		}
	})
}

func FuzzSeal(f *testing.F) {
	r := ring(f, keyOf(1))
	f.Add([]byte("x"), "o")
	f.Fuzz(func(t *testing.T, plain []byte, owner string) {
		s, err := r.Seal(plain, owner)
		if len(plain) > seal.MaxPlain || owner == "" {
			if err == nil {
				t.Fatal("sealed beyond the limits")
			}
			return
		}
		got, openErr := r.Open(s, owner)
		if err != nil || openErr != nil || !bytes.Equal(got, plain) {
			t.Fatalf("%v, %v", err, openErr)
		}
	})
}
