package endtoend

import (
	"maps"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
)

// testNotEnabled has an account with MTN alone: the other webhooks' functions
// are there all the same. They come up, and take nothing to an end.
func testNotEnabled(t *testing.T, w *world) {
	// Nobody else starts meanwhile.
	kept := w.store.values
	w.store.values = maps.Clone(kept)
	maps.DeleteFunc(w.store.values, func(name, _ string) bool {
		return strings.Contains(name, "/accounts/") && !strings.HasSuffix(name, "/mtn")
	})
	defer func() { w.store.values = kept }()
	for function, c := range map[string]struct {
		event string
		code  int
		text  string
	}{
		// It sends nothing twice: an answer that tells less is as good.
		"mom-factura-webhook": {"mom-factura-webhook/payment-confirmed", 200, `{"received":true}`},
		// It sends again what is not answered with 200, and shows it.
		"momentpay-webhook": {"momentpay-webhook/unsigned", 404, `"code":"not_found"`},
	} {
		t.Run(function, func(t *testing.T) {
			d := w.stack.functions(t)[function]
			p := launch(t, function, w.binaries[function], d.timeout(), w.environments[function])
			w.recorder.forget(function)
			var got events.APIGatewayV2HTTPResponse
			if err := p.call(t.Context(), event(t, c.event), &got); err != nil {
				t.Fatal(err)
			}
			if got.StatusCode != c.code || !strings.Contains(got.Body, c.text) {
				t.Errorf("%d %s", got.StatusCode, got.Body)
			}
			p.stop()
			for _, u := range w.recorder.used() {
				if u.Function == function && !allowed(w.stack.grants(t, d), u) {
					t.Errorf("its role does not allow what it did: %s", u)
				}
			}
		})
	}
}
