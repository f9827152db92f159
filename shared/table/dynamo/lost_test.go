package dynamo_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"momoproxy/shared/table"
	"momoproxy/shared/table/dynamo"
)

// losing makes a client lose the answers to the first n requests, after the
// engine did what they ask; then is called after each loss.
func losing(n int64, then func()) func(*dynamodb.Options) {
	var sent atomic.Int64
	lose := middleware.DeserializeMiddlewareFunc("LoseAnswers",
		func(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (middleware.DeserializeOutput, middleware.Metadata, error) {
			out, metadata, err := next.HandleDeserialize(ctx, in)
			if sent.Add(1) > n {
				return out, metadata, err
			}
			if then != nil {
				then()
			}
			return middleware.DeserializeOutput{}, middleware.Metadata{},
				&smithyhttp.RequestSendError{Err: &net.OpError{Op: "read", Net: "tcp", Err: io.ErrUnexpectedEOF}}
		})
	return func(o *dynamodb.Options) {
		o.APIOptions = append(o.APIOptions, func(s *middleware.Stack) error {
			return s.Deserialize.Add(lose, middleware.Before) // within each attempt
		})
	}
}

func record(space table.Space, sort string, version int64) table.Record {
	return table.Record{Key: table.Key{Space: space, Partition: "p", Sort: sort}, Version: version,
		Attributes: map[string]any{"text": "ours"}}
}

// lostCases are writes by every path, on tables that hold main:p/old.
var lostCases = map[string][]table.Op{
	"put a new record":    {table.Put(record(table.Main, "new", 0))},
	"put over a record":   {table.Put(record(table.Main, "old", 1))},
	"put an audit record": {table.Put(record(table.Audit, "new", 0))},
	"delete a record":     {table.Delete(record(table.Main, "old", 1).Key, 1)},
	"transaction": {
		table.Put(record(table.Main, "new", 0)),
		table.Delete(record(table.Main, "old", 1).Key, 1),
		table.Check(record(table.Main, "none", 0).Key, 0),
		table.Put(record(table.Audit, "new", 0)),
	},
	"transaction without a put": {
		table.Delete(record(table.Main, "old", 1).Key, 1),
		table.Check(record(table.Main, "none", 0).Key, 0),
	},
}

// eachLost runs test on tables that hold main:p/old at version 1.
func eachLost(t *testing.T, test func(t *testing.T, names dynamo.Names, good *dynamo.Table, ops []table.Op)) {
	for name, ops := range lostCases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			names := newNames(t)
			good := dynamo.New(newClient(t), names)
			if err := good.Write(t.Context(), table.Put(record(table.Main, "old", 0))); err != nil {
				t.Fatal(err)
			}
			test(t, names, good, ops)
		})
	}
}

// wantDone checks that each op was done, once.
func wantDone(t *testing.T, good *dynamo.Table, ops []table.Op) {
	t.Helper()
	for _, op := range ops {
		want := op.Record
		want.Version++
		got, err := good.Get(t.Context(), want.Key)
		if op.Kind != table.OpPut {
			if !errors.Is(err, table.ErrNotFound) {
				t.Errorf("%s is there: %v, %v", want.Key, got, err)
			}
		} else if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", want.Key, err, diff)
		}
	}
}

func TestLostAnswerIsNoConflict(t *testing.T) {
	t.Parallel()
	eachLost(t, func(t *testing.T, names dynamo.Names, good *dynamo.Table, ops []table.Op) {
		tab := dynamo.New(newClient(t, losing(2, nil)), names)
		if err := tab.Write(t.Context(), ops...); err != nil {
			if isMoto(t) && errors.Is(err, table.ErrConflict) {
				t.Logf("moto does not recognise a repeated transaction: %v", err)
			} else {
				t.Errorf("Write = %v; want success", err)
			}
		}
		wantDone(t, good, ops)
	})
}

func TestAllAnswersLostIsUnknown(t *testing.T) {
	t.Parallel()
	eachLost(t, func(t *testing.T, names dynamo.Names, good *dynamo.Table, ops []table.Op) {
		tab := dynamo.New(newClient(t, losing(1000, nil)), names)
		wantUnknown(t, tab.Write(t.Context(), ops...))
		wantDone(t, good, ops)
	})
}

func wantUnknown(t *testing.T, err error) {
	t.Helper()
	for _, class := range []error{table.ErrConflict, table.ErrUnavailable, table.ErrInvalid, table.ErrNotFound} {
		if err == nil || errors.Is(err, class) {
			t.Errorf("Write = %v; want an unknown outcome", err)
			return
		}
	}
}

// TestOvertakenLostAnswer has somebody change what the write stored, or store
// again what it deleted, before the request is repeated. The write was done,
// so a conflict would be a lie: the engine recognises a transaction, and of a
// lone put nobody can tell any more.
func TestOvertakenLostAnswer(t *testing.T) {
	t.Parallel()
	eachLost(t, func(t *testing.T, names dynamo.Names, good *dynamo.Table, ops []table.Op) {
		first := ops[0].Record
		overtake := func() {
			if first.Space == table.Audit {
				return
			}
			over := record(first.Space, first.Sort, 0)
			if ops[0].Kind == table.OpPut {
				over.Version = first.Version + 1
			}
			if err := good.Write(t.Context(), table.Put(over)); err != nil {
				t.Errorf("overtaking: %v", err)
			}
		}
		tab := dynamo.New(newClient(t, losing(1, overtake)), names)
		err := tab.Write(t.Context(), ops...)
		if len(ops) == 1 && ops[0].Kind == table.OpPut && first.Space == table.Main {
			wantUnknown(t, err)
		} else if err != nil {
			t.Errorf("Write = %v; want success", err)
		}
	})
}

// TestLostAnswerThenConflict: the lost request itself had been refused, and
// its repetition is: for a transaction that is certain, for a put it is not.
func TestLostAnswerThenConflict(t *testing.T) {
	t.Parallel()
	names := newNames(t)
	tab := dynamo.New(newClient(t, losing(1, nil)), names)
	err := tab.Write(t.Context(), table.Put(record(table.Main, "old", 7)))
	wantUnknown(t, err)
	tab = dynamo.New(newClient(t, losing(1, nil)), names)
	err = tab.Write(t.Context(), table.Put(record(table.Main, "old", 7)), table.Check(record(table.Main, "x", 0).Key, 0))
	if !errors.Is(err, table.ErrConflict) {
		t.Errorf("Write = %v; want ErrConflict", err)
	}
}

// answering is a table whose service gives the same answer to everything.
func answering(t *testing.T, handler http.HandlerFunc) *dynamo.Table {
	s := httptest.NewServer(handler)
	t.Cleanup(s.Close)
	return dynamo.New(newClient(t, func(o *dynamodb.Options) { o.BaseEndpoint = &s.URL }), dynamo.Names{Main: "m", Audit: "a"})
}

func failing(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func TestFailureClasses(t *testing.T) {
	t.Parallel()
	const prefix = `{"__type":"com.amazonaws.dynamodb.v20120810#`
	unknown := errors.New("unknown outcome")
	one := []table.Op{table.Put(record(table.Main, "a", 0))}
	two := append(one, table.Put(record(table.Main, "b", 0)))
	for _, c := range []struct {
		name    string
		handler http.HandlerFunc
		ops     []table.Op
		want    error
	}{
		{"throttled put", failing(400, prefix+`ThrottlingException","message":"slow"}`), one, table.ErrUnavailable},
		{"throughput", failing(400, prefix+`ProvisionedThroughputExceededException","message":"slow"}`), two, table.ErrUnavailable},
		{"no access", failing(400, `{"__type":"com.amazon.coral.service#AccessDeniedException","message":"no"}`), one, table.ErrUnavailable},
		{"no table", failing(400, prefix+`ResourceNotFoundException","message":"no"}`), two, table.ErrUnavailable},
		{"validation", failing(400, `{"__type":"com.amazon.coral.validate#ValidationException","message":"no"}`), two, table.ErrInvalid},
		{"conflicting put", failing(400, prefix+`TransactionConflictException","message":"busy"}`), one, table.ErrUnavailable},
		{"500", failing(500, prefix+`InternalServerError","message":"?"}`), one, unknown},
		{"503", failing(503, ``), two, unknown},
		{"cut answer", failing(200, `{"Attr`), two, unknown},
		{"in progress", failing(400, prefix+`TransactionInProgressException","message":"?"}`), two, unknown},
		{"contended", failing(400, prefix+`TransactionCanceledException","message":"?","CancellationReasons":[{"Code":"None"},{"Code":"TransactionConflict"}]}`), two, table.ErrUnavailable},
		{"contended and conflict", failing(400, prefix+`TransactionCanceledException","message":"?","CancellationReasons":[{"Code":"TransactionConflict"},{"Code":"ConditionalCheckFailed"}]}`), two, table.ErrConflict},
		{"too large", failing(400, prefix+`TransactionCanceledException","message":"?","CancellationReasons":[{"Code":"None"},{"Code":"ValidationError"}]}`), two, table.ErrInvalid},
		{"denied part", failing(400, prefix+`TransactionCanceledException","message":"?","CancellationReasons":[{"Code":"None"},{"Code":"AccessDenied"}]}`), two, table.ErrUnavailable},
		{"a word yet unknown", failing(400, prefix+`TransactionCanceledException","message":"?","CancellationReasons":[{"Code":"None"},{"Code":"Whatever"}]}`), two, table.ErrUnavailable},
		{"closed connection", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, one, unknown},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			err := answering(t, c.handler).Write(t.Context(), c.ops...)
			if c.want == unknown {
				wantUnknown(t, err)
			} else if !errors.Is(err, c.want) {
				t.Errorf("Write = %v; want %v", err, c.want)
			}
		})
	}
}

func TestNobodyListensIsUnavailable(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(nil)
	url := s.URL
	s.Close()
	tab := dynamo.New(newClient(t, func(o *dynamodb.Options) { o.BaseEndpoint = &url }), dynamo.Names{Main: "m", Audit: "a"})
	if err := tab.Write(t.Context(), table.Put(record(table.Main, "a", 0))); !errors.Is(err, table.ErrUnavailable) {
		t.Errorf("Write = %v; want ErrUnavailable", err)
	}
	if _, err := tab.Get(t.Context(), record(table.Main, "a", 0).Key); !errors.Is(err, table.ErrUnavailable) {
		t.Errorf("Get = %v; want ErrUnavailable", err)
	}
}

func TestDeadlineDuringWrite(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	tab := answering(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		cancel()
		select {
		case <-r.Context().Done():
		case <-time.After(10 * time.Second):
		}
	})
	err := tab.Write(ctx, table.Put(record(table.Main, "a", 0)))
	wantUnknown(t, err)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Write = %v; want it to wrap context.Canceled", err)
	}
}

// TestLostThenTurnedAway: what came last was certainly not done, but what came
// first may have been.
func TestLostThenTurnedAway(t *testing.T) {
	t.Parallel()
	const throttled = `{"__type":"com.amazonaws.dynamodb.v20120810#ThrottlingException","message":"slow"}`
	for _, ops := range [][]table.Op{
		{table.Put(record(table.Main, "a", 0))},
		{table.Put(record(table.Main, "a", 0)), table.Put(record(table.Main, "b", 0))},
	} {
		var asked atomic.Int64
		tab := answering(t, func(w http.ResponseWriter, r *http.Request) {
			if asked.Add(1) == 1 {
				panic(http.ErrAbortHandler)
			}
			failing(400, throttled)(w, r)
		})
		wantUnknown(t, tab.Write(t.Context(), ops...))
		if asked.Load() < 2 {
			t.Errorf("asked %d times; want the first to be repeated", asked.Load())
		}
	}
}

// TestTransactionKeepsItsToken over all its tries.
func TestTransactionKeepsItsToken(t *testing.T) {
	t.Parallel()
	const contended = `{"__type":"com.amazonaws.dynamodb.v20120810#TransactionCanceledException","message":"?","CancellationReasons":[{"Code":"TransactionConflict"},{"Code":"None"}]}`
	var tokens []string // the requests come one after another
	tab := answering(t, func(w http.ResponseWriter, r *http.Request) {
		var in struct{ ClientRequestToken string }
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			t.Error(err)
		}
		tokens = append(tokens, in.ClientRequestToken)
		switch len(tokens) {
		case 1:
			failing(400, contended)(w, r)
		case 2:
			failing(500, ``)(w, r)
		default:
			failing(200, `{}`)(w, r)
		}
	})
	if err := tab.Write(t.Context(), table.Put(record(table.Main, "a", 0)), table.Put(record(table.Main, "b", 0))); err != nil {
		t.Fatal(err)
	}
	if len(tokens) != 3 || tokens[0] == "" || tokens[0] != tokens[1] || tokens[1] != tokens[2] {
		t.Errorf("tokens %q; want the same three times", tokens)
	}
}
