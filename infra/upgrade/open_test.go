package upgrade

import (
	"crypto/rand"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"momoproxy/shared/seal"
	"momoproxy/shared/table"
	"momoproxy/shared/table/dynamo"
	tablesqlite "momoproxy/shared/table/sqlite"
)

// fixture is one release's, unpacked.
type fixture struct {
	data    string // the data folder
	lines   []line // the tables
	summary string
	at      time.Time // when it was written, in a bubble
	ring    *seal.Ring
	payers  *seal.Hasher
}

func (f fixture) keys() (keys []table.Key) {
	for _, l := range f.lines {
		keys = append(keys, l.key())
	}
	return keys
}

func open(t *testing.T, folder string) fixture {
	t.Helper()
	f := fixture{data: t.TempDir(), lines: readDump(t, filepath.Join(folder, tablesFile))}
	check := func(err error) {
		if err != nil {
			t.Helper()
			t.Fatal(err)
		}
	}
	check(unpack(filepath.Join(folder, dataFile), f.data))
	text, err := expand(filepath.Join(folder, summaryFile))
	check(err)
	f.summary = string(text)
	first, _, _ := strings.Cut(f.summary, "\n")
	f.at, err = time.Parse("written: "+instant, first)
	check(err)
	text, err = os.ReadFile(filepath.Join(f.data, sealingKeyFile))
	check(err)
	f.ring, err = seal.ParseKeys(string(text))
	check(err)
	text, err = os.ReadFile(filepath.Join(f.data, payerKeyFile))
	check(err)
	f.payers, err = seal.ParseHasher(string(text))
	check(err)
	return f
}

// eachRelease runs a test on the fixture of each release there is.
func eachRelease(t *testing.T, test func(t *testing.T, f fixture)) {
	folders, err := filepath.Glob("testdata/*.*.*")
	if err != nil || len(folders) == 0 {
		t.Fatalf("no fixture: %v", err)
	}
	for _, folder := range folders {
		t.Run(filepath.Base(folder), func(t *testing.T) {
			t.Parallel()
			test(t, open(t, folder))
		})
	}
}

// compare says where what is read now differs from what the release read.
func (f fixture) compare(t *testing.T, from table.Table) {
	t.Helper()
	got, _, err := summarise(t.Context(), from, f.keys(), f.ring, f.payers.Hash, f.at)
	if err != nil {
		t.Error(err)
	}
	before, now := strings.Split(f.summary, "\n"), strings.Split(got, "\n")
	for sign, lines := range map[string][2][]string{"the release read": {before, now}, "today's code reads": {now, before}} {
		told := 0
		for _, l := range lines[0] {
			if told < 5 && !slices.Contains(lines[1], l) {
				t.Errorf("only %s\n%s", sign, l)
				told++
			}
		}
	}
	if !t.Failed() && got != f.summary {
		t.Error("the order is another")
	}
}

// Every record that a release has left in the database of one machine is read,
// with all that it says.
func TestTheDatabaseIsRead(t *testing.T) {
	t.Parallel()
	eachRelease(t, func(t *testing.T, f fixture) {
		synctest.Test(t, func(t *testing.T) {
			time.Sleep(time.Until(f.at)) // audit records expire
			tab, err := tablesqlite.Open(filepath.Join(f.data, databaseFile))
			if err != nil {
				t.Fatal(err)
			}
			defer tab.Close()
			f.compare(t, tab)
		})
	})
}

// So is every item in its tables on AWS.
func TestTheTablesAreRead(t *testing.T) {
	t.Parallel()
	eachRelease(t, func(t *testing.T, f fixture) {
		ts := newTables(t, rand.Text())
		if err := ts.fill(t.Context(), f.lines); err != nil {
			t.Fatal(err)
		}
		f.compare(t, dynamo.New(ts.client, ts.names))
	})
}
