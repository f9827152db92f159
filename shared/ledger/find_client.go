package ledger

import (
	"context"
	"maps"
	"time"

	"momoproxy/shared/table"
)

// keyLookup finds a client by an API key's hash, and holds when the key was
// last used. Whether the key still works is for the client's record to say.
func keyLookup(apiKey, clientID string, at time.Time) table.Record {
	return table.Record{Key: apiKeyKey(KeyHash(apiKey)), Attributes: map[string]any{"client_id": clientID, "created_at": timeKey(at)}}
}

// ClientByKey finds the client an API key belongs to, at most ClientFresh
// old, or ErrNotFound: there is no such key, or it has ended by now. That is
// asked anew each time, so a key never outlives its end in a cache. It does
// not say whether the client is active, and its secrets are not opened.
func (l *Ledger) ClientByKey(ctx context.Context, apiKey string, now time.Time) (Client, error) {
	hash := KeyHash(apiKey)
	c, ok := l.clients.get(hash, now)
	if !ok {
		rec, err := l.get(ctx, "read key", apiKeyKey(hash))
		if err != nil {
			return Client{}, err
		}
		id, err := textOf(rec, "client_id")
		if err != nil {
			return Client{}, err
		}
		if c, _, err = l.readClient(ctx, id); err != nil {
			return Client{}, err
		}
		l.clients.put(hash, c, now)
		l.lookups.put(hash, rec, now)
	}
	if !c.holdsKey(hash, now) {
		return Client{}, ErrNotFound
	}
	return c, nil
}

const (
	// keyUseEvery is how often the use of a key is written down at most.
	keyUseEvery = time.Hour
	// maxKeyUseWait bounds what writing it down may cost a request.
	maxKeyUseWait = 250 * time.Millisecond
)

// NoteKeyUse writes down that a key which ClientByKey has just let in was
// used: at once the first time, then at most once an hour. Nothing depends on
// it but what operators read and, during a rotation, LegacyKey; so it is best
// effort, takes a quarter of a second at most and tells no error. Of several
// processes that try at once one succeeds.
func (l *Ledger) NoteKeyUse(ctx context.Context, apiKey string, now time.Time) {
	hash := KeyHash(apiKey)
	rec, ok := l.lookups.get(hash, now)
	if !ok {
		return
	}
	last, _ := timeOf(rec, "last_used_at")
	if !last.IsZero() && now.Sub(last) < keyUseEvery {
		return
	}
	l.lookups.drop(hash) // not again before it is read again
	rec.Attributes = maps.Clone(rec.Attributes)
	rec.Attributes["last_used_at"] = timeKey(Clock(now))
	ctx, cancel := context.WithTimeout(ctx, maxKeyUseWait)
	defer cancel()
	if err := l.table.Write(ctx, table.Put(rec)); err != nil {
		return
	}
	rec.Version++
	l.lookups.put(hash, rec, now)
	if id, _ := rec.Attributes["client_id"].(string); last.IsZero() && id != "" {
		l.clients.drop(id) // its LegacyKey may be another now
	}
}

// Key is what may be shown of an API key.
type Key struct {
	Fingerprint string    // see Fingerprint
	CreatedAt   time.Time // zero: not known
	LastUsedAt  time.Time // to the hour or so; zero: never
	Until       time.Time // when it ends; zero: it is the newest
}

// Keys describes the client's stored keys, newest first, the old one also when
// it has ended by time.
func (l *Ledger) Keys(ctx context.Context, c Client) ([]Key, error) {
	newest, err := l.keyOf(ctx, c.APIKey)
	if err != nil || c.OldAPIKey == "" {
		return []Key{newest}, err
	}
	old, err := l.keyOf(ctx, c.OldAPIKey)
	old.Until = c.OldKeyUntil
	return []Key{newest, old}, err
}

func (l *Ledger) keyOf(ctx context.Context, apiKey string) (Key, error) {
	k := Key{Fingerprint: Fingerprint(apiKey)}
	rec, err := l.getOrNew(ctx, "read key", apiKeyKey(KeyHash(apiKey)))
	if err != nil {
		return k, err
	}
	r := &reader{rec: rec}
	k.CreatedAt, k.LastUsedAt = r.time("created_at"), r.time("last_used_at")
	return k, r.err
}
