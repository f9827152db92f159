package core

import "encoding/hex"

// The draws below come from the seeded source, so that a run can be repeated.
// They guard nothing but a stand-in. Call them with the lock held.

// Bytes draws n bytes.
func (s *Standin[T]) Bytes(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(s.rng.Uint32())
	}
	return b
}

// Hex draws n bytes as hex digits.
func (s *Standin[T]) Hex(n int) string { return hex.EncodeToString(s.Bytes(n)) }

// Letters draws n characters of an alphabet.
func (s *Standin[T]) Letters(alphabet string, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = alphabet[s.rng.IntN(len(alphabet))]
	}
	return string(b)
}

// Number draws an id of so many digits that no payment has.
func (s *Standin[T]) Number(prefix string, digits int) string {
	for {
		id := prefix + s.Letters("123456789", 1) + s.Letters("0123456789", digits-1)
		if s.byID[id] == nil {
			return id
		}
	}
}

// UUID draws a UUID version 4.
func (s *Standin[T]) UUID() string {
	b := s.Bytes(16)
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	h := hex.EncodeToString(b)
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}
