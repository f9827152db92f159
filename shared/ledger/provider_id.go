package ledger

import (
	"maps"
	"slices"
	"time"

	"momoproxy/shared/payment"
	"momoproxy/shared/table"
)

// An id that a provider gave a payment is a look-up in a partition of its
// own. Providers promise nothing about their ids: two payments with the same
// one are two entries. Ids of one provider never meet those of another.
func idPartition(provider, id string) string { return "id#" + provider + "#" + id }

const idPrefix = "payment#"

// newIDs are the look-ups of the ids that after has and before has not.
func (l *Ledger) newIDs(before payment.Payment, after Payment) []table.Op {
	var expires time.Time
	if after.expires {
		expires = l.until(after.UpdatedAt)
	}
	known := map[string]bool{}
	for _, id := range before.IDs {
		known[id] = true
	}
	var ops []table.Op
	for _, name := range slices.Sorted(maps.Keys(after.IDs)) {
		id := after.IDs[name]
		if known[id] {
			continue // the same under two names is one
		}
		known[id] = true
		ops = append(ops, table.Put(table.Record{
			Key:        table.Key{Space: table.Main, Partition: idPartition(after.Provider, id), Sort: idPrefix + after.Reference},
			Attributes: map[string]any{"name": name, "client_id": after.ClientID},
			ExpiresAt:  expires,
		}))
	}
	return ops
}
