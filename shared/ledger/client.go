package ledger

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"time"

	"momoproxy/shared/payment"
	"momoproxy/shared/table"
)

// Client is one app that may ask for payments. Its secrets are sealed in the
// table and bound to its id.
type Client struct {
	ID          string
	Name        string
	CallbackURL string // default for its payments; empty: none
	Active      bool
	// NoLegacySignature switches the contract's X-MoMo-Proxy-Signature off.
	NoLegacySignature bool
	// Accounts are the ids of those that its new payments may use; none: all.
	Accounts []string
	// RefundsPerDay is how much it may refund in a day (UTC), by currency. It may
	// refund nothing in a currency without one.
	RefundsPerDay []payment.Money
	CreatedAt     time.Time

	// APIKey is the newest API key. OldAPIKey, if there is one, was the
	// newest before it and works beside it until OldKeyUntil. LegacyKey says
	// which of the two keys the contract's signature. SigningSecrets are the
	// stored whsec_ secrets, newest first; LiveSecrets are those to sign
	// with. Never log any of them; String hides them.
	APIKey         string
	OldAPIKey      string
	OldKeyUntil    time.Time
	SigningSecrets []string
	// OldSecretUntil is when SigningSecrets[1], if there is one, ends.
	OldSecretUntil time.Time

	// newKeyUsed says that the app has used APIKey. It is looked up only
	// while there is an old key.
	newKeyUsed bool
	// sealedBefore says that something of it is sealed under a key that is
	// not the newest.
	sealedBefore bool

	// keyHash and oldKeyHash are KeyHash of the two keys as stored.
	keyHash, oldKeyHash string

	version int64
}

// String keeps secrets out of logs and error texts.
func (c Client) String() string { return fmt.Sprintf("client %s (%s)", c.ID, c.Name) }

// GoString is String.
func (c Client) GoString() string { return c.String() }

// Format is String for every verb: %x and %q of a struct would go round it.
func (c Client) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, c.String()) }

// MarshalJSON is String: a client is shown by choosing what of it.
func (c Client) MarshalJSON() ([]byte, error) { return json.Marshal(c.String()) }

// LogValue is String, for slog.
func (c Client) LogValue() slog.Value { return slog.StringValue(c.String()) }

// NewClientID makes a random client id, letters and digits only.
func NewClientID(random io.Reader) string {
	var b [10]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		panic("ledger: no randomness: " + err.Error())
	}
	return "cli_" + hex.EncodeToString(b[:])
}

// KeyHash is how an API key is looked up: the key itself is never a key of
// the table. A key has far more entropy than can be searched, so a plain
// SHA-256 serves.
func KeyHash(apiKey string) string {
	h := sha256.Sum256([]byte(apiKey))
	return hex.EncodeToString(h[:])
}

// sealOwner binds a sealed value to its client, its use and its slot, so that
// one copied from elsewhere, or from the old place to the new, does not open.
func sealOwner(clientID, use string, slot int) string {
	return "client:" + clientID + ":" + use + ":" + strconv.Itoa(slot)
}

// CreateClient stores a new client, the look-up of its API key and the audit
// record of it in one transaction. ErrStale: the id or the key is taken.
func (l *Ledger) CreateClient(ctx context.Context, c Client) (Client, error) {
	rec, err := l.clientRecord(c)
	if err != nil {
		return Client{}, err
	}
	at := c.CreatedAt
	if at.IsZero() {
		at = Clock(l.now())
	}
	keys := []string{c.APIKey}
	if c.OldAPIKey != "" {
		keys = append(keys, c.OldAPIKey)
	}
	ops := []table.Op{table.Put(rec), table.Put(l.auditRecord(l.clientAudit(c, at, "create", "key "+Fingerprint(c.APIKey))))}
	for _, key := range keys {
		ops = append(ops, table.Put(keyLookup(key, c.ID, at)))
	}
	if err := l.write(ctx, "create client", ops...); errors.Is(err, ErrStale) {
		return Client{}, fmt.Errorf("%w: client id or key is taken", ErrStale)
	} else if err != nil {
		return Client{}, err
	}
	c.version++
	return c, nil
}
