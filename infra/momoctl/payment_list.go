package main

import (
	"context"
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"momoproxy/infra/operator"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
)

type paymentList struct {
	Payments []paymentView `json:"payments"`
	Next     string        `json:"next,omitempty"`
}

// paymentQuestion is what the flags of payment list say.
type paymentQuestion struct {
	client, externalID      string
	payer, provider, reason string
	endedSince              string
	statuses                []string
	attention               bool
	window                  window
	page                    pageFlags
}

func statusWords() []string {
	var words []string
	for _, s := range payment.Statuses {
		words = append(words, string(s))
	}
	return words
}

func (c cli) paymentList() *cobra.Command {
	var q paymentQuestion
	command := &cobra.Command{
		Use: "list", Short: "list payments",
		Long: `Lists a client's payments, newest first, or those of all clients, client by client. With
--attention those that wait for a person or for the provider's word, oldest first:
held, and in_reconciliation. With --payer those of one phone number, newest first, of all
clients. A list that is narrowed reads at most 50 pages; it then says how to go on.`,
		Example: `  momoctl payment list --attention
  momoctl payment list --client cli_0a1b --since 2h --status FAILED,TIMEOUT
  momoctl payment list --external-id ORDER-98765
  momoctl payment list --payer 26876123456 --since 7d
  momoctl payment list --provider mtn --reason PAYER_LIMIT_REACHED --ended-since 24h -o csv`,
		Args: takes(nil),
		PreRunE: func(*cobra.Command, []string) error {
			for i, word := range q.statuses {
				q.statuses[i] = strings.ToUpper(word)
				if err := oneOf("status", q.statuses[i], statusWords()); err != nil {
					return err
				}
			}
			filter, err := q.filter(c.now())
			if err != nil {
				return err
			}
			if q.attention && !reflect.DeepEqual(filter, ledger.PaymentFilter{}) {
				return usageError("--attention goes with --client alone")
			}
			return q.page.check()
		},
		RunE: c.over(func(ctx context.Context, s *session, _ []string) error { return s.listPayments(ctx, q) }),
	}
	f := command.Flags()
	f.StringVar(&q.client, "client", "", "of the client with this `id`")
	f.StringVar(&q.externalID, "external-id", "", "with this order `id`")
	f.StringSliceVar(&q.statuses, "status", nil, "in one of these `statuses`, by commas")
	f.StringVar(&q.payer, "payer", "", "of this phone `number`, in the international form: 26876123456")
	f.StringVar(&q.provider, "provider", "", "of the provider with this `name`")
	f.StringVar(&q.reason, "reason", "", "that ended with this `reason`, the provider's code or ours")
	f.StringVar(&q.endedSince, "ended-since", "", "that ended at this `time` or later")
	f.BoolVar(&q.attention, "attention", false, "that are held or whose outcome is not known")
	q.window.add(command, "made")
	q.page.add(command)
	completeFlag(command, "client", c.clientIDs)
	completeFlag(command, "status", fixed(statusWords()))
	completeFlag(command, "provider", fixed(providerNames()))
	return command
}

// filter checks the flags and makes the ledger's filter of them.
func (q paymentQuestion) filter(now time.Time) (f ledger.PaymentFilter, err error) {
	f = ledger.PaymentFilter{ExternalID: q.externalID, Provider: q.provider, Reason: q.reason}
	if f.From, f.To, err = q.window.read(now); err != nil {
		return f, err
	}
	if f.EndedSince, err = readTime("ended-since", q.endedSince, now); err != nil {
		return f, err
	}
	if q.provider != "" {
		if err := oneOf("provider", q.provider, providerNames()); err != nil {
			return f, err
		}
	}
	if q.payer != "" {
		if f.Payer, err = readPayer("--payer", q.payer); err != nil {
			return f, err
		}
	}
	for _, word := range q.statuses {
		f.Statuses = append(f.Statuses, payment.Status(word))
	}
	return f, nil
}

// readPayer reads a phone number that came as what.
func readPayer(what, text string) (payment.MSISDN, error) {
	digits := strings.TrimPrefix(strings.ReplaceAll(text, " ", ""), "+")
	if !payerDigits.MatchString(digits) {
		return "", usageError(fmt.Sprintf("%s %q: give the number in the international form, as 26876123456", what, printable(text)))
	}
	return payment.MSISDN(digits), nil
}

var payerDigits = regexp.MustCompile(`^[1-9][0-9]{6,14}$`)

func providerNames() (names []string) {
	for _, p := range offline() {
		names = append(names, p.Capabilities().Name)
	}
	return names
}

func (s *session) listPayments(ctx context.Context, q paymentQuestion) error {
	filter, err := q.filter(s.now())
	if err != nil {
		return err
	}
	if q.client != "" {
		if err := s.known(ctx, q.client); err != nil {
			return err
		}
	}
	fetch := func(ctx context.Context, client string, p ledger.Paging) (ledger.Page[ledger.Payment], error) {
		return s.ledger.ListPayments(ctx, client, filter, p)
	}
	if q.attention {
		fetch = operator.Operator{Ledger: s.ledger}.PaymentsWaiting
	}
	walk := walker[ledger.Payment]{session: s, client: q.client, one: q.attention || q.payer != "", fetch: fetch}
	found, next, err := walk.collect(ctx, q.page)
	if err != nil {
		return badCursor("after", err)
	}
	list := paymentList{Payments: []paymentView{}, Next: next}
	for _, p := range found {
		list.Payments = append(list.Payments, viewOfPayment(p))
	}
	err = s.answer(list, func(t *text) {
		rows := [][]string{{"REFERENCE", "CREATED", "CLIENT", "ORDER", "AMOUNT", "PROVIDER", "STATUS", "REASON"}}
		for _, p := range found {
			status := string(p.Status)
			if p.Phase != "" {
				status += " " + string(p.Phase)
			}
			rows = append(rows, []string{
				p.Reference, short(p.CreatedAt), p.ClientID, p.ExternalID, p.Amount.String(),
				strings.TrimSpace(p.Provider + " " + p.Method), status, orDash(p.Reason),
			})
		}
		t.list("payments", rows)
		if q.attention && len(found) > 0 {
			t.line("")
			t.line("The oldest has waited for %s.", ago(s.now().Sub(found[0].CreatedAt).Truncate(time.Second)))
		}
	})
	if err == nil && !s.json {
		s.more(next)
	}
	return err
}
