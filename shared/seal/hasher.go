package seal

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"log/slog"
	"sync"
)

// Hasher makes keyed hashes: a table finds a value under its hash, and nobody
// without the key can guess values and compare. Its key is apart from those of
// a Ring, since a Ring's are replaced and a hash cannot be made anew. It never
// shows its key.
// Safe for concurrent use.
type Hasher struct{ macs sync.Pool }

// NewHasher returns a hasher with a key of KeySize bytes.
func NewHasher(key []byte) (*Hasher, error) {
	if len(key) != KeySize {
		return nil, fmt.Errorf("seal: the hash key has %d bytes, want %d", len(key), KeySize)
	}
	return &Hasher{sync.Pool{New: func() any { return &mac{Hash: hmac.New(sha256.New, key)} }}}, nil
}

// ParseHasher reads the key from text, in base64 as ParseKeys.
func ParseHasher(text string) (*Hasher, error) {
	key, ok := decodeKey(text)
	if !ok {
		return nil, errors.New("seal: the hash key is not base64")
	}
	return NewHasher(key)
}

// Hash returns the first 16 bytes of the HMAC-SHA-256 of text, in URL-safe
// base64: 22 characters.
func (h *Hasher) Hash(text string) string {
	m := h.macs.Get().(*mac)
	defer h.macs.Put(m)
	m.Reset()
	m.buf = append(m.buf[:0], text...)
	m.Write(m.buf)
	m.buf = m.Sum(m.buf[:0])[:16]
	return base64.RawURLEncoding.EncodeToString(m.buf)
}

// mac is used again with its buffer: a request-to-pay makes a hash.
type mac struct {
	hash.Hash
	buf []byte
}

// Format implements fmt.Formatter: no verb prints the key.
func (h *Hasher) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("seal.Hasher")) }

// LogValue implements slog.LogValuer.
func (h *Hasher) LogValue() slog.Value { return slog.StringValue("seal.Hasher") }
