package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"time"
)

// mutant is one operator to be replaced.
type mutant struct {
	File         string // from the module's root
	Kind         string // gremlins' word
	Line, Column int    // from 1; the column in bytes
	Covered      bool   // as gremlins sees it: false for every condition of a case
}

// status is the result of a mutant.
type status string

const (
	killed     status = "KILLED"
	lived      status = "LIVED"
	notCovered status = "NOT COVERED" // it lived, and gremlins found no test that reaches it
	timedOut   status = "TIMED OUT"
	notViable  status = "NOT VIABLE" // it does not compile
)

// limit bounds one run of a package's tests.
type limit time.Duration

func (l limit) String() string { return time.Duration(l).Round(time.Second).String() }

// replacements are gremlins' own, by kind.
var replacements = map[string]map[string]string{
	"ARITHMETIC_BASE":       {"+": "-", "-": "+", "*": "/", "/": "*", "%": "*"},
	"CONDITIONALS_BOUNDARY": {">=": ">", ">": ">=", "<=": "<", "<": "<="},
	"CONDITIONALS_NEGATION": {"==": "!=", "!=": "==", ">=": "<", ">": "<=", "<=": ">", "<": ">="},
	"INCREMENT_DECREMENT":   {"++": "--", "--": "++"},
	"INVERT_LOGICAL":        {"&&": "||", "||": "&&"},
	"INVERT_NEGATIVES":      {"-": "+"},
}

// find asks gremlins for the mutants of a package.
func find(dir, report string) ([]mutant, error) {
	cmd := exec.Command("go", "tool", "-modfile=infra/tools/go.mod", "gremlins", "unleash", "--dry-run", "--invert-logical", "./"+dir, "-o", report)
	cmd.Env = append(os.Environ(), "GOFLAGS=-parallel=16") // for its one run of the tests
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("gremlins: %w\n%s", err, out)
	}
	text, err := os.ReadFile(report)
	if err != nil {
		return nil, err
	}
	var found struct {
		Files []struct {
			Name      string `json:"file_name"`
			Mutations []struct {
				Kind   string `json:"type"`
				Line   int    `json:"line"`
				Column int    `json:"column"`
				Status string `json:"status"`
			} `json:"mutations"`
		} `json:"files"`
	}
	if err := json.Unmarshal(text, &found); err != nil {
		return nil, fmt.Errorf("%s: %w", report, err)
	}
	var all []mutant
	for _, f := range found.Files {
		if strings.Contains(f.Name, "/") {
			continue // a package below
		}
		for _, m := range f.Mutations {
			all = append(all, mutant{filepath.Join(dir, f.Name), m.Kind, m.Line, m.Column, m.Status != "NOT COVERED"})
		}
	}
	return all, nil
}

// baseline runs the tests as they are, as many times at once as mutants are
// tried, and returns the time that a mutant gets.
func baseline(dir, work string) (limit, error) {
	bin := filepath.Join(work, "baseline.test")
	if out, err := build(bin, dir); err != nil {
		return 0, fmt.Errorf("%w\n%s", err, out)
	}
	start := time.Now()
	failed := make([]error, runtime.NumCPU())
	var runs sync.WaitGroup
	for i := range failed {
		runs.Go(func() { failed[i] = run(context.Background(), bin, dir, ".") })
	}
	runs.Wait()
	return limit(10*time.Since(start) + 30*time.Second), errors.Join(failed...)
}

// build builds a package's test program, without what only a debugger reads.
func build(bin, dir string, flags ...string) ([]byte, error) {
	args := append([]string{"test", "-c", "-vet=off", "-ldflags=-s -w", "-o", bin}, flags...)
	return exec.Command("go", append(args, "./"+dir)...).CombinedOutput()
}

// try builds the package's tests with the mutant in place and runs them. Those
// of the file's own _test.go come first, since they mostly suffice.
func (m mutant) try(work string, limit limit) (status, error) {
	text, err := m.apply()
	if err != nil {
		return "", err
	}
	mutated, overlay, bin := filepath.Join(work, "mutant.go"), filepath.Join(work, "overlay.json"), filepath.Join(work, "mutant.test")
	file, err := filepath.Abs(m.File)
	if err != nil {
		return "", err
	}
	replace, err := json.Marshal(map[string]any{"Replace": map[string]string{file: mutated}})
	if err != nil {
		return "", err
	}
	if err := errors.Join(os.WriteFile(mutated, text, 0o600), os.WriteFile(overlay, replace, 0o600)); err != nil {
		return "", err
	}
	dir := filepath.Dir(m.File)
	if out, err := build(bin, dir, "-overlay", overlay); err != nil {
		if !bytes.Contains(out, []byte(filepath.Base(mutated)+":")) {
			return "", fmt.Errorf("%w\n%s", err, out)
		}
		return notViable, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(limit))
	defer cancel()
	for _, tests := range []string{m.ownTests(), "."} {
		err := run(ctx, bin, dir, tests)
		if _, failed := errors.AsType[failedError](err); failed {
			return killed, nil
		}
		if ctx.Err() != nil {
			return timedOut, nil
		}
		if err != nil {
			return "", err
		}
	}
	if !m.Covered {
		return notCovered, nil
	}
	return lived, nil
}

// failedError names the first test that failed.
type failedError struct{ test string }

func (e failedError) Error() string { return e.test + " failed" }

// run runs a test program as go test does, in the package's folder, and ends it
// when the first test fails: a failedError. Many tests run side by side: the
// slow ones wait for a time-out and use no processor.
func run(ctx context.Context, bin, dir, tests string) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	cmd := exec.CommandContext(ctx, bin, "-test.failfast", "-test.parallel=16", "-test.run", tests)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "TMPDIR="+filepath.Dir(bin)) // an ended program leaves its files
	cmd.Stdout = watch(stop)
	err := cmd.Run()
	if failed, ok := errors.AsType[failedError](context.Cause(ctx)); ok {
		return failed
	}
	if _, exited := errors.AsType[*exec.ExitError](err); exited && ctx.Err() == nil {
		return failedError{"the test program"} // a panic
	}
	return err
}

// watch calls itself with a failedError when a failed test is written to it.
type watch context.CancelCauseFunc

func (w watch) Write(text []byte) (int, error) {
	if _, failed, ok := bytes.Cut(text, []byte("--- FAIL: ")); ok {
		name, _, _ := bytes.Cut(failed, []byte(" "))
		w(failedError{string(name)})
	}
	return len(text), nil
}

var testName = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)

// ownTests matches the tests in FILE_test.go, or nothing.
func (m mutant) ownTests() string {
	names := []string{"-"}
	text, _ := os.ReadFile(strings.TrimSuffix(m.File, ".go") + "_test.go")
	for _, match := range testName.FindAllSubmatch(text, -1) {
		names = append(names, string(match[1]))
	}
	return "^(" + strings.Join(names, "|") + ")$"
}

// apply returns the file's text with the operator replaced.
func (m mutant) apply() ([]byte, error) {
	text, err := os.ReadFile(m.File)
	if err != nil {
		return nil, err
	}
	lines := bytes.SplitAfter(text, []byte("\n"))
	if m.Line > len(lines) || m.Column > len(lines[m.Line-1]) {
		return nil, errors.New("no such line and column")
	}
	line := lines[m.Line-1]
	before, rest := line[:m.Column-1], line[m.Column-1:]
	for _, size := range []int{2, 1} {
		if to, ok := replacements[m.Kind][string(rest[:size])]; ok {
			lines[m.Line-1] = bytes.Join([][]byte{before, []byte(to), rest[size:]}, nil)
			return bytes.Join(lines, nil), nil
		}
	}
	return nil, fmt.Errorf("%s does not fit %q", m.Kind, rest)
}

// source is the line itself: numbers change with every edit above it.
func (m mutant) source() string {
	text, err := os.ReadFile(m.File)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(strings.Split(string(text), "\n")[m.Line-1])
}
