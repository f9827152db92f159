// Package functions_test holds what the functions have in common: what they
// may link. Every package costs size and start time, and is code that a bad
// input might reach.
package functions_test

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write testdata/dependencies anew")

// Each function links the packages of its checked-in list and no other, so
// that a new one is seen by the reader of the change. Packages internal to
// the standard library are left out: they differ between patch releases.
func TestDependenciesAreTheListedOnes(t *testing.T) {
	t.Parallel()
	dir := filepath.Join("testdata", "dependencies")
	names := all(t)
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(dir, name+".txt")
			got := dependencies(t, name)
			if *update {
				if err := os.MkdirAll(dir, 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(file, []byte(strings.Join(got, "\n")+"\n"), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			listed, err := os.ReadFile(file)
			if err != nil {
				t.Fatalf("%v\nmake it with: go test ./functions -update", err)
			}
			if diff := cmp.Diff(strings.Fields(string(listed)), got); diff != "" {
				t.Errorf("packages (-listed +linked):\n%s\nIf the function needs what is new: go test ./functions -update, and say in the commit what for.", diff)
			}
		})
	}
	lists, err := filepath.Glob(filepath.Join(dir, "*.txt"))
	if err != nil {
		t.Fatal(err)
	}
	for _, list := range lists {
		if !slices.Contains(names, strings.TrimSuffix(filepath.Base(list), ".txt")) {
			t.Errorf("%s is of no function", list)
		}
	}
}

// What no list may be updated to.
func TestFunctionsDoNotLink(t *testing.T) {
	t.Parallel()
	rules := []struct {
		function, packages string // patterns of path.Match; a package's parents count too
		why                string
	}{
		{"*", "momoproxy/infra", "it is for work and tests"},
		{"*", "momoproxy/shared/*/sqlite", "the embedded database is for one machine"},
		{"*", "momoproxy/shared/*/memory", "it forgets"},
		{"*", "modernc.org/*", "it is half of a binary"},
		{"*", "github.com/aws/aws-sdk-go-v2/config", "the SDK's loader links every source of credentials; assembly.AWS reads Lambda's"},
		{"*", "github.com/aws/aws-sdk-go-v2/credentials", "as above"},
		{"*", "github.com/aws/aws-sdk-go-v2/service/s3", "nothing is kept there"},
		{"*", "go.yaml.in/yaml", "no function reads YAML"},
		{"*", "testing", "it is for tests"},
		{"*", "net/rpc", "Lambda's old protocol: the tag lambda.norpc is missing"},
		{"*", "html/template", "as above"},
		{"*", "net/http/pprof", "it shows memory, and so keys, to whoever asks"},
		{"*", "expvar", "as above"},
		{"forwarder", "momoproxy/shared/provider/*", "what talks to the apps' servers cannot talk to a provider"},
		{"forwarder", "momoproxy/shared/gateway", "it decides about no payment"},
		{"forwarder", "momoproxy/shared/httpapi", "it serves no route"},
		{"health", "momoproxy/shared/provider/*", "anybody may ask it"},
		{"payments", "momoproxy/shared/provider/*", "what an app looks up, no provider is asked for"},
		{"reconciler", "momoproxy/shared/httpapi", "it serves no route"},
	}
	used := map[int]bool{}
	names := all(t)
	for _, name := range names {
		linked := dependencies(t, name)
		for i, r := range rules {
			if match(t, r.function, name) {
				used[i] = true
				for _, p := range linked {
					if under(t, r.packages, p) {
						t.Errorf("%s links %s: %s", name, p, r.why)
					}
				}
			}
		}
	}
	for i, r := range rules {
		if !used[i] {
			t.Errorf("no function is called %s", r.function)
		}
	}
}

// A rule that names nothing forbids nothing.
func TestRulesMatchParents(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		pattern, pkg string
		want         bool
	}{
		{"momoproxy/infra", "momoproxy/infra/standin/serve", true},
		{"momoproxy/shared/*/sqlite", "momoproxy/shared/table/sqlite", true},
		{"modernc.org/*", "modernc.org/sqlite/lib", true},
		{"momoproxy/shared/provider/*", "momoproxy/shared/provider/mtn", true},
		{"momoproxy/shared/provider/*", "momoproxy/shared/provider", false},
		{"testing", "testing/iotest", true},
		{"expvar", "expvars", false},
	} {
		if got := under(t, c.pattern, c.pkg); got != c.want {
			t.Errorf("%s under %s: %v", c.pkg, c.pattern, got)
		}
	}
}

// under says whether a package, or a parent of it, fits the pattern.
func under(t *testing.T, pattern, pkg string) bool {
	t.Helper()
	for p := pkg; p != "." && p != "/"; p = path.Dir(p) {
		if match(t, pattern, p) {
			return true
		}
	}
	return false
}

func match(t *testing.T, pattern, name string) bool {
	t.Helper()
	ok, err := path.Match(pattern, name)
	if err != nil {
		t.Fatal(err)
	}
	return ok
}

func all(t *testing.T) []string {
	t.Helper()
	mains, err := filepath.Glob("*/main.go")
	if err != nil || len(mains) == 0 {
		t.Fatalf("no functions: %v", err)
	}
	var names []string
	for _, m := range mains {
		names = append(names, filepath.Dir(m))
	}
	return names
}

// dependencies are a function's packages as it is deployed, sorted.
func dependencies(t *testing.T, function string) []string {
	t.Helper()
	makefile, err := os.ReadFile("../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	setting := func(pattern string) string {
		found := regexp.MustCompile(pattern).FindSubmatch(makefile)
		if found == nil {
			t.Fatalf("Makefile: nothing fits %s", pattern)
		}
		return string(found[1])
	}
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "-tags="+setting(`GOFLAGS="-tags=(\S+)`), "./"+function)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=")
	cmd.Env = append(cmd.Env, strings.Fields(setting(`(?m)^LAMBDA_ARCH\s*:=\s*(.*)$`))...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, &stderr)
	}
	var packages []string
	for _, p := range strings.Fields(string(out)) {
		first, _, _ := strings.Cut(p, "/")
		standard := !strings.Contains(first, ".") && first != "momoproxy"
		internal := first == "internal" || first == "vendor" || strings.Contains(p, "/internal/") || strings.HasSuffix(p, "/internal")
		if !standard || !internal {
			packages = append(packages, p)
		}
	}
	slices.Sort(packages)
	return packages
}
