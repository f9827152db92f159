package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"momoproxy/shared/delivery"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
	"momoproxy/shared/table"
	"momoproxy/shared/table/tabletest"
)

// step is one operation of the ledger: set leads up to it, do is it.
type step struct {
	name string
	set  func(t *testing.T, b *books) any
	do   func(b *books, arg any) error
	// moved: the clean run itself gives ErrStale, having written what it must.
	moved bool
}

var steps = []step{
	{name: "create", do: func(b *books, _ any) error {
		_, err := b.Create(context.Background(), newPayment(refA))
		return err
	}},
	{name: "end successful", set: created, do: applyAs(payment.SaysSuccessful)},
	{name: "end failed", set: created, do: applyAs(payment.SaysFailed)},
	{name: "correct", set: func(t *testing.T, b *books) any {
		p, _ := b.apply(t, b.create(t, newPayment(refA)), evidence(payment.SaysFailed, time.Minute))
		return p
	}, do: applyAs(payment.SaysSuccessful)},
	{name: "correct without the lock", set: func(t *testing.T, b *books) any {
		p, _ := b.apply(t, b.create(t, newPayment(refA)), evidence(payment.SaysFailed, time.Minute))
		b.create(t, newPayment(refB))
		return p
	}, do: applyAs(payment.SaysSuccessful)},
	{name: "claim check", set: created, do: func(b *books, arg any) error {
		p := arg.(ledger.Payment)
		p.Checks++
		_, err := b.ClaimCheck(context.Background(), p)
		return err
	}},
	{name: "claim delivery", set: aDelivery, do: func(b *books, arg any) error {
		_, err := b.SaveDelivery(context.Background(), (arg.(delivery.Delivery)).Claim(start.Add(time.Hour)))
		return err
	}},
	{name: "complete attempt", set: claimed, do: complete},
	{name: "complete attempt of a lost claim", set: func(t *testing.T, b *books) any {
		d := claimed(t, b).(delivery.Delivery)
		now, err := b.Delivery(context.Background(), refA, 1)
		if err == nil {
			_, err = b.SaveDelivery(context.Background(), now.Claim(start.Add(2*time.Hour)))
		}
		if err != nil {
			t.Fatal(err)
		}
		return d
	}, do: complete, moved: true},
	{name: "create client", do: func(b *books, _ any) error {
		_, err := b.CreateClient(context.Background(), ledger.Client{ID: client, APIKey: "the-key", CreatedAt: start})
		return err
	}},
	{name: "rotate api key", set: func(t *testing.T, b *books) any { return newClient(t, b) }, do: func(b *books, arg any) error {
		// Later than the client's creation: state distinguishes audit records of
		// one client and direction by their time alone.
		now := start.Add(time.Minute)
		_, err := b.Rotate(context.Background(), arg.(ledger.Client), ledger.Rotation{Of: ledger.APIKey, Fresh: "key2", Now: now, Until: now.Add(time.Hour)})
		return err
	}},
	{name: "save token", set: func(t *testing.T, b *books) any {
		fence, ok, err := b.ProviderTokens(func() time.Time { return start }).AcquireRefresh(context.Background(), "id", time.Minute, false)
		if err != nil || !ok {
			t.Fatal(ok, err)
		}
		return fence
	}, do: func(b *books, arg any) error {
		return b.ProviderTokens(func() time.Time { return start }).Save(context.Background(), "id", arg.(int64), provider.StoredToken{Token: "t", IssuedAt: start, ExpiresAt: start.Add(time.Hour)})
	}},
	{name: "count failure", do: func(b *books, _ any) error {
		return b.SaveHealth(context.Background(), ledger.Health{Provider: "mtn", OpenedAt: start})
	}},
}

func created(t *testing.T, b *books) any { return b.create(t, newPayment(refA)) }

func applyAs(v payment.Verdict) func(*books, any) error {
	return func(b *books, arg any) error {
		_, _, err := b.Apply(context.Background(), change(arg.(ledger.Payment), evidence(v, time.Hour)))
		return err
	}
}

func aDelivery(t *testing.T, b *books) any {
	_, d := b.apply(t, b.create(t, newPayment(refA)), evidence(payment.SaysSuccessful, time.Minute))
	return *d
}

func claimed(t *testing.T, b *books) any {
	d, err := b.SaveDelivery(context.Background(), (aDelivery(t, b).(delivery.Delivery)).Claim(start.Add(time.Hour)))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func complete(b *books, arg any) error {
	d := arg.(delivery.Delivery)
	d.State, d.Attempts, d.NextAttemptAt = delivery.Delivered, 1, time.Time{}
	_, err := b.SaveAttempt(context.Background(), d,
		ledger.AuditRecord{At: start, Reference: refA, Direction: ledger.OutboundToApp})
	return err
}

// Each write of each operation fails in turn, before and after it took
// effect: what is stored is all of the operation or none of it, an operation
// that reports success has been stored, and doing it again after a failure
// leads to the same end or to ErrStale, never to a second effect.
func TestNothingIsHalfWritten(t *testing.T) {
	t.Parallel()
	for _, s := range append(steps, refundSteps...) {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			before, after, writes := walk(t, s, 0, tabletest.Never, nil)
			if cmp.Equal(before.state, after.state) || writes == 0 {
				t.Fatal("the operation writes nothing")
			}
			for n := 1; n <= writes; n++ {
				for when, name := range map[tabletest.When]string{tabletest.Before: "before", tabletest.After: "after"} {
					for _, cause := range []error{nil, table.ErrUnavailable, context.DeadlineExceeded} {
						if when == tabletest.After && errors.Is(cause, table.ErrUnavailable) {
							continue // it means: certainly not written
						}
						t.Run(fmt.Sprintf("write %d %s %v", n, name, cause), func(t *testing.T) {
							t.Parallel()
							_, got, _ := walk(t, s, n, when, cause)
							switch {
							case got.err == nil:
								same(t, "stored after success", after.state, got.state)
							case cmp.Equal(got.state, before.state):
								if when == tabletest.After && writes == 1 {
									t.Error("the write took effect and is not there")
								}
							default:
								same(t, "stored after a failure", after.state, got.state)
							}
						})
					}
				}
			}
		})
	}
}

type outcome struct {
	state map[string]string
	err   error
}

// walk runs one step with its nth write failing; 0: none.
func walk(t *testing.T, s step, n int, when tabletest.When, cause error) (before, after outcome, writes int) {
	t.Helper()
	armed := false
	b := newBooks(t, func(inner table.Table) table.Table {
		return tabletest.Faulty(inner, func(op string, _ []table.Key) tabletest.Fault {
			if !armed || op != tabletest.OpWrite {
				return tabletest.Fault{}
			}
			if writes++; writes == n {
				return tabletest.Fault{When: when, Err: cause}
			}
			return tabletest.Fault{}
		})
	})
	var arg any
	if s.set != nil {
		arg = s.set(t, b)
	}
	before.state = b.state()
	armed = true
	after.err = s.do(b, arg)
	armed = false
	after.state = b.state()
	if n == 0 && (after.err != nil) != s.moved || n == 0 && s.moved && !errors.Is(after.err, ledger.ErrStale) {
		t.Fatalf("a clean run: %v", after.err)
	}
	return before, after, writes
}

// A creation whose answer was lost is recognised by its token hash; another
// request's payment under the same reference is not taken for it.
func TestCreateWithALostAnswer(t *testing.T) {
	t.Parallel()
	lose := true
	b := newBooks(t, func(inner table.Table) table.Table {
		return tabletest.Faulty(inner, func(op string, _ []table.Key) tabletest.Fault {
			if lose && op == tabletest.OpWrite {
				return tabletest.Fault{When: tabletest.After}
			}
			return tabletest.Fault{}
		})
	})
	p, err := b.Create(t.Context(), newPayment(refA))
	if err != nil {
		t.Fatalf("the payment is stored, yet: %v", err)
	}
	other := newPayment(refA)
	other.CallbackTokenHash = "another's"
	if _, err := b.Create(t.Context(), other); err == nil {
		t.Error("another request took the payment for its own")
	}
	lose = false
	b.apply(t, p, evidence(payment.SaysSuccessful, time.Minute)) // its version is right
}

// An ending whose answer was lost is found stored, reported as written with its
// delivery to ring for, and the same evidence changes nothing more.
func TestApplyWithALostAnswer(t *testing.T) {
	t.Parallel()
	lose := false
	b := newBooks(t, func(inner table.Table) table.Table {
		return tabletest.Faulty(inner, func(op string, _ []table.Key) tabletest.Fault {
			if lose && op == tabletest.OpWrite {
				return tabletest.Fault{When: tabletest.After}
			}
			return tabletest.Fault{}
		})
	})
	p := b.create(t, newPayment(refA))
	lose = true
	after, made, err := b.Apply(t.Context(), change(p, evidence(payment.SaysSuccessful, time.Minute)))
	if err != nil || made == nil || after.Status != payment.Successful {
		t.Fatalf("a write that took effect is told as %v, delivery %v", err, made)
	}
	lose = false
	stored, err := b.Payment(t.Context(), refA)
	if err != nil || stored.Status != payment.Successful {
		t.Fatalf("%s, %v", stored.Status, err)
	}
	if d := payment.Decide(stored.Payment, evidence(payment.SaysSuccessful, 2*time.Minute), policy); d.Changed || len(d.Events) > 0 {
		t.Errorf("the same evidence again: %+v", d)
	}
}
