package simulation_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"momoproxy/infra/simulation"
)

var mutationsFlag = flag.String("mutations", "", "run the mutations whose names match this expression (each compiles the system anew)")

const root = "../.."

// mutated returns a mutation's file with the fault in it.
func mutated(t *testing.T, m simulation.Mutation) []byte {
	t.Helper()
	source, err := os.ReadFile(filepath.Join(root, m.File))
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(source, []byte(m.Old)); n != 1 {
		t.Fatalf("%s: its place is %d times in %s; say anew where it is", m.Name, n, m.File)
	}
	return bytes.Replace(source, []byte(m.Old), []byte(m.New), 1)
}

// Each mutation still applies, and each invariant that is checked has one.
func TestMutationsApply(t *testing.T) {
	t.Parallel()
	has, names := map[simulation.Invariant]bool{}, map[string]bool{}
	for _, m := range simulation.Mutations {
		mutated(t, m)
		has[m.Invariant], names[m.Name] = true, true
	}
	for _, name := range simulation.FreeOnly {
		if !names[name] {
			t.Errorf("no mutation is called %q", name)
		}
	}
	named := invariants(t)
	if len(named) < 15 {
		t.Errorf("invariant.go names %d invariants; is it read aright?", len(named))
	}
	for _, i := range named {
		if reason := simulation.Unproven[i]; !has[i] && reason == "" {
			t.Errorf("no mutation breaks %q", i)
		} else if has[i] && reason != "" {
			t.Errorf("%q has a mutation and a reason for having none", i)
		}
	}
	for i := range has {
		if !slices.Contains(named, i) {
			t.Errorf("invariant.go does not name %q", i)
		}
	}
}

// invariants are the constants of that type, as the source has them: a new one
// cannot be forgotten here.
func invariants(t *testing.T) (all []simulation.Invariant) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "invariant.go", nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		kind, _ := spec.Type.(*ast.Ident)
		value, _ := spec.Values[0].(*ast.BasicLit)
		if kind == nil || kind.Name != "Invariant" || value == nil {
			t.Fatalf("%s is not written as an Invariant with its name", spec.Names[0])
		}
		name, err := strconv.Unquote(value.Value)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, simulation.Invariant(name))
		return true
	})
	return all
}

var failure = regexp.MustCompile(`(?m)^--- FAIL: (\w+)`)

var caught = regexp.MustCompile(`seed (\d+) broke "([^"]+)"`)

// TestMutationsAreCaught compiles the simulation with each mutation and wants
// the invariant broken within 2,000 seeds, or the tests that hold it to fail.
// It runs with -mutations only. With -nested it wants those in FreeOnly not to
// be noticed.
func TestMutationsAreCaught(t *testing.T) {
	if *mutationsFlag == "" {
		return // go test -mutations=. ; see the Makefile
	}
	wanted := regexp.MustCompile(*mutationsFlag)
	for n, m := range simulation.Mutations {
		freeOnly := slices.Contains(simulation.FreeOnly, m.Name)
		if !wanted.MatchString(m.Name) || *nestedFlag && !freeOnly {
			continue
		}
		t.Run(strings.ReplaceAll(m.Name, " ", "_"), func(t *testing.T) {
			dir := t.TempDir()
			file := filepath.Join(dir, "mutated.go")
			if err := os.WriteFile(file, mutated(t, m), 0o600); err != nil {
				t.Fatal(err)
			}
			original, err := filepath.Abs(filepath.Join(root, m.File))
			if err != nil {
				t.Fatal(err)
			}
			overlay, _ := json.Marshal(map[string]map[string]string{"Replace": {original: file}})
			if err := os.WriteFile(filepath.Join(dir, "overlay.json"), overlay, 0o600); err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			// Without a time limit: on a busy machine 2,000 seeds take what they take.
			args := []string{"./infra/simulation", "-timeout=0", "-run", "^TestSimulation$", "-seeds=2000", "-shrink=false", "-only=" + string(m.Invariant), fmt.Sprintf("-nested=%t", *nestedFlag)}
			tests, elsewhere := simulation.HeldBy[m.Invariant]
			if elsewhere {
				args = []string{tests.Package, "-run", tests.Run}
			}
			cmd := exec.Command("go", append([]string{"test", "-count=1", "-vet=off", "-overlay", filepath.Join(dir, "overlay.json")}, args...)...)
			cmd.Dir = root
			out, err := cmd.CombinedOutput()
			found := caught.FindSubmatch(out)
			switch {
			case elsewhere:
				failed := failure.FindAllSubmatch(out, -1)
				if err == nil || len(failed) == 0 {
					t.Fatalf("not caught by %s in %s: %v\n%s", tests.Run, tests.Package, err, out)
				}
				t.Logf("caught by %d tests, first %s (%s)", len(failed), failed[0][1], time.Since(began).Round(time.Second))
				fmt.Printf("mutation %2d  %-32s %s\n", n+1, failed[0][1], m.Name)
			case *nestedFlag:
				if err != nil {
					t.Errorf("caught without free interleavings, or not run: %s", out)
				}
			case err == nil:
				t.Errorf("not caught within 2,000 seeds")
			case found == nil:
				t.Errorf("broke otherwise: %s", out)
			default:
				t.Logf("caught by seed %s: %s (%s)", found[1], found[2], time.Since(began).Round(time.Second))
				fmt.Printf("mutation %2d  seed %5s  %-22s %s\n", n+1, found[1], found[2], m.Name)
			}
		})
	}
}
