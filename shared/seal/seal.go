package seal

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// ErrOpen reports that a sealed text cannot be opened: another owner's,
// changed, cut, or sealed with a key that is not in the ring. It does not say which.
var ErrOpen = errors.New("sealed text does not open")

// MaxPlain is the most bytes that are sealed.
const MaxPlain = 4 << 10

// version begins every sealed text: AES-256-GCM, a random nonce of 12 bytes
// in front of the ciphertext. One key seals at most 2^32 texts with such
// nonces (NIST SP 800-38D, 8.3); ours seals some per client and rotation.
const version = "v1"

// The longest text that Open looks at.
const maxSealed = len(version) + 1 + 8 + 1 + (12+MaxPlain+16+2)/3*4

// Seal returns plain (0 to MaxPlain bytes) sealed under the first key as
// printable ASCII without spaces: v1.<key id>.<base64url>. It opens for the
// same owner only. The owner says exactly what the secret is and whose, for
// example "client:c1:webhook-secret", so that a sealed text copied into
// another record does not open there.
func (r *Ring) Seal(plain []byte, owner string) (string, error) {
	if len(plain) > MaxPlain {
		return "", fmt.Errorf("seal: %d bytes, at most %d", len(plain), MaxPlain)
	}
	if owner == "" {
		return "", errors.New("seal: no owner")
	}
	k := r.keys[0]
	sealed := make([]byte, k.aead.NonceSize(), k.aead.NonceSize()+len(plain)+k.aead.Overhead())
	_, _ = rand.Read(sealed) // never fails
	sealed = k.aead.Seal(sealed, sealed, plain, bound(k.id, owner))
	return version + "." + k.id + "." + base64.RawURLEncoding.EncodeToString(sealed), nil
}

// Open returns what Seal sealed for the owner, or ErrOpen.
func (r *Ring) Open(sealed, owner string) ([]byte, error) {
	if owner == "" || len(sealed) > maxSealed {
		return nil, ErrOpen
	}
	v, rest, _ := strings.Cut(sealed, ".")
	id, text, ok := strings.Cut(rest, ".")
	if !ok || v != version {
		return nil, ErrOpen
	}
	aead := r.find(id)
	if aead == nil {
		return nil, ErrOpen
	}
	// The decoder skips line ends, and would take several texts for one.
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || strings.ContainsAny(text, "\r\n") || len(raw) < aead.NonceSize() {
		return nil, ErrOpen
	}
	nonce, ciphertext := raw[:aead.NonceSize()], raw[aead.NonceSize():]
	plain, err := aead.Open([]byte{}, nonce, ciphertext, bound(id, owner))
	if err != nil {
		return nil, ErrOpen
	}
	return plain, nil
}

// Current tells whether the text was sealed with the first key. One that was
// not should be sealed anew.
func (r *Ring) Current(sealed string) bool {
	return strings.HasPrefix(sealed, version+"."+r.keys[0].id+".")
}

// bound is the additional data: everything of the text but the ciphertext,
// and the owner.
func bound(id, owner string) []byte {
	return []byte(version + "\x00" + id + "\x00" + owner)
}
