package assembly

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"momoproxy/shared/config"
	"momoproxy/shared/forwarder"
	"momoproxy/shared/host"
	"momoproxy/shared/ledger"
	"momoproxy/shared/provider"
	"momoproxy/shared/queue"
	"momoproxy/shared/seal"
	"momoproxy/shared/secret"
	"momoproxy/shared/table"
	"momoproxy/shared/telemetry"
	"momoproxy/shared/webhook"
)

// Parts are what every function is made of. Local and AWS differ in Table
// and Queue only.
type Parts struct {
	Config config.Config
	Table  table.Table
	Queue  queue.Queue
	Ledger *ledger.Ledger
	Log    *slog.Logger
	// Host is the machine underneath, or what stands for it.
	host.Host
	// Apps is how callbacks are sent; nil: by the guarded client, under Rules.
	Apps forwarder.Poster
	// Rules for callback URLs; the zero value is production's.
	Rules webhook.Rules
	// Providers are those that there are; a function that knows none has none.
	// Accounts are those with them, of the providers that it asks.
	Providers []provider.Registration
	Accounts  []provider.Account
	// Payouts are the accounts that give money back, of a function that refunds.
	Payouts []provider.Account
}

// initBudget bounds a function's start; Lambda allows ten seconds.
const initBudget = 8 * time.Second

// FromEnvironment builds a function's parts as AWS runs it: configuration
// from the environment, secrets from Parameter Store, DynamoDB and SQS.
func FromEnvironment(needs config.Needs, providers ...provider.Registration) (Parts, error) {
	ctx, cancel := context.WithTimeout(context.Background(), initBudget)
	defer cancel()
	return Deployed(ctx, AWS(os.Getenv), os.Getenv, needs, providers...)
}

// Deployed builds them out of any environment, for a tool that works beside
// the functions.
func Deployed(ctx context.Context, a aws.Config, getenv func(string) string, needs config.Needs, providers ...provider.Registration) (Parts, error) {
	p, err := Configured(getenv, needs, providers...)
	if err != nil {
		return Parts{}, err
	}
	c := p.Config
	p.Log, p.Host = telemetry.WithMetrics(telemetry.New(os.Stdout, c.LogLevel), c.MetricsNamespace), host.Machine()
	p.Table = DynamoDB(a, c, getenv)
	p.Queue = SQS(a, c, getenv)
	// The first connection costs a TLS handshake: make it now, when init has
	// a full processor, and not at the first payment; and beside the one to
	// Parameter Store. This ledger has no keys yet and needs none to ask.
	p.Ledger = ledger.New(p.Table, nil, ledger.Options{Retention: c.Retention})
	answered := make(chan error, 1)
	go func(l *ledger.Ledger) {
		_, err := l.Heartbeat(ctx)
		answered <- err
	}(p.Ledger)
	if err := p.fetchSecrets(ctx, needs, secret.Store{Endpoint: getenv("AWS_ENDPOINT_URL_SSM"), AWS: a}); err != nil {
		return Parts{}, err
	}
	if err := <-answered; err != nil {
		return Parts{}, fmt.Errorf("table does not answer: %w", err)
	}
	return p, nil
}

// Configured reads a function's environment.
func Configured(getenv func(string) string, needs config.Needs, providers ...provider.Registration) (Parts, error) {
	c, err := config.Read(getenv, needs)
	p := Parts{Config: c, Providers: providers}
	if needs&config.Provider == 0 {
		return p, err
	}
	if c.AccountsPath == "" {
		err = errors.Join(err, invalid(errors.New("ACCOUNTS_PATH is not set")))
	}
	if names, _ := p.kept(); len(names) == 0 {
		err = errors.Join(err, invalid(fmt.Errorf("PROVIDER %q is not known", c.Provider)))
	}
	return p, err
}

// fetchSecrets gives the ledger the keys that are needed, and reads the
// accounts, out of one call.
func (p *Parts) fetchSecrets(ctx context.Context, needs config.Needs, store secret.Store) error {
	c := p.Config
	var names, accounts []string
	if needs&config.Sealing != 0 {
		names = append(names, c.SealingSecretID)
	}
	if needs&config.PayerKey != 0 {
		names = append(names, c.PayerSecretID)
	}
	if needs&config.Provider != 0 {
		accounts, _ = p.kept()
	}
	payouts, payers := []string(nil), []provider.Registration(nil)
	if needs&config.Payouts != 0 {
		payouts, payers = p.keptPayouts()
	}
	if len(names)+len(accounts)+len(payouts) == 0 {
		return nil
	}
	values, err := store.Fetch(ctx, names, slices.Concat(accounts, payouts))
	if err != nil {
		return err
	}
	var sealer ledger.Sealer
	if needs&config.Sealing != 0 {
		if sealer, err = seal.ParseKeys(values[c.SealingSecretID]); err != nil {
			return fmt.Errorf("%s: %w", c.SealingSecretID, err)
		}
	}
	options := ledger.Options{Retention: c.Retention}
	if needs&config.PayerKey != 0 {
		payers, err := seal.ParseHasher(values[c.PayerSecretID])
		if err != nil {
			return fmt.Errorf("%s: %w", c.PayerSecretID, err)
		}
		options.HashPayer = payers.Hash
	}
	p.Ledger = ledger.New(p.Table, sealer, options)
	if p.Payouts, err = readKept(values, payouts, payers); err != nil || needs&config.Provider == 0 {
		return err
	}
	return p.addAccounts(values)
}

// QueueCheck says whether the queue answers.
func (p Parts) QueueCheck(ctx context.Context) error {
	_, _, err := p.Queue.Depth(ctx)
	return err
}

// Doorbell builds what tells the forwarder where to look.
func (p Parts) Doorbell() forwarder.Doorbell {
	return forwarder.Doorbell{Queue: p.Queue, Now: p.Now}
}

// Forwarder builds the delivery of callbacks.
func (p Parts) Forwarder() *forwarder.Forwarder {
	apps := p.Apps
	if apps == nil {
		apps = webhook.NewClient(webhook.Options{Rules: p.Rules})
	}
	return &forwarder.Forwarder{
		Ledger: p.Ledger, Client: apps, Doorbell: p.Doorbell(),
		Now: p.Now, Jitter: p.Jitter, Log: p.Log, Parallel: p.Parallel, AfterFunc: p.AfterFunc,
	}
}

// Sweeper builds the sweeper of deliveries.
func (p Parts) Sweeper() *forwarder.Sweeper {
	return &forwarder.Sweeper{
		Ledger: p.Ledger, Doorbell: p.Doorbell(), Now: p.Now, Log: p.Log, Parallel: p.Parallel,
	}
}
