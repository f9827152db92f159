package mtn

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync/atomic"
	"time"

	"momoproxy/shared/provider"
)

const (
	// maxAnswer bounds what is read of an answer; a longer one is not used.
	maxAnswer = 64 << 10
	// maxRecorded bounds the part of an answer that an Exchange keeps.
	maxRecorded = 16 << 10
	// hidden stands in an Exchange for a body that may hold a token.
	hidden = "[token]"
)

var errTooLarge = errors.New("answer over 64 KiB")

// reply is what came back from one HTTP exchange.
type reply struct {
	code int    // 0: no answer
	body []byte // at most maxAnswer
	// class of the transport error, empty when the whole answer was read.
	// With a code it means that the body is not complete.
	class string
	// unsent: certain that no byte of the request left, because there was no
	// connection to send it on.
	unsent     bool
	retryAfter string
}

// call is one request to MTN.
type call struct {
	method  string
	path    string
	headers map[string]string
	body    []byte
	secrets []string // never to be seen in the Exchange
	// hide records hidden in place of a successful answer.
	hide bool
}

// do makes the exchange, bounded by timeout, and records it in the trail.
func (p *Provider) do(ctx context.Context, t *trail, c call, timeout time.Duration) reply {
	started := p.now()
	begin := time.Now()
	r := p.exchange(ctx, c, timeout)
	text := ""
	if c.hide {
		text = hideToken(r)
	} else {
		// What a server echoes reaches neither the audit nor a reason.
		r.body = redact(r.body, append(c.secrets, p.cfg.APIKey, p.cfg.SubscriptionKey, strings.TrimPrefix(p.basic, "Basic ")))
		text = string(r.body)
	}
	*t = append(*t, provider.Exchange{
		Method:       c.method,
		URL:          p.cfg.BaseURL + c.path,
		RequestBody:  string(c.body),
		Code:         r.code,
		ResponseBody: recorded(text),
		Started:      started,
		Duration:     time.Since(begin),
		Err:          r.class,
	})
	return r
}

func (p *Provider) exchange(ctx context.Context, c call, timeout time.Duration) reply {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	var connected atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { connected.Store(true) },
	})
	// An empty body must be announced with Content-Length: 0 or MTN answers
	// 411 (observed); a bytes.Reader of length 0 does that on POST.
	req, err := http.NewRequestWithContext(ctx, c.method, p.cfg.BaseURL+c.path, bytes.NewReader(c.body))
	if err != nil {
		return reply{class: classTransport}
	}
	req.Header.Set("User-Agent", "momo-proxy")
	for name, value := range c.headers {
		req.Header.Set(name, value)
	}
	resp, err := p.client.Do(req)
	if err != nil {
		class := classify(err)
		noConnection := class == classDNS || class == classDial || class == classTLS
		return reply{class: class, unsent: noConnection && !connected.Load()}
	}
	defer resp.Body.Close()
	r := reply{code: resp.StatusCode, retryAfter: resp.Header.Get("Retry-After")}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err == nil && len(body) > maxAnswer {
		body, err = body[:maxAnswer], errTooLarge
	}
	r.body, r.class = body, classify(err)
	return r
}

// redact takes out every secret.
func redact(body []byte, secrets []string) []byte {
	for _, secret := range secrets {
		if secret != "" {
			body = bytes.ReplaceAll(body, []byte(secret), []byte("[redacted]"))
		}
	}
	return body
}

// recorded makes an answer fit for an Exchange.
func recorded(text string) string {
	if len(text) > maxRecorded {
		text = text[:maxRecorded]
	}
	return strings.ToValidUTF8(text, "?")
}

// hideToken keeps of a token call's answer only a known error word: what
// else is in it may be a credential.
func hideToken(r reply) string {
	if r.code == 0 {
		return ""
	}
	if r.code != http.StatusOK && loginFailed(r) {
		return `{"error":"login_failed"}`
	}
	return hidden
}

// trail collects the exchanges of one call to the adapter, oldest first.
type trail []provider.Exchange

// session is one Submit or Status: its exchanges, and whether it has used
// its one token refresh.
type session struct {
	p         *Provider
	trail     trail
	refreshed bool
}

// send makes an authorised call. On a 401 it discards that very token, gets
// another and repeats the call, once per session. An error says that there
// was no token (or no time left): then reply is the 401 that asked for a new
// one, or has code 0 when the call was never made.
func (s *session) send(ctx context.Context, c call) (reply, error) {
	if err := ctx.Err(); err != nil {
		return reply{unsent: true}, err
	}
	token, err := s.p.tokens.get(ctx, &s.trail)
	if err != nil {
		return reply{unsent: true}, err
	}
	r := s.once(ctx, c, token)
	if r.code != http.StatusUnauthorized || s.refreshed {
		return r, nil
	}
	s.refreshed = true
	s.p.tokens.discard(token)
	token, err = s.p.tokens.get(ctx, &s.trail)
	if err != nil {
		return r, err
	}
	return s.once(ctx, c, token), nil
}

func (s *session) once(ctx context.Context, c call, token string) reply {
	headers := map[string]string{
		"Authorization":             "Bearer " + token,
		"X-Target-Environment":      s.p.cfg.TargetEnvironment,
		"Ocp-Apim-Subscription-Key": s.p.cfg.SubscriptionKey,
	}
	for name, value := range c.headers {
		headers[name] = value
	}
	c.headers = headers
	c.secrets = append([]string{token}, c.secrets...)
	return s.p.do(ctx, &s.trail, c, s.p.cfg.AttemptTimeout)
}

// pause waits d or until ctx ends; it says whether the whole wait passed.
func pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
