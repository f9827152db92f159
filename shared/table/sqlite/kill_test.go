package sqlite

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"momoproxy/shared/queue"
	queuesqlite "momoproxy/shared/queue/sqlite"
	"momoproxy/shared/table"
)

// childVariable turns this test binary into a writer on the file it names.
const childVariable = "MOMOPROXY_TEST_WRITE_TO"

func TestMain(m *testing.M) {
	if path := os.Getenv(childVariable); path != "" {
		fmt.Fprintln(os.Stderr, "child:", writeForever(path, os.Getenv(childVariable+"_AS")))
		os.Exit(3)
	}
	os.Exit(m.Run())
}

func killedKey(writer, sort string) table.Key {
	return table.Key{Space: table.Main, Partition: "writer#" + writer, Sort: sort}
}

// together is how many goroutines of a process write, so that one commit holds
// the writes of several.
const together = 4

// rounds of load, each ended by SIGKILL.
const rounds = 5

// writeForever has goroutines write on one file, to the table and to the queue.
func writeForever(path, process string) error {
	tab, err := Open(path)
	if err != nil {
		return err
	}
	bell, err := queuesqlite.New(tab.File(), queuesqlite.Options{})
	if err != nil {
		return err
	}
	faults := make(chan error)
	for i := range together {
		go func() { faults <- count(tab, bell, process+"."+strconv.Itoa(i)) }()
	}
	return <-faults
}

// count counts in one record and adds another for each count, in one Write,
// sends a message for it, and says so only when both have returned.
func count(tab *Table, bell queue.Queue, writer string) error {
	ctx := context.Background()
	counter, err := tab.Get(ctx, killedKey(writer, "count"))
	if errors.Is(err, table.ErrNotFound) {
		counter = table.Record{Key: killedKey(writer, "count"), Attributes: map[string]any{"n": int64(0)}}
	} else if err != nil {
		return err
	}
	for {
		n := counter.Attributes["n"].(int64) + 1
		counter.Attributes["n"] = n
		entry := table.Record{Key: killedKey(writer, fmt.Sprintf("entry#%09d", n)),
			Index: map[string]table.IndexKey{"due": {Partition: writer, Sort: fmt.Sprintf("%09d", n)}}}
		audit := table.Record{Key: table.Key{Space: table.Audit, Partition: writer, Sort: fmt.Sprintf("%09d", n)}}
		if err := tab.Write(ctx, table.Put(counter), table.Put(entry), table.Put(audit)); err != nil {
			return err
		}
		counter.Version++
		if err := bell.Send(ctx, queue.Message{Body: fmt.Sprint(writer, " ", n)}); err != nil {
			return err
		}
		if _, err := fmt.Println(writer, n); err != nil {
			return err
		}
	}
}

// TestKilledProcessLosesNothing kills writing processes, two on one file, at
// points that vary, and finds everything they had acknowledged, and no half
// of a Write.
func TestKilledProcessLosesNothing(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "killed.db")
	acknowledged, said := map[string]int64{}, map[string]bool{}
	for round := range rounds {
		var children []*exec.Cmd
		var outputs []*bufio.Scanner
		for process := range 2 {
			cmd := exec.Command(os.Args[0], "-test.run=^$")
			cmd.Env = append(os.Environ(), childVariable+"="+path, fmt.Sprint(childVariable, "_AS=", process))
			cmd.Stderr = os.Stderr
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = cmd.Process.Kill() })
			children, outputs = append(children, cmd), append(outputs, bufio.NewScanner(out))
		}
		note := func(line string) {
			writer, n, _ := strings.Cut(line, " ")
			if count, err := strconv.ParseInt(n, 10, 64); err == nil { // not half a line
				acknowledged[writer], said[line] = max(acknowledged[writer], count), true
			}
		}
		// Both write; then both are killed, each somewhere.
		for process, out := range outputs {
			for range 10 + 29*round + 7*process {
				if !out.Scan() {
					t.Fatalf("round %d: process %d ended by itself", round, process)
				}
				note(out.Text())
			}
			_ = children[process].Process.Kill()
			for out.Scan() { // what it said before it died
				note(out.Text())
			}
			_ = children[process].Wait()
		}
		checkKilled(t, path, acknowledged, said)
	}
	if len(acknowledged) != 2*together {
		t.Errorf("%d writers acknowledged anything, want %d", len(acknowledged), 2*together)
	}
}

func checkKilled(t *testing.T, path string, acknowledged map[string]int64, said map[string]bool) {
	t.Helper()
	tab, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer tab.Close()
	for writer, n := range acknowledged {
		counter, err := tab.Get(t.Context(), killedKey(writer, "count"))
		if err != nil {
			t.Fatal(err)
		}
		stored := counter.Attributes["n"].(int64)
		if stored < n || stored > n+rounds || counter.Version != stored {
			t.Errorf("writer %s acknowledged %d; stored %d at version %d", writer, n, stored, counter.Version)
		}
		for _, from := range []string{
			`main_records WHERE sort <> 'count' AND "partition" = 'writer#` + writer + `'`,
			`main_index WHERE index_partition = '` + writer + `'`,
			`audit_records WHERE "partition" = '` + writer + `'`,
		} {
			var rows int64
			if row(t, tab, `SELECT count(*) FROM `+from, &rows); rows != stored {
				t.Errorf("writer %s counted to %d, but %d rows of %s", writer, stored, rows, from)
			}
		}
	}
	for line := range said {
		var messages int64
		if row(t, tab, `SELECT count(*) FROM queue_messages WHERE body = '`+line+`'`, &messages); messages != 1 {
			t.Errorf("%q was acknowledged, and %d messages are there", line, messages)
		}
	}
	var check string
	if row(t, tab, `PRAGMA integrity_check`, &check); check != "ok" {
		t.Errorf("integrity_check: %s", check)
	}
}
