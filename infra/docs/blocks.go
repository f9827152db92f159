// Package docs checks the pages for people, README.md and docs/: each command
// block runs, each link leads somewhere, and the README stays short.
package docs

import (
	"fmt"
	"strings"
)

// A Block is one fenced block of a page.
type Block struct {
	Line     int    // of its opening fence
	Language string // sh, text, js, ...
	Text     string
	Mark     Mark
}

// Mark is what the comment above a block's opening fence says about it. A
// reader of the rendered page does not see it.
type Mark struct {
	Start  bool   // <!-- start -->: it starts the local system, which already runs here
	Repeat bool   // <!-- repeat -->: it is run until it prints what the page shows
	Parsed string // <!-- aws --> or <!-- parsed: REASON -->: it is parsed and not run
	Needs  string // <!-- needs PROGRAM -->: a language that a machine may lack
	File   string // <!-- file NAME -->: the reader saves it under this name
}

// ParseMark reads a comment line. Lines that are no comment, and comments that
// say something else, are no mark.
func ParseMark(line string) (Mark, error) {
	var m Mark
	text, ok := strings.CutPrefix(strings.TrimSpace(line), "<!-- ")
	if !ok {
		return m, nil
	}
	text, ok = strings.CutSuffix(text, " -->")
	if !ok {
		return m, nil
	}
	if reason, ok := strings.CutPrefix(text, "parsed: "); ok {
		m.Parsed = reason
		return m, nil
	}
	for word := range strings.SplitSeq(text, ", ") {
		switch name, value, _ := strings.Cut(word, " "); name {
		case "start":
			m.Start = true
		case "repeat":
			m.Repeat = true
		case "aws":
			m.Parsed = "needs an AWS account"
		case "needs":
			m.Needs = value
		case "file":
			m.File = value
		default:
			return m, fmt.Errorf("comment %q marks nothing: start, repeat, aws, parsed: REASON, needs PROGRAM, file NAME", line)
		}
	}
	return m, nil
}

// Blocks are the fenced blocks of a Markdown page, in order.
func Blocks(page string) ([]Block, error) {
	var all []Block
	var open *Block
	before := ""
	for i, line := range strings.Split(page, "\n") {
		text := strings.TrimSpace(line)
		switch {
		case open == nil && strings.HasPrefix(text, "```"):
			m, err := ParseMark(before)
			if err != nil {
				return nil, fmt.Errorf("line %d: %w", i, err)
			}
			open = &Block{Line: i + 1, Language: strings.TrimPrefix(text, "```"), Mark: m}
		case open != nil && text == "```":
			all = append(all, *open)
			open = nil
		case open != nil:
			open.Text += line + "\n"
		}
		before = line
	}
	if open != nil {
		return nil, fmt.Errorf("line %d: the block does not end", open.Line)
	}
	return all, nil
}
