package provider

import (
	"context"
	"errors"
	"time"
)

// StoredToken is a bearer token with its life. The zero value is no token.
type StoredToken struct {
	Token     string // secret: seal it at rest
	IssuedAt  time.Time
	ExpiresAt time.Time
}

// ErrFenced is what Save and Release wrap when the caller's lease is no
// longer the latest one.
var ErrFenced = errors.New("token lease lost")

// LongestLease bounds a lease. One that seems to last longer was taken by a
// clock that ran ahead.
const LongestLease = time.Minute

// TokenStore keeps one token per id for every process, and lets one of them
// at a time fetch a new one. It is a cache: losing all of it costs one token
// call. Times are to the second or finer. All methods are safe for
// concurrent use; reads see every write that returned before they began.
//
// An id is printable ASCII without spaces, at most 300 bytes. It covers
// product, environment, API user and a fingerprint of host and keys, so a
// store never mixes credentials and never needs to compare them.
type TokenStore interface {
	// Load returns the stored token, expired or not, whether or not a
	// refresh is under way; the zero StoredToken when there is none. An
	// error means the store could not be asked.
	Load(ctx context.Context, id string) (StoredToken, error)

	// AcquireRefresh takes the lease to refresh id for the given time, at
	// most LongestLease. ok is false, without an error, while somebody else's
	// lease runs; it never waits. With takeOver it ends that one: its holder
	// is fenced off. Each lease granted has a fence greater than every
	// earlier one of the id. The stored token stays as it is and stays
	// loadable. When the answer is an error the lease may have been taken: it
	// lapses.
	AcquireRefresh(ctx context.Context, id string, lease time.Duration, takeOver bool) (fence int64, ok bool, err error)

	// Save stores token and ends the lease, if fence is still the latest
	// granted and has not been ended; else nothing changes and the error
	// wraps ErrFenced. A lapsed lease that nobody has taken over still saves.
	Save(ctx context.Context, id string, fence int64, token StoredToken) error

	// Release ends the lease without changing the stored token, on the same
	// terms as Save: the next AcquireRefresh is granted at once.
	Release(ctx context.Context, id string, fence int64) error
}
