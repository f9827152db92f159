// Command rehearsal follows docs/deploy.md and docs/operate.md against an
// emulator of AWS: it runs the commands of the pages word for word, in a fresh
// checkout of this commit, prints the transcript, and looks after each step
// whether the account is as the page says. `make rehearse` runs it.
//
// The emulator is moto, with SAM's own transform in front of it. It runs no
// function: what payments do meanwhile is not rehearsed here.
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

func main() {
	sam := flag.String("sam", ".tools/sam", "the virtual environment that has the SAM CLI")
	move := flag.Bool("move", false, "only the move to another region and account")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := rehearse(ctx, *sam, *move); err != nil {
		fmt.Fprintln(os.Stderr, "rehearsal:", err)
		os.Exit(1)
	}
}

// rehearsal is an operator at work: a checkout and an AWS account.
type rehearsal struct {
	ctx         context.Context
	dir         string // the checkout
	environment []string
	types       string // on each command's standard input
}

func rehearse(ctx context.Context, sam string, onlyMove bool) error {
	sam, err := filepath.Abs(sam)
	if err != nil {
		return err
	}
	c, err := newCloud(os.Getenv("AWS_ENDPOINT_URL_DYNAMODB"), filepath.Join(sam, "bin", "python"), filepath.Join("infra", "rehearsal", "expand.py"))
	if err != nil {
		return err
	}
	front := httptest.NewServer(c)
	defer front.Close()
	dir, err := os.MkdirTemp("", "rehearsal")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	r := &rehearsal{ctx: ctx, dir: filepath.Join(dir, "momo-proxy"), environment: environment(front.URL), types: yes}
	if out, err := exec.CommandContext(ctx, "git", "clone", "--quiet", "--shared", ".", r.dir).CombinedOutput(); err != nil {
		return fmt.Errorf("clone: %w\n%s", err, out)
	}
	if err := os.Mkdir(filepath.Join(r.dir, ".tools"), 0o755); err != nil {
		return err
	}
	if err := os.Symlink(sam, filepath.Join(r.dir, ".tools", "sam")); err != nil {
		return err
	}
	began := time.Now()
	// The SAM CLI is installed, though what pins it has just been written.
	if err := os.Chtimes(filepath.Join(r.dir, "infra", "tools", "sam.txt"), time.Time{}, began.AddDate(-1, 0, 0)); err != nil {
		return err
	}
	if !onlyMove {
		if err := r.follow(steps); err != nil {
			return err
		}
	}
	m, err := newMove(r, dir, front.URL)
	if err != nil {
		return err
	}
	defer m.close()
	all := m.steps()
	if err := r.follow(all); err != nil {
		return err
	}
	if !onlyMove {
		all = append(all, steps...)
	}
	fmt.Printf("\n%d steps in %s. Not rehearsed: %s.\n", len(all), time.Since(began).Round(time.Second), notRehearsed)
	return nil
}

func (r *rehearsal) follow(steps []step) error {
	for _, s := range steps {
		fmt.Printf("\n=== %s (%s)\n", s.title, s.from())
		if err := s.run(r); err != nil {
			return fmt.Errorf("%s: %w", s.title, err)
		}
	}
	return nil
}

const region = "eu-west-1"

// environment is that of an operator whose credentials are good for nothing.
func environment(endpoint string) []string {
	all := []string{"AWS_REGION=" + region, "AWS_DEFAULT_REGION=" + region, "AWS_ACCESS_KEY_ID=rehearsal", "AWS_SECRET_ACCESS_KEY=rehearsal",
		"AWS_EC2_METADATA_DISABLED=true", "AWS_PAGER=", "AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null",
		"SAM_CLI_TELEMETRY=0", "AWS_ENDPOINT_URL=" + endpoint, "GIT_AUTHOR_NAME=rehearsal", "GIT_AUTHOR_EMAIL=rehearsal@example.com",
		"GIT_COMMITTER_NAME=rehearsal", "GIT_COMMITTER_EMAIL=rehearsal@example.com"}
	for _, service := range []string{"CLOUDFORMATION", "DYNAMODB", "LAMBDA", "SQS", "SNS", "SSM", "STS"} {
		all = append(all, "AWS_ENDPOINT_URL_"+service+"="+endpoint)
	}
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "AWS_") {
			all = append(all, variable)
		}
	}
	return all
}

// yes answers what commands ask. A workflow answers nothing.
const yes = "yes\nyes\n"

// sh runs commands as an operator types them, and shows both.
func (r *rehearsal) sh(text string) error {
	_, err := r.output(text, os.Stdout)
	return err
}

// output is what they print, without being shown when show is io.Discard.
func (r *rehearsal) output(text string, show io.Writer) (string, error) {
	for line := range strings.Lines(text) {
		fmt.Fprintf(show, "$ %s", strings.TrimRight(line, "\n")+"\n")
	}
	cmd := exec.CommandContext(r.ctx, "bash", "-euo", "pipefail", "-c", text)
	cmd.Dir, cmd.Env, cmd.Stdin = r.dir, r.environment, strings.NewReader(r.types)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = io.MultiWriter(&out, show), io.MultiWriter(&out, show)
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("%w:\n%s", err, tail(out.String()))
	}
	return strings.TrimSpace(out.String()), nil
}

func tail(text string) string { return text[max(0, len(text)-2000):] }

// holds looks whether a command prints what is wanted.
func (r *rehearsal) holds(what, want, command string) error {
	got, err := r.output(command, io.Discard)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	if got != want {
		return fmt.Errorf("%s: %q; want %q", what, got, want)
	}
	fmt.Printf("  checked: %s is %s\n", what, want)
	return nil
}
