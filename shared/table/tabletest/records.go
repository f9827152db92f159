package tabletest

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"momoproxy/shared/table"
)

func testRoundTrip(t *testing.T, tab table.Table) {
	for _, space := range []table.Space{table.Main, table.Audit} {
		r := table.Record{
			Key: table.Key{Space: space, Partition: unique("p#é €"), Sort: "s/\U0001F4B6 \"'\\%_"},
			Attributes: map[string]any{
				"text":          "payé 支付 \U0001F4B6 \u2028 <&> \x00 \x7f \t\n\"'\\",
				"empty":         "",
				"looks_numeric": "12345678901234567890",
				"looks_bytes":   `{"$bytes":"AAAA"}`,
				"max":           int64(math.MaxInt64),
				"min":           int64(math.MinInt64),
				"above_double":  int64(1<<53 + 1),
				"zero":          int64(0),
				"minus_one":     int64(-1),
				"yes":           true,
				"no":            false,
				"bytes":         []byte{0, 1, 0xff, 0xfe, '\n', '"'},
				"no_bytes":      []byte{},
				"name":          "DynamoDB's own reserved words are fine as names",
				"status":        "so is this",
				"a1_2":          "x",
				"z":             strings.Repeat("long ", 10_000),
			},
		}
		if space == table.Main {
			r.Index = map[string]table.IndexKey{
				"due":       {Partition: unique("due"), Sort: "2026-11-21T00:00:00Z#é"},
				"list":      {Partition: unique("list"), Sort: "\U0001F4B6"},
				"attention": {Partition: unique("attention"), Sort: "held#\u00e9"},
			}
			r.ExpiresAt = time.Date(2199, 12, 31, 23, 59, 59, 0, time.UTC)
		}
		mustWrite(t, tab, table.Put(r))
		r.Version = 1
		wantRecord(t, tab, r)
		got := all(t, tab, table.Query{Space: space, Partition: r.Partition})
		if diff := cmp.Diff([]table.Record{r}, got, same); diff != "" {
			t.Errorf("Query (-want +got):\n%s", diff)
		}
	}
}

func testEmptyAndNil(t *testing.T, tab table.Table) {
	bare := table.Record{Key: key(unique("p"), "bare")}
	void := table.Record{Key: key(bare.Partition, "void"),
		Attributes: map[string]any{"nil_bytes": []byte(nil)}, Index: map[string]table.IndexKey{}}
	mustWrite(t, tab, table.Put(bare))
	mustWrite(t, tab, table.Put(void))
	bare.Version, void.Version = 1, 1
	wantRecord(t, tab, bare)
	wantRecord(t, tab, void)
	got, err := tab.Get(t.Context(), void.Key)
	if err != nil {
		t.Fatal(err)
	}
	if b, ok := got.Attributes["nil_bytes"].([]byte); !ok || b == nil {
		t.Errorf("nil bytes came back as %#v; want an empty slice", got.Attributes["nil_bytes"])
	}
	if got, err := tab.Get(t.Context(), bare.Key); err != nil || got.Attributes == nil || got.Index == nil {
		t.Errorf("Get = %#v, %v; want maps that can be written to", got, err)
	}
	// No ops are no work.
	mustWrite(t, tab)
}

// testNoAliases changes what went in and what came out; the store must not
// notice.
func testNoAliases(t *testing.T, tab table.Table) {
	fresh := func() table.Record {
		return table.Record{Key: key("", "s"),
			Attributes: map[string]any{"text": "a", "bytes": []byte("abc")},
			Index:      map[string]table.IndexKey{"due": {Partition: "x", Sort: "y"}}}
	}
	partition, due := unique("p"), unique("due")
	want, given := fresh(), fresh()
	for _, r := range []*table.Record{&want, &given} {
		r.Partition = partition
		r.Index["due"] = table.IndexKey{Partition: due, Sort: "y"}
	}
	want.Version = 1
	spoil := func(r table.Record) {
		r.Attributes["text"] = "changed"
		r.Attributes["more"] = int64(1)
		if b, ok := r.Attributes["bytes"].([]byte); ok {
			b[0] = 'X'
		}
		delete(r.Index, "due")
	}
	mustWrite(t, tab, table.Put(given))
	spoil(given)
	wantRecord(t, tab, want)
	got, err := tab.Get(t.Context(), want.Key)
	if err != nil {
		t.Fatal(err)
	}
	spoil(got)
	wantRecord(t, tab, want)
	spoil(all(t, tab, table.Query{Space: table.Main, Partition: partition})[0])
	wantRecord(t, tab, want)
	conflict := tab.Write(t.Context(), table.Check(want.Key, 7))
	wantConflict(t, conflict, table.OpConflict{Op: 0, Key: want.Key, Current: want})
	spoil(conflict.(*table.ConflictError).Ops[0].Current)
	wantRecord(t, tab, want)
}

func testExpiry(t *testing.T, tab table.Table) {
	at := time.Date(2199, 1, 2, 3, 4, 5, 999_999_999, time.FixedZone("", 7200))
	r := table.Record{Key: key(unique("p"), "s"), ExpiresAt: at}
	mustWrite(t, tab, table.Put(r))
	r.Version, r.ExpiresAt = 1, at.Truncate(time.Second).UTC()
	wantRecord(t, tab, r)
	// Leaving the time out keeps the record.
	r.ExpiresAt = time.Time{}
	mustWrite(t, tab, table.Put(r))
	r.Version = 2
	wantRecord(t, tab, r)
}

func testVersions(t *testing.T, tab table.Table) {
	r := table.Record{Key: key(unique("p"), "s"), Attributes: map[string]any{"n": int64(0), "gone": "x"}}
	wantAbsent(t, tab, r.Key)
	mustWrite(t, tab, table.Put(r))
	for version := int64(1); version < 5; version++ {
		r.Version = version
		wantRecord(t, tab, r)
		// A Put replaces the record: attributes left out are gone.
		r.Attributes = map[string]any{"n": version}
		mustWrite(t, tab, table.Put(r))
	}
	r.Version = 5
	wantRecord(t, tab, r)
	mustWrite(t, tab, table.Check(r.Key, 5))
	wantRecord(t, tab, r)
	mustWrite(t, tab, table.Delete(r.Key, 5))
	wantAbsent(t, tab, r.Key)
	mustWrite(t, tab, table.Check(r.Key, 0))
	r.Version = 0
	mustWrite(t, tab, table.Put(r))
	r.Version = 1
	wantRecord(t, tab, r)
}

func testReadsSeeWrites(t *testing.T, tab table.Table) {
	r := table.Record{Key: key(unique("p"), "s"), Attributes: map[string]any{"n": int64(0)}}
	for n := range int64(30) {
		r.Attributes["n"] = n
		mustWrite(t, tab, table.Put(r))
		r.Version++
		wantRecord(t, tab, r)
		got := all(t, tab, table.Query{Space: table.Main, Partition: r.Partition})
		if diff := cmp.Diff([]table.Record{r}, got, same); diff != "" {
			t.Fatalf("Query after Write (-want +got):\n%s", diff)
		}
	}
	mustWrite(t, tab, table.Delete(r.Key, r.Version))
	wantAbsent(t, tab, r.Key)
	if got := all(t, tab, table.Query{Space: table.Main, Partition: r.Partition}); len(got) > 0 {
		t.Fatalf("Query after Delete: %v", got)
	}
}
