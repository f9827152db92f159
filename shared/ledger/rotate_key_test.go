package ledger_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"momoproxy/shared/ledger"
	"momoproxy/shared/seal"
	"momoproxy/shared/table"
)

// works says which of the keys let a request in at now.
func works(t *testing.T, b *books, now time.Time, keys ...string) string {
	t.Helper()
	var in []string
	for _, k := range keys {
		c, err := b.ClientByKey(t.Context(), k, now)
		switch {
		case err == nil && c.ID == client:
			in = append(in, k)
		case !errors.Is(err, ledger.ErrNotFound):
			t.Errorf("%s: %v", k, err)
		}
	}
	return strings.Join(in, " ")
}

func rotateKey(t *testing.T, b *books, c ledger.Client, fresh string, now, until time.Time) ledger.Client {
	t.Helper()
	after, err := b.Rotate(t.Context(), c, ledger.Rotation{Of: ledger.APIKey, Fresh: fresh, Now: now, Until: until})
	if err != nil {
		t.Fatal(err)
	}
	return after
}

func TestRotateAPIKey(t *testing.T) {
	t.Parallel()
	b := newBooks(t, nil)
	c := newClient(t, b)
	if got := works(t, b, start, "key", "key2"); got != "key" {
		t.Errorf("before: %s", got)
	}
	until := start.Add(ledger.DefaultOverlap)
	c = rotateKey(t, b, c, "key2", start, until)
	for _, at := range []struct {
		now  time.Time
		want string
	}{
		{start, "key key2"}, {until.Add(-time.Nanosecond), "key key2"},
		{until, "key2"}, // the caches read the moment before know of its end
		{until.Add(time.Hour), "key2"},
	} {
		if got := works(t, b, at.now, "key", "key2"); got != at.want {
			t.Errorf("at %s: %s; want %s", at.now, got, at.want)
		}
	}
	// A third within the overlap ends the oldest at once.
	c = rotateKey(t, b, c, "key3", start, until)
	if got := works(t, b, start, "key", "key2", "key3"); got != "key2 key3" {
		t.Errorf("after the third: %s", got)
	}
	if _, err := b.memory.Get(t.Context(), table.Key{Space: table.Main, Partition: "key#" + ledger.KeyHash("key"), Sort: "key"}); !errors.Is(err, table.ErrNotFound) {
		t.Errorf("the look-up of an ended key: %v", err)
	}
	c, err := b.EndOld(t.Context(), c, ledger.APIKey, start)
	if err != nil {
		t.Fatal(err)
	}
	if got := works(t, b, start, "key", "key2", "key3"); got != "key3" {
		t.Errorf("after the end of the old one: %s", got)
	}
	if again, err := b.EndOld(t.Context(), c, ledger.APIKey, start); err != nil || again.APIKey != "key3" {
		t.Errorf("ended twice: %v", err)
	}
	// What was not rotated is as it was.
	stored, err := b.Client(t.Context(), client)
	if err != nil || !stored.Active || stored.Name != "Shop" || len(stored.SigningSecrets) != 1 {
		t.Errorf("%+v, %v", stored, err)
	}
}

// A look-up that was left behind, whose key has ended, opens nothing, and nor
// does one that names a client which never held the key.
func TestKeyLookupDecidesNothing(t *testing.T) {
	t.Parallel()
	wire := &deaf{}
	b := newBooks(t, func(inner table.Table) table.Table { wire.Table = inner; return wire })
	c := newClient(t, b)
	c = rotateKey(t, b, c, "key2", start, start.Add(time.Hour))
	if _, err := b.EndOld(t.Context(), c, ledger.APIKey, start); err != nil { // its delete is lost
		t.Fatal(err)
	}
	if wire.deletes.Load() == 0 {
		t.Error("nothing was deleted")
	}
	forged := table.Record{Key: table.Key{Space: table.Main, Partition: "key#" + ledger.KeyHash("other"), Sort: "key"},
		Attributes: map[string]any{"client_id": client}}
	if err := b.memory.Write(t.Context(), table.Put(forged)); err != nil {
		t.Fatal(err)
	}
	if got := works(t, b, start, "key", "key2", "other"); got != "key2" {
		t.Errorf("%s", got)
	}
}

// deaf loses deletes.
type deaf struct {
	table.Table
	deletes atomic.Int64
}

func (d *deaf) Write(ctx context.Context, ops ...table.Op) error {
	if len(ops) == 1 && ops[0].Kind == table.OpDelete {
		d.deletes.Add(1)
		return table.ErrUnavailable
	}
	return d.Table.Write(ctx, ops...)
}

func TestRotateAPIKeyRefuses(t *testing.T) {
	t.Parallel()
	b := newBooks(t, nil)
	c := newClient(t, b)
	if _, err := b.CreateClient(t.Context(), ledger.Client{ID: "cli_other", APIKey: "theirs", CreatedAt: start}); err != nil {
		t.Fatal(err)
	}
	for name, r := range map[string]struct {
		fresh   string
		overlap time.Duration
	}{
		"too long":          {"key2", ledger.MaxOverlap + time.Millisecond},
		"too short":         {"key2", ledger.MinOverlap - time.Millisecond},
		"nothing":           {"", time.Hour},
		"the same one":      {"key", time.Hour},
		"another client's":  {"theirs", time.Hour},
		"backwards in time": {"key2", -time.Hour},
	} {
		if _, err := b.Rotate(t.Context(), c, ledger.Rotation{Of: ledger.APIKey, Fresh: r.fresh, Now: start, Until: start.Add(r.overlap)}); !errors.Is(err, ledger.ErrRotation) {
			t.Errorf("%s: %v", name, err)
		}
	}
	after := rotateKey(t, b, c, "key2", start, start.Add(ledger.MaxOverlap))
	if _, err := b.Rotate(t.Context(), c, ledger.Rotation{Of: ledger.APIKey, Fresh: "key3", Now: start, Until: start.Add(time.Hour)}); !errors.Is(err, ledger.ErrStale) {
		t.Errorf("by what was read before: %v", err)
	}
	if _, err := b.Rotate(t.Context(), after, ledger.Rotation{Of: ledger.APIKey, Fresh: "key", Now: start, Until: start.Add(time.Hour)}); !errors.Is(err, ledger.ErrRotation) {
		t.Errorf("back to the old one: %v", err)
	}
	if got := works(t, b, start, "key", "key2"); got != "key key2" {
		t.Errorf("%s", got)
	}
}

// A rotation that was stored counts as one, whatever error its write got.
func TestRotateAPIKeyDoneAfterAll(t *testing.T) {
	t.Parallel()
	for _, fault := range []error{table.ErrConflict, errors.New("connection lost")} {
		wire := &late{}
		b := newBooks(t, func(inner table.Table) table.Table { wire.Table = inner; return wire })
		c := newClient(t, b)
		wire.err = fault
		got, err := b.Rotate(t.Context(), c, ledger.Rotation{Of: ledger.APIKey, Fresh: "key2", Now: start, Until: start.Add(time.Hour)})
		if err != nil {
			t.Fatalf("%v: %v", fault, err)
		}
		wire.err = nil
		rotateKey(t, b, got, "key3", start, start.Add(time.Hour))
		if in := works(t, b, start, "key", "key2", "key3"); in != "key2 key3" {
			t.Errorf("%v: %s", fault, in)
		}
	}
}

// The contract's signature is keyed with the newest key that the app has used.
func TestLegacyKey(t *testing.T) {
	t.Parallel()
	b := newBooks(t, nil)
	c := newClient(t, b)
	legacy := func(now time.Time) string {
		t.Helper()
		c, err := b.RecentClient(t.Context(), client, now)
		if err != nil {
			t.Fatal(err)
		}
		return c.LegacyKey(now)
	}
	use := func(key string, now time.Time) {
		t.Helper()
		if _, err := b.ClientByKey(t.Context(), key, now); err != nil {
			t.Fatal(err)
		}
		b.NoteKeyUse(t.Context(), key, now)
	}
	if got := legacy(start); got != "key" { // never used: there is no other
		t.Errorf("alone: %s", got)
	}
	until := start.Add(time.Hour)
	c = rotateKey(t, b, c, "key2", start, until)
	if got := legacy(start); got != "key" {
		t.Errorf("before the new one is used: %s", got)
	}
	if got := c.LegacyKey(until); got != "key2" {
		t.Errorf("after the end of the old one: %s", got)
	}
	use("key", start.Add(time.Second))
	if got := legacy(start.Add(time.Second)); got != "key" {
		t.Errorf("after the old one is used: %s", got)
	}
	use("key2", start.Add(2*time.Second))
	if got := legacy(start.Add(2 * time.Second)); got != "key2" {
		t.Errorf("once the new one is used: %s", got)
	}
	use("key", start.Add(3*time.Second)) // a server of the app that lags behind
	if got := legacy(start.Add(3 * time.Second)); got != "key2" {
		t.Errorf("and stays: %s", got)
	}
	rotateKey(t, b, c, "key3", start, until)
	if got := legacy(start.Add(4 * time.Second)); got != "key2" {
		t.Errorf("with a third: %s", got)
	}
}

// A key's use is written at once the first time, then once an hour, and a
// table that fails is nobody's trouble.
func TestNoteKeyUse(t *testing.T) {
	t.Parallel()
	wire := &writes{}
	b := newBooks(t, func(inner table.Table) table.Table { wire.Table = inner; return wire })
	c := newClient(t, b)
	lastUsed := func() time.Time {
		t.Helper()
		keys, err := b.Keys(t.Context(), c)
		if err != nil || len(keys) != 1 || keys[0].Fingerprint != ledger.Fingerprint("key") || !keys[0].CreatedAt.Equal(start) {
			t.Fatalf("%+v, %v", keys, err)
		}
		return keys[0].LastUsedAt
	}
	if !lastUsed().IsZero() {
		t.Error("used before it was")
	}
	for step, s := range []struct {
		after  time.Duration
		writes int64 // in all, by then
		used   time.Duration
	}{
		{0, 1, 0}, {time.Second, 1, 0}, {59 * time.Minute, 1, 0}, {time.Hour, 2, time.Hour}, {time.Hour + time.Minute, 2, time.Hour}, {50 * time.Hour, 3, 50 * time.Hour},
	} {
		wire.n.Store(0)
		now := start.Add(s.after)
		if _, err := b.ClientByKey(t.Context(), "key", now); err != nil {
			t.Fatal(err)
		}
		for range 5 {
			b.NoteKeyUse(t.Context(), "key", now)
		}
		wire.total += wire.n.Load()
		if wire.total != s.writes || !lastUsed().Equal(start.Add(s.used)) {
			t.Errorf("step %d: %d writes in all, want %d; last used %s", step, wire.total, s.writes, lastUsed())
		}
	}
	wire.fail.Store(true)
	now := start.Add(100 * time.Hour)
	wire.n.Store(0)
	for range 5 {
		if _, err := b.ClientByKey(t.Context(), "key", now); err != nil {
			t.Fatal(err)
		}
		b.NoteKeyUse(t.Context(), "key", now)
	}
	if wire.n.Load() != 1 {
		t.Errorf("a failing table was tried %d times at once", wire.n.Load())
	}
	b.NoteKeyUse(t.Context(), "never seen", now)
}

// writes counts writes, and fails them on request.
type writes struct {
	table.Table
	n     atomic.Int64
	total int64
	fail  atomic.Bool
}

func (w *writes) Write(ctx context.Context, ops ...table.Op) error {
	w.n.Add(1)
	if w.fail.Load() {
		return errors.New("broken")
	}
	return w.Table.Write(ctx, ops...)
}

func TestEndOldSecret(t *testing.T) {
	t.Parallel()
	b := newBooks(t, nil)
	c := newClient(t, b)
	if same, err := b.EndOld(t.Context(), c, ledger.SigningSecret, start); err != nil || len(same.SigningSecrets) != 1 {
		t.Fatal(err)
	}
	c, err := b.Rotate(t.Context(), c, ledger.Rotation{Of: ledger.SigningSecret, Fresh: "whsec_two", Now: start, Until: start.Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	if c, err = b.EndOld(t.Context(), c, ledger.SigningSecret, start); err != nil {
		t.Fatal(err)
	}
	stored, err := b.Client(t.Context(), client)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []ledger.Client{c, stored} {
		if diff := cmp.Diff([]string{"whsec_two"}, c.LiveSecrets(start)); diff != "" || !c.OldSecretUntil.IsZero() {
			t.Errorf("until %s %s", c.OldSecretUntil, diff)
		}
	}
}

// What is sealed for one slot, use or client opens in no other.
func TestSealedValuesStayWhereTheyAre(t *testing.T) {
	t.Parallel()
	names := []string{"api_key_0_sealed", "api_key_1_sealed", "signing_secret_0_sealed", "signing_secret_1_sealed"}
	make2 := func(b *books, id string) {
		t.Helper()
		c, err := b.CreateClient(t.Context(), ledger.Client{ID: id, CreatedAt: start, APIKey: id + "-new", OldAPIKey: id + "-old",
			OldKeyUntil: start.Add(time.Hour), SigningSecrets: []string{"whsec_new", "whsec_old"}, OldSecretUntil: start.Add(time.Hour)})
		if err != nil || c.OldAPIKey == "" {
			t.Fatal(err)
		}
	}
	recordOf := func(b *books, id string) table.Record {
		t.Helper()
		rec, err := b.memory.Get(t.Context(), table.Key{Space: table.Main, Partition: "client#" + id, Sort: "client"})
		if err != nil {
			t.Fatal(err)
		}
		return rec
	}
	for _, from := range names {
		for _, to := range names {
			for _, source := range []string{client, "cli_other"} {
				b := newBooks(t, nil)
				make2(b, client)
				make2(b, "cli_other")
				rec := recordOf(b, client)
				if source == client && from == to {
					continue
				}
				rec.Attributes[to] = recordOf(b, source).Attributes[from]
				if err := b.memory.Write(t.Context(), table.Put(rec)); err != nil {
					t.Fatal(err)
				}
				if _, err := b.Client(t.Context(), client); !errors.Is(err, ledger.ErrCorrupt) {
					t.Errorf("%s of %s in %s: %v", from, source, to, err)
				}
			}
		}
	}
}

func TestResealClient(t *testing.T) {
	t.Parallel()
	b := newBooks(t, nil)
	c := newClient(t, b)
	rotateKey(t, b, c, "key2", start, start.Add(time.Hour))
	if done, err := b.ResealClient(t.Context(), client); err != nil || done {
		t.Errorf("under the newest key: %v, %v", done, err)
	}
	old, fresh := bytes.Repeat([]byte{3}, seal.KeySize), bytes.Repeat([]byte{4}, seal.KeySize)
	with := func(keys ...[]byte) *ledger.Ledger {
		t.Helper()
		r, err := seal.NewRing(keys...)
		if err != nil {
			t.Fatal(err)
		}
		return ledger.New(b.memory, r, ledger.Options{})
	}
	both := with(fresh, old)
	if done, err := both.ResealClient(t.Context(), client); err != nil || !done {
		t.Fatalf("%v, %v", done, err)
	}
	if done, err := both.ResealClient(t.Context(), client); err != nil || done {
		t.Errorf("a second time: %v, %v", done, err)
	}
	got, err := with(fresh).Client(t.Context(), client)
	if err != nil || got.APIKey != "key2" || got.OldAPIKey != "key" || len(got.SigningSecrets) != 1 || !got.OldKeyUntil.Equal(start.Add(time.Hour)) {
		t.Errorf("%v", err)
	}
	if _, err := with(old).Client(t.Context(), client); !errors.Is(err, ledger.ErrCorrupt) {
		t.Errorf("with the old sealing key alone: %v", err)
	}
	if _, err := both.ResealClient(t.Context(), "cli_nobody"); !errors.Is(err, ledger.ErrNotFound) {
		t.Error(err)
	}
}

// Every change of a client is in the audit log, with who made it and without
// anything secret.
func TestClientTrail(t *testing.T) {
	t.Parallel()
	b := newBooks(t, nil)
	b.Ledger = b.AsOperator("ann")
	c := newClient(t, b)
	c = rotateKey(t, b, c, "key2", start.Add(time.Second), start.Add(time.Hour))
	do := func(after ledger.Client, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		c = after
	}
	do(b.EndOld(t.Context(), c, ledger.APIKey, start.Add(2*time.Second)))
	do(b.Rotate(t.Context(), c, ledger.Rotation{Of: ledger.SigningSecret, Fresh: "whsec_two", Now: start.Add(3 * time.Second), Until: start.Add(time.Hour)}))
	do(b.EndOld(t.Context(), c, ledger.SigningSecret, start.Add(4*time.Second)))
	for _, change := range []func(ledger.Client) error{
		func(c ledger.Client) error {
			return b.ChangeClient(t.Context(), c, ledger.ClientChange{Active: new(false)})
		},
		func(c ledger.Client) error {
			return b.ChangeClient(t.Context(), c, ledger.ClientChange{Active: new(true)})
		},
		func(c ledger.Client) error {
			return b.ChangeClient(t.Context(), c, ledger.ClientChange{CallbackURL: new("https://new.example.com/x?token=geheim")})
		},
	} {
		if err := change(c); err != nil {
			t.Fatal(err)
		}
		do(b.Client(t.Context(), client))
	}
	trail, err := b.clientTrail(t, client)
	if err != nil {
		t.Fatal(err)
	}
	var actions = map[string]string{}
	for _, a := range trail {
		if a.ClientID != client || a.Method != ledger.OperatorMethod || !strings.HasPrefix(a.Note, "operator ann: ") {
			t.Errorf("%+v", a)
		}
		actions[a.URL] = strings.TrimPrefix(a.Note, "operator ann: ")
		for _, secret := range []string{"key2", "whsec", "geheim"} {
			if strings.Contains(fmt.Sprint(a), secret) {
				t.Errorf("%+v shows %s", a, secret)
			}
		}
	}
	k1, k2 := ledger.Fingerprint("key"), ledger.Fingerprint("key2")
	want := map[string]string{
		"client/create":           "key " + k1,
		"client/rotate-key":       "key " + k2 + " from now on; " + k1 + " until 2026-09-01T13:00:00.000Z",
		"client/end-old-key":      "key " + k1 + " has ended",
		"client/rotate-secret":    "a new secret from now on; the old one until 2026-09-01T13:00:00.000Z",
		"client/end-old-secret":   "the old secret has ended",
		"client/disable":          "its requests are refused",
		"client/enable":           "its requests are let in",
		"client/set-callback-url": "callbacks go to https://new.example.com/x",
	}
	if diff := cmp.Diff(want, actions); diff != "" {
		t.Error(diff)
	}
}

// clientTrail reads what is audited of a client.
func (b *books) clientTrail(t *testing.T, id string) ([]ledger.AuditRecord, error) {
	page, err := b.AuditPage(t.Context(), ledger.AuditQuery{ClientID: id})
	return page.Items, err
}
