package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
)

// verify replays the stored evidence of every payment through today's
// decisions: what the books show by their results, it shows by their reasons.
func (w *world) verify(ctx context.Context, out io.Writer) error {
	binary := filepath.Join(w.dir, "momoctl")
	if said, err := exec.CommandContext(ctx, "go", "build", "-o", binary, "momoproxy/infra/momoctl").CombinedOutput(); err != nil {
		return fmt.Errorf("build momoctl: %w\n%s", err, said)
	}
	said, err := exec.CommandContext(ctx, binary, "--data", w.data, "audit", "verify").CombinedOutput()
	for line := range bytes.Lines(said) {
		fmt.Fprintf(out, "soak: %s", line)
	}
	if err != nil {
		return fmt.Errorf("momoctl audit verify: %w", err)
	}
	return nil
}
