package main

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"momoproxy/shared/ledger"
)

type auditView struct {
	At           time.Time `json:"at"`
	Direction    string    `json:"direction"`
	ClientID     string    `json:"clientId,omitempty"`
	Method       string    `json:"method"`
	URL          string    `json:"url"`
	RequestBody  string    `json:"requestBody,omitempty"`
	ResponseCode int       `json:"responseCode,omitempty"`
	ResponseBody string    `json:"responseBody,omitempty"`
	Answer       string    `json:"answer,omitempty"`
	DurationMS   int64     `json:"durationMs"`
	Note         string    `json:"note,omitempty"`
}

// viewOfAudit shows a record with the name that its directions have.
func viewOfAudit(a ledger.AuditRecord, name string) auditView {
	return auditView{
		a.At, string(a.Direction.With(name)), a.ClientID, a.Method, a.URL, a.RequestBody, a.ResponseCode, a.ResponseBody, a.Answer,
		a.Duration.Milliseconds(), a.Note,
	}
}

type auditList struct {
	Audit []auditView `json:"auditTrail"`
	Next  string      `json:"next,omitempty"`
}

// auditQuestion is what the flags of audit show say; one of the first four.
type auditQuestion struct {
	payment, client, unmatched, provider string
	page                                 pageFlags
}

func (c cli) auditShow() *cobra.Command {
	var q auditQuestion
	command := &cobra.Command{
		Use: "show", Short: "show audit records of a payment, a client or an hour",
		Long: `Shows audit records, oldest first. Those that belong to no payment are kept under their
client (changes of it, and requests that made no payment) or by the hour in UTC:
callbacks that matched nothing, and our own calls to a provider that are about no
payment. Bodies are shown with --json; secrets in them were taken out when they were
written.`,
		Example: `  momoctl audit show --payment 7c1a4f8e-0b1d-4c55-9a57-3f4d1c2b6a90
  momoctl audit show --client cli_0a1b
  momoctl audit show --unmatched 2026-09-01T08:00
  momoctl audit show --provider 1h --json`,
		Args: takes(nil),
		PreRunE: func(*cobra.Command, []string) error {
			given := 0
			for _, v := range []string{q.payment, q.client, q.unmatched, q.provider} {
				if v != "" {
					given++
				}
			}
			if given != 1 {
				return usageError("one of --payment, --client, --unmatched and --provider must be given")
			}
			if q.payment != "" {
				if err := checkName([]string{q.payment}); err != nil {
					return err
				}
			}
			return q.page.check()
		},
		RunE: c.over(func(ctx context.Context, s *session, _ []string) error { return s.showAudit(ctx, q) }),
	}
	f := command.Flags()
	f.StringVar(&q.payment, "payment", "", "of the payment with this `name`, as payment show takes it")
	f.StringVar(&q.client, "client", "", "of the client with this `id`")
	f.StringVar(&q.unmatched, "unmatched", "", "callbacks that matched nothing, of the hour of this `time`")
	f.StringVar(&q.provider, "provider", "", "calls to providers about no payment, of the hour of this `time`")
	q.page.add(command)
	completeFlag(command, "client", c.clientIDs)
	return command
}

func (s *session) showAudit(ctx context.Context, q auditQuestion) error {
	page, err := s.auditRecords(ctx, q)
	if err != nil {
		return badCursor("after", err)
	}
	name := ""
	if q.payment != "" && len(page.Items) > 0 {
		p, err := s.ledger.Payment(ctx, page.Items[0].Reference)
		if err != nil {
			return err
		}
		name = auditName(p.Provider)
	}
	list := auditList{Audit: []auditView{}, Next: page.Next}
	for _, a := range page.Items {
		list.Audit = append(list.Audit, viewOfAudit(a, name))
	}
	err = s.answer(list, func(t *text) {
		rows := [][]string{{"AT", "DIRECTION", "CLIENT", "WHAT", "ANSWER", "NOTE"}}
		for _, a := range page.Items {
			rows = append(rows, []string{
				stamp(a.At), string(a.Direction.With(name)), orDash(a.ClientID), a.Method + " " + a.URL,
				orDash(strings.TrimPrefix(answerOf(a), " -> ")), orDash(a.Note),
			})
		}
		t.list("audit records", rows)
	})
	if err == nil && !s.json {
		s.more(page.Next)
	}
	return err
}

// auditRecords reads one page of what was asked for.
func (s *session) auditRecords(ctx context.Context, q auditQuestion) (found ledger.Page[ledger.AuditRecord], err error) {
	page := ledger.AuditQuery{ClientID: q.client, Kind: ledger.AuditUnmatched, Limit: q.page.limit, Cursor: q.page.after}
	switch {
	case q.payment != "":
		if page.Reference, err = s.reference(ctx, q.payment); err != nil {
			return found, err
		}
	case q.client != "":
		if err := s.known(ctx, q.client); err != nil {
			return found, err
		}
	default:
		flag, text := "unmatched", q.unmatched
		if q.provider != "" {
			page.Kind, flag, text = ledger.AuditProvider, "provider", q.provider
		}
		if page.Hour, err = readTime(flag, text, s.now()); err != nil {
			return found, err
		}
	}
	return s.ledger.AuditPage(ctx, page)
}
