package webhook

import "crypto/sha256"

// hmacSHA256 is RFC 2104 over head and body. crypto/hmac makes two hashes and
// their state for each signature; a delivery has at least two, each under
// another key.
func hmacSHA256(key []byte, head string, body []byte) [sha256.Size]byte {
	if len(key) > sha256.BlockSize {
		short := sha256.Sum256(key)
		key = short[:]
	}
	inner := padded(make([]byte, 0, sha256.BlockSize+len(head)+len(body)), key, 0x36)
	sum := sha256.Sum256(append(append(inner, head...), body...))
	var room [sha256.BlockSize + sha256.Size]byte
	return sha256.Sum256(append(padded(room[:0], key, 0x5c), sum[:]...))
}

// padded appends the key, filled up to a block with zeros, each byte combined
// with pad.
func padded(to, key []byte, pad byte) []byte {
	for _, k := range key {
		to = append(to, k^pad)
	}
	for len(to) < sha256.BlockSize {
		to = append(to, pad)
	}
	return to
}
