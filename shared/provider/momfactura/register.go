package momfactura

import (
	"momoproxy/shared/provider"
)

// documentedURL is the one base URL that Mom Factura documents; its test mode
// is the same host.
const documentedURL = "https://api.momenu.online"

// Registration is Mom Factura.
var Registration = provider.Registration{
	Name: Name, Title: "Mom Factura",
	Variables: []provider.Variable{
		{Name: "MOMFACTURA_BASE_URL", Kind: provider.URL, Optional: true},
		{Name: "MOMFACTURA_TEST_MODE", Kind: provider.Flag, Optional: true, Stated: true}, // true: no real money moves
		{Name: "MOMFACTURA_INSTANT_WITHDRAW", Kind: provider.Flag, Optional: true, Beside: true},
		{Name: "MOMFACTURA_EKWANZA", Kind: provider.Flag, Optional: true, Beside: true},
		{Name: "MOMFACTURA_API_KEY", Secret: true},
		{Name: "MOMFACTURA_WEBHOOK_TOKEN", Secret: true}, // the last part of the address registered as its webhook
	},
	Known: capabilities(false),
	New: func(a provider.Account, p provider.Parts) (provider.Provider, error) {
		return New(Config{
			BaseURL: a.URL("MOMFACTURA_BASE_URL", documentedURL),
			APIKey:  a.Text("MOMFACTURA_API_KEY"), WebhookToken: a.Text("MOMFACTURA_WEBHOOK_TOKEN"),
			TestMode:          a.Flag("MOMFACTURA_TEST_MODE", false),
			NoInstantWithdraw: !a.Flag("MOMFACTURA_INSTANT_WITHDRAW", true),
			NoEkwanza:         !a.Flag("MOMFACTURA_EKWANZA", true),
		}, p.Client, p.Host.Now)
	},
	// Nothing is signed, and Mom Factura sends nothing twice.
	Callbacks: provider.Callbacks{Function: "mom-factura-webhook", Routes: []string{"POST /webhooks/mom-factura/{token}"}},
}
