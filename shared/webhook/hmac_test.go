package webhook

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"testing"
)

// The result is crypto/hmac's for every length of a key up to two blocks.
func TestHMAC(t *testing.T) {
	t.Parallel()
	for length := range 2*sha256.BlockSize + 2 {
		key := bytes.Repeat([]byte{byte(length) + 0x80}, length)
		for _, head := range []string{"", "evt_1.1767268800."} {
			for _, body := range [][]byte{nil, []byte("{}"), bytes.Repeat([]byte("x"), 1000)} {
				want := hmac.New(sha256.New, key)
				_, _ = want.Write([]byte(head))
				_, _ = want.Write(body)
				if got := hmacSHA256(key, head, body); !hmac.Equal(got[:], want.Sum(nil)) {
					t.Fatalf("a key of %d bytes, %q, a body of %d: %x", length, head, len(body), got)
				}
			}
		}
	}
}
