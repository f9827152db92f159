package tabletest

import (
	"fmt"
	"strings"
	"testing"

	"momoproxy/shared/table"
)

// Bench measures an adapter on records the size of a payment.
func Bench(b *testing.B, tab table.Table) {
	n := 0
	payment := func(sort string) table.Record {
		n++ // time goes on: indexes grow at their end
		at := fmt.Sprintf("2026-11-21T21:00:%09d#", n)
		return table.Record{Key: key(unique("bench"), sort),
			Attributes: map[string]any{
				"client_id": "cli_0123456789abcdef", "status": "PENDING", "amount_minor": int64(12345), "accepted": true,
				"currency": "SZL", "payer_msisdn": "26876123456", "metadata": strings.Repeat("m", 200),
				"created_at": "2026-11-21T21:00:00.000Z",
			},
			Index: map[string]table.IndexKey{
				"due":  {Partition: "payment#3", Sort: at + sort},
				"list": {Partition: "client#cli_0123456789abcdef", Sort: at + sort},
			}}
	}
	write := func(b *testing.B, ops ...table.Op) {
		if err := tab.Write(b.Context(), ops...); err != nil {
			b.Fatal(err)
		}
	}
	b.Run("WriteOne", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			write(b, table.Put(payment("one")))
		}
	})
	b.Run("WriteThree", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			r := payment("payment")
			write(b, table.Put(r), table.Put(table.Record{Key: key(r.Partition, "lock")}),
				table.Put(table.Record{Key: table.Key{Space: table.Audit, Partition: r.Partition, Sort: "1"},
					Attributes: map[string]any{"body": strings.Repeat("b", 500)}}))
		}
	})
	r := payment("read")
	write(b, table.Put(r))
	b.Run("Get", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := tab.Get(b.Context(), r.Key); err != nil {
				b.Fatal(err)
			}
		}
	})
	for i := range 20 {
		write(b, table.Put(table.Record{Key: key(r.Partition, fmt.Sprint("event", i)), Attributes: r.Attributes}))
	}
	b.Run("QueryTwenty", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := tab.Query(b.Context(), table.Query{Space: table.Main, Partition: r.Partition}); err != nil {
				b.Fatal(err)
			}
		}
	})
}
