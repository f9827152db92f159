package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"momoproxy/shared/gateway"
	"momoproxy/shared/guard"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
)

// livePayment is what the flags say of a payment in earnest.
type livePayment struct{ number, amount, client, file string }

func (l *livePayment) add(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&l.number, "live-payment", "", "ask this `number` of your own for real money, and follow the payment")
	f.StringVar(&l.amount, "amount", "", "how much, with --live-payment: 1.00")
	f.StringVar(&l.client, "client", "", "with --live-payment: the client `id` that gets the payment and its callback")
	f.StringVar(&l.file, "report", "doctor-report.md", "with --live-payment: the `file` that the report is written to")
}

func (l *livePayment) check() error {
	if l.number == "" {
		return nil
	}
	if l.amount == "" || l.client == "" {
		return usageError("--live-payment goes with --amount and --client")
	}
	_, err := readPayer("--live-payment", l.number)
	return err
}

// How long a payment is followed, and how often it is looked at.
const (
	followFor    = 10 * time.Minute
	followEvery  = 2 * time.Second
	callbackWait = time.Minute // after the ending
)

type liveView struct {
	Payment  paymentView        `json:"payment"`
	Callback bool               `json:"callbackCame"`
	Learned  []provider.Finding `json:"learned"`
	Report   string             `json:"report"`
}

// payLive makes a payment and follows it.
func (s *session) payLive(ctx context.Context, q doctorQuestion) error {
	account, err := s.oneAccount(q.account)
	if err != nil {
		return err
	}
	client, err := s.ledger.Client(ctx, q.live.client)
	if err != nil {
		return fmt.Errorf("client %s is %w", q.live.client, err)
	}
	payer, _ := readPayer("--live-payment", q.live.number) // it was checked
	caps := account.Capabilities()
	if err := s.confirm(func(t *text) {
		money := "It is a test account: no real money moves."
		if caps.Production {
			money = "This is REAL MONEY."
		}
		t.line("Account %s asks %s for %s %s. %s", caps.ID(), payer, q.live.amount, caps.Currency, money)
		t.line("The payment and its callback belong to %s (%s).", client.ID, client.Name)
	}); err != nil {
		return err
	}
	record := ledger.AuditRecord{At: s.clock(), Direction: ledger.InboundFromApp, ClientID: client.ID, Method: gateway.OperatorMethod, URL: "doctor/live-payment",
		Note: "operator " + s.operator}
	answer, recorded, err := s.asking.Initiate(ctx, client, gateway.Request{
		Amount: q.live.amount, Currency: caps.Currency, ExternalID: "doctor-" + s.clock().Format("20060102-150405"), PartyIDType: "MSISDN", PartyID: string(payer),
		Provider: caps.Name, Account: caps.ID(), Method: caps.DefaultMethod,
	}, record)
	if err == nil && !recorded {
		err = s.ledger.Audit(ctx, record)
	}
	if err != nil {
		return err
	}
	if answer.Payment.Reference == "" {
		why := []string{string(answer.Kind)}
		for _, f := range answer.Faults {
			why = append(why, f.Field+": "+f.Message)
		}
		return refused("no payment was made: %s", strings.Join(why, "; "))
	}
	fmt.Fprintf(s.err, "Payment %s is made. Approve it on the phone.\n", answer.Payment.Reference)
	p, seen, err := s.follow(ctx, answer.Payment.Reference)
	if err != nil {
		return err
	}
	return s.reportLive(account, p, seen, q.live.file)
}

// oneAccount is the account that is meant.
func (s *session) oneAccount(id string) (*guard.Guard, error) {
	if s.asking == nil {
		return nil, errors.New("the accounts cannot be built: momoctl doctor says why")
	}
	var ids []string
	for _, g := range s.asking.Providers {
		if ids = append(ids, g.Capabilities().ID()); id == ids[len(ids)-1] || id == "" && len(s.asking.Providers) == 1 {
			return g, nil
		}
	}
	return nil, usageError("--account must be given: " + alternatives(ids))
}

// follow reads the payment until it has ended and its callback is there.
func (s *session) follow(ctx context.Context, reference string) (p ledger.Payment, seen []provider.Seen, err error) {
	until, last := s.now().Add(followFor), ""
	for {
		if p, err = s.ledger.Payment(ctx, reference); err != nil {
			return p, nil, err
		}
		trail, err := s.ledger.AuditTrail(ctx, reference)
		if err != nil {
			return p, nil, err
		}
		seen = seenIn(trail)
		if is := strings.TrimSpace(string(p.Status) + " " + string(p.Phase)); is != last {
			last = is
			fmt.Fprintf(s.err, "%s  %s\n", stamp(s.now()), is)
		}
		came := slices.ContainsFunc(seen, func(x provider.Seen) bool { return x.Callback })
		if !p.Open() && came || s.now().After(until) || !p.Open() && s.now().After(p.EndedAt.Add(callbackWait)) {
			return p, seen, nil
		}
		if err := s.sleep(ctx, followEvery); err != nil {
			return p, seen, err
		}
	}
}

// seenIn are the exchanges with the provider, without what anybody may have
// sent.
func seenIn(trail []ledger.AuditRecord) (seen []provider.Seen) {
	for _, a := range trail {
		if a.Unproven || a.Direction != ledger.InboundFromProvider && a.Direction != ledger.OutboundToProvider {
			continue
		}
		seen = append(seen, provider.Seen{At: a.At, Callback: a.Direction == ledger.InboundFromProvider, Exchange: provider.Exchange{
			Method: a.Method, URL: a.URL, RequestBody: a.RequestBody, Code: a.ResponseCode, ResponseBody: a.ResponseBody, Started: a.At, Duration: a.Duration, Err: a.Note,
		}})
	}
	return seen
}

func (s *session) reportLive(account *guard.Guard, p ledger.Payment, seen []provider.Seen, file string) error {
	v := liveView{Payment: viewOfPayment(p), Report: file, Learned: []provider.Finding{},
		Callback: slices.ContainsFunc(seen, func(x provider.Seen) bool { return x.Callback })}
	if own, ok := provider.Examines(account.Provider); ok {
		v.Learned = own.Learned(p.Payment, seen)
	}
	if err := os.WriteFile(file, []byte(liveReport(account.Capabilities(), p, seen, v.Learned)), 0o600); err != nil {
		return err
	}
	err := s.answer(v, func(t *text) {
		describe(t, p)
		t.line("")
		t.line("What it showed")
		describeFindings(t, v.Learned)
		t.line("")
		t.line("The report without numbers, ids and keys is in %s.", file)
	})
	switch {
	case err != nil:
		return err
	case p.Status != payment.Successful:
		return refused("the payment is %s (%s)", p.Status, cmp.Or(p.Reason, string(p.Phase)))
	case !v.Callback:
		return refused("the payment is paid, and no callback came")
	}
	return nil
}

// liveReport may be sent to anybody: of each exchange it has when it was, what
// was called and what the answer's number was, and no value of a body.
func liveReport(caps provider.Capabilities, p ledger.Payment, seen []provider.Seen, learned []provider.Finding) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# A live payment: %s, %s\n\n", caps.Name, caps.Currency)
	fmt.Fprintf(&b, "It ended %s after %s, by %s.\n\n", p.Status, p.EndedAt.Sub(p.CreatedAt).Round(time.Second), cmp.Or(string(p.EndedBy), "nothing yet"))
	b.WriteString("| After | Who | What | Answer | Took |\n|---|---|---|---|---|\n")
	for _, x := range seen {
		who := "we"
		if x.Callback {
			who = caps.Name
		}
		fmt.Fprintf(&b, "| %s | %s | %s %s | %d %s | %d ms |\n", x.At.Sub(p.CreatedAt).Round(100*time.Millisecond), who, x.Method, withoutIDs(x.URL, p), x.Code, x.Err, x.Duration.Milliseconds())
	}
	b.WriteString("\n| Question | | Answer |\n|---|---|---|\n")
	for _, f := range learned {
		fmt.Fprintf(&b, "| %s | %s | %s |\n", f.Check, f.State, f.Found)
	}
	return b.String()
}

// withoutIDs is a path without what names the payment.
func withoutIDs(url string, p ledger.Payment) string {
	ids := []string{p.Reference, "{reference}", string(p.Payer), "{payer}", p.ExternalID, "{order}"}
	for _, id := range p.IDs {
		ids = append(ids, id, "{id}")
	}
	for i := 0; i < len(ids); i += 2 {
		if ids[i] != "" {
			url = strings.ReplaceAll(url, ids[i], ids[i+1])
		}
	}
	return url
}
