package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"momoproxy/shared/ledger"
	"momoproxy/shared/table"
)

// newClient stores a client with one signing secret.
func newClient(t *testing.T, b *books) ledger.Client {
	t.Helper()
	c, err := b.CreateClient(t.Context(), ledger.Client{ID: client, Name: "Shop", Active: true, CreatedAt: start,
		APIKey: "key", SigningSecrets: []string{"whsec_one"}})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestRotateSigningSecret(t *testing.T) {
	t.Parallel()
	b := newBooks(t, nil)
	first := newClient(t, b)
	for _, read := range []func() error{ // now both caches have it
		func() error { _, err := b.ClientByKey(t.Context(), "key", start); return err },
		func() error { _, err := b.RecentClient(t.Context(), client, start); return err },
	} {
		if err := read(); err != nil {
			t.Fatal(err)
		}
	}
	until := start.Add(ledger.DefaultOverlap)
	second, err := b.Rotate(t.Context(), first, ledger.Rotation{Of: ledger.SigningSecret, Fresh: "whsec_two", Now: start, Until: until})
	if err != nil {
		t.Fatal(err)
	}
	byID, err := b.RecentClient(t.Context(), client, start)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]ledger.Client{"returned": second, "by id": byID} {
		for _, at := range []struct {
			now  time.Time
			want []string
		}{
			{start, []string{"whsec_two", "whsec_one"}},
			{until.Add(-time.Nanosecond), []string{"whsec_two", "whsec_one"}},
			{until, []string{"whsec_two"}},
			{until.Add(time.Hour), []string{"whsec_two"}},
		} {
			if diff := cmp.Diff(at.want, c.LiveSecrets(at.now)); diff != "" {
				t.Errorf("%s, live at %s: %s", name, at.now, diff)
			}
		}
	}
	if diff := cmp.Diff([]string{"whsec_one"}, first.SigningSecrets); diff != "" {
		t.Errorf("what was read before has changed: %s", diff)
	}
	if _, err := b.Rotate(t.Context(), first, ledger.Rotation{Of: ledger.SigningSecret, Fresh: "whsec_x", Now: start, Until: until}); !errors.Is(err, ledger.ErrStale) {
		t.Errorf("by what was read before: %v", err)
	}
	// Once more within the overlap: the oldest ends at once.
	third, err := b.Rotate(t.Context(), second, ledger.Rotation{Of: ledger.SigningSecret, Fresh: "whsec_three", Now: start, Until: until})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"whsec_three", "whsec_two"}, third.LiveSecrets(start)); diff != "" {
		t.Error(diff)
	}
	// Other changes keep what a rotation has stored.
	if err := b.ChangeClient(t.Context(), third, ledger.ClientChange{Active: new(false)}); err != nil {
		t.Fatal(err)
	}
	got, err := b.Client(t.Context(), client)
	if err != nil || !got.OldSecretUntil.Equal(until) || len(got.SigningSecrets) != 2 {
		t.Errorf("%d secrets until %s, %v", len(got.SigningSecrets), got.OldSecretUntil, err)
	}
}

func TestRotateSigningSecretRefuses(t *testing.T) {
	t.Parallel()
	b := newBooks(t, nil)
	c := newClient(t, b)
	for name, r := range map[string]struct {
		fresh   string
		overlap time.Duration
		ok      bool
	}{
		"too long":     {"whsec_two", ledger.MaxOverlap + time.Millisecond, false},
		"too short":    {"whsec_two", ledger.MinOverlap - time.Millisecond, false},
		"in the past":  {"whsec_two", -time.Hour, false},
		"nothing":      {"", time.Hour, false},
		"the same one": {"whsec_one", time.Hour, false},
	} {
		if _, err := b.Rotate(t.Context(), c, ledger.Rotation{Of: ledger.SigningSecret, Fresh: r.fresh, Now: start, Until: start.Add(r.overlap)}); !errors.Is(err, ledger.ErrRotation) {
			t.Errorf("%s: %v", name, err)
		}
	}
	c, err := b.Rotate(t.Context(), c, ledger.Rotation{Of: ledger.SigningSecret, Fresh: "whsec_two", Now: start, Until: start.Add(ledger.MaxOverlap)})
	if err != nil {
		t.Errorf("the longest: %v", err)
	}
	if _, err = b.Rotate(t.Context(), c, ledger.Rotation{Of: ledger.SigningSecret, Fresh: "whsec_three", Now: start, Until: start.Add(ledger.MinOverlap)}); err != nil {
		t.Errorf("the shortest: %v", err)
	}
}

// A secret without an end in writing is the old one for nobody.
func TestLiveSecretsWithoutAnEnd(t *testing.T) {
	t.Parallel()
	c := ledger.Client{SigningSecrets: []string{"new", "old"}}
	if diff := cmp.Diff([]string{"new"}, c.LiveSecrets(start)); diff != "" {
		t.Error(diff)
	}
	if got := (ledger.Client{}).LiveSecrets(start); len(got) != 0 {
		t.Error(got)
	}
}

// late does a write and then says that it failed.
type late struct {
	table.Table
	err error
}

func (l *late) Write(ctx context.Context, ops ...table.Op) error {
	if err := l.Table.Write(ctx, ops...); err != nil || l.err == nil {
		return err
	}
	return fmt.Errorf("answer lost: %w", l.err)
}

// A rotation that was stored counts as one, whatever error its write got: else
// the next one would end the secret that the app knows.
func TestRotateSigningSecretDoneAfterAll(t *testing.T) {
	t.Parallel()
	for _, fault := range []error{table.ErrConflict, errors.New("connection lost")} {
		wire := &late{}
		b := newBooks(t, func(inner table.Table) table.Table { wire.Table = inner; return wire })
		c := newClient(t, b)
		wire.err = fault
		got, err := b.Rotate(t.Context(), c, ledger.Rotation{Of: ledger.SigningSecret, Fresh: "whsec_two", Now: start, Until: start.Add(time.Hour)})
		if err != nil {
			t.Fatalf("%v: %v", fault, err)
		}
		wire.err = nil
		if _, err := b.Rotate(t.Context(), got, ledger.Rotation{Of: ledger.SigningSecret, Fresh: "whsec_three", Now: start, Until: start.Add(time.Hour)}); err != nil {
			t.Errorf("%v: the next one: %v", fault, err)
		}
	}
}
