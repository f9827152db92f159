package ledger_test

import (
	"errors"
	"testing"

	"momoproxy/shared/ledger"
)

func TestSetClientActive(t *testing.T) {
	t.Parallel()
	b := newBooks(t, nil)
	made, err := b.CreateClient(t.Context(), ledger.Client{ID: client, Name: "Shop", Active: true, CreatedAt: start,
		APIKey: "key", SigningSecrets: []string{"whsec_one", "whsec_two"}, CallbackURL: "https://shop.example.com"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.ClientByKey(t.Context(), "key", start); err != nil { // now it is in the cache
		t.Fatal(err)
	}
	if err := b.ChangeClient(t.Context(), made, ledger.ClientChange{Active: new(false)}); err != nil {
		t.Fatal(err)
	}
	got, err := b.ClientByKey(t.Context(), "key", start)
	if err != nil || got.Active || got.CallbackURL != made.CallbackURL {
		t.Errorf("disabled: %+v active %v, %v", got, got.Active, err)
	}
	if err := b.ChangeClient(t.Context(), got, ledger.ClientChange{Active: new(true)}); err == nil {
		t.Error("a client read without its secrets was written")
	}
	got, err = b.Client(t.Context(), client)
	if err != nil || got.Active || got.APIKey != "key" || len(got.SigningSecrets) != 2 {
		t.Errorf("disabled: %+v active %v, %v", got, got.Active, err)
	}
	if err := b.ChangeClient(t.Context(), made, ledger.ClientChange{Active: new(false)}); !errors.Is(err, ledger.ErrStale) {
		t.Errorf("by what was read before: %v", err)
	}
	if err := b.ChangeClient(t.Context(), got, ledger.ClientChange{Active: new(false)}); err != nil {
		t.Errorf("what it is already: %v", err)
	}
	if err := b.ChangeClient(t.Context(), got, ledger.ClientChange{Active: new(true)}); err != nil {
		t.Fatal(err)
	}
	if got, err = b.Client(t.Context(), client); err != nil || !got.Active {
		t.Errorf("enabled: active %v, %v", got.Active, err)
	}
}
