package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

const databaseFile = "momo-proxy.db"

// makePrivate has the data folder, and what lies in it already, readable by
// its owner alone: payers' numbers are in the database and in the log. SQLite
// gives the files that it makes beside the database the database's own mode.
func makePrivate(data string) error {
	if err := os.MkdirAll(data, 0o700); err != nil {
		return err
	}
	if err := os.Chmod(data, 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(filepath.Join(data, databaseFile), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	faults := []error{f.Close()}
	for _, name := range []string{databaseFile, databaseFile + "-wal", databaseFile + "-shm", sealingKeyFile, payerKeyFile, "log.jsonl"} {
		if err := os.Chmod(filepath.Join(data, name), 0o600); !errors.Is(err, fs.ErrNotExist) {
			faults = append(faults, err)
		}
	}
	return errors.Join(faults...)
}
