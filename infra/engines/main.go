// Command engines runs another command with DynamoDB- and SQS-compatible
// engines behind it:
//
//	go run ./infra/engines -- go test ./...
//
// It sets AWS_ENDPOINT_URL_DYNAMODB, AWS_ENDPOINT_URL_SQS, AWS_REGION and
// credentials that are good for nothing, says which engines ran, stops them
// afterwards and ends with the command's exit code. An engine that the
// environment already names is used and left alone.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"momoproxy/infra/engines/engine"
)

func main() {
	os.Exit(run(os.Args[1:], os.Stderr))
}

func run(args []string, log io.Writer) int {
	flags := flag.NewFlagSet("engines", flag.ContinueOnError)
	flags.SetOutput(log)
	list := flags.Bool("list", false, "list the engines that could run here, best first, and end")
	only := flags.String("only", "", "take the engines whose name begins so, such as moto")
	timeout := flags.Duration("timeout", 5*time.Minute, "how long starting, and downloading on the first run, may take")
	flags.Usage = func() {
		fmt.Fprintln(log, "usage: engines [-list] [-only NAME] [-timeout D] -- command [arguments]")
		flags.PrintDefaults()
	}
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return 0
		}
		return 2
	}
	if *list {
		for _, c := range engine.List() {
			fmt.Fprintf(os.Stdout, "%-9s %-22s %s\n", c.Service, c.Name, c.Note)
		}
		return 0
	}
	if flags.NArg() == 0 {
		flags.Usage()
		return 2
	}

	// From here on a signal goes to the command; we end when it does.
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)

	ctx, cancel := context.WithTimeout(context.Background(), *timeout)
	defer cancel()
	starting, interrupted := context.WithCancel(ctx)
	defer interrupted()
	done := make(chan struct{})
	var engines []engine.Engine
	var err error
	go func() {
		defer close(done)
		engines, err = startAll(starting, *only)
	}()
	select {
	case <-done:
	case <-signals:
		interrupted()
		<-done
	}
	defer func() {
		for _, e := range engines {
			e.Stop()
		}
	}()
	if err != nil {
		fmt.Fprintf(log, "engines: %v\n", err)
		return 1
	}
	environment := append(os.Environ(),
		"AWS_REGION=us-east-1", "AWS_ACCESS_KEY_ID=local", "AWS_SECRET_ACCESS_KEY=local", "AWS_SESSION_TOKEN=")
	for i, s := range engine.Services {
		fmt.Fprintf(log, "engines: %s is %s at %s\n", s, engines[i].Name, engines[i].Endpoint)
		environment = append(environment, s.EndpointVariable()+"="+engines[i].Endpoint, s.NameVariable()+"="+engines[i].Name)
	}
	return command(flags.Args(), environment, signals, log)
}

// startAll starts every service's engine at once. On an error those that
// did start are still returned, to be stopped.
func startAll(ctx context.Context, only string) ([]engine.Engine, error) {
	all := make([]engine.Engine, len(engine.Services))
	faults := make([]error, len(engine.Services))
	var wg sync.WaitGroup
	for i, s := range engine.Services {
		wg.Go(func() {
			all[i], faults[i] = engine.StartNamed(ctx, s, only)
			if faults[i] != nil {
				all[i].Stop = func() {}
			}
		})
	}
	wg.Wait()
	return all, errors.Join(faults...)
}

// command runs the command in the foreground and returns its exit code.
func command(args, environment []string, signals <-chan os.Signal, log io.Writer) int {
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = environment
	if err := cmd.Start(); err != nil {
		fmt.Fprintf(log, "engines: %v\n", err)
		return 127
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for {
		select {
		case s := <-signals:
			_ = cmd.Process.Signal(s)
		case err := <-ended:
			var exit *exec.ExitError
			switch {
			case err == nil:
				return 0
			case errors.As(err, &exit) && exit.ExitCode() >= 0:
				return exit.ExitCode()
			default:
				fmt.Fprintf(log, "engines: %s: %v\n", args[0], err)
				return 1
			}
		}
	}
}
