package ledger_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
	"momoproxy/shared/seal"
	"momoproxy/shared/table"
)

// A ledger without the sealing keys knows an app by its key, also while the
// key is being rotated, and opens nothing.
func TestClientByKeyWithoutSealingKeys(t *testing.T) {
	t.Parallel()
	b := newBooks(t, nil)
	old := newClient(t, b)
	until := start.Add(time.Hour)
	if _, err := b.Rotate(t.Context(), old, ledger.Rotation{Of: ledger.APIKey, Fresh: "key2", Now: start, Until: until}); err != nil {
		t.Fatal(err)
	}
	bare := func() *ledger.Ledger { return ledger.New(b.memory, nil, ledger.Options{}) }
	for key, ends := range map[string]bool{"key": true, "key2": false} {
		c, err := bare().ClientByKey(t.Context(), key, until.Add(-time.Millisecond))
		if err != nil || c.ID != client || c.APIKey != "" || c.OldAPIKey != "" || len(c.SigningSecrets) != 0 {
			t.Errorf("%s: %v, %v", key, c, err)
		}
		if _, err := bare().ClientByKey(t.Context(), key, until); errors.Is(err, ledger.ErrNotFound) != ends {
			t.Errorf("%s at its end: %v", key, err)
		}
	}
	if _, err := bare().Client(t.Context(), client); err == nil {
		t.Error("secrets were opened without keys")
	}
}

// The payer index names a number by its keyed hash. A ledger without the key
// keeps the entry through every later state, and neither makes one nor finds
// by it.
func TestPayerIndexIsKeyed(t *testing.T) {
	t.Parallel()
	b := newBooks(t, nil)
	open := func(key byte) *ledger.Ledger {
		h, err := seal.NewHasher(bytes.Repeat([]byte{key}, seal.KeySize))
		if err != nil {
			t.Fatal(err)
		}
		return ledger.New(b.memory, nil, ledger.Options{HashPayer: h.Hash})
	}
	p, err := open(1).Create(t.Context(), newPayment(refA))
	if err != nil {
		t.Fatal(err)
	}
	b.Ledger = ledger.New(b.memory, nil, ledger.Options{})
	stored, err := b.Payment(t.Context(), refA)
	if err != nil {
		t.Fatal(err)
	}
	b.apply(t, stored, evidence(payment.SaysSuccessful, time.Minute))
	for _, r := range b.records() {
		if e := r.Index[ledger.IndexPayer]; strings.Contains(e.Partition+e.Sort, string(p.Payer)) {
			t.Errorf("%s shows the number in the payer index", r.Key)
		}
	}
	filter := ledger.PaymentFilter{Payer: p.Payer}
	for key, want := range map[byte]int{1: 1, 2: 0} {
		if found, err := open(key).ListPayments(t.Context(), "", filter, ledger.Paging{Limit: 10}); err != nil || len(found.Items) != want {
			t.Errorf("with key %d: %d payments, %v; want %d", key, len(found.Items), err, want)
		}
	}
	if _, err := b.ListPayments(t.Context(), "", filter, ledger.Paging{Limit: 10}); err == nil {
		t.Error("listed by payer without the key")
	}
	if _, err := b.Create(t.Context(), newPayment(refB)); err == nil {
		t.Error("created without the key")
	}
	page, err := b.memory.Query(t.Context(), table.Query{Space: table.Main, Index: ledger.IndexPayer, Partition: string(p.Payer)})
	if err != nil || len(page.Records) != 0 {
		t.Errorf("found under the number itself: %v, %v", page.Records, err)
	}
}
