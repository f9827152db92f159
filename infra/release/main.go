// Command release builds what a release consists of, twice in two folders, and
// hands it over only if both are the same byte for byte: a release that nobody
// can build again cannot be checked.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

func main() {
	version := flag.String("version", "", "the release, such as 0.1.0")
	out := flag.String("out", "build/release", "folder for what was built")
	only := flag.String("platforms", strings.Join(platforms, ","), "for a quick check, fewer platforms than a release has, separated by commas")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *version, *out, strings.Split(*only, ",")); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

var versions = regexp.MustCompile(`^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$`)

func run(ctx context.Context, version, out string, platforms []string) error {
	if !versions.MatchString(version) {
		return fmt.Errorf("version %q: give one such as 0.1.0 or 0.1.0-rc.1", version)
	}
	if changed, err := output(ctx, ".", "git", "status", "--porcelain"); err != nil || len(changed) > 0 {
		return errors.Join(err, fmt.Errorf("commit first: a release is built from a commit, and these files differ:\n%s", changed))
	}
	// Both builds are of this commit, even if another is made meanwhile.
	head, err := output(ctx, ".", "git", "rev-parse", "HEAD")
	if err != nil {
		return err
	}
	commit := strings.TrimSpace(string(head))
	temporary, err := os.MkdirTemp("", "momo-proxy-release")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temporary)
	var built [2]string
	for i, name := range []string{"first", "second/and-deeper"} {
		source := filepath.Join(temporary, name)
		if err := export(ctx, commit, source); err != nil {
			return err
		}
		// Of its own, or the second build would be the first one's cache.
		cache := filepath.Join(temporary, fmt.Sprint("cache", i))
		built[i] = filepath.Join(temporary, fmt.Sprint("out", i))
		fmt.Printf("release: build %d of 2\n", i+1)
		if err := build(ctx, source, cache, built[i], version, platforms); err != nil {
			return err
		}
		if err := os.RemoveAll(cache); err != nil {
			return err
		}
	}
	if err := same(built[0], built[1]); err != nil {
		return err
	}
	if err := os.RemoveAll(out); err != nil {
		return err
	}
	if err := os.CopyFS(out, os.DirFS(built[0])); err != nil {
		return err
	}
	sums, err := os.ReadFile(filepath.Join(out, "SHA256SUMS"))
	fmt.Printf("release: both builds are the same byte for byte; %s has\n%s", out, sums)
	return err
}

// export writes a commit's files into a new folder.
func export(ctx context.Context, commit, folder string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	archive, err := output(ctx, ".", "git", "archive", commit)
	if err != nil {
		return err
	}
	unpack := exec.CommandContext(ctx, "tar", "-x", "-C", folder)
	unpack.Stdin, unpack.Stderr = bytes.NewReader(archive), os.Stderr
	return unpack.Run()
}

func output(ctx context.Context, dir, name string, arguments ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, name, arguments...)
	cmd.Dir, cmd.Stderr = dir, os.Stderr
	return cmd.Output()
}

// same says in which files two folders differ.
func same(first, second string) error {
	names := map[string]bool{}
	for _, folder := range []string{first, second} {
		entries, err := os.ReadDir(folder)
		if err != nil {
			return err
		}
		for _, e := range entries {
			names[e.Name()] = true
		}
	}
	var differ []string
	for name := range names {
		a, errA := os.ReadFile(filepath.Join(first, name))
		b, errB := os.ReadFile(filepath.Join(second, name))
		if errA != nil || errB != nil || !bytes.Equal(a, b) {
			differ = append(differ, name)
		}
	}
	if len(differ) > 0 {
		slices.Sort(differ)
		return fmt.Errorf("the two builds differ in %s", strings.Join(differ, ", "))
	}
	return nil
}
