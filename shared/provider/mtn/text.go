package mtn

import (
	"strings"

	"golang.org/x/text/unicode/norm"
)

// longestText is in characters (ERR82).
const longestText = 160

// defaultText stands in for an empty text: MTN answers one with an internal
// error (laravel-mtn-momo issue 69).
const defaultText = "Payment"

// sendable is the form in which an app's text goes to MTN. A firewall before
// the production host answers 200 with a page to a whole request whose texts
// hold a parenthesis, and other characters were refused before (observed,
// Eswatini 2026; ERR82). So it is letters, digits, spaces and . , _ - only:
// accents are folded, the rest become spaces, and runs of spaces one.
func sendable(text string) string {
	clean := strings.Map(func(r rune) rune {
		switch {
		case r >= 0x300 && r <= 0x36f: // an accent, apart from its letter
			return -1
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', strings.ContainsRune(".,_-", r):
			return r
		}
		return ' '
	}, norm.NFKD.String(text))
	clean = strings.Join(strings.Fields(clean), " ")
	if len(clean) > longestText {
		clean = strings.TrimSpace(clean[:longestText])
	}
	if strings.Trim(clean, ".,_- ") == "" {
		return defaultText
	}
	return clean
}
