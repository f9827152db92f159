package config_test

import (
	"errors"
	"testing"
	"time"

	"momoproxy/shared/config"
)

func TestRetention(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	for text, want := range map[string]time.Duration{
		"": 0, "0": 0, " 0 ": 0, "90": 90 * day, "1827": 1827 * day, "3653": 3653 * day,
		"1": -1, "89": -1, "3654": -1, "-90": -1, "90.5": -1, "90d": -1, "99999999999999999999": -1,
	} {
		got, err := config.Retention(func(string) string { return text })
		if want < 0 && !errors.Is(err, config.ErrInvalid) || want >= 0 && (err != nil || got != want) {
			t.Errorf("%q: %s %v", text, got, err)
		}
	}
}
