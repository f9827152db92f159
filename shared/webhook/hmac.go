package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"io"
)

// hmacSHA256 is the HMAC-SHA256 of head and body under key.
func hmacSHA256(key []byte, head string, body []byte) (sum [sha256.Size]byte) {
	h := hmac.New(sha256.New, key)
	_, _ = io.WriteString(h, head)
	_, _ = h.Write(body)
	h.Sum(sum[:0])
	return sum
}
