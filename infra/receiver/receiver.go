// Package receiver is an app as a developer would write one: it verifies both
// signatures over the bytes as they came, and only then reads them.
package receiver

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"

	"momoproxy/shared/webhook"
)

// maxBody bounds what is read of a callback, in bytes.
const maxBody = 1 << 20

// Keys are what an app verifies with.
type Keys struct {
	APIKey string
	Secret webhook.Secret
}

// Attempt is one delivery as it came.
type Attempt struct {
	At     time.Time
	Header http.Header
	Body   []byte
	// Fault is why it does not verify; then nothing of it may be believed.
	Fault   error
	EventID string
	Callback
}

// Callback is what an app reads of an event.
type Callback struct {
	Event                  string      `json:"event"`
	ReferenceID            string      `json:"referenceId"`
	ExternalID             string      `json:"externalId"`
	Status                 string      `json:"status"`
	FinancialTransactionID string      `json:"financialTransactionId"`
	Reason                 string      `json:"reason"`
	Amount                 json.Number `json:"amount"`
	Currency               string      `json:"currency"`
	Sequence               int         `json:"sequence"`
}

// Read verifies a delivery and reads it. An event in a provider's own form
// leaves most of Callback empty.
func (k Keys) Read(header http.Header, body []byte, at time.Time) Attempt {
	a := Attempt{At: at, Header: header.Clone(), Body: body}
	id, err := webhook.Verify(header, body, at, webhook.Tolerance, k.Secret)
	if a.Fault = errors.Join(err, webhook.VerifyLegacy(header, body, k.APIKey)); a.Fault == nil {
		a.EventID = id
		var c Callback
		var other *json.UnmarshalTypeError
		if err := json.Unmarshal(body, &c); err != nil && !errors.As(err, &other) {
			a.Fault = err
		}
		a.Callback = c
	}
	return a
}

// Handler hands each delivery to got, which returns the status to answer. A
// refusal has the fault in its body, if there was one. What cannot be read is a
// connection that broke, and comes again.
func (k Keys) Handler(now func() time.Time, got func(r *http.Request, a Attempt) int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
		if err != nil {
			http.Error(w, "unreadable", http.StatusBadRequest)
			return
		}
		a := k.Read(r.Header, body, now())
		code := got(r, a)
		w.WriteHeader(code)
		if code >= 400 && a.Fault != nil {
			_, _ = io.WriteString(w, a.Fault.Error()) // the sender may have gone
		}
	})
}
