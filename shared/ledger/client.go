package ledger

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"time"

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
	CreatedAt         time.Time

	// APIKey keys the contract's signature. SigningSecrets are the stored
	// whsec_ secrets, newest first; LiveSecrets are those to sign with. Never
	// log them; String hides them.
	APIKey         string
	SigningSecrets []string
	// OldSecretUntil is when SigningSecrets[1], if there is one, ends.
	OldSecretUntil time.Time

	version int64
}

// String keeps secrets out of logs and error texts.
func (c Client) String() string { return fmt.Sprintf("client %s (%s)", c.ID, c.Name) }

// GoString is String.
func (c Client) GoString() string { return c.String() }

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

// sealOwner binds a sealed value to its client and its use.
func sealOwner(clientID, use string) string { return "client:" + clientID + ":" + use }

// CreateClient stores a new client and the look-up of its API key in one
// transaction. ErrMoved: the id or the key is taken.
func (l *Ledger) CreateClient(ctx context.Context, c Client) (Client, error) {
	rec, err := l.clientRecord(c)
	if err != nil {
		return Client{}, err
	}
	lookup := table.Record{
		Key:        apiKeyKey(KeyHash(c.APIKey)),
		Attributes: map[string]any{"client_id": c.ID, "created_at": timeKey(c.CreatedAt)},
	}
	err = l.table.Write(ctx, table.Put(rec), table.Put(lookup))
	switch {
	case err == nil:
		c.version++
		return c, nil
	case errors.Is(err, table.ErrConflict):
		return Client{}, fmt.Errorf("%w: client id or key is taken", ErrMoved)
	default:
		return Client{}, fmt.Errorf("create client: %w", err)
	}
}

func (l *Ledger) clientRecord(c Client) (table.Record, error) {
	sealedKey, err := l.sealer.Seal([]byte(c.APIKey), sealOwner(c.ID, "api_key"))
	if err != nil {
		return table.Record{}, fmt.Errorf("seal api key: %w", err)
	}
	w := writer{}
	w.text("client_name", c.Name)
	w.text("callback_url", c.CallbackURL)
	w.flag("is_active", c.Active)
	w.flag("no_legacy_signature", c.NoLegacySignature)
	w.time("created_at", c.CreatedAt)
	w.text("api_key_sealed", sealedKey)
	for i, s := range c.SigningSecrets {
		sealed, err := l.sealer.Seal([]byte(s), sealOwner(c.ID, "signing_secret"))
		if err != nil {
			return table.Record{}, fmt.Errorf("seal signing secret: %w", err)
		}
		w.text(fmt.Sprintf("signing_secret_%d_sealed", i), sealed)
	}
	if len(c.SigningSecrets) > 1 {
		w.time("signing_secret_1_until", c.OldSecretUntil)
	}
	return table.Record{Key: clientKey(c.ID), Version: c.version, Attributes: w,
		Index: map[string]table.IndexKey{IndexList: clientEntry(c.ID, c.CreatedAt)}}, nil
}

// MaxSigningSecrets live at once: the newest and, during a rotation, the one
// before.
const MaxSigningSecrets = 2

// Client reads one client with its secrets opened, or ErrNotFound.
func (l *Ledger) Client(ctx context.Context, id string) (Client, error) {
	rec, err := l.table.Get(ctx, clientKey(id))
	if errors.Is(err, table.ErrNotFound) {
		return Client{}, ErrNotFound
	}
	if err != nil {
		return Client{}, fmt.Errorf("read client: %w", err)
	}
	r := &reader{rec: rec}
	c := Client{
		ID:                id,
		Name:              r.text("client_name"),
		CallbackURL:       r.text("callback_url"),
		Active:            r.flag("is_active"),
		NoLegacySignature: r.flag("no_legacy_signature"),
		CreatedAt:         r.time("created_at"),
		version:           rec.Version,
	}
	key, err := l.sealer.Open(r.text("api_key_sealed"), sealOwner(id, "api_key"))
	if err != nil {
		return Client{}, fmt.Errorf("%w: api key of client %s: %w", ErrCorrupt, id, err)
	}
	c.APIKey = string(key)
	for i := range MaxSigningSecrets {
		sealed := r.text(fmt.Sprintf("signing_secret_%d_sealed", i))
		if sealed == "" {
			break // without the newest the old one is nobody's
		}
		s, err := l.sealer.Open(sealed, sealOwner(id, "signing_secret"))
		if err != nil {
			return Client{}, fmt.Errorf("%w: signing secret of client %s: %w", ErrCorrupt, id, err)
		}
		c.SigningSecrets = append(c.SigningSecrets, string(s))
	}
	c.OldSecretUntil = r.time("signing_secret_1_until")
	return c, r.err
}

// clientFresh is how long a process may go on with a client it has read: a
// disabled client or key stops working after so long at the latest. It saves
// two reads of every request.
const clientFresh = 10 * time.Second

// ClientByKey finds the client an API key belongs to, at most clientFresh
// old, or ErrNotFound. It does not say whether the client is active.
func (l *Ledger) ClientByKey(ctx context.Context, apiKey string, now time.Time) (Client, error) {
	hash := KeyHash(apiKey)
	if c, ok := l.clients.get(hash, now); ok {
		return c, nil
	}
	rec, err := l.table.Get(ctx, apiKeyKey(hash))
	if errors.Is(err, table.ErrNotFound) {
		return Client{}, ErrNotFound
	}
	if err != nil {
		return Client{}, fmt.Errorf("read key: %w", err)
	}
	r := &reader{rec: rec}
	id := r.text("client_id")
	if r.err != nil {
		return Client{}, r.err
	}
	c, err := l.Client(ctx, id)
	if err == nil {
		l.clients.put(hash, c, now)
	}
	return c, err
}

// RecentClient reads one client, at most clientFresh old, or ErrNotFound.
func (l *Ledger) RecentClient(ctx context.Context, id string, now time.Time) (Client, error) {
	if c, ok := l.clients.get(id, now); ok {
		return c, nil
	}
	c, err := l.Client(ctx, id)
	if err == nil {
		l.clients.put(id, c, now)
	}
	return c, err
}
