package ledger_test

import (
	"bytes"
	"crypto/rand"
	"regexp"
	"strings"
	"testing"

	"momoproxy/shared/ledger"
)

func TestNewAPIKey(t *testing.T) {
	t.Parallel()
	form := regexp.MustCompile(`^mmp_live_[0-9A-Za-z]{49}$`)
	seen := map[string]bool{}
	for range 200 {
		key := ledger.NewAPIKey(rand.Reader)
		if !form.MatchString(key) || seen[key] || ledger.APIKeyMistyped(key) {
			t.Fatalf("%s: seen before %v, mistyped %v", key, seen[key], ledger.APIKeyMistyped(key))
		}
		seen[key] = true
	}
	// The ends of the range have the same length.
	for _, b := range []byte{0, 0xff} {
		if key := ledger.NewAPIKey(bytes.NewReader(bytes.Repeat([]byte{b}, 32))); !form.MatchString(key) || ledger.APIKeyMistyped(key) {
			t.Errorf("%s", key)
		}
	}
}

func TestAPIKeyMistyped(t *testing.T) {
	t.Parallel()
	key := ledger.NewAPIKey(rand.Reader)
	prefix := len("mmp_live_")
	for i := prefix; i < len(key); i++ {
		for _, c := range []byte("0aZ9") {
			if wrong := key[:i] + string(c) + key[i+1:]; wrong != key && !ledger.APIKeyMistyped(wrong) {
				t.Errorf("place %d: another letter goes unseen", i)
			}
		}
		if i+1 < len(key) && key[i] != key[i+1] && !ledger.APIKeyMistyped(key[:i]+key[i+1:i+2]+key[i:i+1]+key[i+2:]) {
			t.Errorf("place %d: two letters changed about go unseen", i)
		}
		if !ledger.APIKeyMistyped(key[:i]) {
			t.Errorf("cut after %d letters goes unseen", i)
		}
	}
	if !ledger.APIKeyMistyped(key+" ") || !ledger.APIKeyMistyped(key+key) {
		t.Error("too long goes unseen")
	}
	for _, other := range []string{"", "APP_CHANGE_THIS", "mmp_test_x", strings.ToUpper(key)} {
		if ledger.APIKeyMistyped(other) {
			t.Errorf("%q is of another form", other)
		}
	}
}
