package ledger_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"momoproxy/shared/delivery"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
	"momoproxy/shared/table"
	"momoproxy/shared/table/memory"
	"momoproxy/shared/table/sqlite"
)

// With a retention time a payment goes, with all that is of it, once it has
// passed; an open one stays, and an order that was paid is never free again.
func TestRetention(t *testing.T) {
	t.Parallel()
	const retention = 90 * 24 * time.Hour
	kept := memory.New()
	db, err := sqlite.Open(filepath.Join(t.TempDir(), "retention.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	for name, c := range map[string]struct {
		table table.Table
		purge func(time.Time)
	}{
		"memory": {kept, func(at time.Time) { kept.Purge(at) }},
		"SQLite": {db, func(at time.Time) {
			if _, err := db.Purge(t.Context(), at); err != nil {
				t.Error(err)
			}
		}},
	} {
		l := ledger.New(c.table, ring(t), ledger.Options{Retention: retention, HashPayer: hashPayer, Now: func() time.Time { return start }})
		make := func(reference, externalID string) ledger.Payment {
			p := newPayment(reference)
			p.ExternalID, p.PayerMessage = externalID, strings.Repeat("x", 400) // apart
			stored, err := l.Create(t.Context(), p)
			if err != nil {
				t.Fatal(name, err)
			}
			return stored
		}
		paid, open := make(refA, order), make(refB, "ORDER-OPEN")
		e := evidence(payment.SaysSuccessful, time.Minute)
		e.IDs = map[string]string{"transaction": "MTN-1"}
		after, made, err := l.Apply(t.Context(), change(paid, e))
		if err != nil || len(made) != 1 {
			t.Fatal(name, err)
		}
		held := made[0]
		held.State, held.HeldReason, held.NextAttemptAt = delivery.Held, delivery.HeldNoURL, time.Time{}
		if _, err := l.SaveDelivery(t.Context(), held); err != nil {
			t.Fatal(name, err)
		}
		if err := l.Audit(t.Context(), ledger.AuditRecord{At: start, Reference: refB, Direction: ledger.OutboundToProvider}); err != nil {
			t.Fatal(name, err)
		}

		ids := []ledger.ID{{Provider: "mtn", ProviderID: "MTN-1"}, {Transaction: "FTX-1"}, {Named: order}}
		c.purge(after.EndedAt.Add(retention - time.Second))
		for _, id := range ids {
			if found, err := l.FindPayments(t.Context(), id); err != nil || len(found) != 1 {
				t.Errorf("%s: before its time, by %+v: %v %v", name, id, found, err)
			}
		}
		if story, err := l.Story(t.Context(), refA); err != nil || len(story.Deliveries) != 1 || len(story.Payment.PayerMessage) != 400 {
			t.Errorf("%s: before its time: %+v %v", name, story, err)
		}
		c.purge(after.EndedAt.Add(retention))
		if page, err := c.table.Query(t.Context(), table.Query{Space: table.Main, Partition: "payment#" + refA}); err != nil || len(page.Records) != 1 || page.Records[0].Sort != "used" || len(page.Records[0].Attributes) != 0 {
			t.Errorf("%s: of the payment is left: %v %v", name, page.Records, err)
		}
		for _, q := range []table.Query{
			{Space: table.Audit, Partition: "payment#" + refA}, {Space: table.Main, Partition: "id#mtn#MTN-1"},
		} {
			if page, err := c.table.Query(t.Context(), q); err != nil || len(page.Records) != 0 {
				t.Errorf("%s: left of %s in %s: %v %v", name, q.Partition, q.Space, page.Records, err)
			}
		}
		if _, err := l.Payment(t.Context(), refA); !errors.Is(err, ledger.ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
		for _, id := range ids {
			if found, err := l.FindPayments(t.Context(), id); err != nil || len(found) != 0 {
				t.Errorf("%s: by %+v: %v %v", name, id, found, err)
			}
		}
		if p, err := l.Payment(t.Context(), refB); err != nil || p.Reference != open.Reference || len(p.PayerMessage) != 400 {
			t.Errorf("%s: the open payment: %+v %v", name, p, err)
		}
		again := newPayment("33333333-3333-4333-8333-333333333333")
		var taken *ledger.ExternalIDTakenError
		if _, err := l.Create(t.Context(), again); !errors.As(err, &taken) || taken.Reference != refA {
			t.Errorf("%s: the paid order is free: %v", name, err)
		}
		// The provider may still know the reference, as that of a payment that was paid.
		again.Reference, again.ExternalID = refA, "ORDER-OTHER"
		var exists *ledger.ExistsError
		if _, err := l.Create(t.Context(), again); !errors.As(err, &exists) || exists.Payment.RequestHash != "" {
			t.Errorf("%s: a used reference is free: %v", name, err)
		}
		again.ExternalID = order
		if _, err := l.Create(t.Context(), again); !errors.As(err, &taken) {
			t.Errorf("%s: the same request again: %v", name, err)
		}
	}
}

// A payment may be read after what is apart from it or its look-ups have gone,
// and the other way round.
func TestPartsThatExpiredFirst(t *testing.T) {
	t.Parallel()
	b := newBooks(t, nil)
	p := newPayment(refA)
	p.PayerMessage = strings.Repeat("x", 400)
	open := b.create(t, p)
	after, _ := b.apply(t, open, evidence(payment.SaysSuccessful, time.Minute))
	if err := b.memory.Write(t.Context(), table.Delete(table.Key{Space: table.Main, Partition: "payment#" + refA, Sort: "request"}, 1)); err != nil {
		t.Fatal(err)
	}
	read, err := b.Payment(t.Context(), refA)
	if after.PayerMessage, after.Metadata = "", nil; err != nil {
		t.Fatal(err)
	}
	same(t, "without its request", after.Payment, read.Payment)
	list, err := b.ListPayments(t.Context(), client, ledger.PaymentFilter{}, ledger.Paging{})
	if err != nil || len(list.Items) != 1 {
		t.Fatalf("%d payments listed, %v", len(list.Items), err)
	}
	same(t, "listed without its request", read, list.Items[0])
}

// A retention time that is new deletes no payment made before it, whose
// reference would be free again, and nothing that was just written.
func TestRetentionThatIsNew(t *testing.T) {
	t.Parallel()
	const year = 365 * 24 * time.Hour
	b := newBooks(t, nil)
	p := b.create(t, newPayment(refA))
	p, made := b.apply(t, p, evidence(payment.SaysSuccessful, time.Minute))
	later := p.EndedAt.Add(year)
	l := ledger.New(b.memory, ring(t), ledger.Options{Retention: 90 * 24 * time.Hour, HashPayer: hashPayer, Now: func() time.Time { return later }})
	if _, err := l.ClaimCheck(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	due := *made
	due.NextAttemptAt = later
	if _, err := l.SaveDelivery(t.Context(), due); err != nil {
		t.Fatal(err)
	}
	b.memory.Purge(later.Add(7*24*time.Hour - time.Second))
	if story, err := l.Story(t.Context(), refA); err != nil || len(story.Deliveries) != 1 {
		t.Errorf("%d events, %v", len(story.Deliveries), err)
	}
	b.memory.Purge(later.Add(year))
	if _, err := l.Payment(t.Context(), refA); err != nil {
		t.Error(err)
	}
}
