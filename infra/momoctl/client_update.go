package main

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
)

func (c cli) clientUpdate() *cobra.Command {
	var name string
	var legacy bool
	var accounts, perDay []string
	refunds := []payment.Money{}
	command := &cobra.Command{
		Use: "update ID", Short: "change a client's name, accounts or its callbacks' signature",
		Long: `Changes what is given of a client's name, of the accounts that its payments may use, and
of X-MoMo-Proxy-Signature on its callbacks. Payments that are there stay where they are.
Takes effect within 10 seconds. The callback URL has a command of its own, which releases
what is held: set-callback-url.`,
		Example: `  momoctl client update cli_0a1b --name "Corner shop, Manzini" --legacy-signature=false
  momoctl client update cli_0a1b --accounts mtn-sz,mtn-sz-new`,
		Args:              takes(nil),
		ValidArgsFunction: c.firstIsClient,
	}
	command.Flags().StringVar(&name, "name", "", "`name` of the app, for people")
	command.Flags().BoolVar(&legacy, "legacy-signature", true, "send X-MoMo-Proxy-Signature with its callbacks")
	accountsFlag(command, &accounts)
	command.Flags().StringSliceVar(&perDay, "refunds-per-day", nil, `what it may refund in a day (UTC), such as "SZL 1000"; empty: nothing`)
	named := func() bool { return command.Flags().Changed("name") }
	command.PreRunE = func(*cobra.Command, []string) error {
		if !named() && !command.Flags().Changed("legacy-signature") && !command.Flags().Changed("accounts") && !command.Flags().Changed("refunds-per-day") {
			return usageError("give --name, --accounts, --refunds-per-day or --legacy-signature")
		}
		for _, text := range perDay {
			currency, amount, _ := strings.Cut(text, " ")
			m, err := payment.ParseMoney(amount, currency)
			if err != nil {
				return usageError(`--refunds-per-day is a currency and an amount, such as "SZL 1000"`)
			}
			refunds = append(refunds, m)
		}
		if named() {
			if err := checkClientName(&name); err != nil {
				return err
			}
		}
		return checkAccounts(accounts)
	}
	command.RunE = c.over(func(ctx context.Context, s *session, args []string) error {
		client, err := s.client(ctx, args[0])
		if err != nil {
			return err
		}
		wanted := client
		if named() {
			wanted.Name = name
		}
		if command.Flags().Changed("legacy-signature") {
			wanted.NoLegacySignature = !legacy
		}
		if command.Flags().Changed("accounts") {
			wanted.Accounts = accounts
		}
		change := ledger.ClientChange{Name: &wanted.Name, NoLegacySignature: &wanted.NoLegacySignature, Accounts: &wanted.Accounts}
		if command.Flags().Changed("refunds-per-day") {
			change.RefundsPerDay = &refunds
		}
		if err := s.ledger.ChangeClient(ctx, client, change); err != nil {
			return err
		}
		return s.showClient(ctx, wanted, 0)
	})
	return command
}
