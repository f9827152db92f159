// Package config reads the environment into a checked configuration. Every
// fault is reported at once, at start: a bad environment fails the
// function's init, never a payment.
package config

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"time"
)

// ErrInvalid is wrapped by every fault.
var ErrInvalid = errors.New("invalid configuration")

// Policy says what an unsigned callback is worth.
type Policy string

const (
	// Confirm asks the provider before believing an unsigned callback.
	Confirm Policy = "confirm"
	// Trust believes it. For local work with hand-made callbacks only.
	Trust Policy = "trust"
)

// Config is the environment of any of the functions; each reads what it
// needs. Secrets are not in it: SecretIDs name where they are kept.
type Config struct {
	TableName          string // TABLE_NAME
	AuditTableName     string // AUDIT_TABLE_NAME
	QueueURL           string // QUEUE_URL
	DeadLetterQueueURL string // DEAD_LETTER_QUEUE_URL; optional
	SealingSecretID    string // SEALING_SECRET_ID
	PayerSecretID      string // PAYER_SECRET_ID
	AccountsPath       string // ACCOUNTS_PATH: a secret for each provider lies under it, by the provider's name
	PayoutsPath        string // PAYOUTS_PATH: the same of the accounts that give money back

	PublicBaseURL  string // PUBLIC_BASE_URL, without a trailing slash
	CallbackPolicy Policy // CALLBACK_POLICY; empty: confirm
	// Provider is the only one that a function is to know; empty: all.
	Provider string // PROVIDER

	// Retention is how long an ended payment is kept; 0: it is never deleted.
	Retention time.Duration // RETENTION_DAYS

	Version  string     // VERSION; empty: "dev"
	LogLevel slog.Level // LOG_LEVEL; empty: info
	// MetricsNamespace is where CloudWatch keeps the metrics.
	MetricsNamespace string // METRICS_NAMESPACE; empty: none are written
}

// Needs names a part of the environment that a function uses.
type Needs int

const (
	Table    Needs = 1 << iota // the main table
	Storage                    // both tables
	Sealing                    // the sealing keys, of who opens or seals secrets
	Queue                      // the delivery queue
	PayerKey                   // the payer key, of who creates payments or finds them by payer
	Provider                   // our public URL and what callbacks are worth
	Payouts                    // where the accounts lie that give money back
)

const namespaceCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._/#:-"

// Read reads what needs names through getenv (os.Getenv). The error joins
// every fault; each wraps ErrInvalid and names its variable.
func Read(getenv func(string) string, needs Needs) (Config, error) {
	var faults []error
	fault := func(name, format string, args ...any) {
		faults = append(faults, fmt.Errorf("%w: %s %s", ErrInvalid, name, fmt.Sprintf(format, args...)))
	}
	required := func(part Needs, name string) string {
		v := strings.TrimSpace(getenv(name))
		if v == "" && needs&part != 0 {
			fault(name, "is not set")
		}
		return v
	}
	c := Config{
		TableName:          required(Table|Storage, "TABLE_NAME"),
		AuditTableName:     required(Storage, "AUDIT_TABLE_NAME"),
		SealingSecretID:    required(Sealing, "SEALING_SECRET_ID"),
		PayerSecretID:      required(PayerKey, "PAYER_SECRET_ID"),
		AccountsPath:       strings.TrimRight(strings.TrimSpace(getenv("ACCOUNTS_PATH")), "/"),
		PayoutsPath:        strings.TrimRight(required(Payouts, "PAYOUTS_PATH"), "/"),
		QueueURL:           required(Queue, "QUEUE_URL"),
		DeadLetterQueueURL: getenv("DEAD_LETTER_QUEUE_URL"),
		PublicBaseURL:      strings.TrimRight(required(Provider, "PUBLIC_BASE_URL"), "/"),
		CallbackPolicy:     Policy(getenv("CALLBACK_POLICY")),
		Provider:           strings.TrimSpace(getenv("PROVIDER")),
		Version:            getenv("VERSION"),
		MetricsNamespace:   getenv("METRICS_NAMESPACE"),
	}
	var err error
	if c.Retention, err = Retention(getenv); err != nil {
		faults = append(faults, err)
	}
	if c.Version == "" {
		c.Version = "dev"
	}
	if level := getenv("LOG_LEVEL"); level != "" {
		if err := c.LogLevel.UnmarshalText([]byte(level)); err != nil {
			fault("LOG_LEVEL", "must be debug, info, warn or error")
		}
	}
	// CloudWatch drops metrics whose namespace it does not take, in silence.
	if ns := c.MetricsNamespace; strings.Trim(ns, namespaceCharacters) != "" || len(ns) > 255 || strings.HasPrefix(ns, ":") || strings.HasPrefix(ns, "AWS/") {
		fault("METRICS_NAMESPACE", "must be up to 255 letters, digits and ._/#:-, and not begin with AWS/ or a colon")
	}
	if needs&Provider != 0 {
		switch c.CallbackPolicy {
		case "":
			c.CallbackPolicy = Confirm
		case Confirm, Trust:
		default:
			fault("CALLBACK_POLICY", "must be %q or %q", Confirm, Trust)
		}
		if u, err := url.Parse(c.PublicBaseURL); c.PublicBaseURL != "" && (err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http") {
			fault("PUBLIC_BASE_URL", "must be an absolute http or https URL")
		}
	}
	return c, errors.Join(faults...)
}

// ErrTrusted: unsigned callbacks would be believed where real money moves, and
// anybody who can reach the callback route could mark orders paid.
var ErrTrusted = errors.New("CALLBACK_POLICY trust is refused in a production environment")
