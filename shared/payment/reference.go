package payment

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
)

// NewReference makes a random reference: a UUID v4 in lower case, as MTN
// requires for X-Reference-Id. It panics if random fails, which crypto/rand
// never does.
func NewReference(random io.Reader) string {
	var b [16]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		panic("payment: no randomness: " + err.Error())
	}
	return uuid4(b)
}

// ReferenceFor derives the reference of the one payment that an app's
// Idempotency-Key can create. The same key leads to the same reference, so a
// repeat meets the stored payment (or, at the provider, the same
// X-Reference-Id) and can never charge a second time, whatever was lost in
// between. clientID is random, which keeps deployments apart.
func ReferenceFor(clientID, idempotencyKey string) string {
	h := sha256.Sum256([]byte("momoproxy reference\x00" + clientID + "\x00" + idempotencyKey))
	return uuid4([16]byte(h[:16]))
}

func uuid4(b [16]byte) string {
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	var text [36]byte
	hex.Encode(text[0:8], b[0:4])
	hex.Encode(text[9:13], b[4:6])
	hex.Encode(text[14:18], b[6:8])
	hex.Encode(text[19:23], b[8:10])
	hex.Encode(text[24:36], b[10:16])
	text[8], text[13], text[18], text[23] = '-', '-', '-', '-'
	return string(text[:])
}

// IsReference says whether s has the form of a reference (any UUID, either
// case).
func IsReference(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i, c := range []byte(s) {
		switch {
		case i == 8 || i == 13 || i == 18 || i == 23:
			if c != '-' {
				return false
			}
		case (c < '0' || c > '9') && (c < 'a' || c > 'f') && (c < 'A' || c > 'F'):
			return false
		}
	}
	return true
}

// EventID names the event of one transition. It is derived, so a repeated
// transition cannot make a second event.
func EventID(reference string, sequence int) string {
	h := sha256.Sum256(fmt.Appendf(nil, "momoproxy event\x00%s\x00%d", reference, sequence))
	return "evt_" + hex.EncodeToString(h[:14])
}
