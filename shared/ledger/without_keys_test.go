package ledger_test

import (
	"errors"
	"testing"
	"time"

	"momoproxy/shared/ledger"
)

// A ledger without the sealing keys knows an app by its key, also while the
// key is being rotated, and opens nothing.
func TestClientByKeyWithoutSealingKeys(t *testing.T) {
	t.Parallel()
	b := newBooks(t, nil)
	old := newClient(t, b)
	until := start.Add(time.Hour)
	if _, err := b.RotateAPIKey(t.Context(), old, "key2", start, until); err != nil {
		t.Fatal(err)
	}
	bare := func() *ledger.Ledger { return ledger.New(b.memory, nil, ledger.Options{}) }
	for key, ends := range map[string]bool{"key": true, "key2": false} {
		c, err := bare().ClientByKey(t.Context(), key, until.Add(-time.Millisecond))
		if err != nil || c.ID != client || c.APIKey != "" || c.OldAPIKey != "" || len(c.SigningSecrets) != 0 {
			t.Errorf("%s: %v, %v", key, c, err)
		}
		if _, err := bare().ClientByKey(t.Context(), key, until); errors.Is(err, ledger.ErrNotFound) != ends {
			t.Errorf("%s at its end: %v", key, err)
		}
	}
	if _, err := bare().Client(t.Context(), client); err == nil {
		t.Error("secrets were opened without keys")
	}
}
