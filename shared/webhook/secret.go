// Package webhook is how a callback leaves for an app: signed so that the app
// can prove where it came from, and carried by an HTTP client that cannot be
// talked into reaching anything but a public address.
//
// Two signatures travel with every callback. Standard Webhooks 1.0.0
// (github.com/standard-webhooks/standard-webhooks) covers id, time and body
// under the app's own secret. X-MoMo-Proxy-Signature covers the body under
// the app's API key; it is what older integrations check, and it cannot tell
// a replay from the first delivery.
package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
)

// The sizes of a secret's key in bytes: Standard Webhooks allows 24 to 64.
const (
	MinSecretBytes = 24
	MaxSecretBytes = 64
	newSecretBytes = 32
)

const (
	secretPrefix = "whsec_"
	hiddenSecret = "[secret]"
)

// ErrSecret is returned for text that is not a signing secret, and for a
// signature asked for with no secret at all. It never holds the text.
var ErrSecret = errors.New("not a webhook signing secret")

// Secret is one signing secret. The zero value holds none. It is immutable,
// safe for concurrent use, and shows itself only through Reveal: fmt, log/slog
// and encoding/json all print a placeholder.
type Secret struct {
	// Behind a pointer and a closure, because fmt cannot call Format when a
	// Secret sits in another struct's unexported field: it walks the value,
	// and would print bytes. A closure has none to show.
	key *secretKey
}

type secretKey struct{ bytes func() []byte }

func wrapSecret(bytes []byte) Secret {
	return Secret{&secretKey{func() []byte { return bytes }}}
}

// ParseSecret reads "whsec_" followed by the padded standard base64 of 24 to
// 64 bytes. Errors wrap ErrSecret.
func ParseSecret(text string) (Secret, error) {
	encoded, ok := strings.CutPrefix(text, secretPrefix)
	if !ok {
		return Secret{}, fmt.Errorf("%w: it must start with %s", ErrSecret, secretPrefix)
	}
	if len(encoded) > base64.StdEncoding.EncodedLen(MaxSecretBytes) || strings.ContainsAny(encoded, "\r\n") {
		return Secret{}, fmt.Errorf("%w: too long or on several lines", ErrSecret)
	}
	bytes, err := base64.StdEncoding.Strict().DecodeString(encoded)
	if err != nil {
		return Secret{}, fmt.Errorf("%w: what follows %s must be padded base64", ErrSecret, secretPrefix)
	}
	if len(bytes) < MinSecretBytes || len(bytes) > MaxSecretBytes {
		return Secret{}, fmt.Errorf("%w: %d bytes, want %d to %d", ErrSecret, len(bytes), MinSecretBytes, MaxSecretBytes)
	}
	return wrapSecret(bytes), nil
}

// NewSecret makes a secret of 32 bytes read from random, which must be
// cryptographically secure (crypto/rand.Reader).
func NewSecret(random io.Reader) (Secret, error) {
	bytes := make([]byte, newSecretBytes)
	if _, err := io.ReadFull(random, bytes); err != nil {
		return Secret{}, fmt.Errorf("read randomness for a signing secret: %w", err)
	}
	return wrapSecret(bytes), nil
}

// Reveal returns the whsec_ text: to show it once to its owner, or to seal it
// for storage. Empty for the zero value.
func (s Secret) Reveal() string {
	if s.IsZero() {
		return ""
	}
	return secretPrefix + base64.StdEncoding.EncodeToString(s.key.bytes())
}

// ID names the secret without giving it away: the first 8 hex digits of the
// SHA-256 of its text. It tells in an attempt's record which of two live
// secrets signed. Empty for the zero value.
func (s Secret) ID() string {
	if s.IsZero() {
		return ""
	}
	sum := sha256.Sum256([]byte(s.Reveal()))
	return hex.EncodeToString(sum[:4])
}

// IsZero says whether s holds no secret.
func (s Secret) IsZero() bool { return s.key == nil }

// Equal compares in constant time. Two zero values are equal.
func (s Secret) Equal(other Secret) bool {
	if s.IsZero() || other.IsZero() {
		return s.IsZero() == other.IsZero()
	}
	return hmac.Equal(s.key.bytes(), other.key.bytes())
}

// String returns a placeholder, never the secret.
func (s Secret) String() string { return hiddenSecret }

// Format prints a placeholder for every verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hiddenSecret) }

// LogValue gives log/slog a placeholder.
func (s Secret) LogValue() slog.Value { return slog.StringValue(hiddenSecret) }

// MarshalText gives encoders a placeholder, so that a record which holds a
// Secret by mistake does not leak it. Storage takes Reveal, sealed.
func (s Secret) MarshalText() ([]byte, error) { return []byte(hiddenSecret), nil }

// mac returns the HMAC-SHA256 of id.timestamp.body. s must not be zero.
func (s Secret) mac(id, timestamp string, body []byte) [sha256.Size]byte {
	return hmacSHA256(s.key.bytes(), id+"."+timestamp+".", body)
}
