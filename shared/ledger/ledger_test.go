package ledger_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"momoproxy/shared/delivery"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
	"momoproxy/shared/seal"
	"momoproxy/shared/table"
	"momoproxy/shared/table/memory"
)

const (
	refA   = "11111111-1111-4111-8111-111111111111"
	refB   = "22222222-2222-4222-8222-222222222222"
	client = "cli_shop"
	order  = "ORDER-1"
)

var (
	start = time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC)
	// policy is like MTN's.
	policy = payment.Policy{
		FirstCheck: 10 * time.Second, MaxInterval: time.Hour, Window: 24 * time.Hour, LateInterval: 24 * time.Hour,
		GiveUp: 7 * 24 * time.Hour, NotFoundGrace: 2 * time.Minute, NotFoundSpacing: 30 * time.Second,
	}
)

// books is a ledger and a way to look at all that is stored.
type books struct {
	*ledger.Ledger
	memory *memory.Table
	noted  *noted
}

// noted remembers the keys that were written.
type noted struct {
	table.Table
	mu   sync.Mutex
	keys map[table.Key]bool
}

func (n *noted) Write(ctx context.Context, ops ...table.Op) error {
	n.mu.Lock()
	for _, op := range ops {
		n.keys[op.Record.Key] = true
	}
	n.mu.Unlock()
	return n.Table.Write(ctx, ops...)
}

// newBooks makes an empty ledger; wrap, if not nil, stands between it and
// what is stored.
func newBooks(t testing.TB, wrap func(table.Table) table.Table) *books {
	t.Helper()
	b := &books{memory: memory.New()}
	b.noted = &noted{Table: b.memory, keys: map[table.Key]bool{}}
	var seen table.Table = b.noted
	if wrap != nil {
		seen = wrap(b.noted)
	}
	b.Ledger = ledger.New(seen, ring(t), ledger.Options{
		Random: &repeatable{r: rand.NewChaCha8([32]byte{1})}, Now: func() time.Time { return start }, HashPayer: hashPayer,
	})
	return b
}

func hashPayer(payer string) string { return "hash-of-" + payer }

func ring(t testing.TB) *seal.Ring {
	t.Helper()
	r, err := seal.NewRing(bytes.Repeat([]byte{3}, seal.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

type repeatable struct {
	mu sync.Mutex
	r  io.Reader
}

func (r *repeatable) Read(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.r.Read(p)
}

// records is everything stored.
func (b *books) records() []table.Record {
	var all []table.Record
	for k := range b.noted.keys {
		if r, err := b.memory.Get(context.Background(), k); err == nil {
			all = append(all, r)
		}
	}
	return all
}

// state is everything stored, comparable: what is sealed or named at random
// is left out.
func (b *books) state() map[string]string {
	state := map[string]string{}
	for _, r := range b.records() {
		if r.Space == table.Audit {
			r.Sort, _, _ = strings.Cut(r.Sort, "#")
		}
		for name := range r.Attributes {
			if strings.HasSuffix(name, "_sealed") {
				r.Attributes[name] = "sealed"
			}
		}
		state[fmt.Sprint(r.Key, " ", r.Attributes["direction"])] = fmt.Sprint(r.Version, r.Attributes, r.Index)
	}
	return state
}

func newPayment(reference string) ledger.Payment {
	p := ledger.Payment{Payment: payment.Payment{
		Reference: reference, ClientID: client, ExternalID: order, Provider: "mtn",
		Amount: payment.Money{Minor: 15000, Currency: "SZL"}, Payer: "26876123456", PayerMessage: "Order 1",
		CallbackURL: "https://shop.example.com/x", Metadata: map[string]string{"cart": "4711"},
		Status: payment.Pending, Phase: payment.PhaseSubmitting,
		CreatedAt: start, UpdatedAt: start, SubmitDeadline: start.Add(30 * time.Second), NextCheckAt: start.Add(10 * time.Second),
	}, CallbackTokenHash: "hash of " + reference, RequestHash: "request"}
	return p
}

// create stores a payment that must not fail.
func (b *books) create(t testing.TB, p ledger.Payment) ledger.Payment {
	t.Helper()
	stored, err := b.Create(context.Background(), p)
	if err != nil {
		t.Fatal(err)
	}
	return stored
}

// evidence is what MTN's status answer says at an age.
func evidence(v payment.Verdict, age time.Duration) payment.Evidence {
	return payment.Evidence{Source: payment.FromStatus, Verdict: v, Code: "WORD", FinancialTransactionID: "FTX-1", At: start.Add(age)}
}

// change is what evidence does to a payment, with an audit record.
func change(p ledger.Payment, e payment.Evidence) ledger.Change {
	return ledger.Change{Before: p, Decision: payment.Decide(p.Payment, e, policy), Audit: []ledger.AuditRecord{
		{At: e.At, Direction: ledger.OutboundToProvider, Reference: p.Reference, ClientID: p.ClientID, Method: "GET", URL: "https://mtn.example.com/", ResponseCode: 200},
	}}
}

// apply applies evidence that must not fail.
func (b *books) apply(t testing.TB, p ledger.Payment, e payment.Evidence) (ledger.Payment, *delivery.Delivery) {
	t.Helper()
	after, made, err := b.Apply(context.Background(), change(p, e))
	if err != nil {
		t.Fatal(err)
	}
	if len(made) == 0 {
		return after, nil
	}
	return after, &made[len(made)-1]
}

// same compares what is stored with what was meant.
func same(t *testing.T, what string, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(ledger.Payment{}, delivery.Delivery{})); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}
