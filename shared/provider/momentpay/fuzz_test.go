package momentpay_test

import (
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
	"momoproxy/shared/provider/momentpay"
	"momoproxy/shared/webhook"
)

// FuzzWebhook: whatever is signed, the evidence is fit to be stored, and a
// success that is evidence says what for.
func FuzzWebhook(f *testing.F) {
	for _, body := range []string{
		hook(f), hook(f, "10000", "1e9"), hook(f, "10000", `"10000"`), hook(f, "paid", "expired"), hook(f, "link_url", "url"),
		`{"type":"payment.succeeded","data":{"id":"pay_1"}}`, `{"type":"x"}`, `{"type":"payment_request.paid","data":{"id":"pr_1"}}`,
		"", "null", "[[[", "\xef\xbb\xbf{}", "<html>",
	} {
		f.Add([]byte(body))
	}
	secret, err := webhook.ParseSecret(newSecret)
	if err != nil {
		f.Fatal(err)
	}
	p := receiver(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		header, err := webhook.Headers("evt_1", arrival, body, secret)
		if err != nil {
			t.Fatal(err)
		}
		c, err := p.ParseCallback(provider.Inbound{Header: header.Get, Body: body, At: arrival})
		if err != nil {
			if !errors.Is(err, provider.ErrCallback) || errors.Is(err, provider.ErrSignature) || len(c.IDs) > 0 || c.Evidence.Verdict != "" {
				t.Fatalf("%+v, %v", c, err)
			}
			return
		}
		e := c.Evidence
		if (e.Source == payment.FromSignedWebhook) != (c.Standing == provider.Signed) || c.Standing == provider.Anonymous {
			t.Fatalf("%+v", c)
		}
		if e.Verdict == payment.SaysSuccessful && c.Standing == provider.Signed && (e.Amount == "" || e.Currency == "" || len(c.IDs) != 1) {
			t.Fatalf("success from %s", body)
		}
		fit(t, e)
		for _, id := range append(c.IDs, c.ProviderIDs...) {
			if id == "" || len(id) > payment.MaxID {
				t.Fatalf("id %q", id)
			}
		}
		// Native never passes on what says something else.
		pay := fixed(momentpay.MethodLink)
		if got := p.Native(pay, payment.EventSuccessful, body); string(got) == string(body) && e.Verdict != payment.SaysSuccessful {
			t.Fatalf("passed on %s", body)
		}
		// The same bytes without the right signature are nobody's.
		header.Set("Webhook-Timestamp", strconv.FormatInt(arrival.Unix()+1, 10))
		if _, err := p.ParseCallback(provider.Inbound{Header: header.Get, Body: body, At: arrival}); !errors.Is(err, provider.ErrSignature) {
			t.Fatal(err)
		}
	})
}

// FuzzHeaders: nothing in the headers verifies but a signature.
func FuzzHeaders(f *testing.F) {
	good := signed(f, hook(f), newSecret, arrival)
	f.Add(good.Header("webhook-id"), good.Header("webhook-timestamp"), "v1,AAAA")
	f.Add("", "", "")
	f.Add("evt_1.2", "-1", "v1,"+strings.Repeat("A", 4096))
	f.Add("evt_1", "1e9", "v1, v1 v2,x v1,====")
	p := receiver(f)
	f.Fuzz(func(t *testing.T, id, timestamp, signature string) {
		h := map[string]string{"webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": signature}
		in := provider.Inbound{Header: func(n string) string { return h[strings.ToLower(n)] }, Body: good.Body, At: arrival}
		if c, err := p.ParseCallback(in); !errors.Is(err, provider.ErrSignature) || c.Standing != provider.Anonymous {
			t.Fatalf("%+v, %v", c, err)
		}
	})
}

// FuzzAnswer: any answer to a request or a question gives evidence fit to be
// stored; nothing but a known request's success ends a payment well.
func FuzzAnswer(f *testing.F) {
	for _, answer := range []string{accepted, shown("active", "paid"), shown("active", "failed"), shown("link_url", "url"), `500 |{"error":{"code":"x"}}`, "200 |<html>"} {
		head, body, _ := strings.Cut(answer, "|")
		code, _ := strconv.Atoi(strings.TrimSpace(head))
		f.Add(code, []byte(body))
	}
	pol := momentpay.Registration.Offline().Capabilities().Method("link").Policy
	f.Fuzz(func(t *testing.T, code int, body []byte) {
		if code < 200 || code > 599 {
			code = 200
		}
		answer := strconv.Itoa(code) + " |" + string(body)
		now := created.Add(time.Minute)
		p, _ := scripted(t, now, answer)
		a := p.Submit(t.Context(), fixed(momentpay.MethodLink), "")
		switch fit(t, a.Evidence); a.Evidence.Verdict {
		case payment.SaysNothing, payment.SaysAccepted, payment.SaysRefused:
		default:
			t.Fatalf("submit: %+v", a.Evidence)
		}
		p, _ = scripted(t, now, answer)
		a = p.Status(t.Context(), fixed(momentpay.MethodPush))
		switch fit(t, a.Evidence); a.Evidence.Verdict {
		case payment.SaysNothing, payment.SaysPending, payment.SaysNotFound:
		default:
			t.Fatalf("status without id: %+v", a.Evidence)
		}
		p, _ = scripted(t, now, answer)
		a = p.Status(t.Context(), known())
		fit(t, a.Evidence)
		d := payment.Decide(known(), a.Evidence, pol)
		if d.Payment.Status == payment.Successful && (code != 200 || a.Evidence.Amount != "150.00" || a.Evidence.Currency != "ZAR") {
			t.Fatalf("success from %d %s", code, body)
		}
	})
}

// fit checks that what was read can be stored and shown.
func fit(t *testing.T, e payment.Evidence) {
	t.Helper()
	texts := []string{e.Amount, e.Currency, e.Code, e.Reason, e.FinancialTransactionID}
	for _, m := range []map[string]string{e.IDs, e.Instructions} {
		for _, v := range m {
			if v == "" {
				t.Fatalf("empty particular: %+v", e)
			}
			texts = append(texts, v)
		}
	}
	for _, s := range texts {
		if len(s) > 500 || !utf8.ValidString(s) || strings.ContainsRune(s, 0) {
			t.Fatalf("unfit text %q", s)
		}
	}
	if link := e.Instructions["link"]; link != "" && !strings.HasPrefix(strings.ToLower(link), "https://") {
		t.Fatalf("link %q", link)
	}
	if e.Verdict == "" {
		t.Fatal("no verdict")
	}
}
