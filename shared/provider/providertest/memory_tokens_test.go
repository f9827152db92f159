package providertest_test

import (
	"testing"
	"time"

	"momoproxy/shared/provider"
	"momoproxy/shared/provider/providertest"
)

func TestMemoryTokens(t *testing.T) {
	t.Parallel()
	providertest.RunTokenStore(t, func(_ *testing.T, now func() time.Time) provider.TokenStore { return providertest.NewMemoryTokens(now) })
}
