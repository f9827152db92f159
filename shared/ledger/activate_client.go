package ledger

import (
	"context"
	"errors"
	"fmt"

	"momoproxy/shared/table"
)

// SetClientActive lets a client's requests in, or refuses them from now on
// (elsewhere: from clientFresh on at the latest). What it has been promised is
// still delivered. ErrMoved: the client has changed since it was read.
func (l *Ledger) SetClientActive(ctx context.Context, c Client, active bool) error {
	if c.Active == active {
		return nil
	}
	c.Active = active
	rec, err := l.clientRecord(c)
	if err != nil {
		return err
	}
	err = l.table.Write(ctx, table.Put(rec))
	l.clients.drop(c.ID)
	l.clients.drop(KeyHash(c.APIKey))
	switch {
	case err == nil:
		return nil
	case errors.Is(err, table.ErrConflict):
		return fmt.Errorf("%w: %v", ErrMoved, err)
	default:
		return fmt.Errorf("activate client: %w", err)
	}
}
