package provider_test

import (
	"testing"

	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
)

func TestFind(t *testing.T) {
	t.Parallel()
	table := provider.Decisions{
		{Operation: provider.OnSubmit, HTTP: 403, Code: "IP", Verdict: payment.SaysRefused, AccountFault: true},
		{Operation: provider.OnSubmit, Code: "FUNDS", Verdict: payment.SaysRefused},
		{Operation: provider.OnSubmit, HTTP: 401, Verdict: payment.SaysRefused, AccountFault: true},
		{Operation: provider.OnSubmit, HTTP: 429, Code: provider.AnyCode, Verdict: payment.SaysRefused},
		{Operation: provider.OnSubmit, HTTP: 429, Code: "LATE", Verdict: payment.SaysAccepted},
		{Operation: provider.OnStatus, Code: "GONE", Verdict: payment.SaysNotFound},
		{Operation: provider.OnWord, Code: "PAID", Verdict: payment.SaysSuccessful},
	}
	for name, c := range map[string]struct {
		op      provider.Operation
		http    int
		code    string
		page    bool
		verdict payment.Verdict
		known   bool
	}{
		"a code under any status":              {provider.OnSubmit, 500, "FUNDS", false, payment.SaysRefused, true},
		"a code under its status":              {provider.OnSubmit, 403, "IP", false, payment.SaysRefused, true},
		"the same code under another":          {provider.OnSubmit, 500, "IP", false, payment.SaysNothing, false},
		"a code beside a status that has none": {provider.OnSubmit, 401, "NEW", false, payment.SaysNothing, false},
		"a status with any code":               {provider.OnSubmit, 429, "NEW", false, payment.SaysRefused, true},
		"any code, and none":                   {provider.OnSubmit, 429, "", false, payment.SaysRefused, true},
		"a status without a code":              {provider.OnSubmit, 401, "", false, payment.SaysRefused, true},
		"the first row decides":                {provider.OnSubmit, 429, "LATE", false, payment.SaysRefused, true},
		"a page under a status that refuses":   {provider.OnSubmit, 401, "", true, payment.SaysNothing, false},
		"a code that nobody knows":             {provider.OnSubmit, 400, "NEW", false, payment.SaysNothing, false},
		"no code":                              {provider.OnSubmit, 400, "", false, payment.SaysNothing, false},
		"another operation's code":             {provider.OnStatus, 500, "FUNDS", false, payment.SaysNothing, false},
		"a status question's":                  {provider.OnStatus, 404, "GONE", false, payment.SaysNotFound, true},
	} {
		r, known := table.Find(c.op, c.http, c.code, c.page)
		if r.Verdict != c.verdict || known != c.known || r.Operation != c.op {
			t.Errorf("%s: %+v, %t; want %s, %t", name, r, known, c.verdict, c.known)
		}
	}
	for word, want := range map[string]payment.Verdict{"PAID": payment.SaysSuccessful, "paid": payment.SaysUnrecognised, "": payment.SaysUnrecognised, "FUNDS": payment.SaysUnrecognised} {
		if got := table.Word(word); got != want {
			t.Errorf("word %q: %s, want %s", word, got, want)
		}
	}
}
