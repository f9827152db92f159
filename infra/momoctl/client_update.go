package main

import (
	"context"

	"github.com/spf13/cobra"
)

func (c cli) clientUpdate() *cobra.Command {
	var name string
	var legacy bool
	command := &cobra.Command{
		Use: "update ID", Short: "change a client's name or its callbacks' signature",
		Long: `Changes what is given of a client's name and of X-MoMo-Proxy-Signature on its callbacks.
Takes effect within 10 seconds. The callback URL has a command of its own, which releases
what is held: set-callback-url.`,
		Example:           `  momoctl client update cli_0a1b --name "Corner shop, Manzini" --legacy-signature=false`,
		Args:              takes(nil),
		ValidArgsFunction: c.firstIsClient,
	}
	command.Flags().StringVar(&name, "name", "", "`name` of the app, for people")
	command.Flags().BoolVar(&legacy, "legacy-signature", true, "send X-MoMo-Proxy-Signature with its callbacks")
	named := func() bool { return command.Flags().Changed("name") }
	command.PreRunE = func(*cobra.Command, []string) error {
		if !named() && !command.Flags().Changed("legacy-signature") {
			return usageError("give --name or --legacy-signature")
		}
		if named() {
			return checkClientName(&name)
		}
		return nil
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
		if err := s.ledger.UpdateClient(ctx, client, wanted.Name, wanted.NoLegacySignature); err != nil {
			return err
		}
		return s.showClient(ctx, wanted, 0)
	})
	return command
}
