package simulation_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
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
	has := map[simulation.Invariant]bool{}
	for _, m := range simulation.Mutations {
		mutated(t, m)
		has[m.Invariant] = true
	}
	for _, i := range []simulation.Invariant{
		simulation.ChargedOnce, simulation.EventsOnce, simulation.NoForgery, simulation.InTime, simulation.Evidence,
		simulation.DeadEndpoints, simulation.Separation, simulation.Limits, simulation.Answers, simulation.Audited,
		simulation.Available, simulation.Oracle,
	} {
		if !has[i] {
			t.Errorf("no mutation breaks %q", i)
		}
	}
}

var caught = regexp.MustCompile(`seed (\d+) broke "([^"]+)"`)

// TestMutationsAreCaught compiles the simulation with each mutation and wants
// the invariant broken within 2,000 seeds. It runs with -mutations only.
func TestMutationsAreCaught(t *testing.T) {
	if *mutationsFlag == "" {
		return // go test -mutations=. ; see the Makefile
	}
	wanted := regexp.MustCompile(*mutationsFlag)
	for n, m := range simulation.Mutations {
		if !wanted.MatchString(m.Name) {
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
			out, err := exec.Command("go", "test", "-count=1", "-vet=off", "-overlay", filepath.Join(dir, "overlay.json"),
				".", "-run", "^TestSimulation$", "-seeds=2000", "-only="+string(m.Invariant)).CombinedOutput()
			found := caught.FindSubmatch(out)
			switch {
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
