package docs

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A checker that finds nothing would be green for the wrong reason.
func TestTheChecksCanFail(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"not bash":            "if then\n",
		"a placeholder":       "curl http://127.0.0.1:8080/status/<referenceId>\n",
		"a trailing comment":  "ls  # the files\n",
		"an unknown target":   "make money\n",
		"an unknown program":  "go run ./infra/nothing\n",
		"a target behind one": "git pull && make money\n",
	} {
		if checkCommands(text) == nil {
			t.Errorf("%s is taken", name)
		}
	}
	if err := checkCommands("make test && go run ./infra/local -demo\n"); err != nil {
		t.Error(err)
	}
	for printed, shown := range map[string]string{
		"202 PENDING ORDER-1\n": "202 FAILED ORDER-1",
		"b\na\n":                "a\nb",
		"":                      "anything",
	} {
		if Shows(printed, shown) {
			t.Errorf("%q shows %q", printed, shown)
		}
	}
	if !Shows("x\n202 PENDING ORDER-17\ny\nat 2026-11-29 10:54:45 UTC\n", "202 … ORDER-1\n…\nat 2026-09-01 00:00:00 UTC") {
		t.Error("what differs from run to run is compared")
	}
}

func TestASessionEndsWithAFailingCommand(t *testing.T) {
	t.Parallel()
	s, err := NewSession(t.TempDir(), os.Environ())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	from, err := s.Run("NAME=first\necho one")
	if err != nil || !strings.HasPrefix(s.Printed(from), "one\n") {
		t.Fatalf("%v %q", err, s.Printed(from))
	}
	if from, err = s.Run("echo $NAME"); err != nil || !strings.HasPrefix(s.Printed(from), "first\n") {
		t.Fatalf("%v %q", err, s.Printed(from))
	}
	if _, err := s.Run("echo before; false; echo after"); err == nil || !strings.Contains(err.Error(), "before") {
		t.Errorf("a command failed, and the block says %v", err)
	}
}

func TestDeadLinks(t *testing.T) {
	t.Parallel()
	page := filepath.Join(t.TempDir(), "page.md")
	text := "# A `page`, here\n[a](page.md) [b](#a-page-here) [c](https://example.com/none) [d](none.md) [e](#none)\n```\n[f](gone.md)\n```\n"
	if err := os.WriteFile(page, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	dead, err := DeadLinks(page)
	if err != nil || len(dead) != 2 {
		t.Errorf("%v, %v", dead, err)
	}
}

func TestMarks(t *testing.T) {
	t.Parallel()
	blocks, err := Blocks("<!-- repeat, needs php -->\n```sh\nls\n```\n\n```text\nx\n```\n<!-- parsed: takes hours -->\n```sh\nmake soak\n```\n")
	if err != nil || len(blocks) != 3 || !blocks[0].Mark.Repeat || blocks[0].Mark.Needs != "php" || blocks[0].Text != "ls\n" ||
		blocks[0].Line != 2 || blocks[1].Language != "text" || blocks[2].Mark.Parsed != "takes hours" {
		t.Errorf("%+v, %v", blocks, err)
	}
	if _, err := Blocks("<!-- skip -->\n```sh\nls\n```\n"); err == nil {
		t.Error("an unknown mark is taken")
	}
	if _, err := Blocks("```sh\nls\n"); err == nil {
		t.Error("a block without an end is taken")
	}
}
