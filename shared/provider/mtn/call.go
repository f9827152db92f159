package mtn

import (
	"context"
	"net/http"

	"momoproxy/shared/provider/wire"
)

// hideToken keeps of a token call's answer a known error word, or whether it
// brought a token: what else is in it may be a credential.
func hideToken(r wire.Reply) string {
	if r.Code == 0 {
		return ""
	}
	if word := credentialsWord(r); r.Code != http.StatusOK && word != "" {
		return `{"error":"` + word + `"}`
	}
	if _, _, err := readToken(r); err != nil {
		return "[no token]"
	}
	return wire.HiddenToken
}

// session is one Submit or Status: its exchanges, and whether it has used
// its one token refresh.
type session struct {
	p         *Provider
	trail     wire.Trail
	refreshed bool
}

// send makes an authorised call. On a 401 it discards that very token, gets
// another and repeats the call, once per session. An error says that there
// was no token (or no time left): then reply is the 401 that asked for a new
// one, or has code 0 when the call was never made.
func (s *session) send(ctx context.Context, c wire.Call) (wire.Reply, error) {
	if err := ctx.Err(); err != nil {
		return wire.Reply{Unsent: true}, err
	}
	token, err := s.p.tokens.get(ctx, &s.trail, byRequest)
	if err != nil {
		return wire.Reply{Unsent: true}, err
	}
	r := s.once(ctx, c, token)
	if r.Code != http.StatusUnauthorized || s.refreshed || wire.HTML(r.Body) {
		return r, nil // a page does not prove that MTN refused the token
	}
	s.refreshed = true
	s.p.tokens.discard(token)
	token, err = s.p.tokens.get(ctx, &s.trail, byRequest)
	if err != nil {
		return r, err
	}
	return s.once(ctx, c, token), nil
}

// ask makes an authorised question, once. renewed says that it met a 401 and
// that there is a new token for the next.
func (s *session) ask(ctx context.Context, c wire.Call) (r wire.Reply, renewed bool, err error) {
	if err := ctx.Err(); err != nil {
		return wire.Reply{Unsent: true}, false, err
	}
	token, err := s.p.tokens.get(ctx, &s.trail, byRequest)
	if err != nil {
		return wire.Reply{Unsent: true}, false, err
	}
	r = s.once(ctx, c, token)
	if r.Code == http.StatusUnauthorized {
		s.p.tokens.discard(token)
		_, err = s.p.tokens.get(ctx, &s.trail, byRequest)
		renewed = err == nil
	}
	return r, renewed, err
}

func (s *session) once(ctx context.Context, c wire.Call, token string) wire.Reply {
	headers := map[string]string{
		"Authorization":             "Bearer " + token,
		"X-Target-Environment":      s.p.cfg.TargetEnvironment,
		"Ocp-Apim-Subscription-Key": s.p.cfg.SubscriptionKey,
	}
	for name, value := range c.Headers {
		headers[name] = value
	}
	c.Headers = headers
	c.Secrets = append([]string{token}, c.Secrets...)
	return s.p.client.Do(ctx, &s.trail, c, s.p.cfg.AttemptTimeout)
}
