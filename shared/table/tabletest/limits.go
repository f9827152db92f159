package tabletest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"momoproxy/shared/table"
)

func testLimitsOfWrites(t *testing.T, tab table.Table) {
	p := unique("p")
	fine := table.Put(table.Record{Key: key(p, "fine")})
	with := func(change func(*table.Record)) table.Op {
		r := table.Record{Key: key(p, "bad"), Attributes: map[string]any{}, Index: map[string]table.IndexKey{}}
		change(&r)
		return table.Put(r)
	}
	attribute := func(name string, v any) table.Op {
		return with(func(r *table.Record) { r.Attributes[name] = v })
	}
	bad := map[string]table.Op{
		"no space":          with(func(r *table.Record) { r.Space = "" }),
		"unknown space":     with(func(r *table.Record) { r.Space = "other" }),
		"empty partition":   with(func(r *table.Record) { r.Partition = "" }),
		"empty sort":        with(func(r *table.Record) { r.Sort = "" }),
		"long partition":    with(func(r *table.Record) { r.Partition = strings.Repeat("p", 1025) }),
		"long sort":         with(func(r *table.Record) { r.Sort = strings.Repeat("s", 1025) }),
		"NUL in sort":       with(func(r *table.Record) { r.Sort = "a\x00b" }),
		"sort not UTF-8":    with(func(r *table.Record) { r.Sort = "a\xff" }),
		"negative version":  with(func(r *table.Record) { r.Version = -1 }),
		"int":               attribute("n", 1),
		"float":             attribute("n", 1.5),
		"nil":               attribute("n", nil),
		"list":              attribute("n", []string{"a"}),
		"map":               attribute("n", map[string]any{}),
		"time":              attribute("n", time.Now()),
		"text not UTF-8":    attribute("n", "a\xff"),
		"empty name":        attribute("", "x"),
		"name _write":       attribute("_write", "x"),
		"name Upper":        attribute("Upper", "x"),
		"name with dash":    attribute("a-b", "x"),
		"name with a digit": attribute("1a", "x"),
		"name not ASCII":    attribute("é", "x"),
		"reserved pk":       attribute("pk", "x"),
		"reserved version":  attribute("version", int64(1)),
		"reserved expiry":   attribute("expires_at", int64(1)),
		"reserved index":    attribute("due_pk", "x"),
		"unknown index":     with(func(r *table.Record) { r.Index["other"] = table.IndexKey{Partition: "p", Sort: "s"} }),
		"empty index part":  with(func(r *table.Record) { r.Index["due"] = table.IndexKey{Sort: "s"} }),
		"empty index sort":  with(func(r *table.Record) { r.Index["due"] = table.IndexKey{Partition: "p"} }),
		"expiry before all": with(func(r *table.Record) { r.ExpiresAt = time.Unix(-1, 0) }),
		"delete version 0":  table.Delete(key(p, "bad"), 0),
		"check below 0":     table.Check(key(p, "bad"), -1),
		"no kind":           {Record: table.Record{Key: key(p, "bad")}},
		"same key twice":    table.Check(key(p, "fine"), 0),
	}
	for name, op := range bad {
		if name != "same key twice" {
			wantInvalid(t, name, tab.Write(t.Context(), op))
		}
		wantInvalid(t, name+" among others", tab.Write(t.Context(), fine, op))
	}
	wantAbsent(t, tab, fine.Record.Key)
	wantAbsent(t, tab, key(p, "bad"))

	long := table.Record{Key: key(unique(strings.Repeat("p", 990)), strings.Repeat("s", 1024)),
		Attributes: map[string]any{strings.Repeat("n", 255): "x"}}
	mustWrite(t, tab, table.Put(long))
	long.Version = 1
	wantRecord(t, tab, long)
}

func testHundredOps(t *testing.T, tab table.Table) {
	p := unique("p")
	var ops []table.Op
	for i := range 101 {
		space := table.Main
		if i%10 == 0 {
			space = table.Audit
		}
		ops = append(ops, table.Put(table.Record{Key: table.Key{Space: space, Partition: p, Sort: fmt.Sprintf("%03d", i)}}))
	}
	wantInvalid(t, "101 ops", tab.Write(t.Context(), ops...))
	if got := all(t, tab, table.Query{Space: table.Main, Partition: p}); len(got) != 0 {
		t.Fatalf("101 ops: %d records were written", len(got))
	}
	mustWrite(t, tab, ops[:100]...)
	got := len(all(t, tab, table.Query{Space: table.Main, Partition: p, Limit: 7}))
	got += len(all(t, tab, table.Query{Space: table.Audit, Partition: p, Limit: 7}))
	if got != 100 {
		t.Fatalf("100 ops: %d records were written", got)
	}
}

func testLargeRecords(t *testing.T, tab table.Table) {
	p := unique("p")
	large := func(sort string, bytes int) table.Record {
		r := table.Record{Key: key(p, sort), Attributes: map[string]any{"body": ""}}
		r.Attributes["body"] = strings.Repeat("x", bytes-table.Size(r))
		return r
	}
	// Not the last per cent, which one of the DynamoDB engines refuses.
	largest := large("largest", 395<<10)
	mustWrite(t, tab, table.Put(largest))
	largest.Version = 1
	wantRecord(t, tab, largest)

	wantInvalid(t, "a record one byte larger", tab.Write(t.Context(), table.Put(large("over", table.MaxRecordBytes+1))))
	wantInvalid(t, "a larger record among others", tab.Write(t.Context(),
		table.Put(large("small", 1000)), table.Put(large("over", table.MaxRecordBytes+1))))
	wantAbsent(t, tab, key(p, "small"))

	var ops []table.Op
	for i := range 11 {
		ops = append(ops, table.Put(large(fmt.Sprint("part", i), 390<<10)))
	}
	wantInvalid(t, "a write over 4 MiB", tab.Write(t.Context(), ops...))
	wantAbsent(t, tab, key(p, "part0"))
	mustWrite(t, tab, ops[:10]...)
}

func testBadReads(t *testing.T, tab table.Table) {
	ctx := t.Context()
	for name, k := range map[string]table.Key{
		"no space":        {Partition: "p", Sort: "s"},
		"empty partition": key("", "s"),
		"empty sort":      key("p", ""),
		"not UTF-8":       key("p", "\xff"),
		"long sort":       key("p", strings.Repeat("s", 1025)),
	} {
		_, err := tab.Get(ctx, k)
		wantInvalid(t, "Get: "+name, err)
	}
	for name, q := range map[string]table.Query{
		"no space":        {Partition: "p"},
		"empty partition": {Space: table.Main},
		"unknown index":   {Space: table.Main, Index: "other", Partition: "p"},
		"index of audit":  {Space: table.Audit, Index: "due", Partition: "p"},
		"limit below 0":   {Space: table.Main, Partition: "p", Limit: -1},
		"limit 1001":      {Space: table.Main, Partition: "p", Limit: 1001},
		"From not UTF-8":  {Space: table.Main, Partition: "p", From: "\xff"},
		"To with NUL":     {Space: table.Main, Partition: "p", To: "\x00"},
	} {
		_, err := tab.Query(ctx, q)
		wantInvalid(t, "Query: "+name, err)
	}
}
