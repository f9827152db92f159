package momfactura

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"momoproxy/shared/provider/wire"
)

// ErrConfig is wrapped by every fault that Validate reports.
var ErrConfig = errors.New("mom-factura configuration")

// DefaultAttemptTimeout is longer than other providers': an MCX request is
// answered when the payer has decided, and one cut short can be cleared up by
// nobody. The caller's own deadline cuts it all the same.
const DefaultAttemptTimeout = 25 * time.Second

// Config is one Mom Factura account. It prints without its secrets.
type Config struct {
	// BaseURL is the API's root, https://api.momenu.online in production and
	// in test mode alike. https, except to a loopback address in test mode.
	BaseURL string
	APIKey  string `json:"-"`
	// WebhookToken is the secret part of the webhook URL that the provider
	// was given; letters, digits, - and _. Empty: no webhook is known to be
	// the provider's, and each is answered by anybody's rules.
	WebhookToken string `json:"-"`
	TestMode     bool   // sends x-env-qa: true; no real money moves
	// NoInstantWithdraw leaves out instantWithdraw, the pay-out by KWiK that
	// needs a verified bank account. The provider's newest documents refuse a
	// payment without it.
	NoInstantWithdraw bool
	// NoEkwanza takes no new E-kwanza payments: the method is gone from the
	// provider's newest documents.
	NoEkwanza bool
	// DefaultLine names the one line of the invoice when an app gives none;
	// empty: no line is sent. Whether a payment without lines is refused is not
	// confirmed.
	DefaultLine string
	// DefaultIVA is that line's tax in percent, 0 to 14; nil: the provider's own.
	DefaultIVA *int
	// AttemptTimeout bounds one HTTP exchange; 0 means DefaultAttemptTimeout.
	AttemptTimeout time.Duration
}

// Validate reports every fault at once, each wrapping ErrConfig, none of
// them showing a secret.
func (c Config) Validate() error {
	var faults []error
	fault := func(format string, args ...any) {
		faults = append(faults, fmt.Errorf("%w: "+format, append([]any{ErrConfig}, args...)...))
	}
	if why := wire.BadBaseURL(c.BaseURL, c.TestMode); why != "" {
		fault("base URL %s", why)
	}
	switch {
	case c.APIKey == "":
		fault("API key is missing")
	case !wire.VisibleASCII(c.APIKey):
		fault("API key has a character that cannot be in it (a space or line break from pasting?)")
	case len(c.APIKey) > 500:
		fault("API key is longer than 500 characters")
	}
	if c.WebhookToken != "" {
		switch {
		case strings.Trim(c.WebhookToken, tokenCharacters) != "":
			fault("webhook token has a character other than letters, digits, - and _")
		case len(c.WebhookToken) < 16 || len(c.WebhookToken) > 200:
			fault("webhook token must be 16 to 200 characters long")
		}
	}
	if utf8.RuneCountInString(c.DefaultLine) > longestLine || !utf8.ValidString(c.DefaultLine) || strings.ContainsFunc(c.DefaultLine, unicode.IsControl) {
		fault("default line must be at most %d characters, without control characters", longestLine)
	}
	if c.DefaultIVA != nil && (*c.DefaultIVA < 0 || *c.DefaultIVA > maxIVA || c.DefaultLine == "") {
		fault("default IVA must be 0 to %d, and goes with a default line", maxIVA)
	}
	if c.AttemptTimeout < 0 || c.AttemptTimeout > time.Minute {
		fault("attempt timeout must be at most a minute, or 0 for %s", DefaultAttemptTimeout)
	}
	return errors.Join(faults...)
}

// longestLine is in characters: no limit is documented.
const longestLine = 100

const tokenCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

func (c Config) withDefaults() Config {
	c.BaseURL = strings.TrimRight(c.BaseURL, "/")
	if c.AttemptTimeout == 0 {
		c.AttemptTimeout = DefaultAttemptTimeout
	}
	return c
}

// String leaves the secrets out.
func (c Config) String() string {
	mode := "production"
	if c.TestMode {
		mode = "test mode"
	}
	return fmt.Sprintf("mom-factura at %s (%s)", c.BaseURL, mode)
}

// GoString leaves the secrets out of %#v.
func (c Config) GoString() string { return c.String() }

// LogValue leaves the secrets out of logs.
func (c Config) LogValue() slog.Value { return slog.StringValue(c.String()) }
