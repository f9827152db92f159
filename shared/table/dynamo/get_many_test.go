package dynamo_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"testing"

	"momoproxy/shared/table"
)

// TestUnprocessedKeys: what an answer leaves out is asked for again, for a bounded
// number of times, and is never a record that is not there.
func TestUnprocessedKeys(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		processed, asked int
		want             error
	}{
		{processed: 2, asked: 2},
		{processed: 1, asked: 4},
		{processed: 0, asked: 5, want: table.ErrUnavailable},
	} {
		asked := 0 // the requests come one after another
		tab := answering(t, func(w http.ResponseWriter, r *http.Request) {
			asked++
			var in struct {
				RequestItems map[string]struct {
					ConsistentRead bool
					Keys           []map[string]any
				}
			}
			if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
				t.Error(err)
			}
			of := in.RequestItems["m"]
			if !of.ConsistentRead {
				t.Error("the read is not consistent")
			}
			n := min(c.processed, len(of.Keys))
			items := of.Keys[:n]
			for _, it := range items {
				it["version"] = map[string]string{"N": "1"}
			}
			out := map[string]any{"Responses": map[string]any{"m": items}}
			if of.Keys = of.Keys[n:]; len(of.Keys) > 0 {
				out["UnprocessedKeys"] = map[string]any{"m": of}
			}
			body, err := json.Marshal(out)
			if err != nil {
				t.Error(err)
			}
			failing(http.StatusOK, string(body))(w, r)
		})
		var keys []table.Key
		for i := range 4 {
			keys = append(keys, record(table.Main, fmt.Sprint(i), 0).Key)
		}
		found, err := tab.GetMany(t.Context(), keys...)
		if !errors.Is(err, c.want) || asked != c.asked {
			t.Errorf("%d processed: asked %d times, %v", c.processed, asked, err)
		}
		for i, r := range found {
			if r.Key != keys[i] || r.Version != 1 {
				t.Errorf("%d processed: %+v at %d", c.processed, r, i)
			}
		}
	}
}
