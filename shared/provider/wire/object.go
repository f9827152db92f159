package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
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
	body = bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))
	dec := json.NewDecoder(bytes.NewReader(body))
	if first, err := dec.Token(); err != nil || first != json.Delim('{') {
		return nil, errNotObject
	}
	o := Object{}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return nil, errNotObject
		}
		name, ok := key.(string)
		if !ok {
			return nil, errNotObject
		}
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return nil, errNotObject
		}
		if _, twice := o[name]; twice {
			return nil, errDuplicate
		}
		o[name] = value
	}
	if _, err := dec.Token(); err != nil {
		return nil, errNotObject
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errNotObject
	}
	return o, nil
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
		var s string
		if err := json.Unmarshal(raw, &s); err != nil {
			return "", false
		}
		return s, true
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
