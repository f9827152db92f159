package console

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"momoproxy/infra/operator"
	"momoproxy/shared/delivery"
	"momoproxy/shared/gateway"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
)

// What an operator does by the pages, with the guards of momoctl.

// reveal shows a payer's number once it is written down who asked for it.
func (c *Console) reveal(ctx context.Context, reference string) (any, error) {
	s, err := c.records.story(ctx, strings.ToLower(reference))
	if err != nil {
		return nil, err
	}
	p := s.Payment
	if p.number == "" {
		return nil, refusal("This payment names no number.")
	}
	err = c.person().RecordNumberShown(ctx, p.Reference, p.App)
	if err != nil {
		return nil, fmt.Errorf("the number is not shown, since that could not be audited: %w", err)
	}
	return c.pageOf(s, true), nil
}

// check asks the provider about a payment now.
func (c *Console) check(ctx context.Context, reference string) (any, error) {
	if c.Ask == nil {
		return nil, refusal("The provider cannot be asked from here. " + c.AskFault)
	}
	before, err := c.Ledger.Payment(ctx, reference)
	if errors.Is(err, ledger.ErrNotFound) {
		return nil, notFound
	}
	if err != nil {
		return nil, err
	}
	after, err := c.Ask.Check(ctx, reference)
	var said struct {
		Text string `json:"text"`
	}
	switch {
	case errors.Is(err, gateway.ErrPostponed):
		return nil, refusal("Not asked: the provider's request limit is spent, or it was asked about this payment a moment ago.")
	case errors.Is(err, gateway.ErrSubmitting):
		return nil, refusal("Not asked: the request that made the payment is still under way, until " + stamp(before.SubmitDeadline) + ".")
	case errors.Is(err, gateway.ErrUnanswered):
		said.Text = providerName(after.Provider) + " gave no usable answer. What it said is in the picture below."
	case err != nil:
		return nil, err
	case after.Status != before.Status || after.Phase != before.Phase:
		said.Text = fmt.Sprintf("It was %s and is now %s.", words(string(before.Status), string(before.Phase)), words(string(after.Status), string(after.Phase)))
	default:
		said.Text = providerName(after.Provider) + " was asked, and nothing has changed."
	}
	return said, nil
}

func words(status, phase string) string { return strings.TrimSpace(status + " " + phase) }

// settle ends an open payment by the operator's word.
func (c *Console) settle(ctx context.Context, reference string, in operator.Settlement) error {
	switch in.Check() {
	case operator.BadStatus:
		return refusal("Choose how it ended: SUCCESSFUL, FAILED or CANCELLED.")
	case operator.NoReason:
		return refusal("Give a reason: it stands in the audit log.")
	case operator.BadReason, operator.BadSeen, operator.BadTransactionID:
		return refusal(fmt.Sprintf("Each text must be one line of at most %d bytes.", payment.MaxReason))
	case operator.LoneTransactionID:
		return refusal("A transaction id goes with SUCCESSFUL: it says that money has moved.")
	}
	p, err := c.records.payment(ctx, reference)
	if err != nil {
		return err
	}
	_, err = c.person().Settle(ctx, c.Settle, p.Reference, in)
	switch {
	case errors.Is(err, gateway.ErrPayable):
		return refusal("Not settled: the payer may have paid it, or can still pay it, and the order would be free to be paid again. Confirm that a double payment is accepted.")
	case errors.Is(err, gateway.ErrNotLookedUp):
		return refusal("Not settled: the provider's answer was lost, so it may have charged the payer. Look into its portal and say what it shows.")
	case errors.Is(err, gateway.ErrSubmitting):
		return refusal("Not settled: the request that made the payment is still under way, until " + stamp(p.SubmittedBy) + ".")
	case errors.Is(err, gateway.ErrEnded):
		return refusal("Not settled: it has ended otherwise, and only the provider's own answer can correct that.")
	}
	return stale(err)
}

// stale turns the loss of a race into words.
func stale(err error) error {
	if errors.Is(err, ledger.ErrStale) {
		return refusal("It has changed meanwhile, and nothing was done. Look again, then repeat.")
	}
	return err
}

// resend makes one attempt now, beside the schedule.
func (c *Console) resend(ctx context.Context, reference string, sequence int) error {
	d, err := c.Ledger.Delivery(ctx, strings.ToLower(reference), sequence)
	if errors.Is(err, ledger.ErrNotFound) {
		return notFound
	}
	if err != nil {
		return err
	}
	if lacks := c.lacks(ctx, d); lacks != "" {
		return refusal("Not sent: the event would be held again at once. " + lacks)
	}
	d, err = c.person().MakeDue(ctx, d, "resend")
	switch {
	case errors.Is(err, delivery.ErrUnderway):
		return refusal("The event goes on by itself: it is being attempted, an attempt has been asked for, or an earlier event of the payment comes first.")
	case errors.Is(err, ledger.ErrEndpointDisabled):
		return refusal("The endpoint is disabled: enable it first.")
	case err != nil:
		return stale(err)
	}
	c.person().Ring(ctx, d)
	return nil
}

// person is who does what the pages do.
func (c *Console) person() operator.Operator {
	return operator.Operator{Name: c.Operator, Ledger: c.Ledger, Queue: c.Queue, Now: c.Now, Log: c.Log}
}

// lacks says what an event cannot be sent without; empty: nothing, or nobody
// can say.
func (c *Console) lacks(ctx context.Context, d delivery.Delivery) string {
	lack, _ := c.person().Lacks(ctx, d)
	switch lack {
	case operator.App:
		return "There is no such app any more."
	case operator.Readable:
		return "The app's secrets cannot be opened with any of the sealing keys."
	case operator.CallbackURL:
		return "There is no callback URL: momoctl client set-callback-url " + d.ClientID + " URL comes first."
	case operator.Secret:
		return "The app has no signing secret: momoctl client rotate-secret " + d.ClientID + " comes first."
	}
	return ""
}

// setEndpoint lets an endpoint be sent to, or not.
func (c *Console) setEndpoint(ctx context.Context, app, origin string, on bool) error {
	e, err := c.Ledger.Endpoint(ctx, app, origin, c.Now())
	if err != nil {
		return err
	}
	switch {
	case on:
		_, err = c.person().EnableEndpoint(ctx, e)
	case e.State != delivery.EndpointDisabled:
		if _, err := c.Ledger.Client(ctx, app); errors.Is(err, ledger.ErrNotFound) || delivery.Origin(origin) != origin {
			return notFound
		}
		_, err = c.person().DisableEndpoint(ctx, e)
	}
	return stale(err)
}

// setApp lets an app's requests in, or not.
func (c *Console) setApp(ctx context.Context, app string, on bool) error {
	client, err := c.Ledger.Client(ctx, app)
	if errors.Is(err, ledger.ErrNotFound) {
		return notFound
	}
	if err != nil {
		return err
	}
	return stale(c.Ledger.ChangeClient(ctx, client, ledger.ClientChange{Active: new(on)}))
}
