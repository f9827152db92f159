package ledger

// Page is one page of a list.
type Page[T any] struct {
	Items []T
	Next  string // the cursor of the next page; empty: the list has ended
}

// Paging names a page: behind Cursor (empty: from the beginning), and of at
// most Limit items. A Limit that a list does not allow becomes its largest.
type Paging struct {
	Limit  int
	Cursor string
}

// within is the limit, if it is 1 to most; else most.
func (p Paging) within(most int) int {
	if p.Limit < 1 || p.Limit > most {
		return most
	}
	return p.Limit
}
