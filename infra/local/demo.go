package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"time"

	"momoproxy"
	"momoproxy/infra/receiver"
	"momoproxy/infra/standin"
	"momoproxy/shared/assembly/providers"
	"momoproxy/shared/delivery"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
)

// demoTimeout bounds the demonstration; the sandbox's payer approves within
// about a second.
const demoTimeout = 20 * time.Second

// run is the whole program: everything up, then either the demonstration or
// serving until ctx ends.
func run(ctx context.Context, o options, out io.Writer) error {
	if !o.demo {
		greet(o, out)
	}
	s, err := start(ctx, o, out)
	if err != nil {
		return err
	}
	defer s.stop()
	s.banner(o)
	if o.demo {
		return s.demonstrate(ctx, o.provider)
	}
	if !o.live {
		s.whatToTry()
	}
	<-ctx.Done()
	s.out("stopping")
	return nil
}

// greet is the first line, before anything is opened: a start can wait for a
// folder that another process is leaving.
func greet(o options, out io.Writer) {
	if o.live {
		fmt.Fprintf(out, "MoMo Proxy %s starts with REAL MONEY. Data is in %s. Help: docs/deploy-one-machine.md\n", momoproxy.Version, o.data)
		return
	}
	fmt.Fprintf(out, "MoMo Proxy %s starts on this machine, with stand-ins for the providers. No real money moves. Help: README.md, docs/testing.md\n", momoproxy.Version)
}

func (s *system) banner(o options) {
	s.out("MoMo Proxy on %s", s.gatewayURL)
	if s.consoleURL != "" {
		s.out("  console           %s", s.consoleURL)
	}
	s.out("  storage           %s", s.store.name)
	for _, p := range s.providers {
		s.out("  provider          %-11s at %s", p.name, p.url)
	}
	s.out("  callback policy   %s", o.policy)
	if !o.live {
		s.out("  demo app          %s, client key %s", s.appURL, demoKey)
		s.out("  signing secret    %s (of this local demo app alone)", s.app.Secret.Reveal())
	}
	if s.logPath != "" {
		s.out("  log               %s", s.logPath)
	}
	if o.live {
		s.out("  LIVE: payments charge real customers")
		return
	}
	s.out("  NOTE: this local system delivers to loopback addresses, over http too; the deployed one never does")
}

func (s *system) whatToTry() {
	hint := ""
	if s.consoleURL != "" {
		hint = "\nOr look: open " + s.consoleURL + " and press \"Try it\"."
	}
	s.out(`
Try, in another terminal:

  curl -X POST %[1]s/request-to-pay \
    -H "Content-Type: application/json" -H "X-Proxy-Api-Key: %[2]s" \
    -d '{"amount":"150.00","externalId":"ORDER-1","payer":{"partyIdType":"MSISDN","partyId":"26876123456"}}'

A second later the demo app prints the verified callback here. Look the order up:

  curl -H "X-Proxy-Api-Key: %[2]s" "%[1]s/payments?externalId=ORDER-1"

Other payer numbers fail on purpose: see docs/testing.md. Your own app: docs/quickstart-node.md.%[3]s
Stop with Ctrl-C. Payments are kept for the next start; delete the data folder to start anew.
`, s.gatewayURL, demoKey, hint)
}

// demoProviders are those that the demonstration can pay through.
func demoProviders() (names []string) {
	for _, kind := range standin.All() {
		names = append(names, kind.Name)
	}
	slices.Sort(names)
	return names
}

// demonstrate takes one payment to its verified callback over HTTP and prints
// its timeline.
func (s *system) demonstrate(ctx context.Context, provider string) error {
	ctx, cancel := context.WithTimeout(ctx, demoTimeout)
	defer cancel()
	kind, _ := standin.Named(provider) // readOptions has looked
	body := kind.Profile().Demo.Body(fmt.Sprint("DEMO-", time.Now().UnixNano()), nil)
	s.out("\ndemo: POST /request-to-pay %s", body)
	started := time.Now()
	reference, err := s.requestToPay(ctx, body)
	if err != nil {
		return err
	}
	var c receiver.Attempt
	for c.ReferenceID != reference {
		select {
		case c = <-s.app.arrived:
		case <-ctx.Done():
			return errors.New("no callback came in time")
		}
	}
	if c.Status != "SUCCESSFUL" {
		return fmt.Errorf("the payment ended %s %s", c.Status, c.Reason)
	}
	if err := s.printTimeline(ctx, reference); err != nil {
		return err
	}
	s.out("demo: done in %d ms: one payment, one callback, both signatures verified", time.Since(started).Milliseconds())
	return nil
}

func (s *system) requestToPay(ctx context.Context, body []byte) (reference string, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.gatewayURL+"/request-to-pay", bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Proxy-Api-Key", demoKey)
	req.Header.Set("Idempotency-Key", fmt.Sprintf("demo-%d", time.Now().UnixNano()))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return "", err
	}
	s.out("demo: %d %s", resp.StatusCode, answer)
	var accepted struct {
		ReferenceID string `json:"referenceId"`
	}
	if err := json.Unmarshal(answer, &accepted); err != nil || resp.StatusCode != http.StatusAccepted {
		return "", fmt.Errorf("request-to-pay answered %d", resp.StatusCode)
	}
	return accepted.ReferenceID, nil
}

// printTimeline waits for the attempt to be written down (the app has its
// callback a moment earlier) and prints the payment's story.
func (s *system) printTimeline(ctx context.Context, reference string) error {
	var story ledger.Story
	for {
		var err error
		if story, err = s.parts.Ledger.Story(ctx, reference); err != nil {
			return err
		}
		if n := len(story.Deliveries); n > 0 && story.Deliveries[n-1].State == delivery.Delivered {
			break
		}
		if rest(ctx, 20*time.Millisecond); ctx.Err() != nil {
			return errors.New("the delivery was not written down in time")
		}
	}
	trail, err := s.parts.Ledger.AuditTrail(ctx, reference)
	if err != nil {
		return err
	}
	s.out("\ntimeline of %s", reference)
	for _, m := range timeline(story, trail) {
		s.out("  %s  %s", m.at.Format("15:04:05.000"), m.what)
	}
	return nil
}

// from names the payer, where one is named.
func from(payer payment.MSISDN) string {
	if payer == "" {
		return ""
	}
	return " from " + payer.Masked()
}

// moment is one line of a timeline.
type moment struct {
	at   time.Time
	what string
}

// timeline tells a payment's story in the order in which it happened.
func timeline(story ledger.Story, trail []ledger.AuditRecord) []moment {
	p := story.Payment
	name := ""
	for _, r := range providers.All() {
		if r.Name == p.Provider {
			name = r.Known.AuditName
		}
	}
	all := []moment{{p.CreatedAt, fmt.Sprintf("payment created: %s%s for order %s", p.Amount, from(p.Payer), p.ExternalID)}}
	for _, a := range trail {
		answer := cmp.Or(a.Answer, strconv.Itoa(a.ResponseCode))
		all = append(all, moment{a.At, fmt.Sprintf("%-21s  %s %s -> %s in %d ms", a.Direction.With(name), a.Method, a.URL, answer, a.Duration.Milliseconds())})
	}
	if !p.Open() {
		all = append(all, moment{p.EndedAt, fmt.Sprintf("payment %s by %s, financial transaction %s%s", p.Status, p.EndedBy, p.FinancialTransactionID, because(p.Reason))})
	}
	for _, a := range story.Attempts {
		all = append(all, moment{a.Started, fmt.Sprintf("event %d, attempt %d: answered %d in %d ms", a.Sequence, a.Number, a.Code, a.Duration.Milliseconds())})
	}
	slices.SortStableFunc(all, func(a, b moment) int { return a.at.Truncate(time.Millisecond).Compare(b.at.Truncate(time.Millisecond)) })
	return all
}
