package ledger

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"momoproxy/shared/table"
)

// What is kept, in an hour of the clock, of callbacks that anybody may have
// sent. The places are records whose keys all processes share, so that no more
// are ever stored; the writes bound what one process tries.
const (
	hintsOfPayment = 4
	hintsUnmatched = 60
	hintWrites     = 120
)

// Hint is a callback that anybody may have sent.
type Hint struct {
	Audit AuditRecord // without Reference and ClientID
	// About are the payments that it may be about, each with its NextCheckAt
	// as the hint leaves it; at most ten.
	About []Payment
}

// KeepHint keeps a hint in the trail of each payment that it is about, or
// among the unmatched ones, and stores when those payments are asked about. It
// is one write of the same kind whatever it finds, so that its time tells the
// sender nothing. kept is false, and nothing is stored, when the hour's places
// are taken or this process's writes are used up, or when a payment has moved.
func (l *Ledger) KeepHint(ctx context.Context, h Hint) (kept bool, err error) {
	if !l.hints.mayWrite(h.Audit.At) {
		return false, nil
	}
	var ops []table.Op
	for _, p := range h.About {
		a := h.Audit
		a.Reference, a.ClientID = p.Reference, p.ClientID
		ops = append(ops, table.Put(l.hintRecord(a, hintsOfPayment)), l.putPayment(p))
	}
	if len(h.About) == 0 {
		rec := l.hintRecord(h.Audit, hintsUnmatched)
		// Nothing needs the second record: a payment would be one.
		ops = append(ops, table.Put(rec), table.Put(table.Record{
			Key: unmatchedKey(rec.Key), Attributes: map[string]any{}, ExpiresAt: h.Audit.At.Add(time.Hour),
		}))
	}
	err = l.table.Write(ctx, ops...)
	if errors.Is(err, table.ErrConflict) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("keep hint: %w", err)
	}
	return true, nil
}

// hintRecord gives a record the next of the places that its partition has for
// hints in the hour. A place that is taken makes the write a conflict.
func (l *Ledger) hintRecord(a AuditRecord, places int) table.Record {
	rec := l.auditRecord(a)
	place := l.hints.next(rec.Partition, places)
	rec.Key = auditKey(rec.Partition, a.At.Truncate(time.Hour), fmt.Sprintf("hint-%02d", place))
	rec.Attributes["at"] = timeKey(a.At) // its key has the hour alone
	return rec
}

// hintCounts is what one process has tried in an hour. Safe for concurrent
// use, if random is.
type hintCounts struct {
	random io.Reader

	mu          sync.Mutex
	hour        int64
	writes      int
	byPartition map[string]int
}

// mayWrite counts a write, and is false when none is left in the hour.
func (c *hintCounts) mayWrite(at time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if hour := at.Unix() / 3600; hour != c.hour {
		c.hour, c.writes, c.byPartition = hour, 0, map[string]int{}
	}
	if c.writes == hintWrites {
		return false
	}
	c.writes++
	return true
}

// next is the place to try in a partition: one after the other, from a random
// one, so that processes side by side seldom try the same.
func (c *hintCounts) next(partition string, places int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n, known := c.byPartition[partition]
	if !known {
		var b [1]byte
		if _, err := io.ReadFull(c.random, b[:]); err != nil {
			panic("ledger: no randomness: " + err.Error())
		}
		n = int(b[0]) % places
	}
	c.byPartition[partition] = n + 1
	return n % places
}
