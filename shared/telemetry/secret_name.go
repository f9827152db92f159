package telemetry

import "bytes"

// Names are compared in lower case without anything but letters and digits:
// api_key, apiKey, API-Key and x.api.key are one.
var (
	secretWords = bytes.Fields([]byte(`token secret password passwd passphrase apikey authorization
		credential privatekey signingkey subscriptionkey accesskey cookie bearer`))
	secretWhole = map[string]bool{
		"auth": true, "pwd": true, "pass": true, "pin": true, "otp": true, "jwt": true, "cvv": true, "cvc": true,
	}
	// plainWhole hold one of the words but no secret.
	plainWhole = map[string]bool{"tokentype": true}
)

// secretName tells whether a value under the name should not be seen.
func secretName(name string) bool {
	var room [64]byte // most names fit: every name of every log line is asked about
	plain := room[:0]
	for _, c := range []byte(name) {
		switch {
		case c >= 'A' && c <= 'Z':
			plain = append(plain, c+'a'-'A')
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9':
			plain = append(plain, c)
		}
	}
	if secretWhole[string(plain)] {
		return true
	}
	if plainWhole[string(plain)] {
		return false
	}
	for _, w := range secretWords {
		if bytes.Contains(plain, w) {
			return true
		}
	}
	return false
}
