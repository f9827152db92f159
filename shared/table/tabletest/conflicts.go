package tabletest

import (
	"fmt"
	"testing"

	"momoproxy/shared/table"
)

func testConflicts(t *testing.T, tab table.Table) {
	stored := table.Record{Key: key(unique("p"), "stored"), Attributes: map[string]any{"n": int64(1)}}
	mustWrite(t, tab, table.Put(stored))
	stored.Version = 1
	mustWrite(t, tab, table.Put(stored))
	stored.Version = 2
	absent := key(stored.Partition, "absent")

	put := func(k table.Key, version int64) table.Op {
		return table.Put(table.Record{Key: k, Version: version, Attributes: map[string]any{"n": int64(9)}})
	}
	for name, op := range map[string]table.Op{
		"put new over stored":    put(stored.Key, 0),
		"put older":              put(stored.Key, 1),
		"put newer":              put(stored.Key, 3),
		"put of a deleted one":   put(absent, 1),
		"delete older":           table.Delete(stored.Key, 1),
		"delete newer":           table.Delete(stored.Key, 3),
		"delete of an absent":    table.Delete(absent, 1),
		"check absent, stored":   table.Check(stored.Key, 0),
		"check older":            table.Check(stored.Key, 1),
		"check stored, absent":   table.Check(absent, 1),
		"put a newer absent one": put(absent, 5),
	} {
		t.Run(name, func(t *testing.T) {
			want := table.OpConflict{Op: 0, Key: op.Record.Key, Current: table.Record{Key: absent}}
			if op.Record.Key == stored.Key {
				want.Current = stored
			}
			// Alone it may take another path than among others.
			wantConflict(t, tab.Write(t.Context(), op), want)
			other := put(key(stored.Partition, "other"), 0)
			want.Op = 1
			wantConflict(t, tab.Write(t.Context(), other, op), want)
			wantAbsent(t, tab, other.Record.Key)
			wantRecord(t, tab, stored)
			wantAbsent(t, tab, absent)
		})
	}
}

// testConflictCarriesCurrent has several ops conflict at once: all are
// reported, in order, each with the whole stored record.
func testConflictCarriesCurrent(t *testing.T, tab table.Table) {
	p := unique("p")
	whole := table.Record{Key: key(p, "a"),
		Attributes: map[string]any{"text": "", "n": int64(-7), "yes": true, "bytes": []byte{1}},
		Index:      map[string]table.IndexKey{"list": {Partition: unique("l"), Sort: "s"}}}
	audit := table.Record{Key: table.Key{Space: table.Audit, Partition: p, Sort: "b"},
		Attributes: map[string]any{"text": "audit"}}
	mustWrite(t, tab, table.Put(whole), table.Put(audit))
	whole.Version, audit.Version = 1, 1

	err := tab.Write(t.Context(),
		table.Put(table.Record{Key: key(p, "fine")}),
		table.Put(table.Record{Key: whole.Key}),
		table.Check(key(p, "fine too"), 0),
		table.Put(table.Record{Key: audit.Key}),
		table.Delete(key(p, "absent"), 3),
	)
	wantConflict(t, err,
		table.OpConflict{Op: 1, Key: whole.Key, Current: whole},
		table.OpConflict{Op: 3, Key: audit.Key, Current: audit},
		table.OpConflict{Op: 4, Key: key(p, "absent"), Current: table.Record{Key: key(p, "absent")}},
	)
	wantAbsent(t, tab, key(p, "fine"))
	// What a conflict carries is good for the next try.
	current, _ := err.(*table.ConflictError).On(whole.Key)
	current.Attributes["text"] = "second"
	mustWrite(t, tab, table.Put(current))
	current.Version++
	wantRecord(t, tab, current)
}

func testAllOrNothing(t *testing.T, tab table.Table) {
	p := unique("p")
	record := func(space table.Space, sort string, version int64) table.Record {
		return table.Record{Key: table.Key{Space: space, Partition: p, Sort: sort}, Version: version,
			Attributes: map[string]any{"from": fmt.Sprint(version)}}
	}
	mustWrite(t, tab,
		table.Put(record(table.Main, "changed", 0)),
		table.Put(record(table.Main, "deleted", 0)),
		table.Put(record(table.Main, "checked", 0)),
		table.Put(record(table.Audit, "1", 0)))

	good := []table.Op{
		table.Put(record(table.Main, "changed", 1)),
		table.Delete(key(p, "deleted"), 1),
		table.Check(key(p, "checked"), 1),
		table.Put(record(table.Main, "created", 0)),
		table.Put(record(table.Audit, "2", 0)),
	}
	bad := []table.Op{
		table.Check(key(p, "checked"), 2),
		table.Check(key(p, "other"), 1),
		table.Put(record(table.Audit, "1", 0)),
		table.Delete(key(p, "nothing"), 1),
	}
	for i, b := range bad {
		for at := range len(good) + 1 {
			ops := append(append(append([]table.Op{}, good[:at]...), b), good[at:]...)
			if i == 0 { // the same key may not come twice
				ops = append(append([]table.Op{}, good[:2]...), b, good[3], good[4])
			}
			if err := tab.Write(t.Context(), ops...); err == nil {
				t.Fatalf("bad op %d at %d: Write succeeded", i, at)
			}
			was := record(table.Main, "changed", 0)
			was.Version = 1
			wantRecord(t, tab, was)
			was = record(table.Main, "deleted", 0)
			was.Version = 1
			wantRecord(t, tab, was)
			wantAbsent(t, tab, key(p, "created"))
			wantAbsent(t, tab, record(table.Audit, "2", 0).Key)
		}
	}

	mustWrite(t, tab, good...)
	now := record(table.Main, "changed", 1)
	now.Version = 2
	wantRecord(t, tab, now)
	wantAbsent(t, tab, key(p, "deleted"))
	for _, r := range []table.Record{record(table.Main, "created", 0), record(table.Audit, "2", 0)} {
		r.Version = 1
		wantRecord(t, tab, r)
	}
	was := record(table.Main, "checked", 0)
	was.Version = 1
	wantRecord(t, tab, was)
}

func testAuditIsAppendOnly(t *testing.T, tab table.Table) {
	r := table.Record{Key: table.Key{Space: table.Audit, Partition: unique("p"), Sort: "s"},
		Attributes: map[string]any{"n": int64(1)}}
	mustWrite(t, tab, table.Put(r))
	// Main has a record under the same key: the spaces are apart.
	twin := table.Record{Key: key(r.Partition, "s"), Attributes: map[string]any{"n": int64(2)}}
	mustWrite(t, tab, table.Put(twin))
	r.Version, twin.Version = 1, 1

	ctx := t.Context()
	wantInvalid(t, "change of an audit record", tab.Write(ctx, table.Put(r)))
	wantInvalid(t, "deletion of an audit record", tab.Write(ctx, table.Delete(r.Key, 1)))
	wantInvalid(t, "deletion among others", tab.Write(ctx, table.Put(twin), table.Delete(r.Key, 1)))
	wantInvalid(t, "an indexed audit record", tab.Write(ctx, table.Put(table.Record{
		Key:   table.Key{Space: table.Audit, Partition: r.Partition, Sort: "indexed"},
		Index: map[string]table.IndexKey{"due": {Partition: "p", Sort: "s"}}})))
	again := r
	again.Version = 0
	wantConflict(t, tab.Write(ctx, table.Put(again)), table.OpConflict{Op: 0, Key: r.Key, Current: r})
	mustWrite(t, tab, table.Check(r.Key, 1))
	wantRecord(t, tab, r)
	wantRecord(t, tab, twin)

	// Erase takes something out of it, under its version.
	erased := r
	erased.Attributes = map[string]any{"n": int64(0)}
	mustWrite(t, tab, table.Erase(erased))
	wantConflict(t, tab.Write(ctx, table.Erase(erased)), table.OpConflict{Op: 0, Key: r.Key, Current: after(erased)})
	wantRecord(t, tab, after(erased))
	absent, main := erased, twin
	absent.Version = 0
	wantInvalid(t, "erasing from what is not there", tab.Write(ctx, table.Erase(absent)))
	wantInvalid(t, "erasing from the main table", tab.Write(ctx, table.Erase(main)))
}

// after is a record as a Write leaves it.
func after(r table.Record) table.Record {
	r.Version++
	return r
}
