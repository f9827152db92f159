package docs

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"
)

var (
	placeholder = regexp.MustCompile(`<[A-Za-z_ -]+>`)
	comment     = regexp.MustCompile(`(?m)[^ \n#].* # `)
	target      = regexp.MustCompile(`(?m)(?:^|&& )make ([a-z][a-z0-9-]*)`)
	program     = regexp.MustCompile(`go (?:run|build)(?: -o \S+)? \./(\S+)`)
)

// checkCommands looks at a block without running it: bash can parse it, what
// it names is there, and a reader can paste it.
func checkCommands(text string) error {
	parse := exec.Command("bash", "-n")
	parse.Stdin = strings.NewReader(text)
	if out, err := parse.CombinedOutput(); err != nil {
		return fmt.Errorf("bash cannot parse it: %s", out)
	}
	if found := placeholder.FindString(text); found != "" {
		return fmt.Errorf("%s cannot be pasted: use a variable, or a value that works", found)
	}
	if found := comment.FindString(text); found != "" {
		return fmt.Errorf("%q: a comment behind a command confuses some shells; put it above the block", found)
	}
	makefile, err := os.ReadFile(repository + "/Makefile")
	if err != nil {
		return err
	}
	for _, found := range target.FindAllStringSubmatch(text, -1) {
		if !bytes.Contains(makefile, []byte("\n"+found[1]+":")) {
			return fmt.Errorf("the Makefile has no target %s", found[1])
		}
	}
	for _, found := range program.FindAllStringSubmatch(text, -1) {
		if _, err := os.Stat(repository + "/" + found[1]); err != nil {
			return err
		}
	}
	return nil
}

// awaitWithin ends a wait shortly before the test binary is ended, so that the
// failure names the block and not a goroutine.
func awaitWithin(t *testing.T, wait func() error) error {
	t.Helper()
	deadline, ok := t.Deadline()
	if !ok {
		return wait()
	}
	done := make(chan error, 1)
	go func() { done <- wait() }()
	select {
	case err := <-done:
		return err
	case <-time.After(time.Until(deadline) - 20*time.Second):
		return errors.New("it did not come before the test's own deadline")
	}
}
