package sqlitefile

import (
	"context"
	"errors"
	"fmt"
	"os"
)

// BackUp copies the database, as it is at one moment, into a new file that its
// owner alone may read. Other processes and this one go on writing: VACUUM INTO
// is one long read. SQLite's backup API would begin anew at each of their
// writes. The copy is checked and on the disk when this returns; after an error
// there is none.
func (f *File) BackUp(ctx context.Context, path string) (err error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if err = errors.Join(err, file.Close()); err != nil {
			err = errors.Join(fmt.Errorf("back up: %w", err), os.Remove(path))
		}
	}()
	if f.reading == nil {
		return errors.New("a database in memory has no backup")
	}
	conn, err := connect(ctx, f.writing)
	if err != nil {
		return err
	}
	if _, err := conn.ExecContext(ctx, `VACUUM INTO ?`, path); err != nil {
		return errors.Join(err, conn.Close())
	}
	if err := errors.Join(conn.Close(), file.Sync()); err != nil {
		return err
	}
	copied, err := Open(path)
	if err != nil {
		return err
	}
	var found string
	err = copied.conn.QueryRowContext(ctx, `PRAGMA quick_check`).Scan(&found)
	if err == nil && found != "ok" {
		err = errors.New("the copy is damaged: " + found)
	}
	return errors.Join(err, copied.Close())
}
