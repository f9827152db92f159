package endtoend

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"
)

const root = "../.."

// makefile returns what a line of the Makefile sets, so that these tests and
// the deployment cannot drift apart.
func makefile(t *testing.T, pattern string) string {
	t.Helper()
	source, err := os.ReadFile(filepath.Join(root, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`(?m)` + pattern).FindSubmatch(source)
	if found == nil {
		t.Fatalf("Makefile: nothing fits %s", pattern)
	}
	return string(found[1])
}

// build makes every function's binary for a platform, into a folder of its
// own, and returns their paths by function.
func build(t *testing.T, goos, goarch string) map[string]string {
	t.Helper()
	dir := t.TempDir()
	ctx, cancel := context.WithTimeout(t.Context(), 6*time.Minute)
	defer cancel()
	started := time.Now()
	cmd := exec.CommandContext(ctx, "go", "build", "-o", dir+string(filepath.Separator), "./functions/...")
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "GOOS="+goos, "GOARCH="+goarch, "CGO_ENABLED=0",
		"GOFLAGS="+makefile(t, `^LAMBDA_ENV\s*:=\s*CGO_ENABLED=0 GOFLAGS="(.*)"$`))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build for %s/%s: %v\n%s", goos, goarch, err, out)
	}
	binaries := map[string]string{}
	mains, err := filepath.Glob(filepath.Join(root, "functions", "*", "main.go"))
	if err != nil || len(mains) == 0 {
		t.Fatalf("no functions: %v", err)
	}
	for _, main := range mains {
		name := filepath.Base(filepath.Dir(main))
		binaries[name] = filepath.Join(dir, name)
		if goos == "windows" {
			binaries[name] += ".exe"
		}
	}
	t.Logf("built %d functions for %s/%s in %.1f s", len(binaries), goos, goarch, time.Since(started).Seconds())
	return binaries
}

// A large binary costs start time on every cold start.
func TestDeployedBinariesAreSmall(t *testing.T) {
	limit, err := strconv.ParseInt(makefile(t, `^MAX_BINARY\s*:=\s*(\d+)$`), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	platform := strings.Fields(makefile(t, `^LAMBDA_ARCH\s*:=\s*(.*)$`))
	var goos, goarch string
	for _, setting := range platform {
		if value, ok := strings.CutPrefix(setting, "GOOS="); ok {
			goos = value
		}
		if value, ok := strings.CutPrefix(setting, "GOARCH="); ok {
			goarch = value
		}
	}
	if goos != "linux" || goarch != "arm64" {
		t.Fatalf("the deployment is for %s/%s, not for the template's arm64", goos, goarch)
	}
	for name, binary := range build(t, goos, goarch) {
		info, err := os.Stat(binary)
		if err != nil {
			t.Fatal(err)
		}
		if info.Size() > limit {
			t.Errorf("%s has %d bytes, over %d", name, info.Size(), limit)
		}
		t.Logf("%-19s %8d bytes", name, info.Size())
	}
}

// hostBinaries are the same binaries for the machine that the tests run on.
func hostBinaries(t *testing.T) map[string]string {
	t.Helper()
	return build(t, runtime.GOOS, runtime.GOARCH)
}
