package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// What -o takes.
const (
	outputText = "text"
	outputJSON = "json"
	outputCSV  = "csv"
)

var outputs = []string{outputText, outputJSON, outputCSV}

// hasCSV marks a command that answers with one table.
const hasCSV = "csv"

func withCSV(command *cobra.Command) *cobra.Command {
	command.Annotations = map[string]string{hasCSV: ""}
	return command
}

// chooseOutput reads -o and --json, which is -o json.
func (c cli) chooseOutput(command *cobra.Command) error {
	if err := oneOf("output", c.output, outputs); err != nil {
		return err
	}
	if c.json && c.output == outputCSV {
		return usageError("--json and -o csv name two forms")
	}
	c.json = c.json || c.output == outputJSON
	if _, ok := command.Annotations[hasCSV]; !ok && c.output == outputCSV {
		return usageError(command.CommandPath() + " has no CSV form: it does not answer with one table")
	}
	return nil
}

// failure is an error under --json.
type failure struct {
	Error    string `json:"error"`
	Code     string `json:"code"`
	ExitCode int    `json:"exitCode"`
}

var failureCodes = map[int]string{
	exitFailed: "failed", exitUsage: "usage", exitNotFound: "not_found", exitRefused: "refused", exitUnfinished: "unfinished",
}

// asksJSON looks at the words themselves: where the command line is wrong the
// flags may not have been read.
func asksJSON(args []string) bool {
	if end := slices.Index(args, "--"); end >= 0 {
		args = args[:end]
	}
	for i, a := range args {
		switch {
		case a == "--json", a == "--json=true", a == "-ojson", a == "-o=json", a == "--output=json":
			return true
		case a == "-o" || a == "--output":
			return i+1 < len(args) && args[i+1] == outputJSON
		}
	}
	return false
}

// complain writes an error for the reader of standard error: a person, or with
// --json a program.
func (p program) complain(err error, code int, asJSON bool) {
	if asJSON {
		b, _ := json.Marshal(failure{printable(strings.ReplaceAll(err.Error(), "\n", "; ")), failureCodes[code], code}) // always marshals
		fmt.Fprintf(p.err, "%s\n", b)
		return
	}
	for line := range strings.SplitSeq(err.Error(), "\n") {
		fmt.Fprintln(p.err, "momoctl:", printable(line))
	}
}

// csv writes rows for a spreadsheet. A cell that one would take for a formula
// gets an apostrophe before it: apps and providers wrote many of them.
func (t *text) csv(rows [][]string) {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	for _, row := range rows {
		cells := make([]string, len(row))
		for i, cell := range row {
			if cell = printable(cell); cell != "" && strings.ContainsRune("=+-@", rune(cell[0])) {
				cell = "'" + cell
			}
			if cell == "'-" { // nothing
				cell = ""
			}
			cells[i] = cell
		}
		_ = w.Write(cells) // a buffer takes everything
	}
	w.Flush()
	t.b.Write(b.Bytes())
}

// list is a table that may have no rows: then it says so.
func (t *text) list(noun string, rows [][]string) {
	if len(rows) == 1 && !t.asCSV {
		t.line("No %s found.", noun)
		return
	}
	t.table(rows...)
}

// watchEvery is how often --watch looks.
const watchEvery = 2 * time.Second

// watched gives a command --watch.
func (c cli) watched(command *cobra.Command) *cobra.Command {
	var watch bool
	once := command.RunE
	command.Flags().BoolVar(&watch, "watch", false, "look again every 2 seconds, until interrupted")
	command.RunE = func(command *cobra.Command, args []string) error {
		if !watch {
			return once(command, args)
		}
		for {
			if c.screen && !c.json {
				fmt.Fprint(c.out, "\x1b[H\x1b[2J\x1b[3J")
			}
			err := once(command, args)
			if err == nil {
				err = c.sleep(command.Context(), watchEvery)
			}
			if command.Context().Err() != nil {
				return nil
			}
			if err != nil {
				return err
			}
			if !c.screen && !c.json {
				fmt.Fprintln(c.out)
			}
		}
	}
	return command
}
