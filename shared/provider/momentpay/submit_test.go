package momentpay_test

import (
	"context"
	"errors"
	"flag"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"momoproxy/infra/standin/core"
	momentstand "momoproxy/infra/standin/momentpay"
	"momoproxy/shared/payment"
	"momoproxy/shared/provider/momentpay"
	"momoproxy/shared/provider/wire"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares got with a file under testdata.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, append(got, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.TrimSpace(string(want)), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

const reference = "0b7e9a3e-6f7a-4d8b-9a1e-0f6f0f0a1b2c"

var created = time.Date(2026, 9, 16, 8, 0, 0, 123456789, time.UTC)

// fixed is a payment whose every field is known.
func fixed(method string) payment.Payment {
	p := newPayment()
	if method == momentpay.MethodPush {
		p = newPush()
	}
	p.Reference, p.CreatedAt, p.SubmitDeadline = reference, created, created.Add(30*time.Second)
	return p
}

// script answers one request after the other; the last answer stays.
type script struct {
	answers  []string // "CODE header:value|body", or the name of a transport error
	requests []*http.Request
	bodies   []string
}

// brokenOff is the body of an answer that ends before its time.
const brokenOff = "broken off"

func (s *script) RoundTrip(r *http.Request) (*http.Response, error) {
	body, _ := io.ReadAll(r.Body)
	if len(s.requests) == 100 {
		panic("MomentPay is asked without end") // in a bubble no time limit would end it
	}
	s.requests, s.bodies = append(s.requests, r), append(s.bodies, string(body))
	answer := s.answers[min(len(s.requests), len(s.answers))-1]
	head, text, ok := strings.Cut(answer, "|")
	if !ok {
		return nil, errors.New(answer)
	}
	fields := strings.Fields(head)
	code := 0
	for _, c := range fields[0] {
		code = code*10 + int(c-'0')
	}
	var content io.Reader = strings.NewReader(text)
	if text == brokenOff {
		content = iotest.ErrReader(io.ErrUnexpectedEOF)
	}
	resp := &http.Response{StatusCode: code, Header: http.Header{}, Body: io.NopCloser(content), Request: r}
	for _, h := range fields[1:] {
		name, value, _ := strings.Cut(h, ":")
		resp.Header.Set(name, value)
	}
	return resp, nil
}

func scripted(t testing.TB, now time.Time, answers ...string) (*momentpay.Provider, *script) {
	t.Helper()
	s := &script{answers: answers}
	return newProvider(t, config("https://api.momentpay.net/"), &http.Client{Transport: s}, func() time.Time { return now }), s
}

// TestRequest: what goes over the wire, byte for byte, and that it is the same
// at any time and after any of the things that change about a payment.
func TestRequest(t *testing.T) {
	t.Parallel()
	for _, method := range []string{momentpay.MethodLink, momentpay.MethodPush} {
		pay := fixed(method)
		p, s := scripted(t, created, "500 |{}")
		p.Submit(t.Context(), pay, "https://pay.example.com/callback/secret")
		r := s.requests[0]
		if got := r.Method + " " + r.URL.String(); got != "POST https://api.momentpay.net/collect/payment_request" {
			t.Error(got)
		}
		for name, want := range map[string]string{
			"Authorization": "Bearer " + secretKey, "Idempotency-Key": reference, "Content-Type": "application/json",
		} {
			if got := r.Header.Get(name); got != want {
				t.Errorf("%s is %q", name, got)
			}
		}
		golden(t, "request_"+method+".json", []byte(s.bodies[0]))

		later := pay
		later.Status, later.Phase, later.Checks, later.UpdatedAt = payment.Pending, payment.PhaseInReconciliation, 7, created.Add(time.Hour)
		later.CreatedAt = created.Truncate(time.Millisecond).In(time.FixedZone("SAST", 2*3600)) // as a store may give it back
		p, again := scripted(t, created.Add(20*time.Hour), "500 |{}")
		p.Status(t.Context(), later)
		s.bodies = append(s.bodies, again.bodies...)
		if len(s.bodies) != 4 {
			t.Fatalf("%d requests", len(s.bodies))
		}
		for _, body := range s.bodies[1:] {
			if diff := cmp.Diff(s.bodies[0], body); diff != "" {
				t.Errorf("a repeat differs:\n%s", diff)
			}
		}
		if again.requests[0].Header.Get("Idempotency-Key") != reference {
			t.Error("a repeat under another key")
		}
	}
}

const accepted = `201 |{"id":"pr_6phg74i4jG9wbzZbFDUQB","status":"active","type":"link","amount":15000,"currency":"ZAR","payment_id":"p_42432fdsjdklfjh4523987",` +
	`"external_reference":"` + reference + `","expires_at":"2026-09-17T08:00:00Z","link":{"checkout_session_id":"chk_G9wbzZbFDUQBFAE","link_url":"https://links.momentpay.io/G9wbzZbFDUQBFAE"}}`

func replaced(from, to string) string { return strings.Replace(accepted, from, to, 1) }

func TestSubmitAnswers(t *testing.T) {
	t.Parallel()
	const (
		nothing = payment.SaysNothing
		yes     = payment.SaysAccepted
		refused = payment.SaysRefused
	)
	for _, c := range []struct {
		name    string
		answers []string
		verdict payment.Verdict
		code    string
		asked   int
	}{
		{"accepted", []string{accepted}, yes, "", 1},
		{"accepted with 200", []string{strings.Replace(accepted, "201", "200", 1)}, yes, "", 1},
		{"replayed", []string{replaced("201 ", "201 Idempotent-Replayed:true ")}, yes, "", 1},
		{"already paid, says a strange answer", []string{replaced("active", "paid")}, yes, "", 1},
		{"already expired", []string{replaced("active", "expired")}, yes, "", 1},
		{"no reference", []string{replaced("external_reference", "x")}, yes, "", 1},
		{"no link", []string{replaced(`"link":`, `"x":`)}, yes, "", 1},
		{"another's reference", []string{replaced(reference, "ORDER-1")}, nothing, momentpay.CodeWrongReference, 1},
		{"no id", []string{replaced(`"id"`, `"x"`)}, nothing, "HTTP_201", 1},
		{"an id that leads elsewhere", []string{replaced(`pr_6phg74i4jG9wbzZbFDUQB`, `../payments/1`)}, nothing, "HTTP_201", 1},
		{"the longest id", []string{replaced(`pr_6phg74i4jG9wbzZbFDUQB`, strings.Repeat("a", payment.MaxID))}, yes, "", 1},
		{"an id too long", []string{replaced(`pr_6phg74i4jG9wbzZbFDUQB`, strings.Repeat("a", payment.MaxID+1))}, nothing, "HTTP_201", 1},
		{"a key twice", []string{replaced(`{"id"`, `{"id":"pr_1","id"`)}, nothing, "HTTP_201", 1},
		{"a web page", []string{"200 |<html>"}, nothing, "HTTP_200", 1},
		{"a redirect", []string{"307 Location:https://elsewhere.example|{}"}, nothing, "HTTP_307", 1},
		{"a fault nobody knows", []string{"fault", accepted}, nothing, "", 1},
		{"bad request", []string{`400 |{"error":{"code":"invalid_request","message":"amount"}}`}, refused, "invalid_request", 1},
		{"an unknown code", []string{`400 |{"error":{"code":"NO_RESPONSE"}}`}, nothing, "NO_RESPONSE", 1},
		{"bad request, flat", []string{`422 |{"error_code":"invalid_request","message":"amount"}`}, refused, "invalid_request", 1},
		{"bad request without code", []string{`400 |{}`}, nothing, "HTTP_400", 1},
		{"bad request in HTML", []string{`400 |<html>`}, nothing, "HTTP_400", 1},
		{"a refusal kept", []string{`400 Idempotent-Replayed:true|{"code":"invalid_request"}`}, refused, "invalid_request", 1},
		{"forbidden", []string{`403 |{"code":"push_not_enabled"}`}, refused, "push_not_enabled", 1},
		{"unauthorised", []string{`401 |{"code":"unauthorized"}`}, refused, momentpay.CodeCredentials, 1},
		{"unauthorised by a proxy", []string{`401 |`}, nothing, "HTTP_401", 1},
		{"no such page", []string{`404 |{"code":"not_found"}`}, nothing, "not_found", 1},
		{"under way", []string{`409 |{"code":"in_progress"}`}, nothing, "in_progress", 1},
		{"too many", []string{`429 |{}`}, nothing, "HTTP_429", 3},
		{"too many, then accepted", []string{`429 Retry-After:1|{}`, accepted}, yes, "", 2},
		{"too many for 3 s", []string{`429 Retry-After:3|{}`, accepted}, yes, "", 2},
		{"too many for 4 s", []string{`429 Retry-After:4|{}`, accepted}, nothing, "HTTP_429", 1},
		{"too many for no time", []string{`429 Retry-After:0|{}`, accepted}, yes, "", 2},
		{"too many for less than none", []string{`429 Retry-After:-1|{}`, accepted}, nothing, "HTTP_429", 1},
		{"too many for long", []string{`429 Retry-After:60|{}`, accepted}, nothing, "HTTP_429", 1},
		{"too many until a date", []string{`429 Retry-After:Wed,|{}`, accepted}, nothing, "HTTP_429", 1},
		{"too many, kept", []string{`429 Idempotent-Replayed:true|{}`, accepted}, nothing, "HTTP_429", 1},
		{"just below 5xx", []string{`499 |{}`, accepted}, nothing, "HTTP_499", 1},
		{"5xx", []string{`503 |{"code":"unavailable"}`}, nothing, "unavailable", 3},
		{"5xx, then accepted", []string{`500 |<html>`, accepted}, yes, "", 2},
		{"a 5xx kept comes again", []string{`500 |{}`, `500 Idempotent-Replayed:true|{}`, accepted}, nothing, "HTTP_500", 2},
		{"broken off", []string{`201 |` + brokenOff, accepted}, yes, "", 2},
		{"endless", []string{`500 |` + strings.Repeat("x", wire.MaxAnswer+1), accepted}, nothing, "HTTP_500", 1},
		{"refused after doubt", []string{`500 |{}`, `400 |{"code":"invalid_request"}`}, nothing, "invalid_request", 2},
		{"unauthorised after doubt", []string{`500 |{}`, `401 |{}`}, nothing, momentpay.CodeCredentials, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p, s := scripted(t, created, c.answers...)
				a := p.Submit(t.Context(), fixed(momentpay.MethodLink), "")
				if a.Evidence.Verdict != c.verdict || a.Evidence.Code != c.code || !a.Attempted {
					t.Errorf("%+v", a)
				}
				if len(s.requests) != c.asked || len(a.Exchanges) != c.asked {
					t.Errorf("asked %d times, %d exchanges", len(s.requests), len(a.Exchanges))
				}
				if (a.Evidence.IDs["id"] != "") != (c.verdict == yes) {
					t.Errorf("ids %v", a.Evidence.IDs)
				}
			})
		})
	}
}

// TestSubmitTells: ids, link and expiry.
func TestSubmitTells(t *testing.T) {
	t.Parallel()
	ids := map[string]string{"id": "pr_6phg74i4jG9wbzZbFDUQB", "payment_id": "p_42432fdsjdklfjh4523987", "checkout_session_id": "chk_G9wbzZbFDUQBFAE"}
	expires := time.Date(2026, 9, 17, 8, 0, 0, 0, time.UTC)
	link := map[string]string{"link": "https://links.momentpay.io/G9wbzZbFDUQBFAE", "expiresAt": "2026-09-17T08:00:00.000Z"}
	bare := map[string]string{"expiresAt": "2026-09-17T08:00:00.000Z"}
	long := "https://links.momentpay.io/" + strings.Repeat("x", 500-len("https://links.momentpay.io/"))
	last := created.Add(30 * 24 * time.Hour)
	for _, c := range []struct {
		name, answer string
		want         payment.Particulars
	}{
		{"link_url", accepted, payment.Particulars{IDs: ids, Instructions: link, ExpiresAt: expires}},
		{"url", replaced("link_url", "url"), payment.Particulars{IDs: ids, Instructions: link, ExpiresAt: expires}},
		{"both, one of no use", replaced(`"link_url"`, `"url":"","link_url"`), payment.Particulars{IDs: ids, Instructions: link, ExpiresAt: expires}},
		{"plain http", replaced("https:", "http:"), payment.Particulars{IDs: ids, Instructions: bare, ExpiresAt: expires}},
		{"the longest link", replaced(`"link_url":"`+link["link"], `"link_url":"`+long), payment.Particulars{IDs: ids, ExpiresAt: expires,
			Instructions: map[string]string{"link": long, "expiresAt": link["expiresAt"]}}},
		{"a link too long", replaced(`"link_url":"`+link["link"], `"link_url":"`+long+"x"), payment.Particulars{IDs: ids, Instructions: bare, ExpiresAt: expires}},
		{"a link with a space", replaced("links.momentpay.io/", "links.momentpay.io/ "), payment.Particulars{IDs: ids, Instructions: bare, ExpiresAt: expires}},
		{"script", replaced("https://links.momentpay.io/", "javascript:alert()//"), payment.Particulars{IDs: ids, Instructions: bare, ExpiresAt: expires}},
		{"credentials", replaced("https://", "https://user:pass@"), payment.Particulars{IDs: ids, Instructions: bare, ExpiresAt: expires}},
		{"no expiry", replaced("expires_at", "x"), payment.Particulars{IDs: ids, Instructions: link, ExpiresAt: expires}},
		{"absurd expiry", replaced("2026-09-17T08:00:00Z", "9999-01-01T00:00:00Z"), payment.Particulars{IDs: ids, Instructions: link, ExpiresAt: expires}},
		{"the latest expiry", replaced("2026-09-17T08:00:00Z", last.Format(time.RFC3339Nano)), payment.Particulars{IDs: ids, ExpiresAt: last,
			Instructions: map[string]string{"link": link["link"], "expiresAt": payment.Timestamp(last)}}},
		{"an expiry too late", replaced("2026-09-17T08:00:00Z", last.Add(1).Format(time.RFC3339Nano)), payment.Particulars{IDs: ids, Instructions: link, ExpiresAt: expires}},
		{"expiry of another zone", replaced("2026-09-17T08:00:00Z", "2026-09-17T10:00:00+02:00"), payment.Particulars{IDs: ids, Instructions: link, ExpiresAt: expires}},
		{"earlier expiry", replaced("2026-09-17T08:00:00Z", "2026-09-16T09:00:00Z"), payment.Particulars{
			IDs: ids, ExpiresAt: created.Truncate(time.Hour).Add(time.Hour),
			Instructions: map[string]string{"link": link["link"], "expiresAt": "2026-09-16T09:00:00.000Z"},
		}},
	} {
		p, _ := scripted(t, created, c.answer)
		a := p.Submit(t.Context(), fixed(momentpay.MethodLink), "")
		want := payment.Evidence{Source: payment.FromSubmit, Verdict: payment.SaysAccepted, Reference: reference, Amount: "150.00", Currency: "ZAR", Particulars: c.want, At: created}
		if diff := cmp.Diff(want, a.Evidence); diff != "" {
			t.Errorf("%s:\n%s", c.name, diff)
		}
	}
}

// TestSubmitWaits: as long as MomentPay asks for, if an attempt still fits
// before the deadline.
func TestSubmitWaits(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		deadline, waited time.Duration
		asked            int
	}{
		{time.Minute, 2 * time.Second, 2},
		{2*time.Second + 500*time.Millisecond, 2 * time.Second, 2},
		{2*time.Second + 500*time.Millisecond - 1, 0, 1},
	} {
		synctest.Test(t, func(t *testing.T) {
			p, s := scripted(t, created, `429 Retry-After:2|{}`, accepted)
			ctx, cancel := context.WithTimeout(t.Context(), c.deadline)
			defer cancel()
			begin := time.Now()
			p.Submit(ctx, fixed(momentpay.MethodLink), "")
			if waited := time.Since(begin); waited != c.waited || len(s.requests) != c.asked {
				t.Errorf("deadline in %s: waited %s, asked %d times", c.deadline, waited, len(s.requests))
			}
		})
	}
}

// TestSubmitDeadline: no attempt begins that cannot end, and each stays within
// its own limit.
func TestSubmitDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSandbox(t, momentstand.Options{})
		if err := s.AddRule(core.Rule{Fault: core.TimeoutAfter}); err != nil {
			t.Fatal(err)
		}
		p := newProvider(t, config("http://127.0.0.1:1"), &http.Client{Transport: s.RoundTripper()}, time.Now)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		begin, pay := time.Now(), newPayment()
		a := p.Submit(ctx, pay, "")
		if took := time.Since(begin); took > 20*time.Second || len(a.Exchanges) != 3 {
			t.Errorf("%d exchanges in %s", len(a.Exchanges), took)
		}
		if e, _ := s.Payment(pay.Reference); e.Accepted != 1 || e.Asks != 3 || a.Evidence.Verdict != payment.SaysNothing {
			t.Errorf("%+v, %+v", e, a.Evidence)
		}
		s.ClearRules()
		a = p.Status(t.Context(), pay)
		if a.Evidence.Verdict != payment.SaysPending || a.Evidence.IDs["id"] == "" || a.Evidence.Instructions["link"] == "" {
			t.Errorf("%+v", a.Evidence)
		}
		if e, _ := s.Payment(pay.Reference); e.Accepted != 1 {
			t.Errorf("%d requests", e.Accepted)
		}
	})
}
