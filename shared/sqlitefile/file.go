// Package sqlitefile is one SQLite database of this process, in pure Go: the
// table and the queue of one machine are in the same file. A Write that has
// returned is on the disk (write-ahead log, synchronous=FULL): a kill or a
// power cut loses nothing. Several processes may use a file at once; their
// writes take turns.
package sqlitefile

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"sync"
	"time"

	sqlite3 "modernc.org/sqlite"
	sqlite3lib "modernc.org/sqlite/lib"
)

// memory is the path of a database of one File alone, lost when it is closed.
const memory = ":memory:"

// busy is how long a write waits for another process's. SQLite looks again at
// intervals. Writes of this process wait for each other in File.Write instead,
// which wakes the next at once.
const busy = 10 * time.Second

// maxReaders bounds the connections that read. They stay open: opening one
// costs more than many reads.
const maxReaders = 4

// File is an open database. Make it with Open.
type File struct {
	writing *sql.DB
	conn    *sql.Conn // of writing, the only one
	reading *sql.DB   // nil in memory, where every connection is a database of its own
	writer  statements
	reader  statements

	// using is held while conn is used: by the write that leads a group, and
	// in memory by reads.
	using sync.Mutex

	mu      sync.Mutex
	leading bool     // a write commits a group
	waiting []*write // for the next
}

// Open opens the file, making it if it is not there. Close it after use.
func Open(path string) (*File, error) {
	f := &File{}
	if err := f.open(path); err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", path, err), f.Close())
	}
	return f, nil
}

func (f *File) open(path string) (err error) {
	if f.writing, err = sql.Open("sqlite", source(path)); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*busy)
	defer cancel()
	if f.conn, err = connect(ctx, f.writing); err != nil {
		return err
	}
	f.writer.on = f.conn
	if path == memory {
		return nil
	}
	if f.reading, err = sql.Open("sqlite", source(path, "query_only(1)")); err != nil {
		return err
	}
	f.reading.SetMaxOpenConns(maxReaders)
	f.reading.SetMaxIdleConns(maxReaders)
	f.reader.on = f.reading
	return nil
}

// connect opens a connection. The first use of a new file turns on its
// write-ahead log, for which SQLite does not wait: so try again.
func connect(ctx context.Context, db *sql.DB) (*sql.Conn, error) {
	for {
		conn, err := db.Conn(ctx)
		if err == nil || !isBusy(err) {
			return conn, err
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// source is the driver's name for the file. Every connection sets its own
// pragmas. Temporary space is in memory: what undoes one write of a group would
// otherwise be a file for each group.
func source(path string, more ...string) string {
	pragmas := url.Values{"_pragma": append(more,
		fmt.Sprintf("busy_timeout(%d)", busy.Milliseconds()), "journal_mode(WAL)", "synchronous(FULL)", "temp_store(MEMORY)")}
	name := path
	if path != memory {
		if absolute, err := filepath.Abs(path); err == nil {
			path = absolute
		}
		name = "file://" + (&url.URL{Path: filepath.ToSlash(path)}).EscapedPath()
	}
	return name + "?" + pragmas.Encode()
}

// Close ends the use of the file. Nothing may be under way.
func (f *File) Close() error {
	f.writer.close()
	f.reader.close()
	var faults []error
	if f.conn != nil {
		faults = append(faults, f.conn.Close())
	}
	for _, db := range []*sql.DB{f.writing, f.reading} {
		if db != nil {
			faults = append(faults, db.Close())
		}
	}
	return errors.Join(faults...)
}

// Read calls do, whose statements only read. It must close the rows it opens
// and must not use the File otherwise.
func (f *File) Read(ctx context.Context, do func(Conn) error) error {
	if f.reading != nil {
		return do(Conn{ctx, &f.reader})
	}
	f.using.Lock()
	defer f.using.Unlock()
	return do(Conn{ctx, &f.writer})
}

// isBusy tells that another process holds the lock.
func isBusy(err error) bool {
	var e *sqlite3.Error
	if !errors.As(err, &e) {
		return false
	}
	code := e.Code() & 0xff
	return code == sqlite3lib.SQLITE_BUSY || code == sqlite3lib.SQLITE_LOCKED
}
