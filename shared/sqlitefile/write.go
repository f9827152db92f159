package sqlitefile

import (
	"context"
	"errors"
	"fmt"
)

// maxGroup bounds the writes of one commit: what one of them costs the others.
const maxGroup = 64

// ErrNotWritten: certainly nothing was written. An error of Write that is
// neither this nor do's own leaves the outcome unknown.
var ErrNotWritten = errors.New("not written")

// write is one call of Write on its way to the disk.
type write struct {
	ctx context.Context
	do  func(Conn) error
	// next tells the waiting call what happened: true, that it has to lead the
	// next group; false, that err is its result.
	next chan bool
	err  error
}

// errGivenUp is what remains of the writes of a group in which one panicked.
var errGivenUp = errors.New("write given up, with unknown outcome")

// Write calls do in a transaction and returns when it is on the disk. An error
// of do undoes what do wrote, and is returned. Writes that come while others
// are being committed are committed together, each whole or not at all: a
// commit waits for the disk, and one wait serves many. do may run after others
// of its group and sees what they wrote. It must not use the File otherwise.
//
// A context that has ended when the turn comes ends the Write; later it stops
// nothing, because an interrupted statement would end the others' transaction.
func (f *File) Write(ctx context.Context, do func(Conn) error) error {
	w := &write{ctx: ctx, do: do, next: make(chan bool, 1)}
	f.mu.Lock()
	f.waiting = append(f.waiting, w)
	lead := !f.leading
	f.leading = true
	f.mu.Unlock()
	if !lead && !<-w.next {
		return w.err
	}
	group := f.group()
	defer f.end(w, group)
	f.commit(group)
	return w.err
}

// group takes those that have waited longest; the first is the one that leads.
func (f *File) group() []*write {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := min(len(f.waiting), maxGroup)
	group := f.waiting[:n:n]
	f.waiting = f.waiting[n:]
	return group
}

// end answers those of the group and lets the next in line lead.
func (f *File) end(leader *write, group []*write) {
	f.mu.Lock()
	if f.leading = len(f.waiting) > 0; f.leading {
		f.waiting[0].next <- true
	}
	f.mu.Unlock()
	for _, w := range group {
		if w != leader {
			w.next <- false
		}
	}
}

func (f *File) commit(group []*write) {
	live := make([]*write, 0, len(group))
	for _, w := range group {
		w.err = errGivenUp
		if err := w.ctx.Err(); err != nil { // it may have been a long wait
			w.err = err
			continue
		}
		live = append(live, w)
	}
	if len(live) == 0 {
		return
	}
	results := make([]error, len(live))
	err := f.transact(live, results)
	for i, w := range live {
		switch {
		case err == nil:
			w.err = results[i]
		case results[i] != nil:
			// It had failed before the commit did, perhaps against something
			// that is undone now.
			w.err = fmt.Errorf("%w: commit: %w", ErrNotWritten, err)
		default:
			w.err = err
		}
	}
}

// transact commits those that can be written and notes why the others cannot.
// An error is everyone's.
func (f *File) transact(group []*write, results []error) error {
	f.using.Lock()
	defer f.using.Unlock()
	c := Conn{ctx: context.Background(), kept: &f.writer}
	// At once, because a transaction that read first could not get the lock
	// any more when another process has written.
	if _, err := c.Exec(`BEGIN IMMEDIATE`); err != nil {
		return fmt.Errorf("%w: begin: %w", ErrNotWritten, err)
	}
	open := true
	defer func() {
		if open {
			_, _ = c.Exec(`ROLLBACK`)
		}
	}()
	written := 0
	for i, w := range group {
		var err error
		if len(group) == 1 {
			results[i] = w.do(c)
		} else if results[i], err = doApart(c, w.do); err != nil {
			return fmt.Errorf("%w: %w", ErrNotWritten, err)
		}
		if results[i] == nil {
			written++
		}
	}
	if written == 0 {
		return nil
	}
	if _, err := c.Exec(`COMMIT`); err != nil {
		if isBusy(err) {
			return fmt.Errorf("%w: commit: %w", ErrNotWritten, err) // refused, and rolled back
		}
		return fmt.Errorf("commit, with unknown outcome: %w", err)
	}
	open = false
	return nil
}

// doApart does one write so that it can be undone without the others. What
// keeps it from being written is its result; an error ends the transaction.
func doApart(c Conn, do func(Conn) error) (result, err error) {
	if _, err := c.Exec(`SAVEPOINT apart`); err != nil {
		return nil, err
	}
	if result = do(c); result != nil {
		if _, err := c.Exec(`ROLLBACK TO apart`); err != nil {
			return nil, err
		}
	}
	_, err = c.Exec(`RELEASE apart`)
	return result, err
}
