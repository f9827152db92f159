package upgrade

import (
	"bytes"
	"encoding/base64"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"momoproxy/shared/delivery"
	"momoproxy/shared/ledger"
	"momoproxy/shared/queue"
	queuesqlite "momoproxy/shared/queue/sqlite"
	"momoproxy/shared/seal"
	"momoproxy/shared/table"
	"momoproxy/shared/table/dynamo"
	tablesqlite "momoproxy/shared/table/sqlite"
)

var release = flag.String("write", "", "write the fixture of this release, such as 0.1.0")

// The keys of testbed's system.
func keyFile(b byte) []byte {
	return []byte(base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{b}, seal.KeySize)))
}

// written is what a system leaves behind.
type written struct {
	records  []table.Record
	messages []queue.Message
	at       time.Time
}

func (w written) keys() (keys []table.Key) {
	for _, r := range w.records {
		keys = append(keys, r.Key)
	}
	slices.SortFunc(keys, func(a, b table.Key) int { return strings.Compare(a.String(), b.String()) })
	return keys
}

// TestWrite lives through the week of fill_test.go, and checks that nothing
// of what can be stored is missing. With -write it keeps what was stored.
func TestWrite(t *testing.T) {
	var left written
	text, database := "", filepath.Join(t.TempDir(), databaseFile)
	synctest.Test(t, func(t *testing.T) {
		w := live(t)
		found, err := messages(t.Context(), w)
		if err != nil {
			t.Fatal(err)
		}
		left = written{w.Records(), found, time.Now()}
		var known map[string]bool
		if text, known, err = summarise(t.Context(), w.Memory, left.keys(), w.Ring, w.Payers.Hash, left.at); err != nil {
			t.Fatal(err)
		}
		for _, field := range fields() {
			if !known[field] {
				t.Errorf("no record has %s: see fill_test.go", field)
			}
		}
		if len(found) == 0 {
			t.Error("no message is queued")
		}
		if *release == "" {
			return
		}
		tab, err := tablesqlite.Open(database)
		if err != nil {
			t.Fatal(err)
		}
		bell, err := queuesqlite.New(tab.File(), queuesqlite.Options{Name: "deliveries", MaxReceives: 5})
		if err == nil {
			err = bell.Send(t.Context(), found...)
		}
		if err == nil {
			err = restore(t.Context(), tab, left.records)
		}
		if err != nil {
			t.Error(err)
		}
		if err := tab.Close(); err != nil {
			t.Error(err)
		}
	})
	if *release == "" || t.Failed() {
		return
	}
	folder := filepath.Join("testdata", *release)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(database)
	if err != nil {
		t.Fatal(err)
	}
	if err := pack(filepath.Join(folder, dataFile), map[string][]byte{databaseFile: content, sealingKeyFile: keyFile(7), payerKeyFile: keyFile(8)}); err != nil {
		t.Fatal(err)
	}
	ts := newTables(t, "write")
	if err := restore(t.Context(), dynamo.New(ts.client, ts.names), left.records); err != nil {
		t.Fatal(err)
	}
	if err := ts.dump(t.Context(), filepath.Join(folder, tablesFile)); err != nil {
		t.Fatal(err)
	}
	if err := compress(filepath.Join(folder, summaryFile), []byte(text)); err != nil {
		t.Fatal(err)
	}
	// The next test reads it. This one shows that a dump has all there was.
	var dumped []table.Key
	for _, l := range readDump(t, filepath.Join(folder, tablesFile)) {
		dumped = append(dumped, l.key())
	}
	if diff := cmp.Diff(left.keys(), dumped); diff != "" {
		t.Errorf("(-stored +dumped):\n%s", diff)
	}
}

// fields are what a fixture has to have of each type, as "Type.Field".
func fields() (all []string) {
	apart := map[string]bool{"AuditRecord.Item": true} // random, and left out
	var add func(reflect.Type)
	add = func(t reflect.Type) {
		for i := range t.NumField() {
			f := t.Field(i)
			if name := t.Name() + "." + f.Name; f.Anonymous {
				add(f.Type)
			} else if f.IsExported() && !apart[name] {
				all = append(all, name)
			}
		}
	}
	for _, v := range []any{
		ledger.Payment{}, ledger.Client{}, ledger.Key{}, ledger.AuditRecord{}, ledger.Health{}, ledger.AppHealth{},
		delivery.Delivery{}, delivery.Attempt{}, delivery.Endpoint{}, ledger.Refund{},
	} {
		add(reflect.TypeOf(v))
	}
	return all
}
