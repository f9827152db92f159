package ledger

import (
	"context"
	"errors"
	"fmt"

	"momoproxy/shared/table"
)

// SetCallbackURL replaces a client's default callback URL. ErrMoved: the
// client has changed since it was read.
func (l *Ledger) SetCallbackURL(ctx context.Context, c Client, url string) error {
	if c.CallbackURL == url {
		return nil
	}
	c.CallbackURL = url
	_, err := l.putClient(ctx, c)
	return err
}

// SetClientActive lets a client's requests in, or refuses them from now on
// (elsewhere: from clientFresh on at the latest). What it has been promised is
// still delivered. ErrMoved: the client has changed since it was read.
func (l *Ledger) SetClientActive(ctx context.Context, c Client, active bool) error {
	if c.Active == active {
		return nil
	}
	c.Active = active
	_, err := l.putClient(ctx, c)
	return err
}

// putClient writes a client under the version that was read, and has this
// process read it anew. It returns the client as stored.
func (l *Ledger) putClient(ctx context.Context, c Client) (Client, error) {
	rec, err := l.clientRecord(c)
	if err != nil {
		return Client{}, err
	}
	err = l.table.Write(ctx, table.Put(rec))
	l.clients.drop(c.ID)
	l.clients.drop(KeyHash(c.APIKey))
	switch {
	case err == nil:
		c.version++
		return c, nil
	case errors.Is(err, table.ErrConflict):
		return Client{}, fmt.Errorf("%w: %v", ErrMoved, err)
	default:
		return Client{}, fmt.Errorf("change client: %w", err)
	}
}
