package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"time"

	awssqs "github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"momoproxy/infra/cloud"
	"momoproxy/shared/assembly"
	"momoproxy/shared/ledger"
	"momoproxy/shared/queue"
	queuesqlite "momoproxy/shared/queue/sqlite"
	"momoproxy/shared/queue/sqs"
	"momoproxy/shared/seal"
	"momoproxy/shared/table"
	"momoproxy/shared/table/dynamo"
	tablesqlite "momoproxy/shared/table/sqlite"
)

// The keys beside the database.
const (
	sealingKeyFile = "sealing.key"
	payerKeyFile   = "payer.key"
)

// maxReceives is the queue's, as in template.yaml.
const maxReceives = 5

// store is where the local system keeps things.
type store struct {
	table table.Table
	queue queue.Queue
	keys  *seal.Ring
	payer *seal.Hasher
	name  string // for people
	close func() error
	// remote: the queue is another process's.
	remote bool
}

// receive waits a while for messages.
func (s store) receive(ctx context.Context) ([]queue.Received, error) {
	wait := 5 * time.Second
	if s.remote {
		// A poll that is given up goes on at the engine, and what it takes
		// nobody gets: let it end by itself, soon.
		ctx, wait = context.WithoutCancel(ctx), time.Second
	}
	return s.queue.Receive(ctx, cloud.BatchSize, cloud.Visibility, wait)
}

func openStore(ctx context.Context, o options) (store, error) {
	if o.aws {
		return openAWS(ctx, o)
	}
	path := o.data
	if path != ":memory:" {
		if err := makePrivate(o.data); err != nil {
			return store{}, err
		}
		path = filepath.Join(o.data, databaseFile)
	}
	s := store{name: "SQLite " + path}
	if err := s.readKeys(o.data); err != nil {
		return store{}, err
	}
	t, err := tablesqlite.Open(path)
	if err != nil {
		return store{}, err
	}
	q, err := queuesqlite.New(t.File(), queuesqlite.Options{Name: "deliveries", MaxReceives: maxReceives, Now: o.now})
	if err != nil {
		return store{}, errors.Join(err, t.Close())
	}
	s.table, s.queue, s.close = t, q, t.Close
	return s, nil
}

// openAWS uses the engines that AWS_ENDPOINT_URL_DYNAMODB and _SQS name, or
// AWS itself, and makes tables and queue if they are not there.
func openAWS(ctx context.Context, o options) (store, error) {
	a := assembly.AWS(os.Getenv)
	a.HTTPClient = &http.Client{Timeout: 30 * time.Second} // long polls outlast a function's patience
	client := dynamodb.NewFromConfig(a, func(d *dynamodb.Options) {
		if url := os.Getenv("AWS_ENDPOINT_URL_DYNAMODB"); url != "" {
			d.BaseEndpoint = aws.String(url)
		}
	})
	names := dynamo.Names{Main: o.name, Audit: o.name + "-audit"}
	if err := dynamo.Create(ctx, client, names); err != nil {
		return store{}, err
	}
	queues := awssqs.NewFromConfig(a, func(s *awssqs.Options) {
		if url := os.Getenv("AWS_ENDPOINT_URL_SQS"); url != "" {
			s.BaseEndpoint = aws.String(url)
		}
	})
	q, err := sqs.Create(ctx, queues, o.name, maxReceives)
	if err != nil {
		return store{}, err
	}
	s := store{table: dynamo.New(client, names), queue: q, remote: true,
		name: "DynamoDB table " + o.name + " and SQS", close: func() error { return nil }}
	return s, s.readKeys(o.data)
}

// readKeys reads the keys beside the database. Without the sealing key the
// sealed secrets in the database cannot be opened; without the payer key no
// older payment is found by its payer.
func (s *store) readKeys(data string) error {
	text, err := localKey(data, sealingKeyFile)
	if err == nil {
		s.keys, err = seal.ParseKeys(text)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", sealingKeyFile, err)
	}
	if text, err = localKey(data, payerKeyFile); err == nil {
		s.payer, err = seal.ParseHasher(text)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", payerKeyFile, err)
	}
	return nil
}

// ledger is over the store and its keys. retention: ledger.Options.
func (s *store) ledger(retention time.Duration) *ledger.Ledger {
	return ledger.New(s.table, s.keys, ledger.Options{HashPayer: s.payer.Hash, Retention: retention})
}

// localKey reads a key in the folder, and makes it the first time.
func localKey(data, name string) (string, error) {
	if data == ":memory:" {
		return newKey(), nil
	}
	path := filepath.Join(data, name)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err := os.MkdirAll(data, 0o700); err != nil {
			return "", err
		}
		text = []byte(newKey())
		err = writeOnce(path, text)
	}
	return string(text), err
}

// writeOnce makes the whole file appear at once and on disk, so that a crash
// leaves no half a key behind.
func writeOnce(path string, text []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), "key")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(text)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Link(f.Name(), path)
}

func newKey() string {
	var key [32]byte
	rand.Read(key[:]) // never fails
	return base64.StdEncoding.EncodeToString(key[:])
}

// inMemory says that nothing outlives the process.
func (s store) inMemory() bool { return s.name == "SQLite :memory:" }

// closeTimeout bounds the wait for work under way at the end.
const closeTimeout = 12 * time.Second
