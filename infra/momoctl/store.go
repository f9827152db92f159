package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"momoproxy/infra/dotenv"
	"momoproxy/shared/assembly"
	"momoproxy/shared/assembly/payments"
	"momoproxy/shared/assembly/providers"
	"momoproxy/shared/config"
	"momoproxy/shared/gateway"
	"momoproxy/shared/host"
	"momoproxy/shared/ledger"
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
	dead   queue.DeadLetters
	rules  webhook.Rules // of callback URLs
	log    *slog.Logger
	// stack is the deployed one; nil: a local store.
	stack    *stack
	operator string // whose word stands in the audit log
	// asking can ask providers; nil unless options.provider.
	asking *gateway.Gateway
	parts  assembly.Parts // what all is made of
	close  func() error
	// ahead is how far infra/local has moved its clock.
	ahead time.Duration
}

// openStore opens what the options name. Warnings go to p.err.
func openStore(ctx context.Context, p program, o options) (store, error) {
	log := telemetry.New(p.err, slog.LevelWarn)
	s := store{log: log, operator: p.operator}
	parts, closeIt, err := s.openParts(ctx, p, o)
	if err != nil {
		return store{}, err
	}
	ahead, err := clockAhead(o)
	if err != nil {
		return store{}, errors.Join(err, closeIt())
	}
	now := func() time.Time { return p.now().Add(ahead) }
	dead, ok := parts.Queue.(queue.DeadLetters)
	if !ok {
		return store{}, errors.Join(queue.ErrNoDeadLetters, closeIt())
	}
	parts.Ledger, parts.Log = parts.Ledger.AsOperator(s.operator), log
	parts.Now, parts.Sleep, parts.Random = now, p.sleep, p.random
	s.ledger, s.queue, s.dead, s.rules, s.close, s.ahead = parts.Ledger, parts.Queue, dead, parts.Rules, closeIt, ahead
	s.parts = parts
	if o.provider {
		if s.asking, err = payments.Gateway(parts); err != nil && !o.faulty {
			return store{}, errors.Join(err, closeIt())
		}
	}
	return s, nil
}

func (s *store) openParts(ctx context.Context, p program, o options) (assembly.Parts, func() error, error) {
	if o.stack == "" {
		return openLocal(p, o)
	}
	deployed, err := openStack(ctx, o)
	if err != nil {
		return assembly.Parts{}, nil, err
	}
	s.stack = &deployed
	if s.operator, err = deployed.caller(ctx); err != nil {
		return assembly.Parts{}, nil, fmt.Errorf("whose credentials these are: %w", err)
	}
	parts, err := deployed.parts(ctx, o.provider)
	return parts, func() error { return nil }, err
}

// What infra/local keeps in its folder, and how it runs its queue.
const (
	localDatabase    = "momo-proxy.db"
	localSealingKey  = "sealing.key"
	localPayerKey    = "payer.key"
	localLive        = "live"       // is there in a folder of infra/local -live
	localClock       = "clock.json" // is there once its clock was moved forward
	localQueue       = "deliveries"
	localMaxReceives = 5
)

// clockAhead reads how far the clock of infra/local is ahead of the machine's.
func clockAhead(o options) (time.Duration, error) {
	if o.stack != "" {
		return 0, nil
	}
	text, err := os.ReadFile(filepath.Join(o.data, localClock))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	var kept struct {
		AheadMs int64 `json:"aheadMs"`
	}
	if err == nil {
		err = json.Unmarshal(text, &kept)
	}
	if err != nil {
		return 0, fmt.Errorf("%s: %w", localClock, err)
	}
	return time.Duration(kept.AheadMs) * time.Millisecond, nil
}

// openLocal opens the store of infra/local, which may be running. It makes
// none: a store made in a mistyped folder would look like an empty system.
func openLocal(p program, o options) (assembly.Parts, func() error, error) {
	_, live := os.Stat(filepath.Join(o.data, localLive))
	parts := assembly.Parts{Host: host.Machine(), Rules: webhook.Rules{AllowLoopback: live != nil}, Providers: providers.All()}
	getenv, err := dotenv.Beside(p.getenv, dotenv.File)
	if err != nil {
		return parts, nil, err
	}
	retention, err := config.Retention(getenv)
	if err != nil {
		return parts, nil, err
	}
	if o.provider {
		parts.Config.PublicBaseURL = strings.TrimRight(getenv("PUBLIC_BASE_URL"), "/")
		if err := parts.LocalAccounts(getenv); err != nil {
			return parts, nil, err
		}
	}
	path := filepath.Join(o.data, localDatabase)
	_, err = os.Stat(path)
	sealing, sealingErr := os.ReadFile(filepath.Join(o.data, localSealingKey))
	payer, payerErr := os.ReadFile(filepath.Join(o.data, localPayerKey))
	if err := errors.Join(err, sealingErr, payerErr); errors.Is(err, fs.ErrNotExist) {
		return parts, nil, fmt.Errorf("no store in %q: \"go run ./infra/local\" makes one, --data names another folder, --stack a deployed stack", o.data)
	} else if err != nil {
		return parts, nil, err
	}
	keys, err := seal.ParseKeys(string(sealing))
	if err != nil {
		return parts, nil, fmt.Errorf("%s: %w", localSealingKey, err)
	}
	payers, err := seal.ParseHasher(string(payer))
	if err != nil {
		return parts, nil, fmt.Errorf("%s: %w", localPayerKey, err)
	}
	t, err := tablesqlite.Open(path)
	if err != nil {
		return parts, nil, err
	}
	q, err := queuesqlite.New(t.File(), queuesqlite.Options{Name: localQueue, MaxReceives: localMaxReceives})
	if err != nil {
		return parts, nil, errors.Join(err, t.Close())
	}
	parts.Table, parts.Queue, parts.Ledger = t, q, ledger.New(t, keys, ledger.Options{HashPayer: payers.Hash, Retention: retention})
	return parts, t.Close, nil
}

// gateway settles payments; it can ask no provider.
func (s *session) gateway() *gateway.Gateway {
	machine := host.Machine()
	machine.Now = s.now
	return payments.Over(assembly.Parts{Ledger: s.ledger, Queue: s.queue, Log: s.log, Host: machine}, offline())
}
