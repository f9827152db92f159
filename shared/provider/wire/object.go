package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"
)

var (
	errNotObject = errors.New("not one JSON object")
	errDuplicate = errors.New("a key stands twice")
)

// Object is a JSON object whose keys are matched exactly (encoding/json would
// also take STATUS for status).
type Object map[string]json.RawMessage

// ReadObject reads one JSON object and nothing behind it. A key that stands
// twice is refused: which one counts differs from reader to reader, and that
// is how one party is shown FAILED and the other SUCCESSFUL. A byte order
// mark is skipped.
func ReadObject(body []byte) (Object, error) {
	body = bytes.Trim(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")), " \t\r\n")
	if len(body) == 0 || body[0] != '{' || !json.Valid(body) {
		return nil, errNotObject
	}
	o := Object{}
	for at := next(body, 1); body[at] != '}'; {
		end := valueEnd(body, at)
		name, ok := unquote(body[at:end])
		if !ok {
			return nil, errNotObject
		}
		if _, twice := o[name]; twice {
			return nil, errDuplicate
		}
		at = next(body, end)
		end = valueEnd(body, at)
		o[name] = body[at:end:end]
		at = next(body, end)
	}
	return o, nil
}

// next is the place of the next name, value or end of the object in valid JSON.
func next(body []byte, at int) int {
	for bytes.IndexByte([]byte(" \t\r\n,:"), body[at]) >= 0 {
		at++
	}
	return at
}

// valueEnd is the place behind the value that begins at a place in valid JSON.
func valueEnd(body []byte, at int) int {
	depth := 0
	for ; ; at++ {
		switch body[at] {
		case '"':
			for at++; body[at] != '"'; at++ {
				if body[at] == '\\' {
					at++
				}
			}
		case '{', '[':
			depth++
			continue
		case '}', ']':
			depth--
		default: // a number or a word, or what stands between
			if depth > 0 || bytes.IndexByte([]byte(" \t\r\n,}]"), body[at+1]) < 0 {
				continue
			}
		}
		if depth == 0 {
			return at + 1
		}
	}
}

// unquote reads a JSON string.
func unquote(quoted []byte) (text string, ok bool) {
	for i, c := range quoted {
		if c == '\\' || c >= utf8.RuneSelf || c < ' ' || c == '"' && i > 0 && i < len(quoted)-1 {
			return text, json.Unmarshal(quoted, &text) == nil
		}
	}
	if len(quoted) < 2 || quoted[0] != '"' || quoted[len(quoted)-1] != '"' {
		return "", false
	}
	return string(quoted[1 : len(quoted)-1]), true
}

// Text returns a field as text: a string's content, anything else as it is
// written (a number keeps its digits: 100 and "100" are the same). It is
// absent when missing or null.
func (o Object) Text(name string) (string, bool) {
	raw, ok := o[name]
	if !ok {
		return "", false
	}
	return rawText(raw)
}

func rawText(raw json.RawMessage) (string, bool) {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 || string(raw) == "null" {
		return "", false
	}
	if raw[0] == '"' {
		return unquote(raw)
	}
	return string(raw), true
}

// Child returns a field as an object. ok is false when it is something else;
// the error is ReadObject's for a bad object.
func (o Object) Child(name string) (child Object, ok bool, err error) {
	raw := bytes.TrimSpace(o[name])
	if len(raw) == 0 || raw[0] != '{' {
		return nil, false, nil
	}
	child, err = ReadObject(raw)
	return child, err == nil, err
}

// Clean makes reported text fit to be stored and shown: control characters
// replaced, valid UTF-8, at most limit bytes. They are replaced and not
// dropped, so that no text comes out equal to one that it was not.
func Clean(s string, limit int) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\t', r == '\n', r == '\r':
			return ' '
		case unicode.IsControl(r):
			return utf8.RuneError
		}
		return r
	}, s)
	for len(s) > limit {
		_, size := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-size]
	}
	return s
}

// Storable says whether an id can be kept at all: not empty, at most limit
// bytes of UTF-8, no control characters.
func Storable(id string, limit int) bool {
	if id == "" || len(id) > limit || !utf8.ValidString(id) {
		return false
	}
	for _, r := range id {
		if unicode.IsControl(r) || r == utf8.RuneError {
			return false
		}
	}
	return true
}
