package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"momoproxy/shared/assembly/providers"
	"momoproxy/shared/gateway"
	"momoproxy/shared/host"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
	"momoproxy/shared/webhook"
)

// replayed is what a payment's stored evidence makes of it today.
type replayed struct {
	payment payment.Payment
	// unread counts records that today's code would not ask for.
	unread int
}

// replay takes a payment from its beginning through the exchanges that its
// audit trail holds. Today's adapter reads each answer, and today's
// payment.Decide decides on it. Nothing is asked and nothing is written.
func replay(ctx context.Context, stored ledger.Payment, trail []ledger.AuditRecord) (replayed, error) {
	i := slices.IndexFunc(providers.All(), func(r provider.Registration) bool { return r.Name == stored.Provider })
	if i < 0 {
		return replayed{}, fmt.Errorf("provider %q is not known", stored.Provider)
	}
	registration := providers.All()[i]
	wire := &recording{}
	machine := host.Machine()
	machine.Now = func() time.Time { return wire.at }
	machine.Sleep = func(context.Context, time.Duration) error { return nil }
	adapter, err := registration.New(madeUp(registration, stored), provider.Parts{
		Host: machine, Client: &http.Client{Transport: wire}, Tokens: anyToken{wire}, Backoff: func(int) time.Duration { return 0 },
	})
	if err != nil {
		return replayed{}, fmt.Errorf("adapter of %s: %w", stored.Provider, err)
	}
	policy := registration.Known.Method(stored.Method).Policy
	r := replayed{payment: begun(stored.Payment)}
	trail = slices.Clone(trail)
	slices.SortStableFunc(trail, func(a, b ledger.AuditRecord) int { return a.At.Add(a.Duration).Compare(b.At.Add(b.Duration)) })
	asked := false
	for len(trail) > 0 {
		one := trail[0]
		taken := 1
		var e payment.Evidence
		switch {
		case one.Method == gateway.OperatorMethod && one.URL == "settle":
			e = operatorsWord(one)
		case one.Direction == ledger.OutboundToProvider:
			wire.records, wire.at = trail, one.At.Add(one.Duration)
			var answer provider.Answer
			if !asked {
				answer = adapter.Submit(ctx, r.payment, "")
			}
			if wire.taken == 0 {
				answer = adapter.Status(ctx, r.payment)
			} else {
				asked = true
			}
			taken, wire.taken = wire.taken, 0
			if taken == 0 {
				taken = 1
				r.unread++
				break
			}
			e = answer.Evidence
			one = trail[taken-1]
		case one.Direction == ledger.InboundFromProvider && !one.Unproven:
			e = signedAgain(adapter, one)
		}
		if e.Verdict != "" {
			e.At = ledger.Clock(one.At.Add(one.Duration))
			r.payment = payment.Decide(r.payment, e, policy).Payment
		}
		trail = trail[taken:]
	}
	return r, nil
}

// signedAgain reads a provider's callback. Its signature was verified before it
// was stored, and is not kept: it is signed anew with the made-up secret. One
// that no signature makes evidence says nothing here either.
func signedAgain(adapter provider.Provider, a ledger.AuditRecord) payment.Evidence {
	body := []byte(a.RequestBody)
	secret, err := webhook.ParseSecret(madeUpSecret)
	if err != nil {
		return payment.Evidence{}
	}
	header, err := webhook.Headers("replay", a.At, body, secret)
	if err != nil {
		return payment.Evidence{}
	}
	c, err := adapter.ParseCallback(provider.Inbound{Header: header.Get, Body: body, At: a.At})
	if err != nil || c.Standing != provider.Signed {
		return payment.Evidence{}
	}
	return c.Evidence
}

// madeUpSecret has 32 bytes of nothing.
var madeUpSecret = "whsec_" + base64.StdEncoding.EncodeToString(make([]byte, 32))

// begun is a payment as it was before its provider was asked.
func begun(p payment.Payment) payment.Payment {
	p.Status, p.Phase = payment.Pending, payment.PhaseSubmitting
	p.Particulars, p.FinancialTransactionID, p.Reason, p.Sequence = payment.Particulars{}, "", "", 0
	p.EndedAt, p.EndedBy, p.Accepted, p.Unanswerable = time.Time{}, "", false, false
	p.NotFoundCount, p.NotFoundAt, p.HintedAt = 0, time.Time{}, time.Time{}
	return p
}

func operatorsWord(a ledger.AuditRecord) payment.Evidence {
	var said struct{ Status, Reason, FinancialTransactionID string }
	if json.Unmarshal([]byte(a.RequestBody), &said) != nil {
		return payment.Evidence{}
	}
	return payment.Evidence{Source: payment.FromOperator, Verdict: verdicts[said.Status], Reason: said.Reason, FinancialTransactionID: said.FinancialTransactionID}
}

// differs says in what the payment as stored does not follow from what was
// replayed; empty: it follows.
func (r replayed) differs(stored payment.Payment) string {
	var all []string
	compare := func(what string, stored, replayed any) {
		if stored != replayed {
			all = append(all, fmt.Sprintf("%s is %v, by the evidence %v", what, orNone(fmt.Sprint(stored)), orNone(fmt.Sprint(replayed))))
		}
	}
	compare("status", stored.Status, r.payment.Status)
	compare("reason", stored.Reason, r.payment.Reason)
	compare("transaction", stored.FinancialTransactionID, r.payment.FinancialTransactionID)
	if stored.Phase == payment.PhaseHeld || r.payment.Phase == payment.PhaseHeld {
		compare("phase", stored.Phase, r.payment.Phase)
	}
	return strings.Join(all, "; ")
}

// recording answers an adapter's requests with stored answers, in order. A
// request that is not the next one stored is a token's, or is not answered.
type recording struct {
	records []ledger.AuditRecord
	taken   int
	at      time.Time
}

var errNotRecorded = errors.New("not recorded")

func (w *recording) RoundTrip(r *http.Request) (*http.Response, error) {
	fetchesToken := strings.Contains(r.URL.Path, "token")
	if w.taken < len(w.records) && recorded(w.records[w.taken]).same(r) {
		one := w.records[w.taken]
		w.taken++
		w.at = one.At.Add(one.Duration)
		switch {
		case one.ResponseCode == 0 && one.Note == provider.ErrClassTimeout:
			return nil, os.ErrDeadlineExceeded
		case one.ResponseCode == 0:
			return nil, io.ErrUnexpectedEOF
		case !fetchesToken || one.ResponseCode != http.StatusOK: // a token itself is not stored
			return answered(r, one.ResponseCode, one.ResponseBody), nil
		}
	}
	if fetchesToken {
		return answered(r, http.StatusOK, `{"access_token":"replayed","token_type":"access_token","expires_in":3600}`), nil
	}
	return nil, errNotRecorded
}

// answered is the answer to a request.
func answered(r *http.Request, code int, body string) *http.Response {
	return &http.Response{
		StatusCode: code, Status: http.StatusText(code), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(bytes.NewReader([]byte(body))),
		ContentLength: int64(len(body)), Request: r,
	}
}

// same says whether the record is of such a request. Hosts and what stands
// before the path are the account's.
func (w recorded) same(r *http.Request) bool {
	u, err := url.Parse(w.URL)
	return err == nil && w.Method == r.Method && strings.HasSuffix(u.Path, r.URL.Path)
}

type recorded ledger.AuditRecord

// anyToken is a token store that always has one.
type anyToken struct{ *recording }

func (t anyToken) Load(context.Context, string) (provider.StoredToken, error) {
	return provider.StoredToken{Token: "replayed", IssuedAt: t.at.Add(-time.Minute), ExpiresAt: t.at.Add(time.Hour)}, nil
}

func (anyToken) AcquireRefresh(context.Context, string, time.Duration, bool) (int64, bool, error) {
	return 1, true, nil
}
func (anyToken) Save(context.Context, string, int64, provider.StoredToken) error { return nil }
func (anyToken) Release(context.Context, string, int64) error                    { return nil }

// madeUp is an account that asks nobody: an adapter needs one to read answers.
func madeUp(r provider.Registration, p ledger.Payment) provider.Account {
	values := map[string]string{}
	for _, v := range r.Variables {
		switch {
		case v.Kind == provider.URL:
			values[v.Name] = "https://replay.invalid"
		case strings.HasSuffix(v.Name, "_TARGET_ENV"):
			values[v.Name] = "sandbox"
		case strings.HasSuffix(v.Name, "_CURRENCY"):
			values[v.Name] = p.Amount.Currency
		case v.Kind == provider.List:
			values[v.Name] = madeUpSecret
		case strings.HasSuffix(v.Name, "_SECRET_KEY"):
			values[v.Name] = "sk_replay"
		case v.Secret:
			values[v.Name] = strings.Repeat("replay", 6)
		}
	}
	return provider.NewAccount(r.Name, values)
}
