package momfactura

import (
	"strconv"

	"momoproxy/shared/provider"
)

// documentedURL is the one base URL that Mom Factura documents; its test mode
// is the same host.
const documentedURL = "https://api.momenu.online"

// percent reads a whole number; what is none is one that Validate refuses.
func percent(text string) *int {
	if text == "" {
		return nil
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		n = -1
	}
	return &n
}

// Registration is Mom Factura.
var Registration = provider.Registration{
	Name: Name, Title: "Mom Factura",
	Variables: []provider.Variable{
		{Name: "MOMFACTURA_BASE_URL", Kind: provider.URL, Optional: true},
		{Name: "MOMFACTURA_TEST_MODE", Kind: provider.Flag, Optional: true, Stated: true}, // true: no real money moves
		{Name: "MOMFACTURA_INSTANT_WITHDRAW", Kind: provider.Flag, Optional: true, Beside: true},
		{Name: "MOMFACTURA_EKWANZA", Kind: provider.Flag, Optional: true, Beside: true},
		{Name: "MOMFACTURA_DEFAULT_LINE", Optional: true, Beside: true}, // of invoices for which an app gives no products
		{Name: "MOMFACTURA_DEFAULT_IVA", Optional: true, Beside: true},  // its tax in percent
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
			DefaultLine:       a.Text("MOMFACTURA_DEFAULT_LINE"), DefaultIVA: percent(a.Text("MOMFACTURA_DEFAULT_IVA")),
		}, p.Client, p.Host.Now)
	},
	// Nothing is signed, and Mom Factura sends nothing twice.
	Callbacks: provider.Callbacks{Function: "mom-factura-webhook", Routes: []string{"POST /webhooks/mom-factura/{token}"}},
}
