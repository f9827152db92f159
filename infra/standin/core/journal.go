package core

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
)

// journal keeps payments in a file, so that they outlive the process: a JSON
// object a line, of which a payment's latest counts. A kill leaves at most a
// part of the last line, which is not read.
type journal struct {
	path  string
	file  *os.File
	lines int
}

type journalLine struct {
	ID      string          `json:"id"`
	Payment json.RawMessage `json:"payment"`
}

// readJournal returns the latest of each payment in a file, oldest first.
func readJournal(path string) (all []json.RawMessage, err error) {
	source, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	at := map[string]int{}
	for text := range bytes.Lines(source) {
		var l journalLine
		if json.Unmarshal(text, &l) != nil || l.ID == "" {
			continue
		}
		i, known := at[l.ID]
		if !known {
			i = len(all)
			at[l.ID] = i
			all = append(all, nil)
		}
		all[i] = l.Payment
	}
	return all, nil
}

// put writes a payment.
func (j *journal) put(id string, payment any) error {
	j.lines++
	return writeLine(j.file, id, payment)
}

func writeLine(to io.Writer, id string, payment any) error {
	text, err := json.Marshal(payment)
	if err != nil {
		return err
	}
	out, err := json.Marshal(journalLine{id, text})
	if err != nil {
		return err
	}
	_, err = to.Write(append(out, '\n'))
	return err
}

// replace makes the file hold what write writes, and no more.
func (j *journal) replace(write func(put func(id string, payment any) error) error) error {
	next, err := os.OpenFile(j.path+".next", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	w, lines := bufio.NewWriter(next), 0
	err = write(func(id string, payment any) error { lines++; return writeLine(w, id, payment) })
	if err := errors.Join(err, w.Flush(), next.Sync(), os.Rename(next.Name(), j.path)); err != nil {
		return errors.Join(err, next.Close())
	}
	old := j.file
	j.file, j.lines = next, lines
	if old != nil {
		return old.Close()
	}
	return nil
}

func (j *journal) close() error { return j.file.Close() }
