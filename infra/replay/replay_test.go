package replay_test

import (
	"cmp"
	"net/http"
	"testing"
	"time"

	"momoproxy/infra/replay"
	"momoproxy/shared/gateway"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
	"momoproxy/shared/provider/wire"
)

const reference = "9a4bfb95-6738-408d-a0b3-fd4e84128d70"

var start = time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC)

func push() ledger.Payment {
	amount, err := payment.ParseMoney("100.00", "ZAR")
	if err != nil {
		panic(err)
	}
	return ledger.Payment{Payment: payment.Payment{
		Reference: reference, ClientID: "cli_shop", ExternalID: "ORDER-1", Provider: "momentpay", Method: "push",
		Amount: amount, Payer: "27821995416", Status: payment.Pending,
		CreatedAt: start, SubmitDeadline: start.Add(30 * time.Second),
	}}
}

// asked is an exchange that began so long after the start.
func asked(item string, after time.Duration, code int, body string) ledger.AuditRecord {
	return ledger.AuditRecord{
		At: start.Add(after), Direction: ledger.OutboundToProvider, Reference: reference, Item: item, Version: 1,
		Method: http.MethodPost, URL: "https://moment.example/collect/payment_request", ResponseCode: code, ResponseBody: body,
	}
}

func toMTN(after time.Duration, path string, code int, body string) ledger.AuditRecord {
	a := asked("a", after, code, body)
	a.URL = "https://mtn.example" + path
	return a
}

// request is the app's.
func request(item string, code int) ledger.AuditRecord {
	return ledger.AuditRecord{
		At: start, Duration: time.Second, Direction: ledger.InboundFromApp, Reference: reference, Item: item, Version: 1,
		Method: http.MethodPost, URL: "/request-to-pay", ResponseCode: code,
	}
}

func version(n int64, a ledger.AuditRecord) ledger.AuditRecord { a.Version = n; return a }
func unchanged(a ledger.AuditRecord) ledger.AuditRecord        { a.Unchanged = true; return a }
func noted(note string, a ledger.AuditRecord) ledger.AuditRecord {
	a.Note = note
	return a
}

func question(item string, after time.Duration, body string) ledger.AuditRecord {
	a := asked(item, after, 200, body)
	a.Method, a.URL = http.MethodGet, a.URL+"/pr_1"
	return a
}

func TestPayment(t *testing.T) {
	const (
		wrong = `{"error":{"code":"invalid_request","message":"expires_at"}}`
		made  = `{"id":"pr_1","type":"push","status":"active","amount":10000,"currency":"ZAR","external_reference":"` + reference + `"}`
		paid  = `{"id":"pr_1","type":"push","status":"paid","amount":10000,"currency":"ZAR","external_reference":"` + reference + `","payment_id":"pay_7"}`
		usd   = `{"id":"pr_1","type":"push","status":"paid","amount":10000,"currency":"USD","external_reference":"` + reference + `","payment_id":"pay_7"}`
	)
	for name, test := range map[string]struct {
		answer   string // stored.AnswerKind
		provider string // empty: MomentPay
		method   string // of MomentPay's; empty: push
		trail    []ledger.AuditRecord
		status   payment.Status
		reason   string
		failure  payment.FailureCode
		phase    payment.Phase
	}{
		"nothing is known": {trail: []ledger.AuditRecord{}, status: payment.Pending, phase: payment.PhaseSubmitting},
		"its request is refused": {
			trail:  []ledger.AuditRecord{asked("a", 0, 400, wrong), request("a", 422)},
			status: payment.Failed, reason: "invalid_request", failure: payment.FailureRequestRefused,
		},
		// The process died with the first answer. What is then asked is the
		// same request once more, and its answer is about the status.
		"its request is refused twice to who asks": {
			method: "link",
			trail:  []ledger.AuditRecord{asked("a", 4*time.Minute, 400, wrong), version(2, asked("b", 8*time.Minute, 400, wrong))},
			status: payment.Failed, reason: payment.ReasonNotReceived, failure: payment.FailureNotReceived,
		},
		"after the expiry a refusal says nothing": {
			trail:  []ledger.AuditRecord{asked("a", 40*time.Minute, 400, wrong), version(2, asked("b", 80*time.Minute, 400, wrong))},
			status: payment.Pending, phase: payment.PhaseInReconciliation,
		},
		"but for the answer that was given before": {
			trail: []ledger.AuditRecord{
				noted(gateway.NoteRepeated, asked("a", 40*time.Minute, 400, wrong)),
				noted(gateway.NoteRepeated, version(2, asked("b", 80*time.Minute, 400, wrong))),
			},
			status: payment.Failed, reason: payment.ReasonNotReceived, failure: payment.FailureNotReceived,
		},
		"an answer that broke off tells nothing": {
			trail:  []ledger.AuditRecord{noted("eof", asked("a", 0, 400, wrong)), request("a", 202)},
			status: payment.Pending, phase: payment.PhaseInReconciliation,
		},
		"there was no connection": {
			trail:  []ledger.AuditRecord{noted("dial", asked("a", 0, 0, "")), request("a", 502)},
			status: payment.Failed, reason: "NOT_SENT", failure: payment.FailureUnavailable,
		},
		// MTN's token call may be answered with 200 and a page: no token, so the
		// request was not sent once more.
		"the token was lost and no other came": {
			provider: "mtn",
			trail: []ledger.AuditRecord{
				toMTN(0, "/collection/v1_0/requesttopay", 401, ""), toMTN(time.Second, "/collection/token/", 200, "[no token]"), request("a", 502),
			},
			status: payment.Failed, reason: "CREDENTIALS", failure: payment.FailureAccountRefused,
		},
		"the token was lost and another came": {
			provider: "mtn",
			trail: []ledger.AuditRecord{
				toMTN(0, "/collection/v1_0/requesttopay", 401, ""), toMTN(time.Second, "/collection/token/", 200, wire.HiddenToken),
				toMTN(2*time.Second, "/collection/v1_0/requesttopay", 202, ""), request("a", 202),
			},
			status: payment.Pending, phase: payment.PhaseAwaitingPayer,
		},
		"no slot came free": {
			answer: string(gateway.NotStarted),
			trail:  []ledger.AuditRecord{request("a", 502)},
			status: payment.Failed, reason: "NOT_SENT", failure: payment.FailureUnavailable,
		},
		"a question that could not be put ends it by the clock": {
			trail: []ledger.AuditRecord{
				asked("a", 0, 201, made), request("a", 202),
				noted(gateway.NoteNotAsked+": no token", version(2, question("b", 8*24*time.Hour, ""))),
			},
			status: payment.Timeout, reason: payment.ReasonNoEnding, failure: payment.FailureNoEnding,
		},
		// At the same time: the versions say which came first.
		"other money first, then the right money": {
			trail: []ledger.AuditRecord{
				asked("a", 0, 201, made), request("a", 202),
				version(3, question("b", time.Minute, paid)), version(2, question("c", time.Minute, usd)),
			},
			status: payment.Pending, phase: payment.PhaseHeld,
		},
		// Version 2 gave the payment its ids. The question is older: it was the
		// same request once more. Its answer is about other money, and it was
		// decided on after version 2.
		"other money, asked before its id was known": {
			method: "link",
			trail: []ledger.AuditRecord{
				noted("eof", asked("a", 0, 0, "")), request("a", 202),
				version(2, asked("b", 2*time.Minute, 201, made)), version(3, asked("c", time.Minute, 201, usd)),
			},
			status: payment.Pending, phase: payment.PhaseHeld,
		},
		// It came about before the payment ended, and was decided on after.
		"an answer that was too late changes nothing": {
			trail: []ledger.AuditRecord{
				asked("a", 0, 201, made), request("a", 202),
				version(3, question("b", 2*time.Minute, paid)), unchanged(version(3, question("c", time.Minute, usd))),
			},
			status: payment.Successful,
		},
		"nothing was decided on what has no version": {
			trail:  []ledger.AuditRecord{asked("a", 0, 201, made), request("a", 202), version(0, question("b", time.Minute, paid))},
			status: payment.Pending, phase: payment.PhaseAwaitingPayer,
		},
		"the right money first": {
			trail: []ledger.AuditRecord{
				asked("a", 0, 201, made), request("a", 202),
				version(2, question("b", time.Minute, paid)), version(3, question("c", time.Minute, usd)),
			},
			status: payment.Successful,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stored := push()
			stored.AnswerKind = test.answer
			stored.Method = cmp.Or(test.method, stored.Method)
			if test.provider != "" {
				stored.Provider, stored.Method = test.provider, ""
			}
			r, err := replay.Payment(t.Context(), stored, test.trail)
			if err != nil {
				t.Fatal(err)
			}
			stored.Status, stored.Reason, stored.FailureCode, stored.Phase = test.status, test.reason, test.failure, test.phase
			if test.status == payment.Successful {
				stored.FinancialTransactionID = "pay_7"
			}
			if differs := r.Differs(stored.Payment); differs != "" || r.Unread != 0 {
				t.Errorf("%s; %d unread", differs, r.Unread)
			}
		})
	}
}

// Differs names each field that the evidence does not give.
func TestDiffers(t *testing.T) {
	stored := push()
	r, err := replay.Payment(t.Context(), stored, nil)
	if err != nil {
		t.Fatal(err)
	}
	stored.Status, stored.FinancialTransactionID = payment.Successful, "4711"
	want := `status is "SUCCESSFUL", by the evidence "PENDING"; transaction is "4711", by the evidence ""`
	if got := r.Differs(stored.Payment); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
