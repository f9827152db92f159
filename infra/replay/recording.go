package replay

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"syscall"
	"time"

	"momoproxy/shared/gateway"
	"momoproxy/shared/host"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
	"momoproxy/shared/provider/wire"
)

// recording answers an adapter's requests with stored answers, in order. A
// request that is not the next one stored is a token's, or is not answered.
type recording struct {
	records []ledger.AuditRecord
	taken   int
	at      time.Time
	// refused: the account was refused a token, which another payment's trail
	// may tell.
	refused bool
	tokens  int
}

// adapter is the provider's, with nothing in its memory.
func (w *recording) adapter(of provider.Registration, stored ledger.Payment) (provider.Provider, error) {
	machine := host.Machine()
	machine.Now = func() time.Time { return w.at }
	machine.Sleep = func(context.Context, time.Duration) error { return nil }
	adapter, err := of.New(madeUp(of, stored), provider.Parts{
		Host: machine, Client: &http.Client{Transport: w}, Tokens: anyToken{w}, Backoff: func(int) time.Duration { return 0 },
	})
	if err != nil {
		return nil, fmt.Errorf("adapter of %s: %w", stored.Provider, err)
	}
	return adapter, nil
}

// errNotRecorded: what was sent is recorded, so this was not.
var errNotRecorded = &net.OpError{Op: "dial", Err: errors.New("not recorded")}

func (w *recording) RoundTrip(r *http.Request) (*http.Response, error) {
	if w.taken == len(w.records) || !recorded(w.records[w.taken]).same(r) {
		return nil, errNotRecorded
	}
	one := w.records[w.taken]
	w.taken++
	switch {
	case one.ResponseCode == 0:
		return nil, cmp.Or(failed(one.Note), error(errNotRecorded))
	case one.ResponseBody == wire.HiddenToken: // itself is not stored
		one.ResponseBody = fmt.Sprintf(`{"access_token":%q,"token_type":"access_token","expires_in":3600}`, w.newToken())
	}
	return answered(r, one), nil
}

// status is what the adapter reads off the records, as answers to its question
// about p. A question may have been put twice.
func (w *recording) status(ctx context.Context, adapter provider.Provider, p payment.Payment) (e payment.Evidence) {
	for before := -1; w.taken < len(w.records) && w.taken > before; {
		before = w.taken
		if told := adapter.Status(ctx, p); w.taken > before {
			e = told.Evidence
		}
	}
	return e
}

// newToken is a token that was never refused.
func (w *recording) newToken() string {
	w.tokens++
	return fmt.Sprintf("replayed-%d", w.tokens)
}

func ofToken(path string) bool { return strings.Contains(path, "token") }

// answered is the answer that a record holds, to a request.
func answered(r *http.Request, a ledger.AuditRecord) *http.Response {
	header := http.Header{"Content-Type": {"application/json"}}
	if strings.Contains(a.Note, gateway.NoteRepeated) {
		header.Set(wire.HeaderRepeated, "true")
	}
	body := io.Reader(strings.NewReader(a.ResponseBody))
	switch err := failed(a.Note); {
	case a.Note == wire.ClassTooLarge:
		body = io.MultiReader(body, strings.NewReader(strings.Repeat(" ", wire.MaxAnswer)))
	case err != nil:
		body = io.MultiReader(body, broken{err})
	}
	return &http.Response{
		StatusCode: a.ResponseCode, Status: http.StatusText(a.ResponseCode), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: header, Body: io.NopCloser(body), ContentLength: -1, Request: r,
	}
}

// broken is the end of a body that broke off.
type broken struct{ err error }

func (b broken) Read([]byte) (int, error) { return 0, b.err }

// failed is an error of a class (wire.Classify); nil: that is no class.
func failed(class string) error {
	switch class {
	case wire.ClassDNS:
		return &net.DNSError{}
	case wire.ClassDial:
		return &net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded}
	case wire.ClassTLS:
		return tls.RecordHeaderError{}
	case wire.ClassTimeout:
		return os.ErrDeadlineExceeded
	case wire.ClassCanceled:
		return context.Canceled
	case wire.ClassReset:
		return syscall.ECONNRESET
	case wire.ClassEOF:
		return io.ErrUnexpectedEOF
	case wire.ClassTransport:
		return errors.New("recorded as " + class)
	}
	return nil
}

// same says whether the record is of such a request. Hosts and what stands
// before the path are the account's.
func (w recorded) same(r *http.Request) bool {
	u, err := url.Parse(w.URL)
	return err == nil && w.Method == r.Method && strings.HasSuffix(u.Path, r.URL.Path)
}

type recorded ledger.AuditRecord

// anyToken is a token store: it has a token unless the next exchange on record
// asked for one, or none is left.
type anyToken struct{ *recording }

func (t anyToken) Load(context.Context, string) (provider.StoredToken, error) {
	switch {
	case t.taken == len(t.records) && t.refused:
		return provider.StoredToken{}, provider.ErrCredentials
	case t.taken == len(t.records):
		return provider.StoredToken{}, errNotRecorded
	case ofToken(t.records[t.taken].URL):
		return provider.StoredToken{}, nil
	}
	return provider.StoredToken{Token: t.newToken(), IssuedAt: t.at.Add(-time.Minute), ExpiresAt: t.at.Add(time.Hour)}, nil
}

func (anyToken) AcquireRefresh(context.Context, string, time.Duration, bool) (int64, bool, error) {
	return 1, true, nil
}
func (anyToken) Save(context.Context, string, int64, provider.StoredToken) error { return nil }
func (anyToken) Release(context.Context, string, int64) error                    { return nil }

// madeUp is an account that asks nobody: an adapter needs one to read answers.
func madeUp(r provider.Registration, p ledger.Payment) provider.Account {
	values := map[string]string{}
	for _, v := range r.Variables {
		switch {
		case v.Kind == provider.URL:
			values[v.Name] = "https://replay.invalid"
		case strings.HasSuffix(v.Name, "_TARGET_ENV"):
			values[v.Name] = "sandbox"
		case strings.HasSuffix(v.Name, "_CURRENCY"):
			values[v.Name] = p.Amount.Currency
		case v.Kind == provider.List:
			values[v.Name] = madeUpSecret
		case strings.HasSuffix(v.Name, "_SECRET_KEY"):
			values[v.Name] = "sk_replay"
		case v.Secret:
			values[v.Name] = strings.Repeat("replay", 6)
		}
	}
	return provider.NewAccount(r.Name, values)
}
