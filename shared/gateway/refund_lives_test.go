package gateway_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"momoproxy/infra/standin/core"
	mtnstand "momoproxy/infra/standin/mtn"
	"momoproxy/shared/delivery"
	"momoproxy/shared/gateway"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
	"momoproxy/shared/provider/mtn"
	"momoproxy/shared/provider/providertest"
	"momoproxy/shared/refund"
	"momoproxy/shared/table"
	"momoproxy/shared/table/memory"
	"momoproxy/shared/table/tabletest"
)

// refundLives are the seeds that TestRefundLives takes.
const refundLives = 2_000

// TestRefundLives leads two payments that were paid and one that was not through
// refunds, with the real adapter before MTN's stand-in: processes die at any call
// to table or provider, answers are lost before and after they took effect, turn
// into 404 and 500, requests arrive late, other processes work in between, and
// calls are repeated. In the end everything is asked about and an operator
// settles what stays unknown, by MTN's books. What must hold: MTN moved no more
// than was paid, nothing for a payment that was not paid, and once for each
// refund. A FAILED refund moved nothing, and a SUCCESSFUL one did.
func TestRefundLives(t *testing.T) {
	t.Parallel()
	ended := map[string]int{}
	for seed := range uint64(refundLives) {
		w := newRefundWorld(t, seed)
		for range 12 + w.chance.IntN(12) {
			w.protect(w.step)
		}
		w.rest()
		w.judge(ended)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
	for _, want := range []string{"SUCCESSFUL status", "SUCCESSFUL operator", "FAILED status", "FAILED operator", "FAILED submit"} {
		if ended[want] == 0 {
			t.Errorf("no refund ended as %s: %v", want, ended)
		}
	}
}

const refundMoney = 10_000 // minor units of each payment

type refundWorld struct {
	t      *testing.T
	chance *rand.Rand
	now    time.Time
	calm   bool
	depth  int
	bank   *mtnstand.Standin
	stored *memory.Table
	oracle *ledger.Ledger // over the table without its faults
	g      *gateway.Refunds
	refs   []string // of the payments; the last was not paid
	ids    []string
	late   []func() // requests that have not arrived yet
}

type died struct{}

func (w *refundWorld) Ring(context.Context, ...delivery.Delivery) error { return nil }

func newRefundWorld(t *testing.T, seed uint64) *refundWorld {
	w := &refundWorld{t: t, chance: rand.New(rand.NewPCG(seed, 7)), now: time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC)}
	clock := func() time.Time { return w.now }
	w.bank = mtnstand.New(mtnstand.Options{TokenLife: 1000 * time.Hour, Options: core.Options{Now: clock, Choose: func(core.Call) (core.Script, bool) {
		return core.Script{Name: mtnstand.ScriptPending}, true
	}}})
	t.Cleanup(w.bank.Close)
	account, err := w.bank.Provision(mtnstand.Account{Currency: "SZL"})
	if err != nil {
		t.Fatal(err)
	}
	adapter, err := mtn.NewDisbursement(mtn.Config{
		BaseURL: "http://127.0.0.1:1", TargetEnvironment: mtn.Sandbox, Currency: "SZL",
		APIUser: account.APIUser, APIKey: account.APIKey, SubscriptionKey: account.SubscriptionKey,
	}, providertest.NewMemoryTokens(clock), &http.Client{Transport: w}, clock)
	if err != nil {
		t.Fatal(err)
	}
	stored := memory.New()
	w.stored = stored
	w.oracle = ledger.New(stored, nil, ledger.Options{HashPayer: func(p string) string { return p }, Now: clock})
	faulty := ledger.New(tabletest.Faulty(stored, func(op string, _ []table.Key) tabletest.Fault { return w.fault(op) }), nil, ledger.Options{Now: clock})
	w.g = &gateway.Refunds{
		Ledger: faulty, Refunders: map[string]provider.Refunder{mtn.Name: adapter}, Doorbell: w,
		Now: clock, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	}
	for i := range 3 {
		ref := payment.ReferenceFor("cli", fmt.Sprint(seed, i))
		p, err := w.oracle.Create(t.Context(), ledger.Payment{Payment: payment.Payment{
			Reference: ref, ClientID: "cli", ExternalID: fmt.Sprint("o", i), Provider: mtn.Name, Payer: "26876123456",
			Amount: payment.Money{Minor: refundMoney, Currency: "SZL"}, Status: payment.Pending, CreatedAt: w.now, UpdatedAt: w.now,
		}})
		if err == nil && i < 2 {
			d := payment.Decide(p.Payment, payment.Evidence{Source: payment.FromStatus, Verdict: payment.SaysSuccessful, At: w.now}, mtn.Registration.Known.Methods[0].Policy)
			_, _, err = w.oracle.Apply(t.Context(), ledger.Change{Before: p, Decision: d})
		}
		if err != nil {
			t.Fatal(err)
		}
		w.refs = append(w.refs, ref)
	}
	return w
}

func (w *refundWorld) odds(n int) bool { return !w.calm && w.chance.IntN(n) == 0 }

// fault lets others work, and then spoils a call of the table's, or kills.
func (w *refundWorld) fault(op string) tabletest.Fault {
	w.between()
	switch {
	case w.odds(60):
		panic(died{})
	case w.odds(40):
		return tabletest.Fault{When: tabletest.Before, Err: table.ErrUnavailable}
	case op == tabletest.OpWrite && w.odds(20):
		return tabletest.Fault{When: tabletest.After}
	}
	return tabletest.Fault{}
}

// between is what other processes do while one waits.
func (w *refundWorld) between() {
	if w.depth < 2 && w.odds(6) {
		w.depth++
		w.protect(w.step)
		w.depth--
	}
}

// protect runs a process that may die.
func (w *refundWorld) protect(f func()) {
	depth := w.depth
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(died); !ok {
				panic(r)
			}
			w.depth = depth
		}
	}()
	f()
}

// RoundTrip is the connection to MTN.
func (w *refundWorld) RoundTrip(r *http.Request) (*http.Response, error) {
	body, _ := io.ReadAll(r.Body)
	ask := func() *http.Response {
		again := r.Clone(context.Background())
		again.Body, again.ContentLength = io.NopCloser(strings.NewReader(string(body))), int64(len(body))
		again.Header.Set("Content-Length", fmt.Sprint(len(body)))
		recorder := httptest.NewRecorder()
		w.bank.Handler().ServeHTTP(recorder, again)
		return recorder.Result()
	}
	answer := func(code int, body string) (*http.Response, error) {
		return &http.Response{StatusCode: code, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
	}
	if strings.HasSuffix(r.URL.Path, "/token/") {
		return ask(), nil // a process that dies here leaves no lock behind that another waits for
	}
	w.between()
	switch {
	case w.odds(40):
		panic(died{})
	case w.odds(12):
		return nil, errors.New("connection lost before")
	case w.odds(10):
		return answer(401, "")
	case r.Method == http.MethodPost && w.odds(8):
		w.late = append(w.late, func() { ask() })
		return nil, errors.New("no answer")
	}
	res := ask()
	w.between()
	switch {
	case w.odds(40):
		panic(died{})
	case w.odds(10):
		return nil, errors.New("connection lost after")
	case w.odds(10):
		return answer(500, `{"message":"An internal error occurred while processing.","code":"INTERNAL_PROCESSING_ERROR"}`)
	case w.odds(10):
		return answer(404, `{"message":"Requested resource was not found.","code":"RESOURCE_NOT_FOUND"}`)
	}
	if r.Method == http.MethodGet && w.odds(15) { // of other money
		text, _ := io.ReadAll(res.Body)
		return answer(res.StatusCode, strings.Replace(string(text), `"amount":"`, `"amount":"1`, 1))
	}
	return res, nil
}

// step is one thing that somebody does.
func (w *refundWorld) step() {
	ctx := context.Background()
	w.now = w.now.Add(time.Duration(w.chance.IntN(200)) * time.Second)
	switch w.chance.IntN(8) {
	case 0, 1:
		id := payment.ReferenceFor("refund", fmt.Sprint(len(w.ids)))
		if len(w.ids) > 0 && w.chance.IntN(3) == 0 {
			id = w.ids[w.chance.IntN(len(w.ids))] // a repeat, or another payment's
		} else {
			w.ids = append(w.ids, id)
		}
		ref := w.refs[w.chance.IntN(len(w.refs))]
		_, _, err := w.g.Request(ctx, gateway.RefundOrder{
			Reference: ref, ClientID: "cli", ID: id, Kind: refund.ByRefund, Reason: "why", PerDay: payment.Money{Minor: 100 * refundMoney, Currency: "SZL"},
			Amount: payment.Money{Minor: int64(1+w.chance.IntN(4)) * refundMoney / 4, Currency: "SZL"},
		})
		if err == nil {
			_, _ = w.g.Work(ctx, ref, id)
		}
	case 2, 3:
		_ = w.g.Reconcile(ctx)
	case 4:
		if len(w.ids) > 0 { // a message that came twice, or too early
			_, _ = w.g.Work(ctx, w.refs[w.chance.IntN(len(w.refs))], w.ids[w.chance.IntN(len(w.ids))])
		}
	case 5:
		w.arrive()
	default:
		w.endSome()
	}
}

// arrive lets the requests in that were on their way.
func (w *refundWorld) arrive() {
	for len(w.late) > 0 {
		ask := w.late[0]
		w.late = w.late[1:]
		ask()
	}
}

// endSome ends refunds at MTN.
func (w *refundWorld) endSome() {
	for _, e := range w.bank.Ledger() {
		if e.Accepted > 0 && !e.Ended && (w.calm || w.chance.IntN(2) == 0) {
			status, reason := "SUCCESSFUL", ""
			if w.chance.IntN(3) == 0 {
				status, reason = "FAILED", "COULD_NOT_PERFORM_TRANSACTION"
			}
			if err := w.bank.SetOutcome(e.Reference, status, reason, false); err != nil {
				w.t.Error(err)
			}
		}
	}
}

// rest is when all goes well: what is on its way arrives, all is asked about, and
// an operator settles by MTN's books what is unknown.
func (w *refundWorld) rest() {
	w.calm = true
	w.arrive()
	ctx := context.Background()
	for range 8 {
		w.now = w.now.Add(2 * time.Hour)
		w.endSome()
		if err := w.g.Reconcile(ctx); err != nil {
			w.t.Error(err)
		}
	}
	inbox, err := w.oracle.Inbox(ctx, ledger.InboxQuery{Kind: ledger.AttentionRefund}, ledger.Paging{})
	if err != nil {
		w.t.Error(err)
	}
	for _, a := range inbox.Items {
		f, err := w.oracle.Refund(ctx, a.Reference, a.RefundID)
		if err != nil {
			w.t.Error(err)
			continue
		}
		says := gateway.RefundSettlement{Status: refund.Failed, Operator: "thandi", Reason: "MTN's portal"}
		if e, ok := w.bank.Payment(f.Reference); ok && e.Charges > 0 {
			says.Status = refund.Successful
		}
		if _, err := w.g.Settle(ctx, a.Reference, a.RefundID, says); err != nil {
			w.t.Errorf("settle %+v: %v", f, err)
		}
	}
}

func (w *refundWorld) judge(ended map[string]int) {
	ctx := context.Background()
	known := map[string]bool{}
	for i, ref := range w.refs {
		story, err := w.oracle.Story(ctx, ref)
		if err != nil {
			w.t.Fatal(err)
		}
		var moved, taken int64
		for _, f := range story.Refunds {
			e, _ := w.bank.Payment(f.Reference)
			known[f.Reference] = true
			moved += int64(e.Charges) * f.Amount.Minor
			switch {
			case f.Open():
				w.t.Errorf("%s is still %s", f.ID, f.Status)
			case e.Charges > 1 || e.Accepted > 1 || e.Duplicates > 0:
				w.t.Errorf("%s was executed %d times, sent again %d times", f.ID, e.Charges, e.Duplicates)
			case (f.Status == refund.Successful) != (e.Charges == 1):
				w.t.Errorf("%s is %s by %s and was executed %d times", f.ID, f.Status, f.EndedBy, e.Charges)
			}
			if f.Status != refund.Failed {
				taken += f.Amount.Minor
			}
			ended[fmt.Sprint(f.Status, " ", f.EndedBy)]++
		}
		p := story.Payment
		if i == 2 && len(story.Refunds) > 0 || moved > p.Amount.Minor || taken != p.Refunds.Reserved || p.Refunds.Open != "" {
			w.t.Errorf("%s: %d moved of %d, %d taken, %+v", p.Status, moved, p.Amount.Minor, taken, p.Refunds)
		}
		if len(story.Deliveries) != p.Sequence || i < 2 && p.Sequence != 1+len(story.Refunds) {
			w.t.Errorf("%d deliveries, %d events of %d refunds", len(story.Deliveries), p.Sequence, len(story.Refunds))
		}
	}
	for _, e := range w.bank.Ledger() {
		if e.Accepted > 0 && !known[e.Reference] {
			w.t.Errorf("MTN has %s, which no refund is known by", e.Reference)
		}
	}
}
