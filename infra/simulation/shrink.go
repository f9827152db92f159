package simulation

import (
	"reflect"
	"slices"
)

// Faults are the names of what can go wrong in a run, as Options.Without takes
// them.
func Faults() (names []string) {
	all := reflect.TypeFor[rates]()
	for i := range all.NumField() {
		if f := all.Field(i); !slices.Contains(shape, f.Name) {
			names = append(names, f.Name)
		}
	}
	return names
}

// shape are the rates that say what a run is made of, not what goes wrong.
var shape = []string{"span", "mtn", "factura"}

// without takes kinds of faults out of a run.
func (r *rates) without(names []string) {
	all := reflect.ValueOf(r).Elem()
	for _, name := range names {
		// Unexported fields cannot be set by reflection.
		switch f := all.FieldByName(name); f.Kind() {
		case reflect.Float64:
			*(*float64)(f.Addr().UnsafePointer()) = 0
		case reflect.Bool:
			*(*bool)(f.Addr().UnsafePointer()) = false
		case reflect.Int64:
			*(*int64)(f.Addr().UnsafePointer()) = 0
		default:
			panic("simulation: no fault is named " + name)
		}
	}
}

const (
	// triesPerStep is how many seeds are tried with less in them: with less
	// to draw, a seed is another run.
	triesPerStep = 12
	// triesAtEnd is how many are tried for the shortest.
	triesAtEnd = 60
)

// Shrink looks for a smaller run that breaks the same invariant: with fewer
// apps and payments, fewer kinds of faults, and fewer calls until it is broken.
// run lives one through.
func Shrink(o Options, broken Invariant, run func(Options) Result) Options {
	o.Only, o.Trace = broken, false
	next := o.Seed
	try := func(change func(*Options)) bool {
		smaller := o
		smaller.Without = slices.Clone(o.Without)
		change(&smaller)
		for n := range triesPerStep {
			if n > 0 {
				next++
				smaller.Seed = next
			}
			if len(run(smaller).Violations) > 0 {
				o = smaller
				return true
			}
		}
		return false
	}
	fewer := func() {
		for _, n := range []int{1, 2, 3, 5} {
			if o.Payments > 0 && o.Payments <= n || try(func(o *Options) { o.Payments = n }) {
				break
			}
		}
		if o.Apps == 0 {
			try(func(o *Options) { o.Apps = 1 })
		}
	}
	fewer()
	for _, name := range Faults() {
		try(func(o *Options) { o.Without = append(o.Without, name) })
	}
	fewer()
	least := run(o).Stats.Calls
	for n := range triesAtEnd {
		other := o
		other.Seed = o.Seed + uint64(n) + 1
		if r := run(other); len(r.Violations) > 0 && r.Stats.Calls < least {
			least, o.Seed = r.Stats.Calls, other.Seed
		}
	}
	return o
}
