package telemetry

import "strings"

// prefixes announce a secret. Those of HTTP's Authorization
// are followed by spaces.
var prefixes = []struct {
	text   string
	spaced bool
}{
	{"whsec_", false}, {"mmp_live_", false}, {"mmp_test_", false}, {"bearer", true}, {"basic", true},
}

// redactText takes secrets out of what is not JSON, or was before it was cut:
// forms, header lines, log messages, HTML, broken JSON. It looks at names and
// prefixes wherever they are, and so needs no structure to be right.
func redactText(s string) string {
	var out copier
	for i := 0; i < len(s); {
		if start, end, ok := prefixed(s, i); ok {
			out.replace(s, start, end, redacted)
			i = end
			continue
		}
		// Inside a word only prefixes begin.
		if !nameByte(s[i]) || i > 0 && nameByte(s[i-1]) {
			i++
			continue
		}
		end := i
		for end < len(s) && nameByte(s[end]) {
			end++
		}
		start, stop, ok := named(s, i, end)
		if !ok {
			i++
			continue
		}
		out.replace(s, start, stop, redacted)
		i = stop
	}
	return out.of(s)
}

// copier copies a text with parts replaced. A text in which nothing is, as most
// are, is not copied.
type copier struct {
	done int // of the text
	out  strings.Builder
}

// replace puts new in the place of s[start:end], which is behind what was
// replaced before.
func (c *copier) replace(s string, start, end int, new string) {
	c.out.WriteString(s[c.done:start])
	c.out.WriteString(new)
	c.done = end
}

func (c *copier) of(s string) string {
	if c.done == 0 {
		return s
	}
	c.out.WriteString(s[c.done:])
	return c.out.String()
}

// prefixed tells whether a prefix begins at i, and where the secret behind it
// begins and ends.
func prefixed(s string, i int) (start, end int, ok bool) {
	if i == len(s) {
		return 0, 0, false
	}
	switch s[i] | 0x20 {
	case 'w', 'm', 'b':
	default:
		return 0, 0, false // most bytes begin none of them
	}
	for _, p := range prefixes {
		if len(s)-i < len(p.text) || !strings.EqualFold(s[i:i+len(p.text)], p.text) {
			continue
		}
		start = i + len(p.text)
		if p.spaced {
			if i > 0 && nameByte(s[i-1]) {
				continue
			}
			word := start
			for start < len(s) && (s[start] == ' ' || s[start] == '\t') {
				start++
			}
			if start == word {
				continue
			}
		}
		end = start
		if strings.HasPrefix(s[end:], redacted) {
			end += len(redacted)
		}
		for end < len(s) && tokenAt(s, end) {
			end++
		}
		if end > start {
			return start, end, true
		}
	}
	return 0, 0, false
}

// named tells whether s[i:end] is a secret name with a value behind it, and
// where the value begins and ends.
func named(s string, i, end int) (start, stop int, ok bool) {
	if !secretName(s[i:end]) {
		return 0, 0, false
	}
	at := end
	quoted := false
	for at < len(s) && (s[at] == '"' || s[at] == '\'' || s[at] == '\\') {
		quoted = quoted || s[at] != '\\'
		at++
	}
	at = skipSpace(s, at)
	if at == len(s) || s[at] != ':' && s[at] != '=' {
		return 0, 0, false
	}
	colon := s[at] == ':'
	start = at + 1
	for start < len(s) && (s[start] == ' ' || s[start] == '\t') {
		start++
	}
	switch {
	case !colon || quoted:
		start, stop = textValue(s, start)
	case strings.Contains(s[i:end], "-") || strings.EqualFold(s[i:end], "authorization") || strings.EqualFold(s[i:end], "cookie"):
		// A header line. Other names before a colon are mostly prose:
		// "provider token: timeout".
		for stop = start; stop < len(s) && s[stop] != '\n' && s[stop] != '\r' && s[stop] != '"'; stop++ {
		}
	default:
		return 0, 0, false
	}
	return start, stop, stop > start
}

// textValue finds the value at i: a quoted string, whose quotes stay, a JSON
// object or array, or a bare word.
func textValue(s string, i int) (start, end int) {
	i = skipSpace(s, i)
	slashes := 0
	for i+slashes < len(s) && s[i+slashes] == '\\' {
		slashes++
	}
	if q := i + slashes; q < len(s) && (s[q] == '"' || s[q] == '\'') {
		return q + 1, quoteEnd(s, q+1, s[q], slashes)
	}
	end = i
	if _, secret, ok := prefixed(s, i); ok {
		end = secret // "Bearer" alone is not all of it
	} else if strings.HasPrefix(s[i:], redacted) {
		end += len(redacted)
	} else if i < len(s) && (s[i] == '{' || s[i] == '[') {
		return i, valueEnd(s, i)
	}
	for end < len(s) && !strings.ContainsRune(" \t\r\n&,;}])<>\"'", rune(s[end])) {
		end++
	}
	return i, end
}

// quoteEnd finds the end of a string that opened with the quote behind so
// many backslashes: JSON in a string in JSON has 1, one level deeper 3. At
// each level an escaped quote has 1 + slashes more of them than a closing one.
func quoteEnd(s string, i int, quote byte, slashes int) int {
	run := 0
	for ; i < len(s); i++ {
		switch s[i] {
		case '\\':
			run++
			continue
		case quote:
			if run < slashes {
				return i - run
			}
			if more := run - slashes; more%(slashes+1) == 0 && more/(slashes+1)%2 == 0 {
				return i - slashes
			}
		}
		run = 0
	}
	return i
}

func nameByte(b byte) bool {
	return b|0x20 >= 'a' && b|0x20 <= 'z' || b >= '0' && b <= '9' || b == '_' || b == '-' || b == '.'
}

// tokenAt tells whether s[i] belongs to a credential: token68 of RFC 9110,
// in a URL's escapes and behind the backslash some JSON writers give a slash.
func tokenAt(s string, i int) bool {
	switch b := s[i]; b {
	case '~', '+', '/', '=', '%':
		return true
	case '\\':
		return i+1 < len(s) && s[i+1] == '/'
	default:
		return nameByte(b)
	}
}
