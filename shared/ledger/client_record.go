package ledger

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"momoproxy/shared/payment"
	"momoproxy/shared/table"
)

// The uses of what is sealed in a client's record. Slot 0 holds the newest,
// slot 1 the one before.
const (
	useAPIKey        = "api_key"
	useSigningSecret = "signing_secret"
)

// MaxSigningSecrets live at once: the newest and, during a rotation, the one
// before. It is the same with API keys.
const MaxSigningSecrets = 2

func sealedName(use string, slot int) string { return use + "_" + strconv.Itoa(slot) + "_sealed" }

// untilName is when slot 1 ends.
func untilName(use string) string { return use + "_1_until" }

// keyHashName is where the hash of a key is, beside the sealed key: who asks
// whether a key is right needs none of the sealing keys.
func keyHashName(slot int) string { return useAPIKey + "_" + strconv.Itoa(slot) + "_hash" }

// fields lists what a client's record has, but for what is sealed in it.
func (c *Client) fields(f fields) {
	accounts := strings.Join(c.Accounts, " ")
	f.text("client_name", &c.Name)
	f.text("callback_url", &c.CallbackURL)
	f.flag("is_active", &c.Active)
	f.flag("no_legacy_signature", &c.NoLegacySignature)
	f.text("accounts", &accounts)
	f.time("created_at", &c.CreatedAt)
	f.text(keyHashName(0), &c.keyHash)
	f.text(keyHashName(1), &c.oldKeyHash)
	f.time(untilName(useAPIKey), &c.OldKeyUntil)
	f.time(untilName(useSigningSecret), &c.OldSecretUntil)
	perDay := map[string]string{}
	for _, m := range c.RefundsPerDay {
		perDay[m.Currency] = m.Decimal()
	}
	if f.object("refunds_per_day", &perDay); f.from == nil {
		return
	}
	c.Accounts = strings.Fields(accounts)
	for _, currency := range slices.Sorted(maps.Keys(perDay)) {
		m, err := payment.ParseMoney(perDay[currency], currency)
		if err != nil {
			f.from.fail("refunds_per_day")
		}
		c.RefundsPerDay = append(c.RefundsPerDay, m)
	}
}

func (l *Ledger) clientRecord(c Client) (table.Record, error) {
	if c.APIKey == "" {
		return table.Record{}, fmt.Errorf("client %s has no api key: it was read by key, without its secrets", c.ID)
	}
	keys := []string{c.APIKey}
	c.keyHash, c.oldKeyHash = KeyHash(c.APIKey), ""
	if c.OldAPIKey != "" {
		keys = append(keys, c.OldAPIKey)
		c.oldKeyHash = KeyHash(c.OldAPIKey)
	}
	attributes := writeFields(16, c.fields)
	for use, values := range map[string][]string{useAPIKey: keys, useSigningSecret: c.SigningSecrets} {
		for slot, value := range values[:min(len(values), MaxSigningSecrets)] {
			sealed, err := l.sealer.Seal([]byte(value), sealOwner(c.ID, use, slot))
			if err != nil {
				return table.Record{}, fmt.Errorf("seal %s: %w", use, err)
			}
			attributes[sealedName(use, slot)] = sealed
		}
	}
	return table.Record{Key: clientKey(c.ID), Version: c.version, Attributes: attributes,
		Index: map[string]table.IndexKey{IndexList: clientEntry(c.ID, c.CreatedAt)}}, nil
}

// readClient reads one client without its secrets, or ErrNotFound.
func (l *Ledger) readClient(ctx context.Context, id string) (Client, *reader, error) {
	rec, err := l.get(ctx, "read client", clientKey(id))
	if err != nil {
		return Client{}, nil, err
	}
	c := Client{ID: id, version: rec.Version}
	r := readFields(rec, c.fields)
	if c.keyHash == "" {
		r.fail(keyHashName(0))
	}
	return c, r, r.err
}

// Client reads one client with its secrets opened, or ErrNotFound.
func (l *Ledger) Client(ctx context.Context, id string) (Client, error) {
	c, r, err := l.readClient(ctx, id)
	if err != nil {
		return Client{}, err
	}
	keys, err := l.opened(r, &c, useAPIKey)
	if err != nil {
		return Client{}, err
	}
	if len(keys) == 0 {
		return Client{}, fmt.Errorf("%w: client %s has no api key", ErrCorrupt, id)
	}
	c.APIKey = keys[0]
	if c.SigningSecrets, err = l.opened(r, &c, useSigningSecret); err != nil {
		return Client{}, err
	}
	if r.err != nil {
		return Client{}, r.err
	}
	if len(keys) > 1 {
		c.OldAPIKey = keys[1]
		newest, err := l.keyOf(ctx, c.APIKey)
		if err != nil {
			return Client{}, err
		}
		c.newKeyUsed = !newest.LastUsedAt.IsZero()
	}
	return c, nil
}

// opened are the values of one use, newest first.
func (l *Ledger) opened(r *reader, c *Client, use string) ([]string, error) {
	var values []string
	for slot := range MaxSigningSecrets {
		sealed := r.text(sealedName(use, slot))
		if sealed == "" {
			break // without the newest the old one is nobody's
		}
		value, err := l.sealer.Open(sealed, sealOwner(c.ID, use, slot))
		if err != nil {
			return nil, fmt.Errorf("%w: %s of client %s: %w", ErrCorrupt, use, c.ID, err)
		}
		values = append(values, string(value))
		if s, ok := l.sealer.(interface{ Current(sealed string) bool }); ok && !s.Current(sealed) {
			c.sealedBefore = true
		}
	}
	return values, nil
}

// ClientFresh is how long a process may go on with a client it has read: a
// disabled client or key stops working after so long at the latest. It saves
// two reads of every request.
const ClientFresh = 10 * time.Second

// RecentClient reads one client, at most ClientFresh old, or ErrNotFound.
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
