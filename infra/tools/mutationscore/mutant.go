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
	"strings"
	"time"
)

// mutant is one operator to be replaced.
type mutant struct {
	File         string // from the module's root
	Kind         string // gremlins' word
	Line, Column int    // from 1; the column in bytes
}

// status is what became of a mutant.
type status string

const (
	killed    status = "KILLED"
	lived     status = "LIVED"
	timedOut  status = "TIMED OUT"
	notViable status = "NOT VIABLE" // it does not compile
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
			all = append(all, mutant{filepath.Join(dir, f.Name), m.Kind, m.Line, m.Column})
		}
	}
	return all, nil
}

// baseline runs the tests as they are and returns the time that a mutant gets.
func baseline(dir, work string) (limit, error) {
	bin := filepath.Join(work, "baseline.test")
	if out, err := exec.Command("go", "test", "-c", "-o", bin, "./"+dir).CombinedOutput(); err != nil {
		return 0, fmt.Errorf("%w\n%s", err, out)
	}
	start := time.Now()
	if err := run(context.Background(), bin, dir, "."); err != nil {
		return 0, err
	}
	return limit(10*time.Since(start) + 30*time.Second), nil
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
	if out, err := exec.Command("go", "test", "-c", "-vet=off", "-overlay", overlay, "-o", bin, "./"+dir).CombinedOutput(); err != nil {
		if !bytes.Contains(out, []byte(filepath.Base(mutated)+":")) {
			return "", fmt.Errorf("%w\n%s", err, out)
		}
		return notViable, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(limit))
	defer cancel()
	for _, tests := range []string{m.ownTests(), "."} {
		err := run(ctx, bin, dir, tests)
		if ctx.Err() != nil {
			return timedOut, nil
		}
		if _, failed := errors.AsType[*exec.ExitError](err); failed {
			return killed, nil
		}
		if err != nil {
			return "", err
		}
	}
	return lived, nil
}

// run runs a test program as go test does, in the package's folder.
func run(ctx context.Context, bin, dir, tests string) error {
	cmd := exec.CommandContext(ctx, bin, "-test.failfast", "-test.run", tests)
	cmd.Dir = dir
	return cmd.Run()
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
