package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"momoproxy/shared/ledger"
)

// walker lists what the ledger lists by client: of one client, or of all of
// them in turn.
type walker[V any] struct {
	*session
	client string // empty: all clients
	one    bool   // the ledger's list is over all clients by itself
	fetch  func(ctx context.Context, client string, p ledger.Paging) (ledger.Page[V], error)
}

// position is where a walk stands: with all clients, which of them, as the
// cursor before it in the list of clients. Neither cursor has a point in it.
type position struct{ Clients, List string }

func (p position) String() string {
	if p == (position{}) {
		return ""
	}
	return p.Clients + "." + p.List
}

func readPosition(text string) (p position, err error) {
	if text == "" {
		return p, nil
	}
	var ok bool
	if p.Clients, p.List, ok = strings.Cut(text, "."); !ok {
		return p, fmt.Errorf("%w: not readable", ledger.ErrCursor)
	}
	return p, nil
}

// page fetches one page of a walk and the position behind it; done ends it.
// A page may be empty in the middle of a walk.
func (w walker[V]) page(ctx context.Context, at position, limit int) (found []V, next position, done bool, err error) {
	client, clients := w.client, ""
	if client == "" && !w.one {
		ids, err := w.ledger.ListClientIDs(ctx, ledger.Paging{Limit: 1, Cursor: at.Clients})
		if err != nil || len(ids.Items) == 0 {
			return nil, at, err == nil, err
		}
		client, clients = ids.Items[0], ids.Next
	}
	page, err := w.fetch(ctx, client, ledger.Paging{Limit: limit, Cursor: at.List})
	switch {
	case err != nil:
		return nil, at, false, err
	case page.Next != "":
		return page.Items, position{at.Clients, page.Next}, false, nil
	case clients != "":
		return page.Items, position{Clients: clients}, false, nil
	}
	return page.Items, at, true, nil
}

// maxPages bounds what one list looks at to find what its filters let
// through, so that it answers in seconds; the cursor goes on.
const maxPages = 50

// collect fills one page for a person.
func (w walker[V]) collect(ctx context.Context, p pageFlags) ([]V, string, error) {
	at, err := readPosition(p.after)
	if err != nil {
		return nil, "", err
	}
	var all []V
	for range maxPages {
		found, next, done, err := w.page(ctx, at, min(p.limit-len(all), ledger.MaxListed))
		if err != nil {
			return nil, "", err
		}
		all = append(all, found...)
		if done {
			return all, "", nil
		}
		if at = next; len(all) >= p.limit {
			break
		}
	}
	return all, at.String(), nil
}

// known says that there is such a client, though its secrets may not open: a
// mistyped id must not look like an empty list.
func (s *session) known(ctx context.Context, id string) error {
	if _, err := s.client(ctx, id); err != nil && !errors.Is(err, ledger.ErrCorrupt) {
		return err
	}
	return nil
}
