package endtoend

import (
	"maps"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
)

// testNotEnabled deploys the template for MTN alone: the other webhooks'
// functions are there all the same. They come up without credentials, which
// their roles do not let them have, and take nothing to an end.
func testNotEnabled(t *testing.T, w *world) {
	alone := deploy(t, w.stack.name, map[string]string{
		"PublicBaseUrl": w.front, "MtnBaseUrl": w.stack.values["MtnBaseUrl"], "Version": "e2e",
		"DeliveryQueue": w.stack.values["DeliveryQueue"], "DeadLetterQueue": w.stack.values["DeadLetterQueue"],
	})
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
			d := alone.functions(t)[function]
			environment := map[string]string{}
			for variable, value := range w.environments[function] {
				if _, set := w.stack.functions(t)[function].Environment.Variables[variable]; !set {
					environment[variable] = value // the test's own
				}
			}
			maps.Copy(environment, d.Environment.Variables)
			p := launch(t, function, w.binaries[function], d.timeout(), environment)
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
				if u.Function == function && !allowed(alone.grants(t, d), u) {
					t.Errorf("its role does not allow what it did: %s", u)
				}
			}
		})
	}
}
