package ledger

import (
	"math/rand/v2"
	"testing"
	"time"
)

// Times are stored in timeLayout, whatever writes and reads them.
func TestTimeKey(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	for range 1000 {
		at := time.Unix(rng.Int64N(4e9), rng.Int64N(1e9)).In(time.FixedZone("", 7200))
		key := timeKey(at)
		if want := at.UTC().Format(timeLayout); key != want {
			t.Fatalf("timeKey is %s; want %s", key, want)
		}
		read, err := readTimeKey(key)
		if want := at.UTC().Truncate(time.Millisecond); err != nil || read != want {
			t.Fatalf("%s reads as %v, %v; want %v", key, read, err, want)
		}
	}
	for _, bad := range []string{"", "2026-01-02T15:04:05Z", "2026-01-02T15:04:05.00Z", "2026-01-02T15:04:05.000+", "2026-13-02T15:04:05.000Z", "2026-01-02t15:04:05.000Z"} {
		if at, err := readTimeKey(bad); err == nil {
			t.Errorf("%q reads as %v", bad, at)
		}
	}
}
