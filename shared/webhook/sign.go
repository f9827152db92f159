package webhook

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// The headers of Standard Webhooks.
const (
	HeaderID        = "Webhook-Id"
	HeaderTimestamp = "Webhook-Timestamp"
	HeaderSignature = "Webhook-Signature"
)

// MaxIDLength bounds webhook-id, in bytes.
const MaxIDLength = 128

const versionPrefix = "v1,"

// ErrID is returned when an event id cannot be signed unambiguously.
var ErrID = errors.New("not a webhook id")

// Sign returns the value of webhook-signature: one "v1,<base64>" for each
// secret in the order given, separated by spaces. Give the newest secret
// first. body is signed byte for byte as it will be sent.
//
// The error wraps ErrID when id is not 1 to 128 characters of printable ASCII
// without spaces and full stops (a full stop would let two messages share one
// signed text), and ErrSecret when there is no secret or a zero one: nothing
// may leave unsigned unnoticed.
func Sign(id string, at time.Time, body []byte, secrets ...Secret) (string, error) {
	if !validID(id) {
		return "", fmt.Errorf("%w: want 1 to %d printable ASCII characters, no spaces, no full stops", ErrID, MaxIDLength)
	}
	if len(secrets) == 0 {
		return "", fmt.Errorf("%w: none given", ErrSecret)
	}
	timestamp := strconv.FormatInt(at.Unix(), 10)
	signatures := make([]string, len(secrets))
	for i, secret := range secrets {
		if secret.IsZero() {
			return "", fmt.Errorf("%w: number %d is empty", ErrSecret, i+1)
		}
		mac := secret.mac(id, timestamp, body)
		signatures[i] = versionPrefix + base64.StdEncoding.EncodeToString(mac[:])
	}
	return strings.Join(signatures, " "), nil
}

// Headers returns the three Standard Webhooks headers of one attempt. Every
// attempt is signed afresh with its own time and keeps its event's id, by
// which the receiver drops repeats. Errors as Sign.
func Headers(id string, at time.Time, body []byte, secrets ...Secret) (http.Header, error) {
	signature, err := Sign(id, at, body, secrets...)
	if err != nil {
		return nil, err
	}
	// One array for all values: Header.Set makes one for each.
	values := [3]string{id, strconv.FormatInt(at.Unix(), 10), signature}
	header := make(http.Header, 8)
	header[HeaderID], header[HeaderTimestamp], header[HeaderSignature] = values[0:1:1], values[1:2:2], values[2:3:3]
	return header, nil
}

func validID(id string) bool {
	if len(id) == 0 || len(id) > MaxIDLength {
		return false
	}
	for _, c := range []byte(id) {
		if c <= ' ' || c > '~' || c == '.' {
			return false
		}
	}
	return true
}
