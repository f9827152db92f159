package sandbox

import (
	"encoding/base64"
	"encoding/hex"
	"strconv"
)

// The draws below come from the seeded source, so that a run can be repeated.
// They guard nothing but a stand-in. Call them with s.mu held.

func (s *Sandbox) bytes(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(s.rng.Uint32())
	}
	return b
}

// apiKey has the form of MTN's: 32 hex digits.
func (s *Sandbox) apiKey() string { return hex.EncodeToString(s.bytes(16)) }

// uuid4 is a random UUID version 4.
func (s *Sandbox) uuid4() string {
	b := s.bytes(16)
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	h := hex.EncodeToString(b)
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// accessToken looks like MTN's (a JSON Web Token, long and opaque to us).
func (s *Sandbox) accessToken() string {
	enc := base64.RawURLEncoding
	head := enc.EncodeToString([]byte(`{"typ":"JWT","alg":"R256"}`))
	return head + "." + enc.EncodeToString(s.bytes(48)) + "." + enc.EncodeToString(s.bytes(32))
}

// transactionID has the form of the ids seen: nine digits.
func (s *Sandbox) transactionID() string {
	return strconv.Itoa(600_000_000 + s.rng.IntN(99_999_999))
}
