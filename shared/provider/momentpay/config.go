package momentpay

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"momoproxy/shared/provider/wire"
	"momoproxy/shared/webhook"
)

// ErrConfig is wrapped by every fault that Validate reports.
var ErrConfig = errors.New("momentpay configuration")

const (
	// DefaultAttemptTimeout is Config.AttemptTimeout when that is 0.
	DefaultAttemptTimeout = 8 * time.Second
	// attempts bounds how often one Submit sends the request under one key.
	attempts = 3
	// testKey begins the keys of MomentPay's test mode, secretKey those of
	// both (docs.momentco.io, getting started).
	testKey   = "sk_test_"
	secretKey = "sk_"
)

// Config is one MomentPay account. It prints without its secrets.
type Config struct {
	// BaseURL is the API's root. It has no default: MomentPay's own pages
	// name two hosts, api.momentco.io and api.momentpay.net. https, except to
	// a loopback address with a test key.
	BaseURL string
	// SecretKey is sent as a bearer token: sk_test_… in test mode, else sk_….
	SecretKey string `json:"-"`
	// WebhookSecrets verify webhooks: one, or the new and the old during a
	// rotation, each whsec_ and base64. MomentPay hands them out on request;
	// that it writes them with whsec_ is not confirmed, only that an
	// integrator's test has them so and Standard Webhooks asks for it.
	WebhookSecrets []string `json:"-"`
	// AttemptTimeout bounds one HTTP exchange; 0 means DefaultAttemptTimeout.
	AttemptTimeout time.Duration
}

// Production says whether real money moves: with every key but a test key.
func (c Config) Production() bool { return !strings.HasPrefix(c.SecretKey, testKey) }

// Validate reports every fault at once, each wrapping ErrConfig, none of
// them showing a secret.
func (c Config) Validate() error {
	var faults []error
	fault := func(format string, args ...any) {
		faults = append(faults, fmt.Errorf("%w: "+format, append([]any{ErrConfig}, args...)...))
	}
	if why := wire.BadBaseURL(c.BaseURL, !c.Production()); why != "" {
		fault("base URL %s", why)
	}
	switch {
	case c.SecretKey == "":
		fault("secret key is missing")
	case !wire.VisibleASCII(c.SecretKey):
		fault("secret key has a character that cannot be in it (a space or line break from pasting?)")
	case len(c.SecretKey) > 200:
		fault("secret key is longer than 200 characters")
	case !strings.HasPrefix(c.SecretKey, secretKey):
		fault("secret key does not begin with %s (a publishable key, pk_…, cannot ask for payments)", secretKey)
	}
	if n := len(c.WebhookSecrets); n < 1 || n > 2 {
		fault("%d webhook secrets; it takes one, or two during a rotation", n)
	}
	for i, text := range c.WebhookSecrets {
		if _, err := webhook.ParseSecret(text); err != nil {
			fault("webhook secret %d: %w", i+1, err)
		}
	}
	if c.AttemptTimeout < 0 || c.AttemptTimeout > time.Minute {
		fault("attempt timeout must be at most a minute, or 0 for %s", DefaultAttemptTimeout)
	}
	return errors.Join(faults...)
}

// secrets are the parsed webhook secrets of a valid configuration.
func (c Config) secrets() []webhook.Secret {
	var all []webhook.Secret
	for _, text := range c.WebhookSecrets {
		if s, err := webhook.ParseSecret(text); err == nil {
			all = append(all, s)
		}
	}
	return all
}

// String leaves the secrets out.
func (c Config) String() string {
	mode := "test"
	if c.Production() {
		mode = "live"
	}
	return fmt.Sprintf("momentpay %s at %s", mode, c.BaseURL)
}

// GoString leaves the secrets out of %#v.
func (c Config) GoString() string { return c.String() }

// LogValue leaves the secrets out of logs.
func (c Config) LogValue() slog.Value { return slog.StringValue(c.String()) }
