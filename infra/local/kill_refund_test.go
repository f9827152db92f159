package main

import (
	"context"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"momoproxy/infra/judge"
	"momoproxy/infra/standin/core"
	mtnstand "momoproxy/infra/standin/mtn"
	"momoproxy/shared/delivery"
	"momoproxy/shared/gateway"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
	"momoproxy/shared/refund"
)

// silent rings for nobody: an operator's tool has no queue.
type silent struct{}

func (silent) Ring(context.Context, ...delivery.Delivery) error { return nil }

// TestKillInTheMiddleOfARefund kills the program while its request for a refund is
// in MTN's hands. Started again it must not send the refund a second time: it
// asks. One that MTN has executed succeeds. One that MTN does not know stays
// unknown until an operator says that it failed. The app hears of either.
func TestKillInTheMiddleOfARefund(t *testing.T) {
	t.Parallel()
	binary(t)
	for name, acts := range map[string]bool{"before MTN acts": false, "after MTN has acted": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			killInRefund(t, acts)
		})
	}
}

func killInRefund(t *testing.T, acts bool) {
	times := mtnstand.DefaultTimes()
	times.Approve = 100 * time.Millisecond
	world := mtnstand.New(mtnstand.Options{Options: core.Options{Times: times}})
	defer world.Close()
	account, err := world.Provision(mtnstand.Account{Currency: "SZL", CallbackHost: "localhost"})
	if err != nil {
		t.Fatal(err)
	}
	var sent atomic.Int32
	arrived := make(chan struct{}, 10)
	address := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || !strings.HasSuffix(r.URL.Path, "/refund") {
			world.Handler().ServeHTTP(w, r)
			return
		}
		sent.Add(1)
		if acts {
			world.Handler().ServeHTTP(httptest.NewRecorder(), r)
		} else {
			_, _ = io.Copy(io.Discard, r.Body) // or the end of the connection is not seen
		}
		arrived <- struct{}{}
		<-r.Context().Done()
	}))
	variables := account.Variables(address)
	maps.Copy(variables, account.PayoutVariables(address))
	var environment []string
	for name, value := range variables {
		environment = append(environment, name+"="+value)
	}
	in := &inbox{changed: make(chan struct{}, 1)}
	customer := &shop{
		callbackURL: serve(t, in) + "/callback", client: &http.Client{Timeout: 10 * time.Second}, answered: make(chan struct{}, 1),
		promised: map[string]order{}, references: map[string]string{},
	}
	data := filepath.Join(t.TempDir(), "data")
	arguments := []string{"-listen", fixedPort(t), "-data", data}
	p := launch(t, environment, arguments...)
	customer.buy(t, p.URL, order{externalID: "REFUND-1", payer: mtnstand.Payer(mtnstand.ScriptSuccess), key: "key"})
	reference := customer.references["key"]
	store := openData(t, data)
	heard := func(event payment.Event) func() bool {
		return func() bool {
			for _, a := range in.references(t)[reference] {
				if strings.Contains(string(a.body), `"`+string(event)+`"`) {
					return true
				}
			}
			return false
		}
	}
	wait(t, in, "the payment", heard(payment.EventSuccessful))

	tool := &gateway.Refunds{Ledger: store, Doorbell: silent{}, Now: time.Now, Log: slog.New(slog.DiscardHandler)}
	id := payment.ReferenceFor("refund", "1")
	_, f, err := tool.Request(t.Context(), gateway.RefundOrder{Reference: reference, Operator: "thandi", ID: id, Kind: refund.ByRefund, Reason: "it came back"})
	if err != nil {
		t.Fatal(err)
	}
	select {
	case <-arrived:
	case <-time.After(patience):
		t.Fatalf("MTN was not asked for the refund:\n%s", p.printed())
	}
	p.end(t, os.Kill)

	// It is asked about a minute after it was sent, and an operator may settle it
	// ten minutes after. Let that time be over.
	f, err = store.Refund(t.Context(), reference, id)
	if err != nil || f.Status != refund.Submitted {
		t.Fatalf("killed while it was sent: %+v, %v", f, err)
	}
	past := f.Refund
	past.AskedAt, past.NextCheckAt = past.AskedAt.Add(-2*refund.Grace), ledger.Clock(time.Now())
	if _, err := store.ClaimRefund(t.Context(), f, past); err != nil {
		t.Fatal(err)
	}
	p = launch(t, environment, arguments...)
	stands := func(want refund.Status) func() bool {
		return func() bool {
			f, err := store.Refund(t.Context(), reference, id)
			return err == nil && f.Status == want
		}
	}
	event := payment.EventRefundSuccessful
	if acts {
		wait(t, in, "its success", stands(refund.Successful))
	} else {
		wait(t, in, "its outcome to be unknown", stands(refund.Unknown))
		event = payment.EventRefundFailed
		if _, err := tool.Settle(t.Context(), reference, id, gateway.RefundSettlement{Status: refund.Failed, Operator: "thandi", Reason: "not in MTN's portal"}); err != nil {
			t.Fatal(err)
		}
		p.end(t, syscall.SIGTERM)
		makeOverdue(t, store, reference)
		p = launch(t, environment, arguments...)
	}
	wait(t, in, "its event", heard(event))
	p.end(t, syscall.SIGTERM)
	story, err := store.Story(t.Context(), reference)
	if err != nil {
		t.Fatal(err)
	}
	executed := func(reference string) int { e, _ := world.Payment(reference); return e.Charges }
	if n := executed(f.Reference); sent.Load() != 1 || n != map[bool]int{true: 1}[acts] {
		t.Errorf("sent %d times, executed %d times", sent.Load(), n)
	}
	for _, fault := range judge.Refunds(story, executed) {
		t.Error(fault.What)
	}
}
