package tabletest

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"momoproxy/shared/table"
)

// testGetMany: any keys in any order, also of what is not there or named twice;
// as many as there may be, also when an answer cannot hold them all.
func testGetMany(t *testing.T, tab table.Table) {
	partition := unique("p")
	var want []table.Record
	var keys []table.Key
	for i := range table.MaxKeys - 2 {
		r := table.Record{Key: key(partition+strconv.Itoa(i%3), strconv.Itoa(i)), Attributes: map[string]any{"n": int64(i)}}
		if i%7 == 0 {
			r.Space = table.Audit
		}
		if i%2 == 0 {
			r.Attributes["large"] = strings.Repeat("x", 380<<10) // 19 MiB in all; DynamoDB answers with 16
		}
		if i%5 > 0 {
			mustWrite(t, tab, table.Put(r))
			r.Version = 1
		} else {
			r.Attributes = nil
		}
		want, keys = append([]table.Record{r}, want...), append([]table.Key{r.Key}, keys...)
	}
	want, keys = append(want, want[5], want[90]), append(keys, keys[5], keys[90])
	got, err := tab.GetMany(t.Context(), keys...)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, same); diff != "" {
		t.Errorf("GetMany (-want +got):\n%.2000s", diff)
	}
	if none, err := tab.GetMany(t.Context()); err != nil || len(none) != 0 {
		t.Errorf("GetMany of nothing: %v, %v", none, err)
	}
	for name, bad := range map[string][]table.Key{
		"one too many": append(keys, keys[0]), "no sort": {keys[0], {Space: table.Main, Partition: partition}}, "no space": {{Partition: "p", Sort: "s"}},
	} {
		if _, err := tab.GetMany(t.Context(), bad...); !errors.Is(err, table.ErrInvalid) {
			t.Errorf("%s: %v; want ErrInvalid", name, err)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := tab.GetMany(ended, keys[0]); !errors.Is(err, context.Canceled) {
		t.Errorf("GetMany of a context that has ended: %v", err)
	}
}
