package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode"
)

// text collects lines for people. Much of what they hold was sent by apps and
// providers, so what could steer a terminal is taken out.
type text struct{ b strings.Builder }

func (t *text) line(format string, args ...any) {
	t.b.WriteString(strings.TrimRight(printable(fmt.Sprintf(format, args...)), " "))
	t.b.WriteByte('\n')
}

// printable replaces what is neither a graphic character nor a plain space.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '·'
	}, s)
}

func (s *session) print(t *text) error {
	_, err := fmt.Fprint(s.out, t.b.String())
	return err
}

// printJSON answers in JSON, with every control character escaped.
func (s *session) printJSON(v any) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return err
	}
	var out strings.Builder
	for _, r := range b.String() {
		if unicode.IsControl(r) && r != '\n' {
			fmt.Fprintf(&out, `\u%04x`, r)
			continue
		}
		out.WriteRune(r)
	}
	_, err := fmt.Fprint(s.out, out.String())
	return err
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.UTC().Format("2006-01-02 15:04:05.000")
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}
