package sqlite

import (
	"path/filepath"
	"testing"
	"time"

	"momoproxy/shared/sqlitefile"
	"momoproxy/shared/table"
	"momoproxy/shared/table/tabletest"
)

func open(t testing.TB, path string) *Table {
	t.Helper()
	tab, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := tab.Close(); err != nil {
			t.Error(err)
		}
	})
	return tab
}

func TestContractInMemory(t *testing.T) {
	t.Parallel()
	tabletest.Run(t, func(t *testing.T) table.Table { return open(t, ":memory:") })
}

func TestContractInFile(t *testing.T) {
	t.Parallel()
	tabletest.Run(t, func(t *testing.T) table.Table {
		return open(t, filepath.Join(t.TempDir(), "odd name?#%41&é.db"))
	})
}

// TestContractInOneFile has all parts of the suite, each with a Table of its
// own as other processes would, write to the same file.
func TestContractInOneFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "shared.db")
	tabletest.Run(t, func(t *testing.T) table.Table { return open(t, path) })
}

// row reads what an operator would with the sqlite3 command.
func row(t *testing.T, tab *Table, text string, into ...any) {
	t.Helper()
	err := tab.file.Read(t.Context(), func(c sqlitefile.Conn) error { return c.QueryRow(text, nil, into...) })
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
}

// TestReadable holds what an operator sees with the sqlite3 command.
func TestReadable(t *testing.T) {
	t.Parallel()
	tab := open(t, ":memory:")
	r := table.Record{Key: table.Key{Space: table.Main, Partition: "payment#1", Sort: "payment"},
		Attributes: map[string]any{"amount_minor": int64(9007199254740993), "text": "a<b & é", "yes": true, "sealed": []byte{1, 2, 3}},
		Index:      map[string]table.IndexKey{"due": {Partition: "d", Sort: "1"}},
		ExpiresAt:  time.Unix(4_000_000_000, 0)}
	if err := tab.Write(t.Context(), table.Put(r)); err != nil {
		t.Fatal(err)
	}
	var attributes string
	var expires, amount int64
	row(t, tab, `SELECT attributes, expires_at, attributes ->> 'amount_minor' FROM main_records
		WHERE "partition" = 'payment#1' AND sort = 'payment' AND version = 1`, &attributes, &expires, &amount)
	const want = `{"amount_minor":9007199254740993,"sealed":{"$bytes":"AQID"},"text":"a<b & é","yes":true}`
	if attributes != want || expires != 4_000_000_000 || amount != 9007199254740993 {
		t.Errorf("attributes %s, expires_at %d, amount %d", attributes, expires, amount)
	}
}

func TestPurge(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "purge.db")
	at := time.Unix(1_700_000_000, 0)
	put := func(tab *Table, partition string, expires time.Time) {
		t.Helper()
		r := table.Record{Key: table.Key{Space: table.Main, Partition: partition, Sort: "s"}, ExpiresAt: expires,
			Index: map[string]table.IndexKey{"due": {Partition: "due", Sort: partition}}}
		if err := tab.Write(t.Context(), table.Put(r)); err != nil {
			t.Fatal(err)
		}
	}
	count := func(tab *Table, want int) {
		t.Helper()
		for _, name := range []string{"main_records", "main_index"} {
			var got int
			if row(t, tab, `SELECT count(*) FROM `+name, &got); got != want {
				t.Fatalf("%s holds %d; want %d", name, got, want)
			}
		}
	}
	first := open(t, path)
	first.now = func() time.Time { return at }
	for i := range 3 {
		put(first, string(rune('a'+i)), at.Add(time.Duration(i-1)*time.Second))
	}
	put(first, "never", time.Time{})
	count(first, 4)
	if n, err := first.Purge(t.Context(), at); n != 2 || err != nil {
		t.Fatalf("Purge = %d, %v; want 2", n, err)
	}
	count(first, 2)
	// A write long after purges by itself.
	first.now = func() time.Time { return at.Add(2 * purgeEvery) }
	put(first, "later", at.Add(time.Minute))
	count(first, 1)
	// So does Open.
	first.now = func() time.Time { return at }
	put(first, "expired", at)
	count(open(t, path), 1)
}

func BenchmarkFile(b *testing.B) {
	tabletest.Bench(b, open(b, filepath.Join(b.TempDir(), "bench.db")))
}

func BenchmarkMemory(b *testing.B) { tabletest.Bench(b, open(b, ":memory:")) }
