package main

import (
	"context"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"momoproxy/shared/guard"
)

const accountLong = `It needs the accounts, as payment check does.`

func (c cli) accountList() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "list the accounts with providers, and what is open on each",
		Long: `Lists the accounts and how many payments are open on each. One that has open payments and
is missing from the configuration is listed, too: they wait until it is back.

` + accountLong,
		Args: takes(nil),
		RunE: c.overAccounts(func(ctx context.Context, s *session, _ []string) error {
			return s.showAccounts(ctx, s.asking.Providers, false, true)
		}),
	}
}

func (c cli) accountCheck() *cobra.Command {
	return &cobra.Command{
		Use: "check", Short: "try each account's credentials", Args: takes(nil),
		Long: `Asks for a new token where a provider has tokens, whatever token is in store. Of a
provider that has none it says nothing: its key goes with each request.

` + accountLong,
		RunE: c.overAccounts(func(ctx context.Context, s *session, _ []string) error {
			return s.showAccounts(ctx, s.asking.Providers, true, true)
		}),
	}
}

func (c cli) accountSet() *cobra.Command {
	var percent int
	command := &cobra.Command{
		Use: "set ACCOUNT", Short: "set an account's share of new payments",
		Long: `Sets how many of its market's new payments an account gets, where its provider has
several accounts of one market and currency. What they leave goes to the account that
has no share. It holds within 10 seconds. A payment stays with the account that made it.

` + accountLong,
		Example: "  momoctl account set mtn-sz-new --new-payments 10",
		Args:    takes(nil),
		PreRunE: func(command *cobra.Command, _ []string) error {
			if !command.Flags().Changed("new-payments") || percent < 0 || percent > 100 {
				return usageError("--new-payments must be 0 to 100")
			}
			return nil
		},
		RunE: c.overAccounts(func(ctx context.Context, s *session, args []string) error {
			set, err := s.person().SetNewPayments(ctx, s.asking.Providers, args[0], percent)
			if err != nil {
				return err
			}
			return s.showAccounts(ctx, []*guard.Guard{set}, false, false)
		}),
	}
	command.Flags().IntVar(&percent, "new-payments", 0, "`percent` of its market's new payments, 0 to 100; required")
	return command
}

// overAccounts is over with the accounts at hand.
func (c cli) overAccounts(f func(ctx context.Context, s *session, args []string) error) func(*cobra.Command, []string) error {
	return func(command *cobra.Command, args []string) error {
		c.provider = true
		return c.over(f)(command, args)
	}
}

// showAccounts shows these accounts, and if they are all there are, those that
// are missing.
func (s *session) showAccounts(ctx context.Context, all []*guard.Guard, check, whole bool) error {
	open, err := s.person().CountOpen(ctx)
	if err != nil {
		return err
	}
	views, err := s.person().Accounts(ctx, all, open, check)
	if err != nil {
		return err
	}
	if whole {
		views = append(views, open.Missing(all)...)
	}
	return s.answer(views, func(t *text) {
		rows := [][]string{{"ACCOUNT", "PROVIDER", "CURRENCY", "OPEN", "NEW PAYMENTS", "MONEY", "BASE URL"}}
		if check {
			rows[0] = append(rows[0], "CREDENTIALS")
		}
		for _, v := range views {
			share, money := "the rest", "test"
			if v.NewPayments != nil {
				share = fmt.Sprintf("%d %%", *v.NewPayments)
			}
			if v.Production {
				money = "real"
			}
			number := strconv.Itoa(v.Open)
			if v.Truncated {
				number = "at least " + number
			}
			if v.Missing {
				share, money, v.BaseURL = "", "", "NOT CONFIGURED: its payments wait"
			}
			row := []string{v.ID, v.Provider, v.Currency, number, share, money, v.BaseURL}
			if check {
				answer := "answer"
				if v.Missing {
					answer = "unknown"
				} else if v.Error != "" {
					answer = v.Error
				} else if v.NoToken {
					answer = "no token: they go with each request"
				}
				row = append(row, answer)
			}
			rows = append(rows, row)
		}
		t.list("accounts", rows)
	})
}
