package upgrade

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"momoproxy/infra/engines/engine"
	"momoproxy/shared/table"
	"momoproxy/shared/table/dynamo"
)

// A fixture is the folder of one release:
//
//	data.zip          the data folder of one machine
//	tables.jsonl.gz   the items of both DynamoDB tables, one a line
//	summary.txt.gz    what the release's own ledger read from both
const (
	dataFile    = "data.zip"
	tablesFile  = "tables.jsonl.gz"
	summaryFile = "summary.txt.gz"
)

// Files of a data folder, as infra/local makes them.
const (
	databaseFile   = "momo-proxy.db"
	sealingKeyFile = "sealing.key"
	payerKeyFile   = "payer.key"
)

// restore brings records to the versions that they have in a dump. A table
// raises a version by one with each write, so each is written that often.
func restore(ctx context.Context, to table.Table, records []table.Record) error {
	for version := int64(0); ; version++ {
		var ops []table.Op
		for _, r := range records {
			if r.Version > version {
				op := table.Put
				if r.Space == table.Audit && version > 0 { // nothing else changes one
					op = table.Erase
				}
				r.Version = version
				ops = append(ops, op(r))
			}
		}
		if len(ops) == 0 {
			return nil
		}
		for some := range slices.Chunk(ops, 25) {
			if err := to.Write(ctx, some...); err != nil {
				return fmt.Errorf("version %d: %w", version, err)
			}
		}
	}
}

// pack makes a zip file of named contents.
func pack(path string, files map[string][]byte) error {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		w, err := z.Create(name)
		if err != nil {
			return err
		}
		if _, err := w.Write(files[name]); err != nil {
			return err
		}
	}
	if err := z.Close(); err != nil {
		return err
	}
	return os.WriteFile(path, b.Bytes(), 0o644)
}

func unpack(path, folder string) error {
	z, err := zip.OpenReader(path)
	if err != nil {
		return err
	}
	defer z.Close()
	return os.CopyFS(folder, z)
}

// tables are DynamoDB tables of one test.
type tables struct {
	client *dynamodb.Client
	names  dynamo.Names
}

func newTables(t *testing.T, id string) tables {
	t.Helper()
	e := engine.For(t, engine.DynamoDB)
	ts := tables{
		client: dynamodb.New(dynamodb.Options{Region: "us-east-1", BaseEndpoint: &e.Endpoint, Credentials: credentials.NewStaticCredentialsProvider("local", "local", "")}),
		names:  dynamo.Names{Main: "upgrade-main-" + id, Audit: "upgrade-audit-" + id},
	}
	if err := dynamo.Create(t.Context(), ts.client, ts.names); err != nil {
		t.Fatal(err)
	}
	return ts
}

func (ts tables) spaces() map[table.Space]*string {
	return map[table.Space]*string{table.Main: &ts.names.Main, table.Audit: &ts.names.Audit}
}

// line is one item of a dump, in DynamoDB's own JSON.
type line struct {
	Space table.Space               `json:"space"`
	Item  map[string]map[string]any `json:"item"`
}

func (l line) key() table.Key {
	partition, _ := l.Item["pk"]["S"].(string)
	sort, _ := l.Item["sk"]["S"].(string)
	return table.Key{Space: l.Space, Partition: partition, Sort: sort}
}

// dump writes every item of the tables, in the order of their keys.
func (ts tables) dump(ctx context.Context, path string) error {
	var lines []line
	for space, name := range ts.spaces() {
		for pages := dynamodb.NewScanPaginator(ts.client, &dynamodb.ScanInput{TableName: name}); pages.HasMorePages(); {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return err
			}
			for _, item := range page.Items {
				l := line{space, map[string]map[string]any{}}
				for name, v := range item {
					switch v := v.(type) {
					case *types.AttributeValueMemberS:
						l.Item[name] = map[string]any{"S": v.Value}
					case *types.AttributeValueMemberN:
						l.Item[name] = map[string]any{"N": v.Value}
					case *types.AttributeValueMemberBOOL:
						l.Item[name] = map[string]any{"BOOL": v.Value}
					default:
						return fmt.Errorf("%s %s: attribute %s is a %T", space, l.key(), name, v)
					}
				}
				lines = append(lines, l)
			}
		}
	}
	slices.SortFunc(lines, func(a, b line) int { return strings.Compare(a.key().String(), b.key().String()) })
	var text bytes.Buffer
	for _, l := range lines {
		if err := json.NewEncoder(&text).Encode(l); err != nil {
			return err
		}
	}
	return compress(path, text.Bytes())
}

func compress(path string, text []byte) error {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return err
	}
	if _, err := z.Write(text); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	return os.WriteFile(path, b.Bytes(), 0o644)
}

func expand(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}

// readDump reads the items that dump wrote.
func readDump(t *testing.T, path string) (lines []line) {
	t.Helper()
	text, err := expand(path)
	if err != nil {
		t.Fatal(err)
	}
	for in := json.NewDecoder(bytes.NewReader(text)); ; {
		var l line
		if err := in.Decode(&l); err == io.EOF {
			return lines
		} else if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, l)
	}
}

// fill puts the items of a dump into the tables, as they were.
func (ts tables) fill(ctx context.Context, lines []line) error {
	for _, l := range lines {
		item := map[string]types.AttributeValue{}
		for name, value := range l.Item {
			switch {
			case value["S"] != nil:
				item[name] = &types.AttributeValueMemberS{Value: value["S"].(string)}
			case value["N"] != nil:
				item[name] = &types.AttributeValueMemberN{Value: value["N"].(string)}
			default:
				item[name] = &types.AttributeValueMemberBOOL{Value: value["BOOL"].(bool)}
			}
		}
		if _, err := ts.client.PutItem(ctx, &dynamodb.PutItemInput{TableName: ts.spaces()[l.Space], Item: item}); err != nil {
			return err
		}
	}
	return nil
}

// instant is the form of times in a summary.
const instant = "2006-01-02T15:04:05.000Z"

func at(t time.Time) string { return t.UTC().Format(instant) }
