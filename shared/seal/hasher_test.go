package seal_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"momoproxy/shared/seal"
)

// The expected hash is from: printf 26876123456 | openssl dgst -sha256 -mac HMAC -macopt hexkey:0707… -binary
func TestHash(t *testing.T) {
	t.Parallel()
	text := base64.StdEncoding.EncodeToString(keyOf(7))
	h, err := seal.ParseHasher(text + "\n")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := h.Hash("26876123456"), "nDqXY7TapTHlu1wBLpfAbA"; got != want {
		t.Errorf("Hash = %s, want %s", got, want)
	}
	for _, bad := range []string{"", text[:20], text + text, text + "," + text, "not a key!"} {
		if _, err := seal.ParseHasher(bad); err == nil || len(bad) > 8 && strings.Contains(err.Error(), bad) {
			t.Errorf("ParseHasher(%q): %v", bad, err)
		}
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d"} {
		if got := fmt.Sprintf(verb, h); got != "seal.Hasher" {
			t.Errorf("%s prints %q", verb, got)
		}
	}
}
