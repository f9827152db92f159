// Package seal keeps small secrets unreadable in storage: signing secrets and
// keys that must be readable again to be used. The key comes from outside the
// table, so that a copy of the table alone tells nothing.
package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"strings"
)

// KeySize is the bytes of one key: AES-256.
const KeySize = 32

// Ring holds the keys. The first seals, all of them open, so that a key is
// replaced by putting the new one in front and the old one out later, when
// everything has been sealed anew. Safe for concurrent use. It never shows a
// key in any form of printing or logging.
type Ring struct {
	keys []key
}

type key struct {
	id   string
	aead cipher.AEAD
}

// NewRing returns a ring of the keys, each of KeySize bytes.
func NewRing(keys ...[]byte) (*Ring, error) {
	if len(keys) == 0 {
		return nil, errors.New("seal: no key")
	}
	r := &Ring{}
	for i, k := range keys {
		if len(k) != KeySize {
			return nil, fmt.Errorf("seal: key %d has %d bytes, want %d", i+1, len(k), KeySize)
		}
		block, err := aes.NewCipher(k)
		if err != nil {
			return nil, fmt.Errorf("seal: key %d: %w", i+1, err)
		}
		aead, err := cipher.NewGCM(block)
		if err != nil {
			return nil, fmt.Errorf("seal: key %d: %w", i+1, err)
		}
		id := keyID(k)
		if r.find(id) != nil {
			return nil, fmt.Errorf("seal: key %d is there twice", i+1)
		}
		r.keys = append(r.keys, key{id, aead})
	}
	return r, nil
}

// ParseKeys reads a ring from text: one or more keys in standard or URL-safe
// base64, with or without padding, separated by commas. Errors name a key by
// its position, never by its text.
func ParseKeys(text string) (*Ring, error) {
	var keys [][]byte
	for i, part := range strings.Split(text, ",") {
		k, ok := decodeKey(part)
		if !ok {
			return nil, fmt.Errorf("seal: key %d is not base64", i+1)
		}
		keys = append(keys, k)
	}
	return NewRing(keys...)
}

func decodeKey(text string) ([]byte, bool) {
	text = strings.TrimRight(strings.TrimSpace(text), "=")
	key, err := base64.RawURLEncoding.DecodeString(strings.NewReplacer("+", "-", "/", "_").Replace(text))
	return key, err == nil
}

// keyID names a key in sealed text without telling anything about it: 32 bits
// of a hash of 256 random bits. It only picks the key; the seal itself decides.
func keyID(k []byte) string {
	sum := sha256.Sum256(append([]byte("momoproxy seal key id\x00"), k...))
	return hex.EncodeToString(sum[:4])
}

func (r *Ring) find(id string) cipher.AEAD {
	for _, k := range r.keys {
		if k.id == id {
			return k.aead
		}
	}
	return nil
}

// String tells the ids of the keys.
func (r *Ring) String() string {
	if r == nil {
		return "seal.Ring(nil)"
	}
	var ids []string
	for _, k := range r.keys {
		ids = append(ids, k.id)
	}
	return "seal.Ring(" + strings.Join(ids, " ") + ")"
}

// Format implements fmt.Formatter: every verb prints String.
func (r *Ring) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(r.String())) }

// GoString implements fmt.GoStringer.
func (r *Ring) GoString() string { return r.String() }

// LogValue implements slog.LogValuer.
func (r *Ring) LogValue() slog.Value { return slog.StringValue(r.String()) }

// MarshalText implements encoding.TextMarshaler, for JSON.
func (r *Ring) MarshalText() ([]byte, error) { return []byte(r.String()), nil }
