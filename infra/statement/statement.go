// Package statement reads the file in which a provider lists its transactions.
package statement

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"

	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
)

// Kind is what a row is about.
type Kind string

const (
	Payment Kind = "payment"
	Refund  Kind = "refund"
)

// Row is one transaction of a file.
type Row struct {
	Line int // in the file, from 1
	Kind Kind
	Paid bool // the money moved
	// Reference, ProviderID, TransactionID and StatementID are as in
	// provider.StatementColumns.
	Reference, ProviderID, TransactionID, StatementID string
	Amount                                            payment.Money
	At                                                time.Time // zero: the file has no times
	// Fault says why the row cannot be read; empty: it was read.
	Fault string
}

// File is a file that was read.
type File struct {
	Rows    []Row
	Ignored int // rows with a word of the statement's Ignore
}

// ErrForm: a mapping or a file that cannot be read at all.
var ErrForm = errors.New("cannot be read")

// ReadMapping reads a mapping file: a provider.Statement in JSON. Unknown fields
// are faults. Errors wrap ErrForm.
func ReadMapping(r io.Reader) (s provider.Statement, err error) {
	d := json.NewDecoder(r)
	d.DisallowUnknownFields()
	if err := d.Decode(&s); err != nil {
		return s, fmt.Errorf("the mapping %w: %v", ErrForm, err)
	}
	c := s.Columns
	switch {
	case c.Amount == "":
		return s, fmt.Errorf("the mapping %w: it names no column amount", ErrForm)
	case c.Reference+c.ProviderID+c.TransactionID == "":
		return s, fmt.Errorf("the mapping %w: it names none of the columns reference, providerId and transactionId", ErrForm)
	case c.Currency == "" && s.Currency == "":
		return s, fmt.Errorf("the mapping %w: it names neither a column currency nor a currency", ErrForm)
	case len(s.Separator) > 1:
		return s, fmt.Errorf("the mapping %w: separator is not one character", ErrForm)
	case c.Type != "" && len(s.Payment) == 0, c.Status != "" && len(s.Paid) == 0:
		return s, fmt.Errorf("the mapping %w: the column type needs words in payment, and the column status words in paid", ErrForm)
	}
	return s, nil
}

// Read reads a file in the form of a statement. It returns every row: one that
// cannot be read says so in Fault. Errors wrap ErrForm.
func Read(r io.Reader, s provider.Statement) (File, error) {
	var f File
	zone, err := time.LoadLocation(s.Zone)
	if err != nil {
		return f, fmt.Errorf("the mapping %w: zone: %v", ErrForm, err)
	}
	b := bufio.NewReader(r)
	if mark, _ := b.Peek(3); bytes.Equal(mark, []byte("\xef\xbb\xbf")) {
		_, _ = b.Discard(3)
	}
	lines := csv.NewReader(b)
	lines.FieldsPerRecord, lines.LazyQuotes, lines.TrimLeadingSpace = -1, true, true
	if s.Separator != "" {
		lines.Comma = rune(s.Separator[0])
	}
	var t *table
	for {
		cells, err := lines.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return f, fmt.Errorf("the file %w: %v", ErrForm, err)
		}
		if t == nil {
			t = heads(cells, s, zone)
			continue
		}
		line, _ := lines.FieldPos(0)
		row, ignored := t.row(cells)
		if row.Line = line; ignored {
			f.Ignored++
		} else {
			f.Rows = append(f.Rows, row)
		}
	}
	if t == nil {
		return f, fmt.Errorf("the file %w: no line of it has all of the columns %s; a mapping file says what they are called", ErrForm, strings.Join(wanted(s.Columns), ", "))
	}
	return f, nil
}

// table is a file's form, with the place of each column.
type table struct {
	provider.Statement
	zone *time.Location
	at   map[string]int // by the column's name in the statement
}

func wanted(c provider.StatementColumns) (names []string) {
	for _, name := range []string{c.Reference, c.ProviderID, c.TransactionID, c.StatementID, c.Amount, c.Currency, c.At, c.Type, c.Status} {
		if name != "" {
			names = append(names, name)
		}
	}
	return names
}

// heads is nil unless the line has every column that the statement names.
func heads(cells []string, s provider.Statement, zone *time.Location) *table {
	t := &table{s, zone, map[string]int{}}
	for _, column := range wanted(s.Columns) {
		i := slices.IndexFunc(cells, func(cell string) bool { return oneOf(cell, strings.Split(column, "|")) })
		if i < 0 {
			return nil
		}
		t.at[column] = i
	}
	return t
}

func oneOf(cell string, words []string) bool {
	return slices.ContainsFunc(words, func(w string) bool { return strings.EqualFold(strings.TrimSpace(cell), strings.TrimSpace(w)) })
}

func (t *table) row(cells []string) (row Row, ignored bool) {
	cell := func(column string) string {
		if i, ok := t.at[column]; ok && column != "" && i < len(cells) {
			return strings.TrimSpace(cells[i])
		}
		return ""
	}
	c := t.Columns
	kind, status := cell(c.Type), cell(c.Status)
	if len(t.Ignore) > 0 && (oneOf(cells[0], t.Ignore) || oneOf(kind, t.Ignore) || oneOf(status, t.Ignore)) {
		return row, true
	}
	row = Row{
		Kind: Payment, Paid: true, Reference: cell(c.Reference), ProviderID: cell(c.ProviderID),
		TransactionID: cell(c.TransactionID), StatementID: cell(c.StatementID),
	}
	if payment.IsReference(row.Reference) {
		row.Reference = strings.ToLower(row.Reference)
	}
	fault := func(format string, args ...any) {
		if row.Fault == "" {
			row.Fault = fmt.Sprintf(format, args...)
		}
	}
	switch {
	case c.Type == "" || oneOf(kind, t.Payment):
	case oneOf(kind, t.Refund):
		row.Kind = Refund
	default:
		fault("no type of a transaction is called %q", kind)
	}
	switch {
	case c.Status == "" || oneOf(status, t.Paid):
	case oneOf(status, t.NotPaid):
		row.Paid = false
	default:
		fault("no status is called %q", status)
	}
	if row.Reference+row.ProviderID+row.TransactionID == "" {
		fault("it has no id of a payment")
	}
	currency := t.Currency
	if c.Currency != "" {
		currency = strings.ToUpper(cell(c.Currency))
	}
	var err error
	if row.Amount, err = t.money(cell(c.Amount), currency, row.Kind); err != nil {
		fault("amount %q: %v", cell(c.Amount), err)
	}
	if c.At != "" {
		if row.At, err = t.time(cell(c.At)); err != nil {
			fault("%q is no time of the forms expected", cell(c.At))
		}
	}
	return row, false
}

// grouped is an amount with commas between thousands.
var grouped = regexp.MustCompile(`^[0-9]{1,3}(,[0-9]{3})+(\.[0-9]+)?$`)

// money reads an amount. What a refund takes away may have a minus.
func (t *table) money(text, currency string, k Kind) (payment.Money, error) {
	if k == Refund {
		text = strings.TrimPrefix(text, "-")
	}
	if grouped.MatchString(text) {
		text = strings.ReplaceAll(text, ",", "")
	}
	if !t.MinorUnits {
		return payment.ParseReported(text, currency)
	}
	if text == "" || strings.Contains(text, ".") {
		return payment.Money{}, errors.New("it is not a whole number")
	}
	// With as many digits as the largest amount in major units.
	places, _ := payment.Exponent(currency)
	padded := strings.Repeat("0", max(places+1-len(text), 0)) + text
	whole := strings.TrimLeft(padded[:len(padded)-places], "0")
	if whole == "" {
		whole = "0"
	}
	if places == 0 {
		return payment.ParseReported(whole, currency)
	}
	return payment.ParseReported(whole+"."+padded[len(padded)-places:], currency)
}

func (t *table) time(text string) (at time.Time, err error) {
	layouts := t.TimeLayouts
	if len(layouts) == 0 {
		layouts = []string{time.RFC3339, time.DateTime}
	}
	for _, layout := range layouts {
		if at, err = time.ParseInLocation(layout, text, t.zone); err == nil {
			return at.UTC(), nil
		}
	}
	return at, err
}
