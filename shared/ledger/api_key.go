package ledger

import (
	"fmt"
	"hash/crc32"
	"io"
	"math/big"
	"strings"
)

// The form of a new API key: the prefix, 256 random bits, and the CRC-32 of
// all before it, both in base 62 so that a double click selects the key.
const (
	apiKeyPrefix   = "mmp_live_"
	apiKeyDigits   = 43 // 62^43 > 2^256
	apiKeyChecksum = 6  // 62^6 > 2^32
	apiKeyLength   = len(apiKeyPrefix) + apiKeyDigits + apiKeyChecksum
)

// NewAPIKey makes an API key from random, which must be cryptographically
// secure. It panics if random fails, which crypto/rand never does.
func NewAPIKey(random io.Reader) string {
	var b [32]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		panic("ledger: no randomness: " + err.Error())
	}
	body := apiKeyPrefix + base62(new(big.Int).SetBytes(b[:]), apiKeyDigits)
	return body + checksum(body)
}

// APIKeyMistyped says that text is meant to be a key of NewAPIKey's form and
// cannot be one: mistyped or cut short, not merely unknown. It proves nothing
// the other way round. Keys of another form are never called mistyped.
func APIKeyMistyped(text string) bool {
	if !strings.HasPrefix(text, apiKeyPrefix) {
		return false
	}
	if len(text) != apiKeyLength {
		return true
	}
	end := len(text) - apiKeyChecksum
	return checksum(text[:end]) != text[end:]
}

// Fingerprint names an API key without telling anything of it: 32 bits of its
// hash. Two keys may share one.
func Fingerprint(apiKey string) string { return KeyHash(apiKey)[:8] }

func checksum(body string) string {
	return base62(big.NewInt(int64(crc32.ChecksumIEEE([]byte(body)))), apiKeyChecksum)
}

func base62(n *big.Int, width int) string { return fmt.Sprintf("%0*s", width, n.Text(62)) }
