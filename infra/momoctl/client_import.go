package main

import (
	"bufio"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"momoproxy/shared/ledger"
	"momoproxy/shared/webhook"
)

// importedRow is an app of the file, and what becomes of it. Its key is named by
// the fingerprint alone.
type importedRow struct {
	Line        int    `json:"line"`
	Name        string `json:"name"`
	CallbackURL string `json:"callbackUrl"`
	Active      bool   `json:"active"`
	Fingerprint string `json:"keyFingerprint"`
	ClientID    string `json:"clientId,omitempty"`
	Result      string `json:"result"`          // new, made, there or refused
	Fault       string `json:"fault,omitempty"` // why it is refused

	key string
}

// What becomes of a row.
const (
	importNew     = "new"
	importMade    = "made"
	importThere   = "there"
	importRefused = "refused"
)

type importView struct {
	Executed bool           `json:"executed"`
	Clients  []*importedRow `json:"clients"`
}

const (
	// leastKey is the shortest key that is taken over, in bytes: keys are stored
	// as plain hashes, so they must be long enough not to be guessed.
	leastKey = 32
	// mostKey is the longest that a request may present.
	mostKey = 256
)

func (c cli) clientImport() *cobra.Command {
	var execute bool
	command := &cobra.Command{
		Use: "import FILE", Short: "take over apps with their API keys and callback URLs from another proxy",
		Long: `Reads a table of apps: a CSV file, or what mysql --batch prints. Its first line names the
columns client_name, api_key, callback_url and is_active; others are ignored. Without
--execute it shows what it would do, and does nothing. If a line cannot be taken over,
none is. An app whose key is here already is left as it is, so the command can be repeated.

An app keeps its API key, and with it X-MoMo-Proxy-Signature. It also gets a signing
secret: client rotate-secret shows one. Keys are never shown. The file holds keys: delete
it afterwards.`,
		Example: `  momoctl client import clients.csv
  momoctl client import clients.csv --execute`,
		Args: takes(nil),
		RunE: func(command *cobra.Command, args []string) error {
			rows, err := readClients(args[0])
			if err != nil {
				return err
			}
			return c.over(func(ctx context.Context, s *session, _ []string) error { return s.importClients(ctx, rows, execute) })(command, args)
		},
	}
	command.Flags().BoolVar(&execute, "execute", false, "take them over")
	return command
}

func readClients(path string) ([]*importedRow, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	b := bufio.NewReader(f)
	head, err := b.Peek(b.Size())
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if strings.HasPrefix(string(head), "\ufeff") {
		_, _ = b.Discard(len("\ufeff"))
	}
	first, _, _ := strings.Cut(string(head), "\n")
	lines := csv.NewReader(b)
	for _, separator := range "\t;" {
		if strings.ContainsRune(first, separator) {
			lines.Comma = separator
		}
	}
	lines.LazyQuotes = lines.Comma == '\t' // mysql quotes nothing
	names, err := lines.Read()
	if err != nil {
		return nil, fmt.Errorf("%s cannot be read: %w", path, err)
	}
	at := map[string]int{}
	for _, column := range []string{"client_name", "api_key", "callback_url", "is_active"} {
		i := slices.IndexFunc(names, func(n string) bool { return strings.EqualFold(strings.TrimSpace(n), column) })
		if i < 0 {
			return nil, fmt.Errorf("%s cannot be read: its first line names no column %s", path, column)
		}
		at[column] = i
	}
	rows := []*importedRow{}
	for {
		cells, err := lines.Read()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s cannot be read: %w", path, err) // its text has no cell
		}
		cell := func(column string) string {
			if text := strings.TrimSpace(cells[at[column]]); text != "NULL" && text != `\N` {
				return text
			}
			return ""
		}
		line, _ := lines.FieldPos(0)
		row := &importedRow{Line: line, Name: cell("client_name"), CallbackURL: cell("callback_url"), key: cell("api_key")}
		switch cell("is_active") {
		case "1", "true":
			row.Active = true
		case "0", "false":
		default:
			row.Fault = "is_active is neither 1 nor 0"
		}
		row.Fingerprint = ledger.Fingerprint(row.key)
		rows = append(rows, row)
	}
}

// judge says what becomes of each row. Nothing is written.
func (s *session) judge(ctx context.Context, rows []*importedRow) (refused int, err error) {
	lines := map[string]int{}
	for _, r := range rows {
		if r.Fault == "" {
			r.Fault = s.importFault(r)
		}
		if first := lines[r.key]; first > 0 && r.Fault == "" {
			r.Fault = fmt.Sprintf("it has the key of line %d", first)
		}
		lines[r.key] = r.Line
		if r.Result = importNew; r.Fault != "" {
			r.Result = importRefused
			refused++
			continue
		}
		switch there, err := s.ledger.ClientByKey(ctx, r.key, s.clock()); {
		case err == nil:
			r.Result, r.ClientID = importThere, there.ID
		case !errors.Is(err, ledger.ErrNotFound):
			return 0, err
		}
	}
	return refused, nil
}

func (s *session) importFault(r *importedRow) string {
	switch {
	case r.Name == "" || len(r.Name) > maxName || printable(r.Name) != r.Name:
		return fmt.Sprintf("client_name must be one line of 1 to %d bytes", maxName)
	case len(r.key) < leastKey:
		return fmt.Sprintf("api_key is shorter than %d characters and could be guessed: give the app a new one first", leastKey)
	case len(r.key) > mostKey || strings.ContainsFunc(r.key, func(c rune) bool { return c <= ' ' || c > '~' || c == '"' || c == '\'' }):
		return "api_key has characters that no request can send"
	}
	if r.CallbackURL == "" {
		return ""
	}
	if err := webhook.CheckURL(r.CallbackURL, s.rules); err != nil {
		return "callback_url: " + err.Error()
	}
	return ""
}

func (s *session) importClients(ctx context.Context, rows []*importedRow, execute bool) error {
	faults, err := s.judge(ctx, rows)
	if err != nil {
		return err
	}
	v := importView{Executed: execute && faults == 0, Clients: rows}
	var failed error
	if v.Executed {
		failed = s.makeImported(ctx, rows)
	}
	if err := s.answer(v, func(t *text) {
		table := [][]string{{"LINE", "RESULT", "CLIENT", "NAME", "ACTIVE", "KEY", "CALLBACK URL", "FAULT"}}
		for _, r := range rows {
			active := "yes"
			if !r.Active {
				active = "no"
			}
			table = append(table, []string{fmt.Sprint(r.Line), r.Result, orDash(r.ClientID), orDash(r.Name), active, r.Fingerprint, orNone(withoutQuery(r.CallbackURL)), orDash(r.Fault)})
		}
		t.list("apps", table)
		if !execute && faults == 0 {
			t.line("Nothing was done. With --execute the new ones are made.")
		}
	}); err != nil {
		return err
	}
	switch {
	case failed != nil:
		return failed
	case faults > 0:
		return refused("%s cannot be taken over, so nothing was done: correct the file, or leave them out", plural(faults, "line"))
	}
	return nil
}

func (s *session) makeImported(ctx context.Context, rows []*importedRow) error {
	for _, r := range rows {
		if r.Result != importNew {
			continue
		}
		secret, err := webhook.NewSecret(s.random)
		if err != nil {
			return err
		}
		made, err := s.ledger.CreateClient(ctx, ledger.Client{
			ID: ledger.NewClientID(s.random), Name: r.Name, CallbackURL: r.CallbackURL, Active: r.Active, CreatedAt: s.clock(),
			APIKey: r.key, SigningSecrets: []string{secret.Reveal()},
		})
		if err != nil {
			return fmt.Errorf("line %d: %w; repeat the command to go on", r.Line, err)
		}
		r.Result, r.ClientID = importMade, made.ID
	}
	return nil
}
