package main

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"momoproxy/shared/ledger"
)

// fixed completes a flag's words.
func fixed(words []string) func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp)
}

// completeFlag completes a flag. A flag that is not there is a mistake of
// ours, which the tests see.
func completeFlag(c *cobra.Command, flag string, f func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective)) {
	if err := c.RegisterFlagCompletionFunc(flag, f); err != nil {
		panic(err)
	}
}

// clientIDs completes the first argument, or a flag, with the clients there
// are. It is quick or gives nothing: a person is waiting in a half-typed line.
func (c cli) clientIDs(command *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
	const none = cobra.ShellCompDirectiveNoFileComp
	ctx := command.Context()
	if ctx == nil {
		ctx = context.Background()
	}
	ctx, cancel := context.WithTimeout(ctx, completionPatience)
	defer cancel()
	st, err := c.open(ctx, c.program, *c.options)
	if err != nil {
		return nil, none
	}
	defer func() { _ = st.close() }()
	ids, err := st.ledger.ListClientIDs(ctx, ledger.Paging{Limit: ledger.MaxListed})
	if err != nil {
		return nil, none
	}
	var fit []string
	for _, id := range ids.Items {
		if strings.HasPrefix(id, begun) {
			fit = append(fit, id)
		}
	}
	return fit, none
}

const completionPatience = 2 * time.Second

// firstIsClient completes a client's id as the first argument.
func (c cli) firstIsClient(command *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return c.clientIDs(command, args, begun)
}
