package tabletest

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"momoproxy/shared/table"
)

// ordered are sorts in bytewise order, where a collation would differ.
var ordered = []string{" ", "#", "0", "10", "2", "A", "Z", "_", "a", "a#1", "a#10", "a#2", "ab", "b", "z", "~", "é", "ﬀ", "\U0001F4B6"}

// fill writes records with the sorts, in another order than theirs.
func fill(t *testing.T, tab table.Table, sorts []string) (partition string) {
	t.Helper()
	partition = unique("walk")
	var ops []table.Op
	for i := range sorts {
		s := sorts[(i*7+3)%len(sorts)]
		ops = append(ops, table.Put(table.Record{Key: key(partition, s), Attributes: map[string]any{"sort_was": s}}))
	}
	mustWrite(t, tab, ops...)
	// A neighbour in each direction must not show up.
	mustWrite(t, tab, table.Put(table.Record{Key: key(partition+"x", "a")}), table.Put(table.Record{Key: key(partition[:len(partition)-1], "a")}))
	return partition
}

func testWalk(t *testing.T, tab table.Table) {
	p := fill(t, tab, ordered)
	for _, limit := range []int{0, 1, 2, 3, len(ordered) - 1, len(ordered), len(ordered) + 1, 1000} {
		for _, descending := range []bool{false, true} {
			want := slices.Clone(ordered)
			if descending {
				slices.Reverse(want)
			}
			got := all(t, tab, table.Query{Space: table.Main, Partition: p, Limit: limit, Descending: descending})
			if diff := cmp.Diff(want, sorts(got)); diff != "" {
				t.Errorf("limit %d, descending %t (-want +got):\n%s", limit, descending, diff)
			}
			for _, r := range got {
				if r.Attributes["sort_was"] != r.Sort || r.Version != 1 {
					t.Errorf("record %v is not whole", r)
				}
			}
		}
	}
	if got := all(t, tab, table.Query{Space: table.Main, Partition: unique("none")}); len(got) != 0 {
		t.Errorf("an empty partition holds %v", got)
	}
}

func testWalkBounds(t *testing.T, tab table.Table) {
	p := fill(t, tab, ordered)
	for _, b := range []struct{ from, to string }{
		{"", "a"}, {"a", ""}, {"a", "b"}, {"a#", "a$"}, {"a#1", "a#2"}, {"a", "a"}, {"b", "a"}, {"A", "A\U0010FFFF"},
		{"!", "\U0010FFFF"}, {"\U0010FFFF", ""}, {"", " "}, {"é", "\U0001F4B6"}, {"aa", "ab"}, {"a#10", "b"},
	} {
		want := []string{}
		for _, s := range ordered {
			if (b.from == "" || s >= b.from) && (b.to == "" || s < b.to) {
				want = append(want, s)
			}
		}
		for _, limit := range []int{1, 2, 100} {
			for _, descending := range []bool{false, true} {
				got := sorts(all(t, tab, table.Query{Space: table.Main, Partition: p, From: b.from, To: b.to, Limit: limit, Descending: descending}))
				if descending {
					slices.Reverse(got)
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("from %q to %q, limit %d, descending %t (-want +got):\n%s", b.from, b.to, limit, descending, diff)
				}
			}
		}
	}
}

// testWalkWhileOthersWrite changes the partition between pages: the walk goes
// on behind its last record, sees what is added ahead of it and not what is
// added behind, and survives the deletion of the record it stands on.
func testWalkWhileOthersWrite(t *testing.T, tab table.Table) {
	for _, descending := range []bool{false, true} {
		p := fill(t, tab, []string{"b", "d", "f", "h"})
		ahead, behind, on := "g", "a", "d"
		first, rest := []string{"b", "d"}, []string{"f", "g", "h"}
		if descending {
			ahead, behind, on = "a", "g", "f"
			first, rest = []string{"h", "f"}, []string{"d", "b", "a"}
		}
		q := table.Query{Space: table.Main, Partition: p, Limit: 2, Descending: descending}
		page, err := tab.Query(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(first, sorts(page.Records)); diff != "" {
			t.Fatalf("first page (-want +got):\n%s", diff)
		}
		mustWrite(t, tab, table.Put(table.Record{Key: key(p, ahead)}), table.Put(table.Record{Key: key(p, behind)}),
			table.Delete(key(p, on), 1))
		q.After = page.Next
		if diff := cmp.Diff(rest, sorts(all(t, tab, q))); diff != "" {
			t.Errorf("descending %t: the rest (-want +got):\n%s", descending, diff)
		}
		// The same page once more, and with another limit.
		q.Limit = 1
		if diff := cmp.Diff(rest, sorts(all(t, tab, q))); diff != "" {
			t.Errorf("descending %t: again (-want +got):\n%s", descending, diff)
		}
	}
}

// testWalkLargeRecords walks more than an engine returns at once.
func testWalkLargeRecords(t *testing.T, tab table.Table) {
	p := unique("large")
	var want []string
	for i := range 8 {
		s := fmt.Sprint(i)
		want = append(want, s)
		mustWrite(t, tab, table.Put(table.Record{Key: key(p, s), Attributes: map[string]any{"body": strings.Repeat("x", 350<<10)}}))
	}
	got := all(t, tab, table.Query{Space: table.Main, Partition: p, Limit: 1000})
	if diff := cmp.Diff(want, sorts(got)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func testCursors(t *testing.T, tab table.Table) {
	p := fill(t, tab, ordered)
	due := unique("due")
	for _, s := range []string{"1", "2", "3"} {
		mustWrite(t, tab, table.Put(table.Record{Key: key(p, "due"+s), Index: map[string]table.IndexKey{"due": {Partition: due, Sort: s}}}))
	}
	base := table.Query{Space: table.Main, Partition: p, Limit: 2}
	page, err := tab.Query(t.Context(), base)
	if err != nil || page.Next == "" {
		t.Fatalf("Query = %v, %v", page, err)
	}
	index := table.Query{Space: table.Main, Index: "due", Partition: due, Limit: 2}
	var indexPage table.Page
	eventually(t, "the index", func() bool {
		indexPage, err = tab.Query(t.Context(), index)
		return err != nil || indexPage.Next != ""
	})
	if err != nil {
		t.Fatal(err)
	}
	with := func(q table.Query, change func(*table.Query)) table.Query {
		q.After = page.Next
		change(&q)
		return q
	}
	flip := func(s string, at int) string {
		b := []byte(s)
		if b[at]++; b[at] == 'z'+1 || b[at] == 'Z'+1 {
			b[at] = 'a'
		}
		return string(b)
	}
	for name, q := range map[string]table.Query{
		"garbage":            with(base, func(q *table.Query) { q.After = "garbage!" }),
		"base64 garbage":     with(base, func(q *table.Query) { q.After = base64.RawURLEncoding.EncodeToString([]byte("{}")) }),
		"cut":                with(base, func(q *table.Query) { q.After = q.After[:len(q.After)-3] }),
		"extended":           with(base, func(q *table.Query) { q.After += "AAAA" }),
		"very long":          with(base, func(q *table.Query) { q.After = strings.Repeat("A", 1<<20) }),
		"changed":            with(base, func(q *table.Query) { q.After = flip(q.After, 8) }),
		"another partition":  with(base, func(q *table.Query) { q.Partition += "x" }),
		"another space":      with(base, func(q *table.Query) { q.Space = table.Audit }),
		"another direction":  with(base, func(q *table.Query) { q.Descending = true }),
		"other bounds":       with(base, func(q *table.Query) { q.From = "a" }),
		"of the space":       with(index, func(*table.Query) {}),
		"of the index":       with(base, func(q *table.Query) { q.After = indexPage.Next }),
		"of another index":   with(index, func(q *table.Query) { q.After, q.Index = indexPage.Next, "list" }),
		"of another's index": with(index, func(q *table.Query) { q.After, q.Partition = indexPage.Next, due+"x" }),
	} {
		_, err := tab.Query(t.Context(), q)
		wantInvalid(t, "cursor "+name, err)
	}
}
