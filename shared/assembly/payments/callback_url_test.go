package payments

import (
	"testing"

	"momoproxy/shared/assembly"
	"momoproxy/shared/config"
	"momoproxy/shared/provider"
)

func TestCallbackURLIsNobodysWeCall(t *testing.T) {
	t.Parallel()
	at := func(url string) provider.Provider {
		return provider.Offline{Known: provider.Capabilities{BaseURL: url}}
	}
	check := checkURL(assembly.Parts{Config: config.Config{PublicBaseURL: "https://momopay.example.com"}},
		[]provider.Provider{at("https://mtn.example.com"), at("https://factura.example.com")})
	for callback, allowed := range map[string]bool{
		"https://shop.example.com/momo":               true,
		"https://momopay.example.com/callback":        false,
		"https://MTN.example.com/collection":          false,
		"https://factura.example.com:443/api/payment": false,
		"https://factura.example.com/api/payment/mcx": false,
		"https://xfactura.example.com/":               true,
		"http://shop.example.com/":                    false,
	} {
		if err := check(callback); (err == nil) != allowed {
			t.Errorf("%s: %v", callback, err)
		}
	}
}
