package config

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// MTN is the account with MTN MoMo Collections. It is configured when any of
// its variables is set; then all that are not optional have to be.
type MTN struct {
	BaseURL   string // MTN_BASE_URL
	TargetEnv string // MTN_TARGET_ENV
	Currency  string // MTN_CURRENCY; empty: the target environment's
	// StatusPerSecond is MTN_STATUS_PER_SECOND: how many status questions MTN
	// allows the account; 0: what the adapter takes for granted.
	StatusPerSecond int
	SecretID        string // MTN_SECRET_ID: a JSON object of the three credentials
}

// MomFactura is the account with Mom Factura. It is configured when
// MOMFACTURA_SECRET_ID is set.
type MomFactura struct {
	BaseURL           string // MOMFACTURA_BASE_URL; empty: DefaultMomFacturaURL
	TestMode          bool   // MOMFACTURA_TEST_MODE: no real money moves
	NoInstantWithdraw bool   // MOMFACTURA_INSTANT_WITHDRAW=false
	NoEkwanza         bool   // MOMFACTURA_EKWANZA=false
	SecretID          string // MOMFACTURA_SECRET_ID: a JSON object of API key and webhook token
}

// DefaultMomFacturaURL is the one base URL that Mom Factura documents; its
// test mode is the same host.
const DefaultMomFacturaURL = "https://api.momenu.online"

// MomentPay is the account with MomentPay. It is configured when
// MOMENTPAY_SECRET_ID is set. Its documentation names two hosts, so the base
// URL has no default.
type MomentPay struct {
	BaseURL  string // MOMENTPAY_BASE_URL
	SecretID string // MOMENTPAY_SECRET_ID: a JSON object of secret key and webhook secrets
}

// Configured says whether there is such an account.
func (m MTN) Configured() bool { return m != MTN{} }

// Configured says whether there is such an account.
func (m MomFactura) Configured() bool { return m.SecretID != "" }

// Configured says whether there is such an account.
func (m MomentPay) Configured() bool { return m.SecretID != "" }

// readProviders reads every account there is, and says what is wrong with
// them. PROVIDER names the only one that a function is to know: one provider's
// webhook has no use for another's credentials. It may be one that is not
// configured; then the function has nothing to do.
func (c *Config) readProviders(getenv func(string) string) []error {
	var faults []error
	fault := func(name, what string) { faults = append(faults, fmt.Errorf("%w: %s %s", ErrInvalid, name, what)) }
	text := func(name string) string { return strings.TrimSpace(getenv(name)) }
	address := func(name, otherwise string) string {
		v := strings.TrimRight(text(name), "/")
		if v == "" {
			v = otherwise
		}
		switch u, err := url.Parse(v); {
		case v == "":
			fault(name, "is not set")
		case !absolute(u, err):
			fault(name, "must be an absolute http or https URL")
		}
		return v
	}
	required := func(name string) string {
		v := text(name)
		if v == "" {
			fault(name, "is not set")
		}
		return v
	}
	number := func(name string) int {
		v := text(name)
		if v == "" {
			return 0
		}
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 {
			fault(name, "must be a whole number, at least 1")
		}
		return n
	}
	flag := func(name string, otherwise bool) bool {
		switch text(name) {
		case "":
		case "true":
			return true
		case "false":
			return false
		default:
			fault(name, "must be true or false")
		}
		return otherwise
	}

	mtn := text("MTN_BASE_URL")+text("MTN_TARGET_ENV")+text("MTN_CURRENCY")+text("MTN_SECRET_ID") != ""
	factura, moment := text("MOMFACTURA_SECRET_ID"), text("MOMENTPAY_SECRET_ID")
	switch text("PROVIDER") {
	case "":
	case "mtn":
		factura, moment = "", ""
	case "mom-factura":
		mtn, moment = false, ""
	case "momentpay":
		mtn, factura = false, ""
	default:
		fault("PROVIDER", "must be mtn, mom-factura or momentpay")
	}
	if !mtn && factura == "" && moment == "" && text("PROVIDER") == "" {
		return append(faults, fmt.Errorf("%w: no provider is configured: set MTN_SECRET_ID, MOMFACTURA_SECRET_ID or MOMENTPAY_SECRET_ID", ErrInvalid))
	}
	if mtn {
		c.MTN = MTN{
			BaseURL: address("MTN_BASE_URL", ""), TargetEnv: required("MTN_TARGET_ENV"),
			Currency: text("MTN_CURRENCY"), StatusPerSecond: number("MTN_STATUS_PER_SECOND"), SecretID: required("MTN_SECRET_ID"),
		}
	}
	if factura != "" {
		c.MomFactura = MomFactura{
			BaseURL: address("MOMFACTURA_BASE_URL", DefaultMomFacturaURL), SecretID: factura,
			TestMode:          flag("MOMFACTURA_TEST_MODE", false),
			NoInstantWithdraw: !flag("MOMFACTURA_INSTANT_WITHDRAW", true),
			NoEkwanza:         !flag("MOMFACTURA_EKWANZA", true),
		}
	}
	if moment != "" {
		c.MomentPay = MomentPay{BaseURL: address("MOMENTPAY_BASE_URL", ""), SecretID: moment}
	}
	return faults
}

func absolute(u *url.URL, err error) bool {
	return err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http")
}

// production names what makes this a production environment, as far as the
// environment tells: MomentPay's key does, and is not in it.
func (c *Config) production() string {
	switch {
	case c.MTN.Configured() && c.MTN.TargetEnv != "sandbox":
		return fmt.Sprintf("MTN_TARGET_ENV %q", c.MTN.TargetEnv)
	case c.MomFactura.Configured() && !c.MomFactura.TestMode:
		return "Mom Factura without MOMFACTURA_TEST_MODE"
	}
	return ""
}

// ErrTrusted: unsigned callbacks would be believed where real money moves.
var ErrTrusted = errors.New("CALLBACK_POLICY trust is refused in a production environment")
