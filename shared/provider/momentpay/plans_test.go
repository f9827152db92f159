package momentpay_test

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"momoproxy/infra/standin/core"
	momentstand "momoproxy/infra/standin/momentpay"
	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
	"momoproxy/shared/provider/momentpay"
)

// TestPlansToTheirEnd takes a payment through every script of the stand-in by
// each method: webhooks are applied as they come, questions asked when they
// are due, and in the end payment and books agree.
func TestPlansToTheirEnd(t *testing.T) {
	t.Parallel()
	type end struct {
		status payment.Status
		within time.Duration
	}
	paid, refused := end{payment.Successful, 2 * time.Minute}, end{payment.Failed, 0}
	for _, plan := range momentstand.New(momentstand.Options{}).Scripts() {
		for _, method := range []string{momentpay.MethodLink, momentpay.MethodPush} {
			want := paid
			switch link := method == momentpay.MethodLink; plan.Name {
			case "unpaid":
				if want = (end{payment.Cancelled, 15 * time.Minute}); link {
					want.within = 26 * time.Hour
				}
			case "failed", "failed_told", "webhook_forged":
				if want = (end{payment.Failed, time.Minute}); link { // a link is never failed
					want.status = payment.Cancelled
				}
			case "wrong_amount": // held for an operator
				want = end{payment.Pending, 30 * time.Hour}
			case "reset_before", "html200":
				// Nobody has the link; a push may have been approved.
				if want = (end{payment.Pending, 30 * time.Hour}); link {
					want = end{payment.Timeout, 26 * time.Hour}
				}
			case "refused":
				want = refused
			}
			t.Run(plan.Name+" "+method, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					w := play(t, plan, method)
					took := w.pay.EndedAt.Sub(w.pay.CreatedAt)
					if w.pay.Status != want.status || w.pay.Status.Ended() && took > want.within {
						t.Errorf("%s %s %q after %s, want %s within %s", w.pay.Status, w.pay.Phase, w.pay.Reason, took, want.status, want.within)
					}
					e, _ := w.sandbox.Payment(w.pay.Reference)
					if e.Accepted > 1 || e.Charges > 1 || (e.Charges == 1) != (w.pay.Status == payment.Successful || plan.Name == "wrong_amount") {
						t.Errorf("%s, and in the books %+v", w.pay.Status, e)
					}
					if w.pay.Open() && w.pay.Phase != payment.PhaseHeld && !w.pay.Unanswerable {
						t.Errorf("open, and no operator is told: %+v", w.pay)
					}
					if plan.Name == "webhook_forged" && w.refused != len(momentstand.Forgeries()) {
						t.Errorf("%d webhooks refused", w.refused)
					} else if plan.Name != "webhook_forged" && w.refused > 0 {
						t.Errorf("%d webhooks refused", w.refused)
					}
				})
			})
		}
	}
}

// played is one payment and who works on it, one at a time.
type played struct {
	sandbox *momentstand.Standin
	p       *momentpay.Provider
	pay     payment.Payment
	turn    chan struct{}
	refused int
}

func (w *played) apply(e payment.Evidence) payment.Decision {
	d := payment.Decide(w.pay, e, w.p.Capabilities().Method(w.pay.Method).Policy)
	w.pay = d.Payment
	return d
}

// RoundTrip receives a webhook.
func (w *played) RoundTrip(r *http.Request) (*http.Response, error) {
	w.turn <- struct{}{}
	defer func() { <-w.turn }()
	body, _ := io.ReadAll(r.Body)
	c, err := w.p.ParseCallback(provider.Inbound{Header: r.Header.Get, Body: body, At: time.Now()})
	code := 200
	if errors.Is(err, provider.ErrSignature) {
		code, w.refused = 401, w.refused+1
	} else if d := w.apply(c.Evidence); d.Confirm {
		w.apply(w.p.Status(r.Context(), w.pay).Evidence)
	}
	return &http.Response{StatusCode: code, Body: http.NoBody, Header: http.Header{}, Request: r}, nil
}

func play(t *testing.T, plan core.ScriptMeaning, method string) *played {
	code, err := strconv.Atoi(plan.For[0])
	if err != nil {
		t.Fatal(err)
	}
	w := &played{turn: make(chan struct{}, 1)}
	w.sandbox = momentstand.New(momentstand.Options{Options: core.Options{CallbackURL: "https://pay.example.com/webhooks/momentpay",
		HTTPClient: &http.Client{Transport: w}, Seed: 1, InstantTimeouts: true},
		SecretKey: secretKey, WebhookSecrets: []string{oldSecret}})
	t.Cleanup(w.sandbox.Close)
	w.p = newProvider(t, config("http://127.0.0.1:1"), &http.Client{Transport: w.sandbox.RoundTripper()}, time.Now)
	w.pay = newPayment()
	w.pay.Method, w.pay.Amount.Minor = method, 15000+int64(code)
	if method == momentpay.MethodPush {
		w.pay.Payer = payment.MSISDN(momentstand.PushNumber(code)[1:])
		w.pay.Amount.Minor = 15000
	}
	w.pay.Phase, w.pay.SubmitDeadline = payment.PhaseSubmitting, w.pay.CreatedAt.Add(30*time.Second)
	pol := w.p.Capabilities().Method(method).Policy
	w.pay.NextCheckAt = pol.NextCheck(w.pay, time.Now())

	w.turn <- struct{}{}
	w.apply(w.p.Submit(t.Context(), w.pay, "").Evidence)
	for questions := 0; !w.pay.NextCheckAt.IsZero() && time.Since(w.pay.CreatedAt) < 30*time.Hour; questions++ {
		wait := time.Until(w.pay.NextCheckAt)
		<-w.turn
		time.Sleep(max(wait, time.Millisecond))
		w.turn <- struct{}{}
		if !w.pay.NextCheckAt.IsZero() && !time.Now().Before(w.pay.NextCheckAt) {
			w.apply(w.p.Status(t.Context(), w.pay).Evidence)
			w.pay.NextCheckAt = pol.NextCheck(w.pay, time.Now())
		}
		if questions > 1000 {
			t.Fatal("asked without end")
		}
	}
	<-w.turn
	return w
}
