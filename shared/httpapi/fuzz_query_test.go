package httpapi_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"momoproxy/shared/httpapi"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
)

// Whatever a query holds, it is either refused with faults that can be shown,
// or read into a filter that the ledger takes.
func FuzzListQuery(f *testing.F) {
	for _, seed := range []string{
		"", "externalId=ORDER-1&status=PENDING,FAILED&from=2026-11-21&to=2026-11-22T00:00:00Z&limit=10&cursor=abc",
		"limit=101", "status=&status=FAILED", "from=2026-11-21T09:30:00%2B02:00", "%zz", "a;b", "externalId=%00%ff", "stauts=FAILED",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		filter, limit, cursor, faults := httpapi.ReadListQuery(query)
		if len(faults) > 0 {
			for _, fault := range faults {
				if fault.Field == "" && !strings.Contains(query, "=") || fault.Message == "" || !utf8.ValidString(fault.Field+fault.Message) {
					t.Errorf("%q: %+v", query, fault)
				}
			}
			if text, err := json.Marshal(faults); err != nil || len(text) > 1000*(len(faults)+1) {
				t.Errorf("%q: %d bytes, %v", query, len(text), err)
			}
			return
		}
		if limit < 1 || limit > ledger.MaxListed || len(filter.ExternalID) > ledger.MaxExternalID || strings.ContainsRune(filter.ExternalID+cursor, 0) {
			t.Errorf("%q: limit %d, %+v", query, limit, filter)
		}
		for _, s := range filter.Statuses {
			if !slices.Contains(payment.Statuses, s) {
				t.Errorf("%q: status %q", query, s)
			}
		}
		if !filter.From.IsZero() && !filter.To.IsZero() && !filter.From.Before(filter.To) {
			t.Errorf("%q: from %s to %s", query, filter.From, filter.To)
		}
	})
}
