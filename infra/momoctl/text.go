package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"
)

// text collects lines for people. Much of what they hold was sent by apps and
// providers, so what could steer a terminal is taken out.
type text struct {
	b     strings.Builder
	asCSV bool // tables are CSV, and all else is left out
}

func (t *text) line(format string, args ...any) {
	if t.asCSV {
		return
	}
	t.b.WriteString(strings.TrimRight(printable(fmt.Sprintf(format, args...)), " "))
	t.b.WriteByte('\n')
}

// table writes rows in columns, the first being the heads.
func (t *text) table(rows ...[]string) {
	if t.asCSV {
		t.csv(rows)
		return
	}
	var b bytes.Buffer
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		for i, cell := range row {
			if i > 0 {
				_, _ = w.Write([]byte("\t"))
			}
			_, _ = w.Write([]byte(printable(cell)))
		}
		_, _ = w.Write([]byte("\n"))
	}
	_ = w.Flush() // a buffer takes everything
	for line := range strings.Lines(b.String()) {
		t.b.WriteString(strings.TrimRight(line, " \n"))
		t.b.WriteByte('\n')
	}
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

// answer prints v as JSON if that was asked for, else what write writes.
func (s *session) answer(v any, write func(t *text)) error {
	if s.json {
		return s.printJSON(v)
	}
	t := &text{asCSV: s.output == outputCSV}
	write(t)
	return s.print(t)
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

// stamp is a time to the millisecond, for timelines.
func stamp(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.UTC().Format("2006-01-02 15:04:05.000")
}

// short is a time to the second, for tables.
func short(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format("2006-01-02 15:04:05")
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// plural counts a noun, or its own plural if it has one.
func plural(n int, noun string, many ...string) string {
	if n == 1 {
		return "1 " + noun
	}
	if len(many) > 0 {
		return fmt.Sprintf("%d %s", n, many[0])
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// ago is a length of time as people say it.
func ago(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < 2*time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", int(d.Hours()))
	}
	return fmt.Sprintf("%dd", int(d.Hours()/24))
}
