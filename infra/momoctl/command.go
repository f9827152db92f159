package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"time"
)

// options say which store is meant and how to answer.
type options struct {
	data string
	aws  bool
	json bool
}

// call is a command line, read.
type call struct {
	options
	args []string // as many as the command names

	name, callbackURL             string
	status, reason, transactionID string
	yes                           bool
	overlap                       time.Duration
}

// command is one thing that momoctl does.
type command struct {
	name  string   // "client create"
	args  []string // names of its arguments
	short string
	long  string
	flags func(*flag.FlagSet, *call)
	check func(*call) error // before any store is opened; may be nil
	run   func(context.Context, *session) error
}

var commands = []*command{
	clientCreate, clientShow, clientDisable, clientEnable, clientSetCallbackURL, clientRotateSecret,
	paymentShow, paymentSettle,
	deliveryResend,
}

// globalFlags may stand anywhere on the line. What was set before stays set.
func globalFlags(f *flag.FlagSet, c *call) {
	if c.data == "" {
		c.data = ".local"
	}
	f.StringVar(&c.data, "data", c.data, "`folder` of the local store, as that of infra/local")
	f.BoolVar(&c.aws, "aws", c.aws, "the deployed store, as TABLE_NAME, AUDIT_TABLE_NAME, QUEUE_URL, SEALING_SECRET_ID and the AWS_* variables say")
	f.BoolVar(&c.json, "json", c.json, "answer in JSON")
}

func flagSet(name string, c *call, more ...func(*flag.FlagSet, *call)) *flag.FlagSet {
	f := flag.NewFlagSet(name, flag.ContinueOnError)
	f.SetOutput(io.Discard) // run says what is wrong
	globalFlags(f, c)
	for _, add := range more {
		if add != nil {
			add(f, c)
		}
	}
	return f
}

// parse reads a command line. The command is returned with an error too if it
// was recognised; flag.ErrHelp means that help was asked for.
func parse(args []string) (*command, *call, error) {
	c := &call{}
	words := flagSet("momoctl", c)
	if err := words.Parse(args); err != nil {
		return nil, nil, flagError(err)
	}
	args = words.Args()
	asked := len(args) > 0 && args[0] == "help"
	if asked {
		args = args[1:]
	}
	found := find(args)
	switch {
	case found == nil && len(args) > 1 && isHelp(args[1]), asked && found == nil:
		return nil, nil, flag.ErrHelp
	case found == nil && len(args) == 0:
		return nil, nil, usageError("which command?")
	case found == nil:
		return nil, nil, usageError(fmt.Sprintf("there is no command %q", strings.Join(args[:min(2, len(args))], " ")))
	case asked:
		return found, nil, flag.ErrHelp
	}
	f := flagSet(found.name, c, found.flags)
	// Flags may stand before, between and after the arguments.
	for rest := args[2:]; ; {
		if err := f.Parse(rest); err != nil {
			return found, nil, flagError(err)
		}
		if f.NArg() == 0 {
			break
		}
		c.args = append(c.args, f.Arg(0))
		rest = f.Args()[1:]
	}
	if len(c.args) != len(found.args) {
		return found, nil, usageError(fmt.Sprintf("%s takes %s, and %d arguments were given", found.name, argumentNames(found), len(c.args)))
	}
	set := map[string]bool{}
	words.Visit(func(f *flag.Flag) { set[f.Name] = true })
	f.Visit(func(f *flag.Flag) { set[f.Name] = true })
	if c.aws && set["data"] {
		return found, nil, usageError("-data and -aws name two stores")
	}
	return found, c, nil
}

func find(args []string) *command {
	if len(args) < 2 {
		return nil
	}
	for _, c := range commands {
		if c.name == args[0]+" "+args[1] {
			return c
		}
	}
	return nil
}

func isHelp(arg string) bool { return arg == "-h" || arg == "-help" || arg == "--help" }

func flagError(err error) error {
	if errors.Is(err, flag.ErrHelp) {
		return err
	}
	return usageError(err.Error())
}

func argumentNames(c *command) string {
	if len(c.args) == 0 {
		return "no arguments"
	}
	return strings.Join(c.args, " ")
}

// synopsis is the command with its arguments.
func synopsis(c *command) string {
	return strings.TrimSpace(c.name + " " + strings.Join(c.args, " "))
}

// help explains one command, or all of it.
func help(out io.Writer, c *command) {
	if c == nil {
		fmt.Fprint(out, "momoctl is the operator's command line of MoMo Proxy.\n\n")
		brief(out, nil)
		return
	}
	fmt.Fprintf(out, "Usage: momoctl [flags] %s [flags]\n\n%s\n\n%s\n\n", synopsis(c), c.short, c.long)
	printFlags(out, c.flags)
}

// brief is what a person sees who got it wrong.
func brief(out io.Writer, c *command) {
	if c != nil {
		fmt.Fprintf(out, "Usage: momoctl [flags] %s [flags]\n\n", synopsis(c))
		printFlags(out, c.flags)
		return
	}
	fmt.Fprint(out, "Usage: momoctl [flags] COMMAND\n\nCommands:\n")
	for _, c := range commands {
		fmt.Fprintf(out, "  %-36s %s\n", synopsis(c), c.short)
	}
	fmt.Fprint(out, "\nFlags, which may stand anywhere, with one dash or two:\n")
	printFlags(out, nil)
	fmt.Fprint(out, "\nExit codes: 0 done, 1 failed, 2 wrong usage, 3 not found. \"momoctl COMMAND -h\" tells more.\n")
}

func printFlags(out io.Writer, own func(*flag.FlagSet, *call)) {
	f := flagSet("", &call{}, own)
	f.VisitAll(func(f *flag.Flag) {
		kind, usage := flag.UnquoteUsage(f)
		fmt.Fprintf(out, "  %-36s %s", strings.TrimSpace("--"+f.Name+" "+strings.ToUpper(kind)), usage)
		if f.DefValue != "" && f.DefValue != "false" {
			fmt.Fprintf(out, " (%s)", f.DefValue)
		}
		fmt.Fprintln(out)
	})
}
