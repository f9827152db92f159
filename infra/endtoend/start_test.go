package endtoend

import (
	"maps"
	"strings"
	"testing"
	"time"
)

// testRefusedStarts: a function whose environment or parameters are wrong
// does not come up, and says all that is wrong, with no secret in it.
func testRefusedStarts(t *testing.T, w *world) {
	functions := w.stack.functions(t)
	for _, c := range []struct {
		name, function string
		change         map[string]string // empty values are taken out
		says           []string
	}{
		{
			"nothing set", "request-to-pay",
			map[string]string{
				"TABLE_NAME": "", "AUDIT_TABLE_NAME": "", "QUEUE_URL": "", "SEALING_SECRET_ID": "", "PAYER_SECRET_ID": "", "PUBLIC_BASE_URL": "",
				"MTN_BASE_URL": "", "MTN_TARGET_ENV": "", "MTN_SECRET_ID": "", "MOMFACTURA_SECRET_ID": "", "MOMENTPAY_SECRET_ID": "", "MOMENTPAY_BASE_URL": "",
				"MOMFACTURA_BASE_URL": "", "MOMFACTURA_TEST_MODE": "", "MTN_CURRENCY": "", "MTN_STATUS_PER_SECOND": "",
			},
			[]string{"TABLE_NAME", "AUDIT_TABLE_NAME", "QUEUE_URL", "SEALING_SECRET_ID", "PAYER_SECRET_ID", "PUBLIC_BASE_URL", "no provider is configured"},
		},
		{
			"half an account each", "reconciler",
			map[string]string{"MTN_SECRET_ID": "", "MTN_BASE_URL": "", "MOMENTPAY_BASE_URL": "", "MOMFACTURA_TEST_MODE": "perhaps"},
			[]string{"MTN_SECRET_ID is not set", "MTN_BASE_URL is not set", "MOMENTPAY_BASE_URL is not set", "MOMFACTURA_TEST_MODE must be true or false"},
		},
		{
			"trust beside Mom Factura's real money", "status",
			map[string]string{"CALLBACK_POLICY": "trust", "MOMFACTURA_TEST_MODE": "false", "MOMFACTURA_BASE_URL": "https://factura.example.com"},
			[]string{"CALLBACK_POLICY trust is refused"},
		},
		{
			"another account's credentials", "momentpay-webhook",
			map[string]string{"MOMENTPAY_SECRET_ID": "/" + w.stack.name + "/mtn"},
			[]string{"MOMENTPAY_SECRET_KEY is not set", "MOMENTPAY_WEBHOOK_SECRETS is not set"},
		},
		{
			"trust where money moves", "mtn-callback",
			map[string]string{"CALLBACK_POLICY": "trust", "MTN_TARGET_ENV": "mtnswaziland", "MTN_BASE_URL": "https://mtn.example.com", "MTN_CURRENCY": ""},
			[]string{"CALLBACK_POLICY trust is refused"},
		},
		{
			"no such parameter", "forwarder",
			map[string]string{"SEALING_SECRET_ID": "/nobody/made/this"},
			[]string{"/nobody/made/this"},
		},
		{
			"credentials for keys", "forwarder",
			map[string]string{"SEALING_SECRET_ID": "/" + w.stack.name + "/mtn"},
			[]string{"/" + w.stack.name + "/mtn"},
		},
		{
			"no table", "reconciler",
			map[string]string{"TABLE_NAME": w.stack.name + "-nobody-made-this"},
			[]string{"table does not answer"},
		},
		{
			"MTN without TLS", "status",
			map[string]string{"MTN_BASE_URL": "http://mtn.example.com"},
			[]string{"https"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			environment := maps.Clone(w.environments[c.function])
			for variable, value := range c.change {
				environment[variable] = value
				if value == "" {
					delete(environment, variable)
				}
			}
			p := launch(t, c.function, w.binaries[c.function], functions[c.function].timeout(), environment)
			select {
			case <-p.exited:
			case <-time.After(patience):
				t.Fatal("it is still there")
			}
			printed := p.output.String()
			if p.cmd.ProcessState.Success() || p.readyAfter() > 0 {
				t.Errorf("it came up, and ended with %s", p.cmd.ProcessState)
			}
			for _, text := range c.says {
				if !strings.Contains(printed, text) {
					t.Errorf("it does not say %q:\n%s", text, printed)
				}
			}
			for what, secret := range w.secrets {
				if strings.Contains(printed, secret) {
					t.Errorf("it printed %s", what)
				}
			}
		})
	}
}
