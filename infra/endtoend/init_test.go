package endtoend

import (
	"context"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// maxInitAllocations bounds what our own packages allocate before main. Each
// cold start pays it, whatever the event needs: tables and patterns are made at
// their first use.
const maxInitAllocations = 300

// TestInitAllocations reads the runtime's own trace of a start that ends early,
// because no function starts without its configuration.
func TestInitAllocations(t *testing.T) {
	traced := regexp.MustCompile(`(?m)^init (\S+) .* (\d+) allocs$`)
	for name, binary := range hostBinaries(t) {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		cmd := exec.CommandContext(ctx, binary)
		cmd.Env = []string{"GODEBUG=inittrace=1"}
		out, _ := cmd.CombinedOutput() // it fails, after all packages' inits
		cancel()
		all, total, packages := 0, 0, map[string]int{}
		for _, m := range traced.FindAllSubmatch(out, -1) {
			n, err := strconv.Atoi(string(m[2]))
			if err != nil {
				t.Fatal(err)
			}
			all += n
			if name := string(m[1]); strings.HasPrefix(name, "momoproxy/") {
				total, packages[name] = total+n, n
			}
		}
		t.Logf("%-19s %4d allocations of our packages, of %d", name, total, all)
		if total > maxInitAllocations || len(packages) == 0 {
			t.Errorf("%s: our packages allocate %d times before main, want 1 to %d: %v", name, total, maxInitAllocations, packages)
		}
	}
}
