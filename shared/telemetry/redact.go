package telemetry

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"
)

// MaxBody is the most bytes that Redact returns.
const MaxBody = 16 << 10

// redacted stands where a secret was.
const redacted = "[redacted]"

// Redact makes a request's or an answer's body fit for the audit log and for
// logs: secrets are taken out, it is cut to MaxBody bytes with a marker that
// tells its size, and it is valid UTF-8 whatever came in.
//
// Taken out are the values of names that look secret (see secretName), in
// JSON, forms, query strings and header lines, and what follows one of the
// prefixes whsec_, mmp_live_, mmp_test_, Bearer and Basic anywhere. JSON that
// is not cut stays JSON: values, or whole objects, become "[redacted]" and
// nothing else changes. Redacting twice changes nothing more.
//
// It knows names and prefixes, not values: a secret in a URL's path or under
// an innocent name must be kept away by the caller.
func Redact(body string) string { return RedactTo(body, MaxBody) }

// RedactTo is Redact for a body that is cut to another number of bytes.
func RedactTo(body string, most int) string {
	size := len(body)
	in := cutAt(body, most)
	out := redact(strings.ToValidUTF8(in, "\ufffd"), 0)
	if len(in) == size && len(out) <= most {
		return out
	}
	// Cutting after redacting cannot restore half of a secret.
	mark := fmt.Sprintf("…[cut, %d bytes]", size)
	return cutAt(out, most-len(mark)) + mark
}

// cutAt returns at most max bytes of s without cutting a character in two.
func cutAt(s string, max int) string {
	if len(s) <= max {
		return s
	}
	for i := range utf8.UTFMax {
		if utf8.RuneStart(s[max-i]) {
			return s[:max-i]
		}
	}
	return s[:max] // not UTF-8 anyway
}

// maxNesting is how many levels of JSON in a string in JSON are read as
// JSON; deeper ones are read as text.
const maxNesting = 4

func redact(s string, nesting int) string {
	if at := skipSpace(s, 0); nesting < maxNesting && at < len(s) {
		switch s[at] {
		case '{', '[', '"':
			if json.Valid([]byte(s)) {
				return redactJSON(s, nesting)
			}
		}
	}
	return redactText(s)
}

// redactJSON copies valid JSON, byte for byte but for the secrets.
func redactJSON(s string, nesting int) string {
	var out copier
	for i := 0; i < len(s); {
		if s[i] != '"' {
			i++
			continue
		}
		end := stringEnd(s, i)
		text := unquote(s[i:end])
		rest := skipSpace(s, end)
		if clean := redactString(s[i:end], text, nesting); clean != s[i:end] {
			out.replace(s, i, end, clean)
		}
		i = end
		// Only a name is followed by a colon.
		if rest == len(s) || s[rest] != ':' || !secretName(text) {
			continue
		}
		value := skipSpace(s, rest+1)
		i = valueEnd(s, value)
		if v := s[value:i]; v != "null" && v != `""` { // that there was none tells much to a reader
			out.replace(s, value, i, `"`+redacted+`"`)
		}
	}
	return out.of(s)
}

// redactString returns the JSON string quoted, as it was unless its text
// holds a secret.
func redactString(quoted, text string, nesting int) string {
	clean := redact(text, nesting+1)
	if clean == text {
		return quoted
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(clean) // a string always encodes
	return strings.TrimSuffix(b.String(), "\n")
}

func unquote(quoted string) string {
	if !strings.Contains(quoted, `\`) {
		return quoted[1 : len(quoted)-1]
	}
	var text string
	_ = json.Unmarshal([]byte(quoted), &text) // it is part of valid JSON
	return text
}

// stringEnd returns the place behind the JSON string that begins at i.
func stringEnd(s string, i int) int {
	for i++; i < len(s) && s[i] != '"'; i++ {
		if s[i] == '\\' {
			i++
		}
	}
	return min(i+1, len(s))
}

// valueEnd returns the place behind the JSON value that begins at i.
func valueEnd(s string, i int) int {
	depth := 0
	for i < len(s) {
		switch s[i] {
		case '"':
			i = stringEnd(s, i)
		case '{', '[':
			depth++
			i++
			continue
		case '}', ']':
			depth--
			i++
		case ',', ':', ' ', '\t', '\r', '\n':
			i++
			continue
		default: // a number or a word
			for i < len(s) && !strings.ContainsRune(",:}] \t\r\n", rune(s[i])) {
				i++
			}
		}
		if depth <= 0 {
			return i
		}
	}
	return i
}

func skipSpace(s string, i int) int {
	for i < len(s) && (s[i] == ' ' || s[i] == '\t' || s[i] == '\r' || s[i] == '\n') {
		i++
	}
	return i
}
