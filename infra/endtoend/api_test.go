package endtoend

import (
	"encoding/json"
	"testing"

	"github.com/aws/aws-lambda-go/events"
)

// answer is an API function's answer.
type answer struct {
	Code    int
	Headers map[string]string
	Text    string
	Body    map[string]any
}

func (a answer) reference() string { s, _ := a.Body["referenceId"].(string); return s }

// api runs an API function on an event.
func (w *world) api(t *testing.T, function string, event []byte) answer {
	t.Helper()
	var response events.APIGatewayV2HTTPResponse
	if err := w.processes[function].call(t.Context(), event, &response); err != nil {
		t.Fatal(err)
	}
	a := answer{Code: response.StatusCode, Headers: response.Headers, Text: response.Body}
	if err := json.Unmarshal([]byte(response.Body), &a.Body); err != nil {
		t.Fatalf("%s answered %d %q: %v", function, response.StatusCode, response.Body, err)
	}
	return a
}

// pay starts a payment from the accepted event with another order and payer.
func (w *world) pay(t *testing.T, order, payer, key string) string {
	t.Helper()
	got := w.api(t, "request-to-pay", event(t, "request-to-pay/accepted", "EVENT-ACCEPTED", order, "26876123456", payer, appKey, key))
	if got.Code != 202 {
		t.Fatalf("%s: %d %s", order, got.Code, got.Text)
	}
	return got.reference()
}

// ask starts a payment from a body, as the app with this key.
func (w *world) ask(t *testing.T, key string, body map[string]any) answer {
	t.Helper()
	var e events.APIGatewayV2HTTPRequest
	if err := json.Unmarshal(event(t, "request-to-pay/accepted", appKey, key), &e); err != nil {
		t.Fatal(err)
	}
	e.Body = object(t, body)
	text, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	return w.api(t, "request-to-pay", text)
}
