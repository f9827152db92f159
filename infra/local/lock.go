package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// errInUse: one folder serves one process. A second one's demo app would take
// the demo client's callbacks from the first's, and each would deliver what
// the other has in hand.
var errInUse = errors.New("is in use by another infra/local: stop that one, or give this one a folder of its own with -data, and an address with -listen")

// lockData keeps other processes out of a folder until unlock is called or this
// process ends, be it by kill -9. The lock is the system's, taken by the
// embedded database on a file that holds nothing; momoctl does not mind it.
func lockData(ctx context.Context, o options) (unlock func() error, err error) {
	if o.data == ":memory:" {
		return func() error { return nil }, nil
	}
	name := "momo-proxy.lock"
	if o.aws { // its tables are others than those of the folder
		name = "momo-proxy-aws.lock"
	}
	if err := os.MkdirAll(o.data, 0o700); err != nil {
		return nil, err
	}
	path, err := filepath.Abs(filepath.Join(o.data, name))
	if err != nil {
		return nil, err
	}
	// Not opened when it is there: closing it would end a lock of this process.
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err == nil {
		err = f.Close()
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	db, err := sql.Open("sqlite", "file://"+(&url.URL{Path: filepath.ToSlash(path)}).EscapedPath()+"?_pragma=busy_timeout(0)")
	if err != nil {
		return nil, err
	}
	conn, err := db.Conn(ctx)
	if err == nil {
		_, err = conn.ExecContext(ctx, "BEGIN EXCLUSIVE")
	}
	var failure *sqlite.Error
	if errors.As(err, &failure) && failure.Code()&0xff == sqlite3.SQLITE_BUSY {
		err = errInUse
	}
	if err != nil {
		return nil, fmt.Errorf("folder %q %w", o.data, errors.Join(err, db.Close()))
	}
	return func() error { return errors.Join(conn.Close(), db.Close()) }, nil
}
