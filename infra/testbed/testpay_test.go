package testbed_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"momoproxy/infra/testbed"
	"momoproxy/shared/gateway"
	"momoproxy/shared/host"
	"momoproxy/shared/httpapi"
	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
	"momoproxy/shared/provider/wire"
)

// testpay is a provider that nobody has heard of: a key with each request, a
// reference that the caller chooses, a webhook with a signature. It shows what
// a provider takes: this file is all of it, adapter and stand-in, and no other
// names it. docs/adding-a-provider.md leads through it.
var testpay = provider.Registration{
	Name: "testpay", Title: "Testpay",
	Variables: []provider.Variable{
		{Name: "TESTPAY_BASE_URL", Kind: provider.URL},
		{Name: "TESTPAY_API_KEY", Secret: true},
	},
	Known: testpayKnown,
	New: func(a provider.Account, p provider.Parts) (provider.Provider, error) {
		key := a.Text("TESTPAY_API_KEY")
		return &adapter{key: key, now: p.Host.Now, base: a.URL("TESTPAY_BASE_URL", ""),
			client: wire.New(a.URL("TESTPAY_BASE_URL", ""), p.Client, p.Host.Now, key)}, nil
	},
	Callbacks: provider.Callbacks{Function: "testpay-webhook", Routes: []string{"POST /webhooks/testpay"}, SaysWhy: true},
}

var testpayKnown = provider.Capabilities{
	Name: "testpay", Currency: "SZL", Plan: "SZ",
	Methods: []provider.Method{{
		Policy: payment.Policy{
			FirstCheck: 10 * time.Second, MaxInterval: time.Hour, Window: 24 * time.Hour, LateInterval: 24 * time.Hour,
			GiveUp: 7 * 24 * time.Hour, NotFoundGrace: 2 * time.Minute, NotFoundSpacing: 30 * time.Second,
		},
		MinPollInterval: 5 * time.Second, NeedsPayer: true,
	}},
}

// decisions are all that testpay's words mean. What they do not name is
// unknown.
var decisions = provider.Decisions{
	{Operation: provider.OnSubmit, HTTP: 201, Verdict: payment.SaysAccepted, Proof: "the charge is made", Source: "made up"},
	{Operation: provider.OnSubmit, HTTP: 422, Code: "no_such_payer", Verdict: payment.SaysRefused, Proof: "no charge is made", Source: "made up"},
	{Operation: provider.OnStatus, HTTP: 404, Code: "no_such_charge", Verdict: payment.SaysNotFound, Proof: "it does not exist", Source: "made up"},
	{Operation: provider.OnWord, Code: "open", Verdict: payment.SaysPending, Source: "made up"},
	{Operation: provider.OnWord, Code: "paid", Verdict: payment.SaysSuccessful, Source: "made up"},
	{Operation: provider.OnWord, Code: "declined", Verdict: payment.SaysFailed, Proof: "the payer said no", Source: "made up"},
}

type adapter struct {
	key, base string
	now       func() time.Time
	client    *wire.Client
}

// charge is testpay's word about one payment, in answers and webhooks.
type charge struct {
	ID       string `json:"id"`
	Amount   string `json:"amount"`
	Currency string `json:"currency"`
	Payer    string `json:"payer"`
	State    string `json:"state"`
}

func (a *adapter) Capabilities() provider.Capabilities {
	c := testpayKnown
	c.BaseURL = a.base
	return c
}
func (a *adapter) Ready(context.Context) error    { return nil }
func (a *adapter) Maintain(context.Context) error { return nil }

func (a *adapter) Submit(ctx context.Context, p payment.Payment, _ string) provider.Answer {
	body, _ := json.Marshal(charge{ID: p.Reference, Amount: p.Amount.Decimal(), Currency: p.Amount.Currency, Payer: string(p.Payer)})
	return a.ask(ctx, provider.OnSubmit, "POST", "/charges", body)
}

func (a *adapter) Status(ctx context.Context, p payment.Payment) provider.Answer {
	return a.ask(ctx, provider.OnStatus, "GET", "/charges/"+p.Reference, nil)
}

func (a *adapter) ask(ctx context.Context, operation provider.Operation, method, path string, body []byte) provider.Answer {
	var trail wire.Trail
	r := a.client.Do(ctx, &trail, wire.Call{Method: method, Path: path, Body: body, Headers: map[string]string{"X-Key": a.key}}, 8*time.Second)
	source := map[provider.Operation]payment.Source{provider.OnSubmit: payment.FromSubmit, provider.OnStatus: payment.FromStatus}[operation]
	answer := provider.Answer{Attempted: true, Exchanges: trail}
	answer.Evidence = payment.Evidence{Source: source, Verdict: payment.SaysNothing, At: a.now()}
	var said struct {
		Code string `json:"code"`
		charge
	}
	page := wire.HTML(r.Body)
	_ = json.Unmarshal(r.Body, &said) // what cannot be read has neither code nor state
	rule, known := decisions.Find(operation, r.Code, said.Code, page)
	switch {
	case r.Class != "":
		answer.Evidence.Reason = r.Class
	case known:
		answer.Evidence.Verdict, answer.Evidence.Code = rule.Verdict, said.Code
	case operation == provider.OnStatus && r.Code == 200:
		answer.Evidence = said.evidence()
		answer.Evidence.Source, answer.Evidence.At = source, a.now()
	}
	return answer
}

func (c charge) evidence() payment.Evidence {
	return payment.Evidence{Verdict: decisions.Word(c.State), Code: c.State, Reference: c.ID, Amount: c.Amount, Currency: c.Currency, Payer: c.Payer, FinancialTransactionID: "tp-" + c.ID}
}

func (a *adapter) ParseCallback(in provider.Inbound) (provider.Callback, error) {
	if in.Header == nil || !hmac.Equal([]byte(in.Header("x-testpay-signature")), []byte(signature(a.key, in.Body))) {
		return provider.Callback{}, provider.ErrSignature
	}
	var c charge
	if err := json.Unmarshal(in.Body, &c); err != nil {
		return provider.Callback{Standing: provider.Signed}, fmt.Errorf("%w: %w", provider.ErrCallback, err)
	}
	e := c.evidence()
	e.Source, e.At = payment.FromSignedWebhook, in.At
	return provider.Callback{IDs: []string{c.ID}, Standing: provider.Signed, Evidence: e}, nil
}

func (a *adapter) Native(p payment.Payment, e payment.Event, raw []byte) []byte {
	state := map[payment.Event]string{payment.EventSuccessful: "paid", payment.EventFailed: "declined"}[e]
	if state == "" {
		return nil
	}
	form := wire.Form{
		"id": wire.ID(p.Reference), "amount": wire.AmountText(p.Amount), "currency": wire.Text(p.Amount.Currency),
		"payer": wire.ID(string(p.Payer)), "state": wire.Text(state),
	}
	if form.Admits(raw, "id", "state") {
		return raw
	}
	body, _ := json.Marshal(charge{p.Reference, p.Amount.Decimal(), p.Amount.Currency, string(p.Payer), state})
	return body
}

func signature(key string, body []byte) string {
	h := hmac.New(sha256.New, []byte(key))
	h.Write(body)
	return hex.EncodeToString(h.Sum(nil))
}

// standIn is testpay. Payers approve a second after they are asked, one whose
// number ends in 1 declines, and 0 is nobody's.
type standIn struct {
	key  string
	hook func(signature, body string) // nil: webhooks are lost

	mu      sync.Mutex
	charges map[string]charge
	loses   bool // the next answer
}

func (s *standIn) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	s.mu.Lock()
	defer s.mu.Unlock()
	say := func(code int, v any) {
		w.WriteHeader(code)
		_ = json.NewEncoder(w).Encode(v)
	}
	id := strings.TrimPrefix(r.URL.Path, "/charges/")
	switch c, known := s.charges[id]; {
	case r.Header.Get("X-Key") != s.key:
		say(401, map[string]string{"code": "who_are_you"})
	case r.Method == "GET" && known:
		say(200, c)
	case r.Method == "GET":
		say(404, map[string]string{"code": "no_such_charge"})
	default:
		body, _ := io.ReadAll(r.Body)
		var c charge
		if err := json.Unmarshal(body, &c); err != nil || strings.HasSuffix(c.Payer, "0") {
			say(422, map[string]string{"code": "no_such_payer"})
			break
		}
		if _, again := s.charges[c.ID]; !again {
			c.State = "open"
			s.charges[c.ID] = c
			time.AfterFunc(time.Second, func() { s.decide(c) })
		}
		say(201, c)
		if s.loses {
			s.loses = false
			return nil, io.ErrUnexpectedEOF
		}
	}
	return w.Result(), nil
}

func (s *standIn) decide(c charge) {
	c.State = "paid"
	if strings.HasSuffix(c.Payer, "1") {
		c.State = "declined"
	}
	s.mu.Lock()
	s.charges[c.ID] = c
	hook := s.hook
	s.mu.Unlock()
	if body, _ := json.Marshal(c); hook != nil {
		hook(signature(s.key, body), string(body))
	}
}

// A stranger's provider takes payments, and nothing else had to know of it.
func TestAProviderIsOneFile(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		stand := &standIn{key: "testpay-key", charges: map[string]charge{}}
		account := provider.NewAccount("testpay", map[string]string{"TESTPAY_BASE_URL": "https://testpay.example.com", "TESTPAY_API_KEY": stand.key})
		if err := testpay.Check(account); err != nil {
			t.Fatal(err)
		}
		prov, err := testpay.New(account, provider.Parts{Host: host.Machine(), Client: &http.Client{Transport: stand}})
		if err != nil {
			t.Fatal(err)
		}
		w := testbed.New(t, testbed.Options{Change: func(g *gateway.Gateway, a *httpapi.API) {
			g.Providers, a.Callbacks.Providers = append(g.Providers, testbed.Guarded(g, prov)...), append(a.Callbacks.Providers, testpay)
		}})
		hook := func(signature, body string) testbed.Answer {
			return w.Webhook(testpay.Callbacks.Routes[0], "", http.Header{"X-Testpay-Signature": {signature}}, body)
		}
		hooks := func(on bool) {
			stand.mu.Lock()
			defer stand.mu.Unlock()
			if stand.hook = nil; on {
				stand.hook = func(signature, body string) { hook(signature, body) }
			}
		}
		pay := func(order, payer, more string) testbed.Answer {
			return w.Pay(fmt.Sprintf(`{"provider":"testpay","amount":"150.00","externalId":%q,"payer":{"partyIdType":"MSISDN","partyId":%q}%s}`, order, payer, more))
		}
		ends := func(what, reference string, want payment.Status, by payment.Source, within time.Duration) {
			t.Helper()
			w.Pass(within)
			p := w.Payment(reference)
			if p.Status != want || p.EndedBy != by {
				t.Errorf("%s: %s by %s, not %s by %s", what, p.Status, p.EndedBy, want, by)
			}
			if got := w.App.About(reference); len(got) != 1 && p.CallbackURL == "" && !p.NativeCallbacks {
				t.Errorf("%s: the app was told %d times", what, len(got))
			}
		}
		hooks(true)
		ends("by its webhook", pay("A", "26876123456", "").Reference(), payment.Successful, payment.FromSignedWebhook, 5*time.Second)
		ends("declined", pay("B", "26876123451", "").Reference(), payment.Failed, payment.FromSignedWebhook, 5*time.Second)
		if a := pay("C", "26876123450", ""); a.StatusCode != 422 || a.Text("providerCode") != "no_such_payer" {
			t.Errorf("refused: %d %s", a.StatusCode, a.Body)
		}
		native := pay("D", "26876123456", `,"callbackFormat":"provider"`).Reference()
		ends("in its own form", native, payment.Successful, payment.FromSignedWebhook, 5*time.Second)
		if got := w.App.Got(); got[len(got)-1].Body != fmt.Sprintf(`{"id":%q,"amount":"150.00","currency":"SZL","payer":"26876123456","state":"paid"}`, native) {
			t.Errorf("the app was told %s", got[len(got)-1].Body)
		}
		hooks(false)
		asked := pay("E", "26876123456", "").Reference()
		time.Sleep(11 * time.Second)
		if a := w.Ask(asked, testbed.ShopKey); a.Text("status") != "SUCCESSFUL" {
			t.Errorf("asked for: %s", a.Body)
		}
		ends("by its schedule", pay("F", "26876123456", "").Reference(), payment.Successful, payment.FromStatus, 3*time.Minute)
		stand.loses = true
		lost := pay("G", "26876123456", "")
		if lost.StatusCode != 202 {
			t.Errorf("a lost answer: %d %s", lost.StatusCode, lost.Body)
		}
		ends("after a lost answer", lost.Reference(), payment.Successful, payment.FromStatus, 3*time.Minute)
		open := pay("H", "26876123456", "").Reference()
		forged := fmt.Sprintf(`{"id":%q,"amount":"150.00","currency":"SZL","payer":"26876123456","state":"paid"}`, open)
		if a := hook(signature("another key", []byte(forged)), forged); a.StatusCode != 401 || w.Status(open) != payment.Pending {
			t.Errorf("forged: %d %s, and it is %s", a.StatusCode, a.Body, w.Status(open))
		}
	})
}
