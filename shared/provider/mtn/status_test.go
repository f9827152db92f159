package mtn_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"momoproxy/shared/payment"
	"momoproxy/shared/provider/mtn"
	"momoproxy/shared/provider/providertest"
)

func TestStatusAnswers(t *testing.T) {
	t.Parallel()
	const ref = "0b7e9a3e-6f7a-4d8b-9a1e-0f6f0f0a1b2c"
	// body is a whole answer with these fields added.
	body := func(rest string) answer {
		return says(200, `{"externalId":"`+ref+`","amount":"150.5","currency":"SZL","payer":{"partyIdType":"MSISDN","partyId":"26876123456"},"payerMessage":"m","payeeNote":"n",`+rest+`}`)
	}
	full := func(v payment.Verdict, code, reason string) payment.Evidence {
		return payment.Evidence{Verdict: v, Code: code, Reason: reason, Amount: "150.5", Currency: "SZL", Payer: "26876123456"}
	}
	success := full(payment.SaysSuccessful, "SUCCESSFUL", "")
	success.FinancialTransactionID = "600198217"
	nothing := func(code, reason string) payment.Evidence {
		return payment.Evidence{Verdict: payment.SaysNothing, Code: code, Reason: reason}
	}
	for _, c := range []struct {
		name   string
		answer answer
		want   payment.Evidence
	}{
		{"pending", body(`"status":"PENDING"`), full(payment.SaysPending, "PENDING", "")},
		{"created", body(`"status":"CREATED"`), full(payment.SaysPending, "CREATED", "")},
		{"ongoing", body(`"status":"ONGOING"`), full(payment.SaysPending, "ONGOING", "")},
		{"successful", body(`"financialTransactionId":"600198217","status":"SUCCESSFUL"`), success},
		{"transaction id as a number", body(`"financialTransactionId":600198217,"status":"SUCCESSFUL"`), success},
		{"successful with a reason", body(`"financialTransactionId":"600198217","status":"SUCCESSFUL","reason":"EXPIRED"`), success},
		{"failed", body(`"status":"FAILED"`), full(payment.SaysFailed, "FAILED", "")},
		{"failed, null reason", body(`"status":"FAILED","reason":null`), full(payment.SaysFailed, "FAILED", "")},
		{"failed, reason", body(`"status":"FAILED","reason":"NOT_ENOUGH_FUNDS"`), full(payment.SaysFailed, "NOT_ENOUGH_FUNDS", "")},
		{"failed, reason that sounds transient", body(`"reason":"INTERNAL_PROCESSING_ERROR","status":"FAILED"`), full(payment.SaysFailed, "INTERNAL_PROCESSING_ERROR", "")},
		{"failed, new reason", body(`"status":"FAILED","reason":"PAYER_DELAYED"`), full(payment.SaysFailed, "PAYER_DELAYED", "")},
		{"failed, reason of the outermost characters", body(`"status":"FAILED","reason":"AZ_09"`), full(payment.SaysFailed, "AZ_09", "")},
		{"failed, reason in words", body(`"status":"FAILED","reason":"No money, sorry"`), full(payment.SaysFailed, "FAILED", "No money, sorry")},
		{"failed, reason object", body(`"status":"FAILED","reason":{"code":"PAYER_LIMIT_REACHED","message":"Limit reached."}`), full(payment.SaysFailed, "PAYER_LIMIT_REACHED", "Limit reached.")},
		{"failed, reason object without a code", body(`"status":"FAILED","reason":{"message":"Limit reached."}`), full(payment.SaysFailed, "FAILED", "Limit reached.")},
		{"failed, reason object of another kind", body(`"status":"FAILED","reason":{"why":"x"}`), full(payment.SaysFailed, "FAILED", `{"why":"x"}`)},
		{"failed, empty reason object", body(`"status":"FAILED","reason":{}`), full(payment.SaysFailed, "FAILED", "")},
		{"failed, reason a number", body(`"status":"FAILED","reason":17`), full(payment.SaysFailed, "17", "")},
		{"failed, reason a list", body(`"status":"FAILED","reason":["A"]`), full(payment.SaysFailed, "FAILED", `["A"]`)},
		{"cancelled by reason", body(`"status":"FAILED","reason":"TRANSACTION_CANCELED"`), full(payment.SaysCancelled, "TRANSACTION_CANCELED", "")},
		{"cancelled by reason object", body(`"status":"FAILED","reason":{"code":"TRANSACTION_CANCELED","message":"Gone."}`), full(payment.SaysCancelled, "TRANSACTION_CANCELED", "Gone.")},
		{"payer said no", body(`"status":"FAILED","reason":"APPROVAL_REJECTED"`), full(payment.SaysFailed, "APPROVAL_REJECTED", "")},
		{"expired", body(`"status":"FAILED","reason":"EXPIRED"`), full(payment.SaysFailed, "EXPIRED", "")},
		{"pending with a cancel reason", body(`"status":"PENDING","reason":"TRANSACTION_CANCELED"`), full(payment.SaysPending, "PENDING", "")},
		{"word rejected", body(`"status":"REJECTED"`), full(payment.SaysFailed, "REJECTED", "")},
		{"word expired", body(`"status":"EXPIRED"`), full(payment.SaysFailed, "EXPIRED", "")},
		{"word cancelled", body(`"status":"CANCELLED"`), full(payment.SaysCancelled, "CANCELLED", "")},
		{"word timeout", body(`"status":"TIMEOUT"`), full(payment.SaysUnrecognised, "TIMEOUT", "")},
		{"unknown word", body(`"status":"ON_HOLD","reason":{"code":"A","message":"b"}`), full(payment.SaysUnrecognised, "ON_HOLD", "A b")},
		{"lower case", body(`"status":"successful"`), full(payment.SaysUnrecognised, "successful", "")},
		{"word with a control character", body(`"status":"SUCCESS\u0000FUL"`), full(payment.SaysUnrecognised, "SUCCESS\uFFFDFUL", "")},
		{"status an object", body(`"status":{"a":1}`), full(payment.SaysUnrecognised, `{"a":1}`, "")},
		{"no status", body(`"x":1`), nothing("HTTP_200", "MTN's answer has no status")},
		{"empty status", body(`"status":""`), nothing("HTTP_200", "MTN's answer has no status")},
		{"key in capitals", body(`"STATUS":"SUCCESSFUL"`), nothing("HTTP_200", "MTN's answer has no status")},
		{"key twice", body(`"status":"FAILED","status":"SUCCESSFUL"`), nothing("HTTP_200", "MTN's answer is unreadable: a key stands twice")},
		{"inner key twice", says(200, `{"status":"SUCCESSFUL","payer":{"partyId":"1","partyId":"2"}}`), nothing("HTTP_200", "MTN's answer is unreadable: a key stands twice")},

		{"other payment", says(200, `{"externalId":"ORDER-1","status":"SUCCESSFUL"}`), nothing(mtn.CodeWrongReference, "MTN's answer is about another payment")},
		{"other payment by number", says(200, `{"externalId":12345,"status":"SUCCESSFUL"}`), nothing(mtn.CodeWrongReference, "MTN's answer is about another payment")},
		{"bare", says(200, `{"status":"SUCCESSFUL"}`), payment.Evidence{Verdict: payment.SaysUnrecognised, Code: mtn.CodeIncomplete}},
		{"null fields", says(200, `{"externalId":null,"amount":null,"payer":null,"status":"PENDING"}`), payment.Evidence{Verdict: payment.SaysPending, Code: "PENDING"}},
		{"numbers", says(200, `{"amount":100,"currency":"SZL","payer":{"partyId":26876123456},"status":"PENDING"}`),
			payment.Evidence{Verdict: payment.SaysPending, Code: "PENDING", Amount: "100", Currency: "SZL", Payer: "26876123456"}},
		{"payer with a plus", says(200, `{"payer":{"partyIdType":"msisdn","partyId":"+26876123456"},"status":"PENDING"}`),
			payment.Evidence{Verdict: payment.SaysPending, Code: "PENDING", Payer: "26876123456"}},
		{"payer of another kind", says(200, `{"payer":{"partyIdType":"EMAIL","partyId":"+a@b"},"status":"PENDING"}`),
			payment.Evidence{Verdict: payment.SaysPending, Code: "PENDING", Payer: "+a@b"}},
		{"payer bare", says(200, `{"payer":"26876123456","status":"PENDING"}`),
			payment.Evidence{Verdict: payment.SaysPending, Code: "PENDING", Payer: "26876123456"}},
		{"amount of a strange kind is not lost", says(200, `{"amount":{"value":1},"status":"SUCCESSFUL"}`),
			payment.Evidence{Verdict: payment.SaysUnrecognised, Code: mtn.CodeIncomplete, Amount: `{"value":1}`}},
		{"byte order mark", says(200, "\xef\xbb\xbf"+`{"status":"PENDING"}`), payment.Evidence{Verdict: payment.SaysPending, Code: "PENDING"}},

		{"firewall page", says(200, firewallPage), nothing("HTTP_200", "MTN's answer is unreadable: not one JSON object")},
		{"empty", says(200, ""), nothing("HTTP_200", "MTN's answer is unreadable: not one JSON object")},
		{"list", says(200, `[{"status":"SUCCESSFUL"}]`), nothing("HTTP_200", "MTN's answer is unreadable: not one JSON object")},
		{"two objects", says(200, `{"status":"SUCCESSFUL"}{"status":"FAILED"}`), nothing("HTTP_200", "MTN's answer is unreadable: not one JSON object")},
		{"endless", endless, nothing("HTTP_200", "MTN's answer broke off (too_large)")},
		{"just too long", says(200, `{"status":"SUCCESSFUL","x":"`+strings.Repeat("x", 64<<10)+`"}`), nothing("HTTP_200", "MTN's answer broke off (too_large)")},
		{"broken off", truncatedAs(200), nothing("HTTP_200", "MTN's answer broke off (eof)")},
		{"reset", reset(false), nothing("", "no answer from MTN (reset)")},

		{"not found", says(404, `{"message":"Requested resource was not found.","code":"RESOURCE_NOT_FOUND"}`),
			payment.Evidence{Verdict: payment.SaysNotFound, Code: "RESOURCE_NOT_FOUND", Reason: "Requested resource was not found."}},
		{"not found as 500", says(500, `{"code":"RESOURCE_NOT_FOUND"}`), payment.Evidence{Verdict: payment.SaysNotFound, Code: "RESOURCE_NOT_FOUND"}},
		{"transaction not found", says(404, `{"code":"TRANSACTION_NOT_FOUND"}`), payment.Evidence{Verdict: payment.SaysNotFound, Code: "TRANSACTION_NOT_FOUND"}},
		{"not found in a 200", says(200, `{"code":"RESOURCE_NOT_FOUND"}`), nothing("HTTP_200", "MTN's answer has no status")},
		{"gateway's 404", says(404, `{"statusCode":404,"message":"Resource not found"}`), nothing("HTTP_404", "Resource not found")},
		{"404 page", says(404, "<html>"), nothing("HTTP_404", "")},
		{"404 empty", says(404, ""), nothing("HTTP_404", "")},
		{"400", says(400, ""), nothing("HTTP_400", "")},
		{"500 code", says(500, `{"code":"INTERNAL_PROCESSING_ERROR"}`), nothing("INTERNAL_PROCESSING_ERROR", "")},
		{"503", says(503, `{"message":"Later.","code":"SERVICE_UNAVAILABLE"}`), nothing("SERVICE_UNAVAILABLE", "Later.")},
		{"429", says(429, ""), nothing("HTTP_429", "")},
		{"202", says(202, `{"status":"SUCCESSFUL"}`), nothing("HTTP_202", "")},
		{"302", redirects, nothing("HTTP_302", "")},
		{"401", says(401, `{"statusCode":401,"message":"Unauthorized"}`),
			payment.Evidence{Verdict: payment.SaysNothing, Code: mtn.CodeCredentials, Reason: "MTN refused the credentials", AccountFault: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t)
			f.then(c.answer)
			at := time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC)
			p := newProviderWith(t, config(f.URL), nil, nil, func() time.Time { return at })
			pay := newPayment()
			pay.Reference = ref
			a := p.Status(t.Context(), pay)
			c.want.Source, c.want.At = payment.FromStatus, at
			if got := a.Evidence.Reference; got != "" && got != ref {
				t.Errorf("it is said to be about %s", got)
			}
			c.want.Reference = a.Evidence.Reference // where the body names it
			if diff := cmp.Diff(c.want, a.Evidence); diff != "" {
				t.Error(diff)
			}
			calls, _, tokens := f.seen()
			// One question, whatever comes of it. A token that MTN refused has
			// been replaced, and a reset connection was kept from the token
			// call: asking again may help.
			wantTokens, again := 1, c.name == "401" || c.name == "reset"
			if c.name == "401" {
				wantTokens = 2
			}
			if len(calls) != 1 || tokens != wantTokens || a.AskAgain != again {
				t.Errorf("%d calls, %d tokens, ask again %v; want 1, %d, %v", len(calls), tokens, a.AskAgain, wantTokens, again)
			}
			if got := calls[0].URL.String(); got != "/collection/v1_0/requesttopay/"+ref || calls[0].Method != "GET" {
				t.Errorf("asked %s %s", calls[0].Method, got)
			}
			for _, header := range []string{"X-Reference-Id", "X-Callback-Url", "Content-Type"} {
				if calls[0].Header.Get(header) != "" {
					t.Errorf("%s is sent with a status question", header)
				}
			}
			if !a.Attempted || a.Evidence.Code == "LIKELY_DUPLICATE" {
				t.Errorf("%+v", a)
			}
		})
	}
}

// TestSuccessIsComplete: a success that leaves out any of what is compared
// proves nothing.
func TestSuccessIsComplete(t *testing.T) {
	t.Parallel()
	parts := []string{`"amount":"150.5"`, `"currency":"SZL"`, `"payer":{"partyIdType":"MSISDN","partyId":"26876123456"}`}
	pay := newPayment()
	for kept := range 1 << len(parts) {
		body := []string{`"externalId":"` + pay.Reference + `"`, `"status":"SUCCESSFUL"`}
		for i, part := range parts {
			if kept&(1<<i) != 0 {
				body = append(body, part)
			}
		}
		f := newFake(t)
		f.then(says(200, "{"+strings.Join(body, ",")+"}"))
		e := newProvider(t, f, nil).Status(t.Context(), pay).Evidence
		whole := kept == 1<<len(parts)-1
		if whole != (e.Verdict == payment.SaysSuccessful) || whole != (e.Code != mtn.CodeIncomplete) {
			t.Errorf("%s: %s %s", body, e.Verdict, e.Code)
		}
	}
}

// TestStatusWithoutAToken: the question was never sent, and the answer says why.
func TestStatusWithoutAToken(t *testing.T) {
	for answer, want := range map[*http.Response]payment.Evidence{
		response(500, `{"error":"login_failed"}`): {Code: mtn.CodeCredentials, Reason: "MTN gave no token: it refused the credentials", AccountFault: true},
		response(503, ""):                         {Reason: "MTN was not asked: there was no token in time"},
	} {
		synctest.Test(t, func(t *testing.T) {
			p := bubbleProvider(t, providertest.NewMemoryTokens(nil), func(*http.Request) (*http.Response, error) { return answer, nil })
			a := p.Status(t.Context(), newPayment())
			want.Source, want.Verdict, want.At = payment.FromStatus, payment.SaysNothing, time.Now()
			if diff := cmp.Diff(want, a.Evidence); diff != "" || a.Attempted {
				t.Errorf("attempted %t: %s", a.Attempted, diff)
			}
		})
	}
}

// TestReportedTextIsBounded: nothing a provider writes can grow our records.
func TestReportedTextIsBounded(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("é", 5000)
	f := newFake(t)
	f.then(says(200, fmt.Sprintf(`{"status":"FAILED","reason":{"code":%q,"message":%q},"amount":%q,"currency":%q,"payer":{"partyId":%q},"financialTransactionId":%q}`,
		long, long, long, long, long, long)))
	p := newProvider(t, f, nil)
	ev := p.Status(t.Context(), newPayment()).Evidence
	for name, got := range map[string]string{"code": ev.Code, "reason": ev.Reason, "amount": ev.Amount, "currency": ev.Currency, "payer": ev.Payer, "id": ev.FinancialTransactionID} {
		if len(got) > 500 || len(got) < 60 || strings.Trim(got, "é") != "" {
			t.Errorf("%s: %d bytes", name, len(got))
		}
	}
}
