package telemetry

import "strings"

// Names are compared in lower case without anything but letters and digits:
// api_key, apiKey, API-Key and x.api.key are one.
var (
	secretWords = []string{
		"token", "secret", "password", "passwd", "passphrase", "apikey", "authorization",
		"credential", "privatekey", "signingkey", "subscriptionkey", "accesskey", "cookie", "bearer",
	}
	secretWhole = map[string]bool{
		"auth": true, "pwd": true, "pass": true, "pin": true, "otp": true, "jwt": true, "cvv": true, "cvc": true,
	}
	// plainWhole hold one of the words but no secret.
	plainWhole = map[string]bool{"tokentype": true}
)

// secretName tells whether a value under the name should not be seen.
func secretName(name string) bool {
	var b strings.Builder
	for _, r := range name {
		switch {
		case r >= 'A' && r <= 'Z':
			b.WriteRune(r + 'a' - 'A')
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			b.WriteRune(r)
		}
	}
	plain := b.String()
	if secretWhole[plain] {
		return true
	}
	if plainWhole[plain] {
		return false
	}
	for _, w := range secretWords {
		if strings.Contains(plain, w) {
			return true
		}
	}
	return false
}
