package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// options say which store is meant and how to answer.
type options struct {
	data string
	// The deployed stack, and how AWS is reached.
	stack, profile, region string
	// provider: the command asks providers, and needs their accounts. faulty:
	// it opens them though some cannot be built.
	provider, faulty bool
	json             bool
	output           string
}

// cli is a command line being built: the program, and the options that every
// command of it shares.
type cli struct {
	program
	*options
}

const rootLong = `momoctl is the operator's command line of MoMo Proxy. It works on the tables and the
queue themselves: those of infra/local, which may be running, or the deployed ones.

--stack names a deployed stack. What it needs it reads from the stack's outputs, with the
AWS credentials that the AWS CLI would use: variables, --profile, SSO or a role. Their ARN
stands in the audit log as the operator.

Answers go to standard output, all else to standard error. With --json (or -o json) the
answer is one JSON object, and so is an error: error, code, exitCode. Fields are kept from
version to version, times are RFC 3339 in UTC, and what has no value may be left out. -o csv
gives a list as a table for a spreadsheet.

Times are given as 2026-09-01, 2026-09-01T08:30, 08:30 (the latest such), all UTC, as
RFC 3339, or as so long ago: 90m, 36h, 7d.

Exit codes:
  0  done
  1  failed: a fault of ours, or something cannot be reached; reconcile-file: differences are left
  2  the command line is wrong
  3  there is no such client, payment, refund, delivery or endpoint
  4  refused: the state of things does not allow it, or it was not confirmed
  5  not finished: a replay was interrupted and says how to go on`

const rootExample = `  momoctl status
  momoctl client create --name "Corner shop" --callback-url https://shop.example.com/momo
  momoctl payment show 7c1a4f8e-0b1d-4c55-9a57-3f4d1c2b6a90
  momoctl delivery replay --client cli_0a1b --since 36h --status exhausted
  momoctl --stack momo-proxy --json payment list --attention`

// usageTemplate is what --help shows below the long text.
const usageTemplate = `Usage: {{if .HasAvailableSubCommands}}{{.CommandPath}} COMMAND [flags]{{else}}{{.UseLine}}{{end}}{{if .HasExample}}

Examples:
{{.Example}}{{end}}{{if .HasAvailableSubCommands}}

Commands:{{range .Commands}}{{if or .IsAvailableCommand (eq .Name "help")}}
  {{rpad .Name .NamePadding}} {{.Short}}{{end}}{{end}}{{end}}{{if .HasAvailableLocalFlags}}

Flags:
{{.LocalFlags.FlagUsages | trimTrailingWhitespaces}}{{end}}{{if .HasAvailableInheritedFlags}}

Global flags:
{{.InheritedFlags.FlagUsages | trimTrailingWhitespaces}}{{end}}{{if .HasAvailableSubCommands}}

"{{.CommandPath}} COMMAND --help" tells more.{{end}}
`

// root builds the whole command line.
func (p program) root() *cobra.Command {
	c := cli{program: p, options: &options{}}
	root := group("momoctl", "the operator's command line of MoMo Proxy", rootLong,
		c.watched(c.status()), c.doctor(), c.watched(withCSV(c.activity())), c.stop(), c.start(), c.backup(), withCSV(c.report()), withCSV(c.reconcileFile()),
		group("client", "apps, their keys and secrets", "",
			c.clientCreate(), withCSV(c.clientImport()), withCSV(c.clientList()), c.clientShow(), c.clientDisable(), c.clientEnable(), c.clientSetCallbackURL(), c.clientUpdate(),
			c.clientRotateKey(), c.clientExpireKey(), c.clientRotateSecret(), c.clientExpireSecret(), c.clientReseal()),
		group("payment", "what became of a payment", "",
			c.watched(withCSV(c.paymentList())), c.watched(c.paymentShow()), c.watched(withCSV(c.paymentTotals())), c.paymentCheck(), c.paymentSettle(), withCSV(c.paymentPaidTwice())),
		group("refund", "money that goes back to payers", "",
			c.watched(withCSV(c.refundList())), c.refundRequest(), c.refundSettle(), c.refundRecord()),
		group("payer", "who pays", "", c.payerForget()),
		group("account", "accounts with providers", "", withCSV(c.accountList()), withCSV(c.accountCheck()), c.accountSet()),
		group("delivery", "callbacks to apps", "",
			c.watched(withCSV(c.deliveryList())), c.deliveryShow(), c.deliveryResend(), c.deliveryReplay()),
		group("endpoint", "how well the apps' endpoints are", "",
			c.endpointList(), c.endpointShow(), c.endpointEnable(), c.endpointDisable()),
		group("dlq", "doorbells that the forwarder could not answer", "", c.dlqShow(), c.dlqRedrive()),
		group("audit", "who said what, and when", "", withCSV(c.auditShow()), c.auditVerify()),
		c.move(),
		group("restore", "what a restore to a point in time leaves to do", "", c.restoreFinish(), withCSV(c.restoreMissing())),
		c.version(),
		c.console(), c.listen(), c.trigger(),
	)
	root.Example = rootExample
	root.SilenceErrors, root.SilenceUsage = true, true // run says what is wrong
	root.SetIn(p.in)
	root.SetOut(p.out)
	root.SetErr(p.err)
	root.SetUsageTemplate(usageTemplate)
	root.SetHelpTemplate("{{with (or .Long .Short)}}{{. | trimTrailingWhitespaces}}\n\n{{end}}{{.UsageString}}")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError(err.Error()) })
	f := root.PersistentFlags()
	f.StringVar(&c.data, "data", ".local", "`folder` of the local store, as that of infra/local")
	f.StringVar(&c.stack, "stack", "", "the deployed stack of this `name`")
	f.StringVar(&c.profile, "profile", "", "with --stack: `profile` of the AWS configuration")
	f.StringVar(&c.region, "region", "", "with --stack: AWS `region`")
	f.BoolVar(&c.json, "json", false, "answer in JSON: -o json")
	f.StringVarP(&c.output, "output", "o", outputText, "`form` of the answer: text, json or csv")
	completeFlag(root, "output", fixed(outputs))
	root.PersistentPreRunE = func(command *cobra.Command, _ []string) error {
		switch {
		case c.stack != "" && command.Flags().Changed("data"):
			return usageError("--data and --stack name two stores")
		case c.stack == "" && (c.profile != "" || c.region != ""):
			return usageError("--profile and --region go with --stack")
		}
		return c.chooseOutput(command)
	}
	return root
}

// group is a command that only has others. What is not one of them is a
// fault: a script must not take a help text for success.
func group(name, short, long string, commands ...*cobra.Command) *cobra.Command {
	g := &cobra.Command{Use: name, Short: short, Long: long, SuggestionsMinimumDistance: 2}
	g.AddCommand(commands...)
	g.Args = func(c *cobra.Command, args []string) error {
		if len(args) == 0 {
			return nil
		}
		what := fmt.Sprintf("there is no command %q", c.CommandPath()+" "+args[0])
		if near := c.SuggestionsFor(args[0]); len(near) > 0 {
			what += "; did you mean " + strings.Join(near, " or ") + "?"
		}
		return usageError(what)
	}
	g.RunE = func(*cobra.Command, []string) error { return usageError("which command?") }
	return g
}

// takes makes a command refuse any other number of arguments than its use
// line names, and lets check look at them.
func takes(check func(args []string) error) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		names := strings.Fields(c.Use)[1:]
		if len(args) != len(names) {
			what := strings.Join(names, " and ")
			if what == "" {
				what = "no arguments"
			}
			return usageError(fmt.Sprintf("%s takes %s, and %s given", c.CommandPath(), what, wasWere(len(args))))
		}
		if check == nil {
			return nil
		}
		return check(args)
	}
}

func wasWere(n int) string {
	if n == 1 {
		return "1 was"
	}
	return fmt.Sprintf("%d were", n)
}
