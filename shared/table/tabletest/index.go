package tabletest

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"momoproxy/shared/table"
)

// indexed returns what the index shows, once it shows n records.
func indexed(t *testing.T, tab table.Table, q table.Query, n int) []table.Record {
	t.Helper()
	var got []table.Record
	eventually(t, fmt.Sprintf("%d records in %s/%s", n, q.Index, q.Partition), func() bool {
		got = all(t, tab, q)
		return len(got) == n
	})
	return got
}

func testSparseIndex(t *testing.T, tab table.Table) {
	p, dueA, dueB, list := unique("p"), unique("due"), unique("due"), unique("list")
	q := func(index, partition string) table.Query {
		return table.Query{Space: table.Main, Index: index, Partition: partition}
	}
	entry := func(k table.Key, index, partition, sort string) []table.Record {
		return []table.Record{{Key: k, Index: map[string]table.IndexKey{index: {Partition: partition, Sort: sort}}}}
	}
	check := func(step string, q table.Query, want []table.Record) {
		t.Helper()
		got := indexed(t, tab, q, len(want))
		if len(want) == 0 {
			return
		}
		eventually(t, step, func() bool {
			got = all(t, tab, q)
			return cmp.Equal(want, got, same)
		})
	}
	r := table.Record{Key: key(p, "r"), Attributes: map[string]any{"text": "x"}}
	mustWrite(t, tab, table.Put(r))
	check("in none", q("due", dueA), nil)

	put := func(index map[string]table.IndexKey) {
		t.Helper()
		r.Version++
		r.Index = index
		mustWrite(t, tab, table.Put(r))
		got := r
		got.Version++
		wantRecord(t, tab, got)
	}
	put(map[string]table.IndexKey{"due": {Partition: dueA, Sort: "1"}, "list": {Partition: list, Sort: "9"}})
	check("in: due", q("due", dueA), entry(r.Key, "due", dueA, "1"))
	check("in: list shows its own entry only", q("list", list), entry(r.Key, "list", list, "9"))

	put(map[string]table.IndexKey{"due": {Partition: dueA, Sort: "2"}, "list": {Partition: list, Sort: "9"}})
	check("moved within", q("due", dueA), entry(r.Key, "due", dueA, "2"))
	check("the other stays", q("list", list), entry(r.Key, "list", list, "9"))

	put(map[string]table.IndexKey{"due": {Partition: dueB, Sort: "2"}})
	check("moved away", q("due", dueA), nil)
	check("moved to", q("due", dueB), entry(r.Key, "due", dueB, "2"))
	check("out of the other", q("list", list), nil)

	put(nil)
	check("out", q("due", dueB), nil)

	put(map[string]table.IndexKey{"due": {Partition: dueA, Sort: "3"}})
	check("in again", q("due", dueA), entry(r.Key, "due", dueA, "3"))
	// A conflict moves nothing.
	stale := r
	stale.Index = map[string]table.IndexKey{"due": {Partition: dueB, Sort: "4"}}
	if err := tab.Write(t.Context(), table.Put(stale)); err == nil {
		t.Fatal("a stale put succeeded")
	}
	check("after a conflict", q("due", dueA), entry(r.Key, "due", dueA, "3"))
	check("after a conflict", q("due", dueB), nil)

	mustWrite(t, tab, table.Delete(r.Key, r.Version+1))
	check("deleted", q("due", dueA), nil)
}

// testIndexWalk has many records at the same places of an index.
func testIndexWalk(t *testing.T, tab table.Table) {
	p, due := unique("p"), unique("due")
	at := []string{"1", "2", "2", "2", "2", "2", "3", "4", "4", "é"}
	var ops []table.Op
	for i, sort := range at {
		ops = append(ops, table.Put(table.Record{Key: key(fmt.Sprint(p, i%3), fmt.Sprint("s", i)),
			Attributes: map[string]any{"text": "x"},
			Index:      map[string]table.IndexKey{"due": {Partition: due, Sort: sort}, "list": {Partition: due, Sort: "z"}}}))
	}
	mustWrite(t, tab, ops...)
	indexed(t, tab, table.Query{Space: table.Main, Index: "due", Partition: due}, len(at))
	for _, b := range []struct{ from, to string }{{"", ""}, {"2", ""}, {"", "4"}, {"2", "4"}, {"2", "2"}, {"2", "3"}, {"3", "2"}, {"5", ""}, {"4", "z"}} {
		want := []string{}
		for _, s := range at {
			if (b.from == "" || s >= b.from) && (b.to == "" || s < b.to) {
				want = append(want, s)
			}
		}
		for _, limit := range []int{1, 2, 3, 10, 11} {
			for _, descending := range []bool{false, true} {
				q := table.Query{Space: table.Main, Index: "due", Partition: due, From: b.from, To: b.to, Limit: limit, Descending: descending}
				what := fmt.Sprintf("from %q to %q, limit %d, descending %t", b.from, b.to, limit, descending)
				got, seen := []string{}, map[table.Key]bool{}
				for _, r := range all(t, tab, q) {
					if seen[r.Key] {
						t.Errorf("%s: %s twice", what, r.Key)
					}
					seen[r.Key] = true
					if r.Version != 0 || len(r.Attributes) != 0 || len(r.Index) != 1 || r.Index["due"].Partition != due {
						t.Errorf("%s: %v carries more or less than its entry", what, r)
					}
					got = append(got, r.Index["due"].Sort)
				}
				if descending {
					slices.Reverse(got)
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%s (-want +got):\n%s", what, diff)
				}
			}
		}
	}
}
