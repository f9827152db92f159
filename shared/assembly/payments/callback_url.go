package payments

import (
	"net/url"
	"strings"

	"momoproxy/shared/assembly"
	"momoproxy/shared/provider"
	"momoproxy/shared/webhook"
)

// ownURLError is a sentence for the app's developer, in the form of
// webhook.CheckURL's.
type ownURLError struct{}

func (ownURLError) Error() string {
	return "The URL must not be this service's own or a payment provider's."
}

// checkURL refuses callback URLs that must not be called. Ours and the
// providers' are among them: an app could spend with them, by deliveries that
// no limit counts, what a provider takes from our address.
func checkURL(p assembly.Parts, providers []provider.Provider) func(string) error {
	refused := map[string]bool{}
	own := []string{p.Config.PublicBaseURL}
	for _, prov := range providers {
		own = append(own, prov.Capabilities().BaseURL)
	}
	for _, own := range own {
		if u, err := url.Parse(own); err == nil && u.Host != "" {
			refused[strings.ToLower(u.Host)] = true
			if u.Scheme == "https" && u.Port() == "" {
				refused[strings.ToLower(u.Host)+":443"] = true
			}
		}
	}
	return func(callback string) error {
		if err := webhook.CheckURL(callback, p.Rules); err != nil {
			return err
		}
		if u, err := url.Parse(callback); err != nil || refused[strings.ToLower(strings.TrimSuffix(u.Host, "."))] {
			return ownURLError{}
		}
		return nil
	}
}
