package mtn

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"momoproxy/shared/payment"
	"momoproxy/shared/provider/wire"
)

// ErrConfig is wrapped by every fault that Validate reports.
var ErrConfig = errors.New("mtn configuration")

// Defaults of Config.
const (
	DefaultAttempts       = 3
	DefaultAttemptTimeout = 8 * time.Second
	// MTN names two limits: 10 questions a second (older), 150 an address
	// (newer). The lower one stands until an account's is known.
	DefaultStatusPerSecond = 10
	MostStatusPerSecond    = 150
)

// Config is one account of an MTN product: Collections, or with NewDisbursement
// Disbursements. It prints without its secrets.
type Config struct {
	// BaseURL is the API's root, such as https://sandbox.momodeveloper.mtn.com.
	// https, except to a loopback address in the sandbox environment. It has
	// no default: no official page names the production host.
	BaseURL string
	// TargetEnvironment is sent as X-Target-Environment and fixes currency
	// and numbering plan: "sandbox", "mtnswaziland", …
	TargetEnvironment string
	APIUser           string
	APIKey            string `json:"-"`
	SubscriptionKey   string `json:"-"` // of the Collections product
	// Currency is the target environment's when empty. Only the sandbox may
	// have another one (MTN's own sandbox takes EUR alone; a stand-in may
	// not care).
	Currency string
	// StatusPerSecond is how many status questions MTN allows the account,
	// at most MostStatusPerSecond; 0 means DefaultStatusPerSecond.
	StatusPerSecond int
	// Attempts bounds how often one Submit sends the request under the same
	// reference; 0 means DefaultAttempts.
	Attempts int
	// AttemptTimeout bounds one HTTP exchange; 0 means DefaultAttemptTimeout.
	AttemptTimeout time.Duration

	product string // in paths; empty: collection
}

// Production says whether real money moves: everywhere but in the sandbox.
func (c Config) Production() bool { return c.TargetEnvironment != Sandbox }

// Validate reports every fault at once, each wrapping ErrConfig, none of
// them showing a secret.
func (c Config) Validate() error {
	var faults []error
	fault := func(format string, args ...any) {
		faults = append(faults, fmt.Errorf("%w: "+format, append([]any{ErrConfig}, args...)...))
	}
	m, known := markets[c.TargetEnvironment]
	switch {
	case c.TargetEnvironment == "":
		fault("target environment is missing")
	case !known:
		fault("target environment %q is unknown; known are %s", c.TargetEnvironment,
			strings.Join(slices.Sorted(maps.Keys(markets)), ", "))
	}
	if why := wire.BadBaseURL(c.BaseURL, c.TargetEnvironment == Sandbox); why != "" {
		fault("base URL %s", why)
	}
	for _, f := range []struct{ name, value, not string }{
		{"API user", c.APIUser, ":"}, // a UUID, or base64 on the new platform; a colon would end it in Basic
		{"API key", c.APIKey, ""},
		{"subscription key", c.SubscriptionKey, ""},
	} {
		switch {
		case f.value == "":
			fault("%s is missing", f.name)
		case strings.ContainsAny(f.value, f.not) || !wire.VisibleASCII(f.value):
			fault("%s has a character that cannot be in it (a space or line break from pasting?)", f.name)
		case len(f.value) > 200:
			fault("%s is longer than 200 characters", f.name)
		}
	}
	if c.Currency != "" {
		if _, ok := payment.Exponent(c.Currency); !ok {
			fault("currency %q is unknown", c.Currency)
		} else if known && c.Production() && c.Currency != m.currency {
			fault("currency %s is not %s, that of %s", c.Currency, m.currency, c.TargetEnvironment)
		}
	}
	if c.StatusPerSecond < 0 || c.StatusPerSecond > MostStatusPerSecond {
		fault("status questions must be 1 to %d a second, or 0 for %d", MostStatusPerSecond, DefaultStatusPerSecond)
	}
	if c.Attempts < 0 || c.Attempts > 5 {
		fault("attempts must be 1 to 5, or 0 for %d", DefaultAttempts)
	}
	if c.AttemptTimeout < 0 || c.AttemptTimeout > time.Minute {
		fault("attempt timeout must be at most a minute, or 0 for %s", DefaultAttemptTimeout)
	}
	return errors.Join(faults...)
}

func (c Config) withDefaults() Config {
	// A doubled slash in the path is among the causes of MTN's 400 (ERR82).
	c.BaseURL = strings.TrimRight(c.BaseURL, "/")
	c.product = cmp.Or(c.product, "collection")
	if c.Currency == "" {
		c.Currency = markets[c.TargetEnvironment].currency
	}
	if c.Attempts == 0 {
		c.Attempts = DefaultAttempts
	}
	if c.AttemptTimeout == 0 {
		c.AttemptTimeout = DefaultAttemptTimeout
	}
	return c
}

// tokenID names the token these credentials give. A rotated key, another
// host, user or environment has another id, so it never meets an old token.
// The fingerprint cannot be turned back into the keys.
func (c Config) tokenID() string {
	sum := sha256.Sum256([]byte("mtn " + c.product + " token\x00" + c.BaseURL + "\x00" + c.APIKey + "\x00" + c.SubscriptionKey))
	return strings.Join([]string{Name, c.product, c.TargetEnvironment, c.APIUser, hex.EncodeToString(sum[:8])}, "/")
}

// String leaves the secrets out.
func (c Config) String() string {
	return fmt.Sprintf("mtn %s at %s (%s)", c.TargetEnvironment, c.BaseURL, c.Currency)
}

// GoString leaves the secrets out of %#v.
func (c Config) GoString() string { return c.String() }

// LogValue leaves the secrets out of logs.
func (c Config) LogValue() slog.Value { return slog.StringValue(c.String()) }
