package mtn

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"momoproxy/shared/provider"
	"momoproxy/shared/provider/wire"
)

// fetchToken asks MTN for a token, once. The body is empty: of those seen to
// work it is the only one that ERR82 does not speak against.
func (p *Provider) fetchToken(ctx context.Context, tr *wire.Trail, timeout time.Duration) (provider.StoredToken, error) {
	asked := p.now() // its life counts from here: never longer than MTN's
	r := p.client.Do(ctx, tr, wire.Call{
		Method: http.MethodPost,
		Path:   "/" + p.cfg.product + "/token/",
		Headers: map[string]string{
			"Authorization":             p.basic,
			"X-Target-Environment":      p.cfg.TargetEnvironment, // the new platform wants it here, too
			"Ocp-Apim-Subscription-Key": p.cfg.SubscriptionKey,
		},
		Record: hideToken,
	}, timeout)
	token, life, err := readToken(r)
	if err != nil {
		return provider.StoredToken{}, err
	}
	return provider.StoredToken{Token: token, IssuedAt: asked, ExpiresAt: asked.Add(life)}, nil
}

// readToken reads the answer to a token call: the token, and how long it lives
// from the call on.
func readToken(r wire.Reply) (token string, life time.Duration, err error) {
	switch {
	case r.Code == 0:
		return "", 0, fmt.Errorf("%w: no answer to MTN token call (%s)", provider.ErrUnavailable, r.Class)
	case r.Code != http.StatusOK && credentialsWord(r) != "":
		// A wrong API user or key is an HTTP 500 login_failed, and a 401
		// invalid_client on the new platform (observed).
		return "", 0, fmt.Errorf("%w: MTN token call: %s", provider.ErrCredentials, credentialsWord(r))
	case r.Code == http.StatusUnauthorized:
		return "", 0, fmt.Errorf("%w: MTN token call: HTTP 401", provider.ErrCredentials)
	case r.Code != http.StatusOK || r.Class != "":
		return "", 0, fmt.Errorf("%w: MTN token call: HTTP %d %s", provider.ErrUnavailable, r.Code, r.Class)
	}
	// A 200 may be the HTML page of a firewall (observed).
	body, err := wire.ReadObject(r.Body)
	if err != nil {
		return "", 0, fmt.Errorf("%w: MTN token call: HTTP 200 that is not a JSON object", provider.ErrUnavailable)
	}
	token, _ = body.Text("access_token")
	if !wire.VisibleASCII(token) {
		return "", 0, fmt.Errorf("%w: MTN token call: HTTP 200 without a token", provider.ErrUnavailable)
	}
	life = unknownLife
	if text, ok := body.Text("expires_in"); ok {
		if seconds, err := strconv.ParseInt(text, 10, 32); err == nil && seconds > 0 {
			life = min(time.Duration(seconds)*time.Second, longestLife)
		}
	}
	return token, life, nil
}

// credentialsWord is MTN's word for refused credentials; empty: it said none.
func credentialsWord(r wire.Reply) string {
	body, err := wire.ReadObject(r.Body)
	if err != nil {
		return ""
	}
	switch word, _ := body.Text("error"); word {
	case "login_failed", "invalid_client":
		return word
	}
	return ""
}
