package tabletest_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"momoproxy/shared/table"
	"momoproxy/shared/table/memory"
	"momoproxy/shared/table/tabletest"
)

// TestFaultyWithoutFaults: the wrapper itself changes nothing.
func TestFaultyWithoutFaults(t *testing.T) {
	t.Parallel()
	tabletest.Run(t, func(*testing.T) table.Table {
		return tabletest.Faulty(memory.New(), func(string, []table.Key) tabletest.Fault { return tabletest.Fault{} })
	})
}

func TestFaulty(t *testing.T) {
	t.Parallel()
	own := errors.New("own")
	k := table.Key{Space: table.Main, Partition: "p", Sort: "s"}
	audit := table.Key{Space: table.Audit, Partition: "p", Sort: "s"}
	for _, c := range []struct {
		fault   tabletest.Fault
		want    error
		written bool
	}{
		{tabletest.Fault{}, nil, true},
		{tabletest.Fault{When: tabletest.Before}, tabletest.ErrLost, false},
		{tabletest.Fault{When: tabletest.After}, tabletest.ErrLost, true},
		{tabletest.Fault{When: tabletest.Before, Err: own}, own, false},
		{tabletest.Fault{When: tabletest.After, Err: own}, own, true},
	} {
		inner := memory.New()
		type call struct {
			Op   string
			Keys []table.Key
		}
		var calls []call
		tab := tabletest.Faulty(inner, func(op string, keys []table.Key) tabletest.Fault {
			calls = append(calls, call{op, keys})
			return c.fault
		})
		ctx := t.Context()
		if err := tab.Write(ctx, table.Put(table.Record{Key: k}), table.Check(audit, 0)); !errors.Is(err, c.want) {
			t.Errorf("%+v: Write = %v", c.fault, err)
		}
		_, err := inner.Get(ctx, k)
		if written := err == nil; written != c.written {
			t.Errorf("%+v: written is %t", c.fault, written)
		}
		_, err = tab.Get(ctx, k)
		if !errors.Is(err, c.want) {
			t.Errorf("%+v: Get = %v", c.fault, err)
		}
		if _, err = tab.Query(ctx, table.Query{Space: table.Audit, Partition: "p"}); !errors.Is(err, c.want) {
			t.Errorf("%+v: Query = %v", c.fault, err)
		}
		want := []call{{"write", []table.Key{k, audit}}, {"get", []table.Key{k}}, {"query", []table.Key{{Space: table.Audit, Partition: "p"}}}}
		if diff := cmp.Diff(want, calls); diff != "" {
			t.Errorf("calls (-want +got):\n%s", diff)
		}
	}
}
