package ledger_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"momoproxy/shared/delivery"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
	"momoproxy/shared/table"
)

func TestPaymentComesBackWhole(t *testing.T) {
	t.Parallel()
	b := newBooks(t, nil)
	p := newPayment(refA)
	at := func(minutes int) time.Time { return start.Add(time.Duration(minutes) * time.Minute) }
	// Every field holds something.
	p.Method, p.PayeeNote, p.Phase, p.FinancialTransactionID, p.Reason = "ref", "note", payment.PhaseHeld, "FTX", "WHY"
	p.Sequence, p.EndedAt, p.EndedBy, p.Accepted, p.NotFoundCount, p.NotFoundAt = 3, at(1), payment.FromClock, true, 2, at(2)
	p.HintedAt, p.Checks, p.CheckedAt, p.NextCheckAt, p.AnswerKind, p.AnswerDetail = at(3), 9, at(4), at(5), "accepted", "held"
	stored := b.create(t, p)
	got, err := b.Payment(t.Context(), refA)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "payment", stored, got)
	if _, err := b.Payment(t.Context(), "11111111-1111-4111-8111-11111111111A"); err == nil {
		t.Error("another reference finds it")
	}
	for _, bad := range []string{"", "x", refB, "payment#" + refA} {
		if _, err := b.Payment(t.Context(), bad); !errors.Is(err, ledger.ErrNotFound) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestCreateTwice(t *testing.T) {
	t.Parallel()
	b := newBooks(t, nil)
	first := b.create(t, newPayment(refA))
	var exists *ledger.ExistsError
	if _, err := b.Create(t.Context(), newPayment(refA)); !errors.As(err, &exists) {
		t.Fatalf("the same reference: %v", err)
	}
	same(t, "the stored one", first, exists.Payment)
	var taken *ledger.ExternalIDTakenError
	if _, err := b.Create(t.Context(), newPayment(refB)); !errors.As(err, &taken) || taken.Reference != refA {
		t.Fatalf("the same external id: %v", err)
	}
	if _, err := b.Payment(t.Context(), refB); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("the refused payment is stored: %v", err)
	}
	other := newPayment(refB)
	other.ClientID = "cli_other"
	b.create(t, other)
}

func TestCreateRace(t *testing.T) {
	t.Parallel()
	b := newBooks(t, nil)
	var wg sync.WaitGroup
	var mu sync.Mutex
	made := 0
	for i := range 16 {
		wg.Go(func() {
			p := newPayment(payment.ReferenceFor(client, string(rune('a'+i))))
			_, err := b.Create(t.Context(), p)
			var taken *ledger.ExternalIDTakenError
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				made++
			} else if !errors.As(err, &taken) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if made != 1 {
		t.Errorf("%d payments hold one external id", made)
	}
}

func TestLockFollowsThePayment(t *testing.T) {
	t.Parallel()
	for verdict, freed := range map[payment.Verdict]bool{
		payment.SaysSuccessful: false, payment.SaysFailed: true, payment.SaysCancelled: true, payment.SaysPending: false,
	} {
		t.Run(string(verdict), func(t *testing.T) {
			t.Parallel()
			b := newBooks(t, nil)
			b.apply(t, b.create(t, newPayment(refA)), evidence(verdict, time.Minute))
			_, err := b.Create(t.Context(), newPayment(refB))
			var taken *ledger.ExternalIDTakenError
			if freed && err != nil || !freed && !errors.As(err, &taken) {
				t.Errorf("a second payment of this order: %v", err)
			}
		})
	}
	t.Run("timeout", func(t *testing.T) {
		t.Parallel()
		b := newBooks(t, nil)
		after, _ := b.apply(t, b.create(t, newPayment(refA)), evidence(payment.SaysPending, 25*time.Hour))
		if after.Status != payment.Timeout {
			t.Fatal(after.Status)
		}
		b.create(t, newPayment(refB))
	})
}

func TestCorrectionTakesTheLockAgain(t *testing.T) {
	t.Parallel()
	b := newBooks(t, nil)
	failed, first := b.apply(t, b.create(t, newPayment(refA)), evidence(payment.SaysFailed, time.Minute))
	corrected, second := b.apply(t, failed, evidence(payment.SaysSuccessful, time.Hour))
	if corrected.Status != payment.Successful || first.Sequence != 1 || first.State != delivery.Due || second.Sequence != 2 || second.State != delivery.Waiting {
		t.Errorf("%s; first %+v, second %+v", corrected.Status, first, second)
	}
	var taken *ledger.ExternalIDTakenError
	if _, err := b.Create(t.Context(), newPayment(refB)); !errors.As(err, &taken) || taken.Reference != refA {
		t.Errorf("%v", err)
	}
}

// Meanwhile another payment of the order lives: both stand, and the lock
// stays with the later one.
func TestCorrectionWhenTheLockIsTaken(t *testing.T) {
	t.Parallel()
	b := newBooks(t, nil)
	failed, _ := b.apply(t, b.create(t, newPayment(refA)), evidence(payment.SaysFailed, time.Minute))
	b.create(t, newPayment(refB))
	corrected, d := b.apply(t, failed, evidence(payment.SaysSuccessful, time.Hour))
	if corrected.Status != payment.Successful || d == nil || d.Sequence != 2 {
		t.Errorf("%s, %+v", corrected.Status, d)
	}
	found, err := b.FindPayments(t.Context(), ledger.ID{Named: order})
	if err != nil || len(found) != 1 || found[0].Reference != refB {
		t.Errorf("the order is held by %v; %v", found, err)
	}
}

// When the later one ends without success, the order is still paid: it must
// not be free for a third payment.
func TestLockPassesToThePaidPayment(t *testing.T) {
	t.Parallel()
	for verdict, holder := range map[payment.Verdict]string{
		payment.SaysFailed: refA, payment.SaysCancelled: refA, payment.SaysSuccessful: refB,
	} {
		t.Run(string(verdict), func(t *testing.T) {
			t.Parallel()
			b := newBooks(t, nil)
			failed, _ := b.apply(t, b.create(t, newPayment(refA)), evidence(payment.SaysFailed, time.Minute))
			later := b.create(t, newPayment(refB))
			b.apply(t, failed, evidence(payment.SaysSuccessful, time.Hour))
			b.apply(t, later, evidence(verdict, 2*time.Hour))
			third := newPayment("cccccccc-cccc-4ccc-8ccc-cccccccccccc")
			var taken *ledger.ExternalIDTakenError
			if _, err := b.Create(t.Context(), third); !errors.As(err, &taken) || taken.Reference != holder {
				t.Errorf("%v; want the order held by %s", err, holder)
			}
		})
	}
}

func TestApplyToAMovedPayment(t *testing.T) {
	t.Parallel()
	b := newBooks(t, nil)
	stale := b.create(t, newPayment(refA))
	b.apply(t, stale, evidence(payment.SaysSuccessful, time.Minute))
	before := b.state()
	if _, _, err := b.Apply(t.Context(), change(stale, evidence(payment.SaysFailed, time.Minute))); !errors.Is(err, ledger.ErrStale) {
		t.Errorf("%v", err)
	}
	if _, err := b.ClaimCheck(t.Context(), stale); !errors.Is(err, ledger.ErrStale) {
		t.Errorf("ClaimCheck: %v", err)
	}
	same(t, "what is stored", before, b.state())
}

func TestPaymentsNamed(t *testing.T) {
	t.Parallel()
	b := newBooks(t, nil)
	b.create(t, newPayment(refA))
	other := newPayment(refB)
	other.ClientID = "cli_other"
	b.create(t, other)
	for id, want := range map[string]int{order: 2, refA: 1, "nobody": 0, "": 0, "a\x00b": 0, "external#" + order: 0} {
		found, err := b.FindPayments(t.Context(), ledger.ID{Named: id})
		if err != nil || len(found) != want {
			t.Errorf("%q names %d payments, want %d; %v", id, len(found), want, err)
		}
	}
}

func TestDue(t *testing.T) {
	t.Parallel()
	b := newBooks(t, nil)
	p := b.create(t, newPayment(refA))
	due := func(at time.Time) (payments, deliveries []ledger.Due) {
		t.Helper()
		for shard := range ledger.DueShards {
			ps, err := b.Due(context.Background(), ledger.DueQuery{Kind: ledger.DuePayment, Shard: shard, Before: at}, ledger.Paging{Limit: 100})
			if err != nil {
				t.Fatal(err)
			}
			ds, err := b.Due(context.Background(), ledger.DueQuery{Kind: ledger.DueDelivery, Shard: shard, Before: at}, ledger.Paging{Limit: 100})
			if err != nil {
				t.Fatal(err)
			}
			payments, deliveries = append(payments, ps.Items...), append(deliveries, ds.Items...)
		}
		return payments, deliveries
	}
	count := func(what string, at time.Time, payments, deliveries int) {
		t.Helper()
		ps, ds := due(at)
		if len(ps) != payments || len(ds) != deliveries {
			t.Errorf("%s: %v and %v are due; want %d and %d", what, ps, ds, payments, deliveries)
		}
	}
	count("before the first check", start.Add(10*time.Second), 0, 0)
	count("at the first check", start.Add(10*time.Second+time.Millisecond), 1, 0)
	_, d := b.apply(t, p, evidence(payment.SaysSuccessful, time.Minute))
	count("ended", start.Add(time.Hour), 0, 1)
	_, ds := due(start.Add(time.Hour))
	same(t, "the due delivery", []ledger.Due{{Reference: refA, ClientID: "cli_shop", Sequence: 1, At: start.Add(time.Minute)}}, ds)
	claimed, err := b.SaveDelivery(t.Context(), (*d).Claim(start.Add(2*time.Minute)))
	if err != nil {
		t.Fatal(err)
	}
	count("claimed", start.Add(time.Hour), 0, 1) // a dead worker's claim is swept
	claimed.State, claimed.NextAttemptAt = delivery.Delivered, time.Time{}
	if _, err := b.SaveAttempt(t.Context(), claimed, ledger.AuditRecord{At: start, Reference: refA}); err != nil {
		t.Fatal(err)
	}
	count("delivered", start.Add(1000*time.Hour), 0, 0)
}

func TestDuePages(t *testing.T) {
	t.Parallel()
	b := newBooks(t, nil)
	for i := range 7 {
		p := newPayment(payment.ReferenceFor(client, string(rune('a'+i))))
		p.Reference = "1" + p.Reference[1:] // one shard
		p.ExternalID = string(rune('a' + i))
		p.NextCheckAt = start.Add(time.Duration(7-i) * time.Second)
		b.create(t, p)
	}
	var all []time.Time
	after := ""
	for {
		due, err := b.Due(t.Context(), ledger.DueQuery{Kind: ledger.DuePayment, Shard: int('1') % ledger.DueShards, Before: start.Add(time.Hour)}, ledger.Paging{Limit: 3, Cursor: after})
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range due.Items {
			all = append(all, d.At)
		}
		if due.Next == "" {
			break
		}
		after = due.Next
	}
	if len(all) != 7 {
		t.Fatalf("%d of 7 are due", len(all))
	}
	for i := range all[1:] {
		if all[i+1].Before(all[i]) {
			t.Errorf("%v is not in order", all)
		}
	}
}

// corrupt replaces an attribute of a stored record.
func (b *books) corrupt(t *testing.T, sort, attribute string, value any) {
	t.Helper()
	for _, r := range b.records() {
		if r.Sort != sort {
			continue
		}
		if value == nil {
			delete(r.Attributes, attribute)
		} else {
			r.Attributes[attribute] = value
		}
		if err := b.memory.Write(context.Background(), table.Put(r)); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Fatalf("no record %s", sort)
}

func TestCorruptRecords(t *testing.T) {
	t.Parallel()
	read := map[string]func(*books) error{
		"payment":         func(b *books) error { _, err := b.Payment(context.Background(), refA); return err },
		"delivery#000001": func(b *books) error { _, err := b.Delivery(context.Background(), refA, 1); return err },
		"client":          func(b *books) error { _, err := b.Client(context.Background(), client); return err },
		"key": func(b *books) error {
			_, err := b.ClientByKey(context.Background(), "the-key", start)
			return err
		},
		"client#" + client: func(b *books) error {
			_, err := b.FindPayments(context.Background(), ledger.ID{Named: order})
			return err
		},
	}
	for _, c := range []struct {
		sort, attribute string
		value           any
	}{
		{"payment", "amount_minor", "150"}, {"payment", "status", nil}, {"payment", "status", int64(1)}, {"payment", "created_at", "yesterday"},
		{"payment", "metadata", "{"}, {"payment", "accepted", "yes"}, {"payment", "client_id", nil}, {"payment", "next_check_at", int64(5)},
		{"delivery#000001", "state", nil}, {"delivery#000001", "event", nil}, {"delivery#000001", "claims", "1"}, {"delivery#000001", "lease_until", "x"},
		{"delivery#000001", "latest_attempts", "x"},
		{"client", "api_key_0_sealed", "v1.x.y"}, {"client", "api_key_0_sealed", nil}, {"client", "signing_secret_0_sealed", "nonsense"}, {"client", "signing_secret_1_until", "x"}, {"client", "is_active", "true"},
		{"key", "client_id", int64(7)}, {"client#" + client, "reference", int64(7)},
	} {
		t.Run(c.sort+"/"+c.attribute, func(t *testing.T) {
			t.Parallel()
			b := newBooks(t, nil)
			if _, err := b.CreateClient(t.Context(), ledger.Client{ID: client, APIKey: "the-key", SigningSecrets: []string{"whsec_x"}}); err != nil {
				t.Fatal(err)
			}
			_, d := b.apply(t, b.create(t, newPayment(refA)), evidence(payment.SaysSuccessful, time.Minute))
			if _, err := b.SaveAttempt(t.Context(), *d, ledger.AuditRecord{At: start, Reference: refA}); err != nil {
				t.Fatal(err)
			}
			b.corrupt(t, c.sort, c.attribute, c.value)
			if err := read[c.sort](b); !errors.Is(err, ledger.ErrCorrupt) {
				t.Errorf("%v; want ErrCorrupt", err)
			}
		})
	}
}
