package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"momoproxy/shared/provider"
)

// doctorView is what doctor found.
type doctorView struct {
	At       time.Time          `json:"at"`
	Faults   int                `json:"faults"`
	Warnings int                `json:"warnings"`
	System   []provider.Finding `json:"system"`
	Accounts []accountFindings  `json:"accounts"`
}

type accountFindings struct {
	Account  string             `json:"account"`
	Provider string             `json:"provider"`
	Findings []provider.Finding `json:"findings"`
}

const doctorLong = `Checks what payments and callbacks need, before the first payment and any time later: the
public address and its certificate, and of each account credentials, environment, callback
host, balance and account holder; of a deployed stack also its outgoing address, who is
told of alarms, and its parameters. Each finding names the next step, down to the sentence
for the provider's account manager. It changes nothing and charges nobody.

It needs the accounts, as payment check does. The address that callbacks come to is the
stack's, or PUBLIC_BASE_URL. Exit code 4: there are faults.

With --live-payment it asks a payer of yours for real money, after a typed confirmation,
follows that payment to its verified callback, and writes a report without numbers, ids or
keys of which open questions of docs/providers it has answered.`

// doctorQuestion is what the flags of doctor say.
type doctorQuestion struct {
	payer   string
	account string
	live    livePayment
}

func (c cli) doctor() *cobra.Command {
	var q doctorQuestion
	command := &cobra.Command{
		Use: "doctor", Short: "check what payments and callbacks need, and say what to do",
		Long: doctorLong,
		Example: `  momoctl doctor
  momoctl --stack momo-proxy doctor --payer 26876123456
  momoctl --stack momo-proxy doctor --live-payment 26876123456 --amount 1.00 --client cli_0a1b`,
		Args: takes(nil),
		PreRunE: func(*cobra.Command, []string) error {
			if _, err := readPayer("--payer", q.payer); q.payer != "" && err != nil {
				return err
			}
			return q.live.check()
		},
		RunE: func(command *cobra.Command, args []string) error {
			c.provider, c.faulty = true, true
			err := c.over(func(ctx context.Context, s *session, _ []string) error {
				if q.live.number != "" {
					return s.payLive(ctx, q)
				}
				return s.examine(ctx, q)
			})(command, args)
			var fault openError
			if !errors.As(err, &fault) {
				return err
			}
			// Without configuration there is nothing else to look at.
			s := &session{cli: c}
			return s.report(doctorView{At: c.clock(), Accounts: []accountFindings{}, System: []provider.Finding{{
				Check: "configuration", State: provider.Fault, Found: strings.ReplaceAll(fault.Error(), "\n", "; "),
				Next: "Correct it and run doctor again. docs/deploy.md and docs/deploy-one-machine.md say where each setting is.",
			}}})
		},
	}
	f := command.Flags()
	f.StringVar(&q.payer, "payer", "", "a `number` of your own, for the account-holder check")
	f.StringVar(&q.account, "account", "", "the account with this `id` alone")
	q.live.add(command)
	completeFlag(command, "client", c.clientIDs)
	return command
}

// check is one thing that doctor looks at.
type check func(context.Context, *patient) []provider.Finding

// patient is what the checks look at. What a check learns, later ones may use.
type patient struct {
	*session
	provider.Surroundings
}

// systemChecks are in the order in which they are shown. The first ones learn
// the surroundings that accounts are examined in.
var systemChecks = []check{publicAddress, outgoingAddress, alarmTopics, parameters, missingAccounts}

func (s *session) examine(ctx context.Context, q doctorQuestion) error {
	p := &patient{session: s}
	p.Payer, _ = readPayer("--payer", q.payer) // it was checked
	v := doctorView{At: s.clock(), System: []provider.Finding{}, Accounts: []accountFindings{}}
	for _, look := range systemChecks {
		v.System = append(v.System, look(ctx, p)...)
	}
	for _, a := range s.parts.Accounts {
		r, _ := s.parts.Registration(a.Provider)
		id := a.ID
		if id == "" {
			id = r.Name
		}
		if q.account == "" || q.account == id {
			v.Accounts = append(v.Accounts, accountFindings{id, r.Name, p.examineAccount(ctx, r, a)})
		}
	}
	if q.account != "" && len(v.Accounts) == 0 {
		return fmt.Errorf("account %s is not configured", q.account)
	}
	return s.report(v)
}

// report shows the findings. Faults are the command's own end, so that a
// script sees them by the exit code.
func (s *session) report(v doctorView) error {
	all := [][]provider.Finding{v.System}
	for _, a := range v.Accounts {
		all = append(all, a.Findings)
	}
	for _, findings := range all {
		for _, f := range findings {
			switch f.State {
			case provider.Fault:
				v.Faults++
			case provider.Doubt:
				v.Warnings++
			}
		}
	}
	if err := s.answer(v, func(t *text) {
		t.line("The system")
		describeFindings(t, v.System)
		for _, a := range v.Accounts {
			t.line("")
			t.line("Account %s", a.Account)
			describeFindings(t, a.Findings)
		}
	}); err != nil {
		return err
	}
	if v.Faults > 0 {
		return refused("%s and %s were found; each says what to do", plural(v.Faults, "fault"), plural(v.Warnings, "warning"))
	}
	return nil
}

func describeFindings(t *text, findings []provider.Finding) {
	for _, f := range findings {
		state := string(f.State)
		if f.State == provider.Fault {
			state = "FAULT"
		}
		t.line("  %-8s %-24s %s", state, f.Check, f.Found)
		if f.Next != "" {
			t.line("  %33s  -> %s", "", f.Next)
		}
		if f.Mail != "" {
			t.line("  %33s  Mail to the account manager: %s", "", f.Mail)
		}
	}
}
