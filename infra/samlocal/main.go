// Command samlocal runs the functions as sam local does, in Lambda's
// containers, against engines on this machine: first on every file under
// events/, then behind sam local start-api with a payment from request to
// verified callback. `make sam-local` runs it; it needs Docker.
//
// Parameter Store and the providers, which no engine speaks, are stood in for. All that
// the containers reach listens where only they and this machine can reach it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
)

type options struct {
	sam      string
	skipPull bool
	events   string
	more     []string // event files that a shell made of the pattern
	serve    bool
	port     int
	dir      string
}

func main() {
	var o options
	flag.StringVar(&o.sam, "sam", "sam", "the sam command")
	flag.BoolVar(&o.skipPull, "skip-pull-image", false, "use Lambda's base image as it is here: for work without a network")
	flag.StringVar(&o.events, "events", "events/*/*.json", "pattern of the files to run")
	flag.BoolVar(&o.serve, "serve", false, "do not run the events: start the API and keep it up until Ctrl-C")
	flag.IntVar(&o.port, "port", 3000, "of sam local start-api")
	flag.StringVar(&o.dir, "dir", ".aws-sam/local", "where the built functions go")
	flag.Parse()
	o.more = flag.Args()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "sam-local:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	if err := os.MkdirAll(o.dir, 0o755); err != nil {
		return err
	}
	w, err := newWorld(ctx, o)
	if err != nil {
		return err
	}
	defer w.close()
	template, err := w.writeTemplate()
	if err != nil {
		return err
	}
	built := filepath.Join(o.dir, "build")
	if err := command(ctx, o.sam, "build", "--template-file", template, "--base-dir", ".", "--build-dir", built).Run(); err != nil {
		return fmt.Errorf("sam build: %w", err)
	}
	if err := trust(w.identity, built); err != nil {
		return err
	}
	common := []string{"--template-file", filepath.Join(built, "template.yaml"), "--env-vars", w.variables,
		"--add-host", machine + ":host-gateway", "--region", region}
	if o.skipPull {
		common = append(common, "--skip-pull-image")
	}
	if o.serve {
		return w.startAPI(ctx, common, nil)
	}
	if err := w.invokeAll(ctx, common); err != nil {
		return err
	}
	return w.startAPI(ctx, common, w.walk)
}

// command shows what it runs, and what that says.
func command(ctx context.Context, name string, args ...string) *exec.Cmd {
	fmt.Println("+", name, strings.Join(args, " "))
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), "SAM_CLI_TELEMETRY=0")
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	return cmd
}

// invokeAll hands every event file to its function.
func (w *world) invokeAll(ctx context.Context, common []string) error {
	files, err := filepath.Glob(w.o.events)
	if err != nil || len(files) == 0 {
		return errors.Join(fmt.Errorf("no file fits %s", w.o.events), err)
	}
	files = append(files, w.o.more...)
	var faults []error
	for _, file := range files {
		text, err := w.invoke(ctx, common, file, filepath.Base(filepath.Dir(file)))
		if err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", file, err))
			text = "FAILED: " + err.Error()
		}
		fmt.Printf("%-55s %.100s\n", file, text)
	}
	fmt.Printf("event files: %d, failed: %d\n", len(files), len(faults))
	return errors.Join(faults...)
}

// answerOf runs sam local invoke.
func answerOf(cmd *exec.Cmd) (string, error) {
	var log strings.Builder
	cmd.Stderr = &log
	answer, err := cmd.Output()
	text := strings.TrimSpace(string(answer))
	if err == nil && (text == "" || strings.Contains(text, `"errorMessage"`)) {
		err = errors.New("the function failed") // sam says so in its log only
	}
	if err != nil {
		err = fmt.Errorf("%w: %s\n%s", err, text, log.String())
	}
	return text, err
}
