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
		change         map[string]string         // empty values are taken out
		accounts       map[string]map[string]any // changes of the providers' accounts; nil values are taken out
		says           []string
	}{
		{
			"nothing set", "request-to-pay",
			map[string]string{
				"TABLE_NAME": "", "AUDIT_TABLE_NAME": "", "QUEUE_URL": "", "SEALING_SECRET_ID": "", "PAYER_SECRET_ID": "", "PUBLIC_BASE_URL": "",
				"ACCOUNTS_PATH": "",
			}, nil,
			[]string{"TABLE_NAME", "AUDIT_TABLE_NAME", "QUEUE_URL", "SEALING_SECRET_ID", "PAYER_SECRET_ID", "PUBLIC_BASE_URL", "ACCOUNTS_PATH"},
		},
		{
			"half an account each", "reconciler", nil,
			map[string]map[string]any{"mtn": {"MTN_BASE_URL": nil}, "momentpay": {"MOMENTPAY_BASE_URL": nil}, "mom-factura": {"MOMFACTURA_TEST_MODE": "perhaps"}},
			[]string{"MTN_BASE_URL is not set", "MOMENTPAY_BASE_URL is not set", "MOMFACTURA_TEST_MODE must be true or false"},
		},
		{
			"no account at all", "reconciler",
			map[string]string{"ACCOUNTS_PATH": "/nobody/made/this"}, nil,
			[]string{"no provider has an account", "/nobody/made/this/mtn"},
		},
		{
			"an account that does not say which money it moves", "mom-factura-webhook", nil,
			map[string]map[string]any{"mom-factura": {"MOMFACTURA_TEST_MODE": nil}},
			[]string{"MOMFACTURA_TEST_MODE is not set"},
		},
		{
			"trust beside Mom Factura's real money", "status",
			map[string]string{"CALLBACK_POLICY": "trust"},
			map[string]map[string]any{"mom-factura": {"MOMFACTURA_TEST_MODE": false, "MOMFACTURA_BASE_URL": "https://factura.example.com"}},
			[]string{"CALLBACK_POLICY trust is refused"},
		},
		{
			"another account's credentials", "momentpay-webhook",
			nil, map[string]map[string]any{"momentpay": {"MTN_API_KEY": "k", "MOMENTPAY_SECRET_KEY": nil, "MOMENTPAY_WEBHOOK_SECRETS": nil}},
			[]string{"MTN_API_KEY is no variable of momentpay", "MOMENTPAY_SECRET_KEY is not set", "MOMENTPAY_WEBHOOK_SECRETS is not set"},
		},
		{
			"trust where money moves", "mtn-callback",
			map[string]string{"CALLBACK_POLICY": "trust"},
			map[string]map[string]any{"mtn": {"MTN_TARGET_ENV": "mtnswaziland", "MTN_BASE_URL": "https://mtn.example.com"}},
			[]string{"CALLBACK_POLICY trust is refused"},
		},
		{
			"no such parameter", "forwarder",
			map[string]string{"SEALING_SECRET_ID": "/nobody/made/this"}, nil,
			[]string{"/nobody/made/this"},
		},
		{
			"credentials for keys", "forwarder",
			map[string]string{"SEALING_SECRET_ID": "/" + w.stack.name + "/accounts/mtn"}, nil,
			[]string{"/" + w.stack.name + "/accounts/mtn"},
		},
		{
			"no table", "reconciler",
			map[string]string{"TABLE_NAME": w.stack.name + "-nobody-made-this"}, nil,
			[]string{"table does not answer"},
		},
		{
			"MTN without TLS", "status",
			nil, map[string]map[string]any{"mtn": {"MTN_BASE_URL": "http://mtn.example.com"}},
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
			kept := maps.Clone(w.store.values)
			for provider, change := range c.accounts {
				account := maps.Clone(w.accounts[provider])
				for variable, value := range change {
					if account[variable] = value; value == nil {
						delete(account, variable)
					}
				}
				w.store.values["/"+w.stack.name+"/accounts/"+provider] = object(t, map[string]any{provider: account})
			}
			defer func() { w.store.values = kept }()
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
