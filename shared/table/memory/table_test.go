package memory_test

import (
	"testing"
	"time"

	"momoproxy/shared/table"
	"momoproxy/shared/table/memory"
	"momoproxy/shared/table/tabletest"
)

func TestContract(t *testing.T) {
	t.Parallel()
	tabletest.Run(t, func(*testing.T) table.Table { return memory.New() })
}

func TestPurge(t *testing.T) {
	t.Parallel()
	tab := memory.New()
	at := time.Unix(1_800_000_000, 0)
	for sort, expires := range map[string]time.Time{"early": at.Add(-time.Second), "now": at, "late": at.Add(time.Second), "never": {}} {
		r := table.Record{Key: table.Key{Space: table.Main, Partition: "p", Sort: sort}, ExpiresAt: expires,
			Index: map[string]table.IndexKey{"due": {Partition: "due", Sort: sort}}}
		if err := tab.Write(t.Context(), table.Put(r)); err != nil {
			t.Fatal(err)
		}
	}
	if n := tab.Purge(at); n != 2 {
		t.Errorf("Purge removed %d; want 2", n)
	}
	for _, index := range []string{"", "due"} {
		partition := "p"
		if index != "" {
			partition = index
		}
		page, err := tab.Query(t.Context(), table.Query{Space: table.Main, Index: index, Partition: partition})
		if err != nil || len(page.Records) != 2 {
			t.Errorf("after Purge %q holds %v, %v", index, page.Records, err)
		}
	}
}

func BenchmarkTable(b *testing.B) { tabletest.Bench(b, memory.New()) }
