package simulation

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"momoproxy/shared/table"
)

// errWire is a fault after which nobody knows what happened.
var errWire = errors.New("connection to the table lost")

// tableWire is the way from a function to the table.
type tableWire struct{ w *world }

var _ table.Table = tableWire{}

func throttled() error { return fmt.Errorf("%w: throttled", table.ErrUnavailable) }

// read makes a read fail, or lets it through.
func (t tableWire) read(ctx context.Context, op, what string) error {
	t.w.note(op, what)
	t.w.before()
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case t.w.chance(t.w.rates.read):
		t.w.note("  fails")
		return errWire
	case t.w.chance(t.w.rates.throttle):
		t.w.note("  throttled")
		return throttled()
	}
	return nil
}

func (t tableWire) Get(ctx context.Context, k table.Key) (table.Record, error) {
	if err := t.read(ctx, "get", k.Partition+"/"+k.Sort); err != nil {
		return table.Record{}, err
	}
	r, err := t.w.store.Get(context.Background(), k)
	t.w.afterwards()
	if ctx.Err() != nil {
		return table.Record{}, ctx.Err()
	}
	return r, err
}

func (t tableWire) GetMany(ctx context.Context, keys ...table.Key) ([]table.Record, error) {
	if err := t.read(ctx, "get many", strconv.Itoa(len(keys))); err != nil {
		return nil, err
	}
	found, err := t.w.store.GetMany(context.Background(), keys...)
	t.w.afterwards()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return found, err
}

func (t tableWire) Query(ctx context.Context, q table.Query) (table.Page, error) {
	if err := t.read(ctx, "query", q.Index+" "+q.Partition); err != nil {
		return table.Page{}, err
	}
	p, err := t.w.store.Query(context.Background(), q)
	if err == nil && q.Index != "" {
		p.Records = t.lag(q, p.Records)
	}
	t.w.afterwards()
	if ctx.Err() != nil {
		return table.Page{}, ctx.Err()
	}
	return p, err
}

// maxLag bounds how far an index is behind, as the sweeper expects: it takes an
// endpoint for drained when nothing held was found for 15 minutes.
const maxLag = 10 * time.Minute

// lag makes an index be behind: without some of its newest records, with some
// that have moved on.
func (t tableWire) lag(q table.Query, records []table.Record) []table.Record {
	if t.w.rates.lag == 0 {
		return records
	}
	if strings.HasPrefix(q.Partition, eventsList) {
		return t.w.lagEvents(records)
	}
	old := t.w.lagging[q.Index+" "+q.Partition]
	t.w.lagging[q.Index+" "+q.Partition] = slices.Clone(records)
	if !t.w.chance(t.w.rates.lag) {
		return records
	}
	shown := make([]table.Record, 0, len(records))
	for _, r := range records {
		written, known := t.w.books.written[r.Key]
		if t.w.chance(0.7) || known && time.Since(written) > maxLag {
			shown = append(shown, r)
		}
	}
	for _, r := range old {
		have := slices.ContainsFunc(shown, func(o table.Record) bool { return o.Key == r.Key })
		sort := r.Index[q.Index].Sort
		within := sort >= q.From && (q.To == "" || sort < q.To)
		if !have && within && t.w.chance(0.5) {
			shown = append(shown, r)
		}
	}
	return shown
}

func (t tableWire) Write(ctx context.Context, ops ...table.Op) error {
	what := make([]string, 0, len(ops)+1)
	what = append(what, "write")
	for _, op := range ops {
		what = append(what, op.Record.Partition+"/"+op.Record.Sort)
	}
	t.w.note(what...)
	t.w.before()
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case t.w.chance(t.w.rates.throttle):
		t.w.note("  throttled")
		return throttled()
	case t.w.chance(t.w.rates.writeBefore):
		t.w.note("  lost before")
		return errWire
	}
	err := t.w.store.Write(context.Background(), ops...)
	switch {
	case err == nil:
		t.w.wrote(ops)
	case errors.Is(err, table.ErrConflict):
		t.w.note("  conflict")
		t.w.result.Stats.Conflicts++
	default:
		t.w.violate(NoPanic, "write refused: %v", err)
	}
	if wait := time.Until(t.w.hangUntil); wait > 0 && strings.HasPrefix(ops[0].Record.Partition, "payment#") {
		t.w.waitFor(wait)
	}
	t.w.afterwards()
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case t.w.chance(t.w.rates.writeAfter):
		t.w.note("  lost after")
		return errWire
	}
	return err
}
