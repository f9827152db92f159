//go:build unix

package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"momoproxy/shared/table"
)

// A user who may enter the folder's parent reads nothing of it, also when folder
// and files were there before, and open to all.
func TestDataIsPrivate(t *testing.T) {
	mode := func(path string) fs.FileMode {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		return info.Mode().Perm()
	}
	data := filepath.Join(t.TempDir(), "data")
	write := func(n int64) func() error {
		s, err := openStore(t.Context(), options{data: data})
		if err != nil {
			t.Fatal(err)
		}
		key := table.Key{Space: table.Main, Partition: "test", Sort: "test"}
		if err := s.table.Write(t.Context(), table.Put(table.Record{Key: key, Version: n})); err != nil {
			t.Fatal(err)
		}
		return s.close
	}
	check := func() {
		t.Helper()
		if got := mode(data); got != 0o700 {
			t.Errorf("folder: %o", got)
		}
		entries, err := os.ReadDir(data)
		if err != nil || len(entries) < 4 { // the database with -wal and -shm, the key
			t.Fatalf("%v, %v", entries, err)
		}
		for _, e := range entries {
			if got := mode(filepath.Join(data, e.Name())); got != 0o600 {
				t.Errorf("%s: %o", e.Name(), got)
			}
		}
	}
	closeFirst := write(0)
	check()
	// As they would be in a folder that an umask of 022 left.
	if err := os.Chmod(data, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"momo-proxy.db", "momo-proxy.db-wal", "momo-proxy.db-shm", "sealing.key", "payer.key"} {
		if err := os.Chmod(filepath.Join(data, name), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	closeSecond := write(1)
	check()
	for _, close := range []func() error{closeSecond, closeFirst} {
		if err := close(); err != nil {
			t.Error(err)
		}
	}
}
