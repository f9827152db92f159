package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"momoproxy/shared/delivery"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
)

func (c cli) paymentShow() *cobra.Command {
	return &cobra.Command{
		Use: "show PAYMENT", Short: "show a payment, its refunds and deliveries, and all that happened to it",
		Long: `PAYMENT is its reference, its order id, an id that the provider gave it, or its
transaction id. Shows a payment with its refunds and a timeline in UTC, the payer masked; of a held one also what was asked
for and what the provider says instead. With --json everything that is
kept of it, the payer's number and the bodies of all exchanges included. Of a trail of more
than 1,000 audit records the first and the last 500 are read.`,
		Example: `  momoctl payment show 7c1a4f8e-0b1d-4c55-9a57-3f4d1c2b6a90
  momoctl payment show ORDER-98765 --watch`,
		Args: takes(checkName),
		RunE: c.over(func(ctx context.Context, s *session, args []string) error { return s.showPayment(ctx, args[0]) }),
	}
}

// checkReference looks at the first argument.
func checkReference(args []string) error {
	if !payment.IsReference(args[0]) {
		return usageError(fmt.Sprintf("%q is not a payment reference; it is the referenceId of request-to-pay, a UUID", args[0]))
	}
	return nil
}

// trailEnds is how much of a trail payment show reads from either end.
const trailEnds = 500

// trail reads the first and the last audit records of a payment, oldest first.
// whole: there are no others between them.
func (s *session) trail(ctx context.Context, reference string, ends int) (records []ledger.AuditRecord, whole bool, err error) {
	q := ledger.AuditQuery{Reference: reference, Limit: ends}
	first, err := s.ledger.AuditPage(ctx, q)
	if err != nil || first.Next == "" {
		return first.Items, err == nil, err
	}
	for _, a := range first.Items {
		q.Behind = max(q.Behind, a.Item)
	}
	q.Latest = true
	last, err := s.ledger.AuditPage(ctx, q)
	records = append(first.Items, last.Items...)
	slices.SortStableFunc(records, func(a, b ledger.AuditRecord) int { return a.At.Compare(b.At) })
	return records, last.Next == "", err
}

func (s *session) showPayment(ctx context.Context, name string) error {
	reference, err := s.reference(ctx, name)
	if err != nil {
		return err
	}
	story, err := s.story(ctx, reference)
	if err != nil {
		return err
	}
	trail, whole, err := s.trail(ctx, reference, trailEnds)
	if err != nil {
		return err
	}
	return s.answer(storyView(story, trail, whole), func(t *text) {
		describe(t, story.Payment)
		describeQuarrel(t, story.Payment, trail)
		describeRefunds(t, story.Payment, story.Refunds)
		describeDeliveries(t, story.Deliveries)
		describeTimeline(t, story, trail, whole)
	})
}

// story reads a payment with all that belongs to it.
func (s *session) story(ctx context.Context, reference string) (ledger.Story, error) {
	story, err := s.ledger.Story(ctx, strings.ToLower(reference))
	if errors.Is(err, ledger.ErrNotFound) {
		return story, fmt.Errorf("payment %s is %w", reference, err)
	}
	return story, err
}

// describe tells what a payment is and how it stands.
func describe(t *text, p ledger.Payment) {
	t.line("Payment %s is %s %s", p.Reference, p.Status, p.Phase)
	from := ""
	if p.Payer != "" {
		from = " from " + p.Payer.Masked()
	}
	t.line("  amount      %s%s by %s %s", p.Amount, from, p.Provider, p.Method)
	t.line("  order       %s of %s", p.ExternalID, p.ClientID)
	if p.Open() {
		t.line("  open since  %s", stamp(p.CreatedAt))
	} else {
		t.line("  ended       %s by %s%s", stamp(p.EndedAt), p.EndedBy, because(p.Reason))
	}
	if p.FinancialTransactionID != "" {
		t.line("  transaction %s", p.FinancialTransactionID)
	}
	describeWords(t, "provider's", p.IDs)
	describeWords(t, "to pay", p.Instructions)
	if !p.ExpiresAt.IsZero() {
		t.line("  payable     until %s", stamp(p.ExpiresAt))
	}
	if p.InvoiceURL != "" {
		t.line("  invoice     %s", p.InvoiceURL)
	}
	switch {
	case !p.NextCheckAt.IsZero():
		t.line("  next check  %s", stamp(p.NextCheckAt))
	case p.Open() && p.Unanswerable:
		t.line("  next check  never: the provider cannot be asked about it; see payment settle")
	}
}

func describeWords(t *text, head string, words map[string]string) {
	for _, name := range slices.Sorted(maps.Keys(words)) {
		t.line("  %-11s %s %s", head, name, words[name])
		head = ""
	}
}

func describeDeliveries(t *text, deliveries []delivery.Delivery) {
	t.line("")
	if len(deliveries) == 0 {
		t.line("No deliveries")
		return
	}
	t.line("Deliveries")
	for _, d := range deliveries {
		t.line("  %d  %-18s  %s", d.Sequence, d.Event, stateOf(d))
	}
}

// stateOf is a delivery's state in words.
func stateOf(d delivery.Delivery) string {
	state := fmt.Sprintf("%s, %s", d.State, plural(d.Claims, "attempt"))
	switch {
	case d.HeldReason != "":
		state += ", " + d.HeldReason
	case !d.NextAttemptAt.IsZero():
		state += ", next " + stamp(d.NextAttemptAt)
	case d.State == delivery.Delivered:
		state += ", confirmed at " + stamp(d.DeliveredAt)
	}
	if !d.RequestedAt.IsZero() {
		state += ", an attempt asked for"
	}
	return state
}

func because(reason string) string {
	if reason == "" {
		return ""
	}
	return ": " + reason
}
