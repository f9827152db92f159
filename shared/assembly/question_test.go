package assembly

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
)

// A function with a schedule answers where its calls come from, and only then
// leaves out its work.
func TestAsked(t *testing.T) {
	t.Parallel()
	says := "203.0.113.7\n"
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, says) }))
	defer service.Close()
	ran := 0
	h := asked(func(context.Context) error { ran++; return nil }, service.URL)
	for _, event := range []string{`{"source":"aws.events","detail":{}}`, `null`, `"text"`, `{"ask":"something else"}`} {
		if a, err := h(t.Context(), json.RawMessage(event)); err != nil || a != (Answer{}) {
			t.Errorf("%s: %+v %v", event, a, err)
		}
	}
	if ran != 4 {
		t.Errorf("it ran %d times", ran)
	}
	if a, err := h(t.Context(), json.RawMessage(`{"ask":"outgoingAddress"}`)); err != nil || a.Address != "203.0.113.7" || ran != 4 {
		t.Errorf("%+v %v, ran %d times", a, err, ran)
	}
	says = "<html>"
	if a, err := h(t.Context(), json.RawMessage(`{"ask":"outgoingAddress"}`)); err == nil {
		t.Errorf("%+v", a)
	}
}
