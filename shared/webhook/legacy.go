package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
)

// HeaderLegacy carries the signature under the app's API key.
const HeaderLegacy = "X-MoMo-Proxy-Signature"

// SignLegacy returns the lower-case hex HMAC-SHA256 of body under apiKey, the
// key's text taken as bytes. apiKey must not be empty.
func SignLegacy(body []byte, apiKey string) string {
	mac := hmacSHA256([]byte(apiKey), "", body)
	return hex.EncodeToString(mac[:])
}

// VerifyLegacy checks X-MoMo-Proxy-Signature against the keys given; empty
// keys never match. It knows no time, so it cannot tell a replay: prefer
// Verify where both headers are there. Errors are ErrMissingHeader, ErrHeader
// (not 64 lower-case hex digits) and ErrNoMatch.
func VerifyLegacy(header http.Header, body []byte, apiKeys ...string) error {
	text, err := single(header, HeaderLegacy, hex.EncodedLen(sha256.Size))
	if err != nil {
		return err
	}
	claim, err := hex.DecodeString(text)
	if err != nil || len(claim) != sha256.Size || strings.ToLower(text) != text {
		return fmt.Errorf("%w: %s must be %d lower-case hex digits", ErrHeader, HeaderLegacy, hex.EncodedLen(sha256.Size))
	}
	match := false
	for _, key := range apiKeys {
		if mac := hmacSHA256([]byte(key), "", body); key != "" && hmac.Equal(claim, mac[:]) {
			match = true
		}
	}
	if !match {
		return ErrNoMatch
	}
	return nil
}
