package docs

import (
	"flag"
	"fmt"
	"momoproxy/infra/loopback"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

const repository = "../.."

// pages are README.md and all under docs/.
func pages(t *testing.T) []string {
	t.Helper()
	all, err := filepath.Glob(repository + "/docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	deeper, err := filepath.Glob(repository + "/docs/*/*.md")
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 10 || len(deeper) < 10 {
		t.Fatalf("only %d and %d pages were found", len(all), len(deeper))
	}
	return append(append(all, deeper...), repository+"/README.md")
}

// ran counts what was done with the blocks, so that a green test cannot have
// run nothing.
var ran struct {
	sync.Mutex
	run, parsed int
	absent      map[string]int
}

// TestCommands runs each command block of each page against a local system of
// the page's own.
func TestCommands(t *testing.T) {
	tools := buildTools(t)
	ran.absent = map[string]int{}
	t.Run("pages", func(t *testing.T) {
		for _, page := range pages(t) {
			t.Run(strings.TrimPrefix(page, repository+"/"), func(t *testing.T) {
				t.Parallel()
				runPage(t, tools, page)
			})
		}
	})
	t.Logf("%d blocks ran, %d were parsed only", ran.run, ran.parsed)
	for program, n := range ran.absent {
		t.Logf("%d blocks did NOT run, %s is not on this machine", n, program)
		if os.Getenv("REQUIRE_LANGUAGES") != "" {
			t.Errorf("REQUIRE_LANGUAGES is set and %s is absent", program)
		}
	}
	if all := flag.Lookup("test.run").Value.String() == ""; all && ran.run < 30 {
		t.Errorf("only %d blocks ran", ran.run)
	}
}

// buildTools makes a folder for the front of PATH. Its go runs a program of
// this repository by building it first: go run compiles anew for each page and
// leaves what it started alive when it is killed.
func buildTools(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	root, err := filepath.Abs(repository)
	if err != nil {
		t.Fatal(err)
	}
	real, err := exec.LookPath("go")
	if err != nil {
		t.Fatal(err)
	}
	for _, program := range []string{"infra/local", "infra/momoctl", "events/verify/go"} {
		build := exec.Command(real, "build", "-o", filepath.Join(dir, "bin", program, "program"), "./"+program)
		build.Dir = root
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	script := fmt.Sprintf("#!/bin/sh\nif [ \"$1\" = run ] && [ -x \"%[1]s/bin/$2/program\" ]; then p=%[1]s/bin/$2/program; shift 2; exec \"$p\" \"$@\"; fi\nexec %[2]s \"$@\"\n", dir, real)
	if err := os.WriteFile(filepath.Join(dir, "go"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// world is one reader: a folder that looks like the checkout, the local
// system, and ports of its own for what listens on 8080 and 9000.
type world struct {
	dir         string
	environment []string
	ports       *strings.Replacer
}

var gateway = regexp.MustCompile(`^MoMo Proxy (?:\S+ )?on (http://\S+)$`)

func newWorld(t *testing.T, tools string) *world {
	t.Helper()
	w := &world{dir: t.TempDir()}
	root, err := filepath.Abs(repository)
	if err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if slices.Contains([]string{".git", ".local", ".aws-sam", "build"}, e.Name()) {
			continue
		}
		if err := os.Symlink(filepath.Join(root, e.Name()), filepath.Join(w.dir, e.Name())); err != nil {
			t.Fatal(err)
		}
	}
	w.environment = append(os.Environ(), "PATH="+tools+":"+os.Getenv("PATH"), "PWD="+w.dir,
		// A command that meant AWS would find neither credentials nor a region.
		"AWS_EC2_METADATA_DISABLED=true", "AWS_ACCESS_KEY_ID=", "AWS_SECRET_ACCESS_KEY=", "AWS_REGION=", "AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null")
	url := w.start(t, filepath.Join(tools, "bin", "infra/local", "program"))
	free, err := loopback.FreeAddress()
	if err != nil {
		t.Fatal(err)
	}
	_, free, _ = net.SplitHostPort(free)
	w.ports = strings.NewReplacer("http://127.0.0.1:8080", url, "9000", free)
	return w
}

// start runs the local system in the reader's folder and returns its address.
func (w *world) start(t *testing.T, program string) string {
	t.Helper()
	cmd := exec.Command(program, "-listen", "127.0.0.1:0")
	cmd.Dir, cmd.Env = w.dir, w.environment
	p, err := loopback.Run(cmd, time.Minute, func(line string) string {
		if found := gateway.FindStringSubmatch(line); found != nil {
			return found[1]
		}
		return ""
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.End(os.Kill, time.Minute) })
	return p.Said
}

func runPage(t *testing.T, tools, path string) {
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	blocks, err := Blocks(string(page))
	if err != nil {
		t.Fatal(err)
	}
	var w *world // only pages with commands have one
	var s *Session
	for i, b := range blocks {
		if b.Mark.File != "" || b.Language == "sh" && b.Mark.Parsed == "" && !b.Mark.Start {
			if w == nil {
				w = newWorld(t, tools)
				if s, err = NewSession(w.dir, w.environment); err != nil {
					t.Fatal(err)
				}
				defer s.Close()
			}
		}
		shown := ""
		if i+1 < len(blocks) && blocks[i+1].Language == "text" {
			shown = blocks[i+1].Text
		}
		if !runBlock(t, w, s, path, b, shown) {
			return // the next ones build on it
		}
	}
}

// runBlock says whether the page can go on.
func runBlock(t *testing.T, w *world, s *Session, path string, b Block, shown string) bool {
	t.Helper()
	where := fmt.Sprintf("%s:%d", strings.TrimPrefix(path, repository+"/"), b.Line)
	count := func(n *int) { ran.Lock(); *n++; ran.Unlock() }
	switch {
	case b.Mark.File != "":
		if err := os.WriteFile(filepath.Join(w.dir, b.Mark.File), []byte(w.ports.Replace(b.Text)), 0o600); err != nil {
			t.Errorf("%s: %v", where, err)
			return false
		}
		return true
	case b.Language == "bash" || b.Language == "shell" || b.Language == "console" || b.Language == "":
		t.Errorf("%s: give the block a language: sh for commands, text for their output", where)
		return true
	case b.Language != "sh":
		return true
	}
	if err := checkCommands(b.Text); err != nil {
		t.Errorf("%s: %v", where, err)
		return false
	}
	if b.Mark.Parsed != "" || b.Mark.Start {
		count(&ran.parsed)
		return true
	}
	if b.Mark.Needs != "" {
		if _, err := exec.LookPath(b.Mark.Needs); err != nil {
			ran.Lock()
			ran.absent[b.Mark.Needs]++
			ran.Unlock()
			return true
		}
	}
	count(&ran.run)
	text := b.Text
	if b.Mark.Repeat { // which fails as long as there is nothing to see
		text = "(" + strings.TrimRight(text, "\n") + "\n) || true"
	}
	for {
		from, err := s.Run(w.ports.Replace(text))
		if err != nil {
			t.Errorf("%s: %v", where, err)
			return false
		}
		if b.Mark.Repeat && !Shows(s.Printed(from), shown) {
			continue
		}
		if err := awaitWithin(t, func() error { return s.Await(from, shown) }); err != nil {
			t.Errorf("%s: the page shows\n%s\nbut there was\n%s(%v)", where, shown, s.Printed(from), err)
			return false
		}
		return true
	}
}
