package payment

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"

	"github.com/google/uuid"
)

// NewReference makes a random reference: a UUID v4 in lower case, as MTN
// requires for X-Reference-Id. It panics if random fails, which crypto/rand
// never does.
func NewReference(random io.Reader) string {
	return uuid.Must(uuid.NewRandomFromReader(random)).String()
}

// ReferenceFor derives the reference of the one payment that an app's
// Idempotency-Key can create. The same key leads to the same reference, so a
// repeat meets the stored payment (or, at the provider, the same
// X-Reference-Id) and can never charge a second time, whatever was lost in
// between. clientID is random, which keeps deployments apart.
func ReferenceFor(clientID, idempotencyKey string) string {
	h := sha256.Sum256([]byte("momoproxy reference\x00" + clientID + "\x00" + idempotencyKey))
	return NewReference(bytes.NewReader(h[:]))
}

// IsReference says whether s has the form of a reference: any UUID, either
// case. A UUID's other forms (braces, a URN, no hyphens) have another length.
func IsReference(s string) bool { return len(s) == 36 && uuid.Validate(s) == nil }

// EventID names the event of one transition. It is derived, so a repeated
// transition cannot make a second event.
func EventID(reference string, sequence int) string {
	h := sha256.Sum256(fmt.Appendf(nil, "momoproxy event\x00%s\x00%d", reference, sequence))
	return "evt_" + hex.EncodeToString(h[:14])
}
