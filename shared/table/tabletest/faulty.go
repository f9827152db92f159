package tabletest

import (
	"context"
	"errors"

	"momoproxy/shared/table"
)

// ErrLost is what a fault reports unless it says otherwise: an error of no
// class, after which the outcome of a Write is unknown.
var ErrLost = errors.New("tabletest: the answer was lost")

// When tells a fault's place.
type When int

const (
	// Never is no fault.
	Never When = iota
	// Before fails the call without asking the table.
	Before
	// After fails the call although the table did it, or refused it: the
	// answer is what is lost.
	After
)

// Fault is what happens to one call.
type Fault struct {
	When When
	Err  error // nil: ErrLost
}

// The calls that a hook gets.
const (
	OpGet     = "get"
	OpGetMany = "get many"
	OpQuery   = "query"
	OpWrite   = "write"
)

// Hook decides the fault of a call. keys are those of the ops in their order,
// or those that are read; a query's key has no Sort. A hook may use the
// table underneath, for what others do just before. It is called from
// every goroutine that uses the table.
type Hook func(op string, keys []table.Key) Fault

type faulty struct {
	inner table.Table
	hook  Hook
}

// Faulty returns the table with faults: it does what hook says, in the
// caller's goroutine, and nothing by chance or time.
func Faulty(inner table.Table, hook Hook) table.Table { return faulty{inner, hook} }

func (f Fault) err() error {
	if f.Err != nil {
		return f.Err
	}
	return ErrLost
}

func (f faulty) Get(ctx context.Context, k table.Key) (table.Record, error) {
	fault := f.hook(OpGet, []table.Key{k})
	if fault.When == Before {
		return table.Record{}, fault.err()
	}
	r, err := f.inner.Get(ctx, k)
	if fault.When == After {
		return table.Record{}, fault.err()
	}
	return r, err
}

func (f faulty) GetMany(ctx context.Context, keys ...table.Key) ([]table.Record, error) {
	fault := f.hook(OpGetMany, keys)
	if fault.When == Before {
		return nil, fault.err()
	}
	found, err := f.inner.GetMany(ctx, keys...)
	if fault.When == After {
		return nil, fault.err()
	}
	return found, err
}

func (f faulty) Query(ctx context.Context, q table.Query) (table.Page, error) {
	fault := f.hook(OpQuery, []table.Key{{Space: q.Space, Partition: q.Partition}})
	if fault.When == Before {
		return table.Page{}, fault.err()
	}
	p, err := f.inner.Query(ctx, q)
	if fault.When == After {
		return table.Page{}, fault.err()
	}
	return p, err
}

func (f faulty) Write(ctx context.Context, ops ...table.Op) error {
	keys := make([]table.Key, len(ops))
	for i, op := range ops {
		keys[i] = op.Record.Key
	}
	fault := f.hook(OpWrite, keys)
	if fault.When == Before {
		return fault.err()
	}
	err := f.inner.Write(ctx, ops...)
	if fault.When == After {
		return fault.err()
	}
	return err
}
