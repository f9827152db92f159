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
	"testing"

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

// writeForever counts in one record and adds another for each count, in one
// Write, and says so only when the Write has returned.
func writeForever(path, writer string) error {
	tab, err := Open(path)
	if err != nil {
		return err
	}
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
		if _, err := fmt.Println(n); err != nil {
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
	for round := range 5 {
		acknowledged := make([]int64, 2)
		var children []*exec.Cmd
		var outputs []*bufio.Scanner
		for writer := range acknowledged {
			cmd := exec.Command(os.Args[0], "-test.run=^$")
			cmd.Env = append(os.Environ(), childVariable+"="+path, fmt.Sprint(childVariable, "_AS=", writer))
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
		// Both write; then both are killed, each somewhere.
		for writer, out := range outputs {
			for range 3 + 7*round + 2*writer {
				if !out.Scan() {
					t.Fatalf("round %d: writer %d ended by itself", round, writer)
				}
				acknowledged[writer], _ = strconv.ParseInt(out.Text(), 10, 64)
			}
			_ = children[writer].Process.Kill()
			for out.Scan() { // what it said before it died
				acknowledged[writer], _ = strconv.ParseInt(out.Text(), 10, 64)
			}
			_ = children[writer].Wait()
		}
		checkKilled(t, path, acknowledged)
	}
}

func checkKilled(t *testing.T, path string, acknowledged []int64) {
	t.Helper()
	tab, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer tab.Close()
	for writer, n := range acknowledged {
		name := strconv.Itoa(writer)
		counter, err := tab.Get(t.Context(), killedKey(name, "count"))
		if err != nil {
			t.Fatal(err)
		}
		stored := counter.Attributes["n"].(int64)
		if stored < n || stored > n+1 || counter.Version != stored {
			t.Errorf("writer %d acknowledged %d; stored %d at version %d", writer, n, stored, counter.Version)
		}
		for _, from := range []string{
			`main_records WHERE sort <> 'count' AND "partition" = 'writer#` + name + `'`,
			`main_index WHERE index_partition = '` + name + `'`,
			`audit_records WHERE "partition" = '` + name + `'`,
		} {
			var rows int64
			if err := tab.DB().QueryRow(`SELECT count(*) FROM ` + from).Scan(&rows); err != nil || rows != stored {
				t.Errorf("writer %d counted to %d, but %d rows of %s, %v", writer, stored, rows, from, err)
			}
		}
	}
	var check string
	if err := tab.DB().QueryRow(`PRAGMA integrity_check`).Scan(&check); err != nil || check != "ok" {
		t.Errorf("integrity_check: %s, %v", check, err)
	}
}
