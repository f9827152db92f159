package main

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func write(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// The same content makes the same bytes, whatever the files' own times and
// modes; programs can be run.
func TestArchive(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var made [2][]byte
	for i := range made {
		from := write(t, filepath.Join(dir, "in", string(rune('a'+i))), "#!/bin/sh\n")
		if err := os.Chmod(from, []os.FileMode{0o600, 0o644}[i]); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, "out.zip")
		if err := (archive{"program": {from: from, program: true}, "LICENSE": {content: []byte("free")}}).write(path); err != nil {
			t.Fatal(err)
		}
		var err error
		if made[i], err = os.ReadFile(path); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(made[0], made[1]) {
		t.Error("the same content makes other bytes")
	}
	z, err := zip.NewReader(bytes.NewReader(made[0]), int64(len(made[0])))
	if err != nil || len(z.File) != 2 || z.File[0].Name != "LICENSE" || z.File[1].Mode() != 0o755 {
		t.Errorf("%+v, %v", z, err)
	}
}

// What the program points to is beside it.
func TestTextsAreThere(t *testing.T) {
	t.Parallel()
	z := archive{}
	if err := z.add("../..", texts); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"LICENSE", "README.md", "docs/testing.md", "docs/images/console-payment.png", "events/verify/node/receiver.js"} {
		if z[name].from == "" {
			t.Errorf("%s is missing", name)
		}
	}
	if err := z.add("../..", []string{"NONE"}); err == nil {
		t.Error("a file that is not there is taken")
	}
}

func TestADifferenceIsFound(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, file := range []string{"a/same", "b/same"} {
		write(t, filepath.Join(dir, file), "x")
	}
	a, b := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	if err := same(a, b); err != nil {
		t.Error(err)
	}
	write(t, filepath.Join(a, "more"), "x")
	write(t, filepath.Join(a, "other"), "x")
	write(t, filepath.Join(b, "other"), "y")
	if err := same(a, b); err == nil || !strings.HasSuffix(err.Error(), "more, other") {
		t.Error(err)
	}
}

func TestNotes(t *testing.T) {
	t.Parallel()
	changelog := "# Changelog\n\n## Unreleased\n\nnew\n\n## 0.1.1 (2026-12-24)\n\nfixed\n\n## 0.1.0\n\nfirst\n"
	for version, want := range map[string]string{"0.1.0": "first\n", "0.1.1": "fixed\n", "0.2.0-rc.1": "new\n", "0.2.0": "", "0.1": ""} {
		if got, err := notesOf(changelog, version); got != want || (err == nil) != (want != "") {
			t.Errorf("%s: %q, %v", version, got, err)
		}
	}
}

func TestVersions(t *testing.T) {
	t.Parallel()
	for version, ok := range map[string]bool{"0.1.0": true, "0.1.0-rc.1": true, "": false, "v0.1.0": false, "1": false, "0.1.0; rm": false} {
		if versions.MatchString(version) != ok {
			t.Errorf("%q", version)
		}
	}
}

func TestBillOfMaterials(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	text, err := billOfMaterials("0.1.0", []string{self, self})
	var b bill
	if err := json.Unmarshal(text, &b); err != nil {
		t.Fatal(err)
	}
	if err != nil || b.Metadata.Component.Version != "0.1.0" || len(b.Components) != 1 || !strings.HasPrefix(b.Components[0].PURL, "pkg:golang/stdlib@go1.") {
		t.Errorf("%s, %v", text, err)
	}
}
