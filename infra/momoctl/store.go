package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"momoproxy/shared/assembly"
	"momoproxy/shared/config"
	"momoproxy/shared/delivery"
	"momoproxy/shared/gateway"
	"momoproxy/shared/ledger"
	"momoproxy/shared/provider"
	"momoproxy/shared/provider/mtn"
	"momoproxy/shared/queue"
	queuesqlite "momoproxy/shared/queue/sqlite"
	"momoproxy/shared/seal"
	tablesqlite "momoproxy/shared/table/sqlite"
	"momoproxy/shared/telemetry"
	"momoproxy/shared/webhook"
)

// store is what a command works on.
type store struct {
	ledger *ledger.Ledger
	queue  queue.Queue
	rules  webhook.Rules // of callback URLs
	log    *slog.Logger
	close  func() error
}

// openStore opens what the options name. Warnings go to diagnostics.
func openStore(ctx context.Context, o options, diagnostics io.Writer) (store, error) {
	log := telemetry.New(diagnostics, slog.LevelWarn)
	if !o.aws {
		s, err := openLocal(o.data)
		s.log = log
		return s, err
	}
	parts, err := assembly.FromEnvironment(config.Storage | config.Queue)
	if err != nil {
		return store{}, err
	}
	return store{ledger: parts.Ledger, queue: parts.Queue, rules: parts.Rules, log: log, close: func() error { return nil }}, nil
}

// What infra/local keeps in its folder, and how it runs its queue.
const (
	localDatabase    = "momo-proxy.db"
	localSealingKey  = "sealing.key"
	localQueue       = "deliveries"
	localMaxReceives = 5
)

// openLocal opens the store of infra/local, which may be running. It makes
// none: a store made in a mistyped folder would look like an empty system.
func openLocal(dir string) (store, error) {
	path := filepath.Join(dir, localDatabase)
	_, err := os.Stat(path)
	text, keyErr := os.ReadFile(filepath.Join(dir, localSealingKey))
	if err := errors.Join(err, keyErr); errors.Is(err, fs.ErrNotExist) {
		return store{}, fmt.Errorf("no store in %q: \"go run ./infra/local\" makes one, -data names another folder, -aws the deployed store", dir)
	} else if err != nil {
		return store{}, err
	}
	keys, err := seal.ParseKeys(string(text))
	if err != nil {
		return store{}, fmt.Errorf("%s: %w", localSealingKey, err)
	}
	t, err := tablesqlite.Open(path)
	if err != nil {
		return store{}, err
	}
	q, err := queuesqlite.New(t.DB(), queuesqlite.Options{Name: localQueue, MaxReceives: localMaxReceives})
	if err != nil {
		return store{}, errors.Join(err, t.Close())
	}
	return store{
		ledger: ledger.New(t, keys, ledger.Options{}), queue: q,
		rules: webhook.Rules{AllowLoopback: true}, close: t.Close,
	}, nil
}

// doorbell rings for deliveries.
func (s store) doorbell(now func() time.Time) delivery.Doorbell {
	return delivery.Doorbell{Queue: s.queue, Now: now}
}

// gateway settles payments; it can ask no provider.
func (s *session) gateway() *gateway.Gateway {
	return &gateway.Gateway{
		Ledger: s.ledger, Providers: []provider.Provider{mtn.Offline()},
		Doorbell: s.doorbell(s.now), Now: s.now, Log: s.log,
	}
}
