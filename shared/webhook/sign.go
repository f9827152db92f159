package webhook

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"
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
	if err := CanSign(id, secrets...); err != nil {
		return "", err
	}
	return sign(id, strconv.FormatInt(at.Unix(), 10), body, secrets), nil
}

// CanSign returns the error that Sign would return.
func CanSign(id string, secrets ...Secret) error {
	if !validID(id) {
		return fmt.Errorf("%w: want 1 to %d printable ASCII characters, no spaces, no full stops", ErrID, MaxIDLength)
	}
	if len(secrets) == 0 {
		return fmt.Errorf("%w: none given", ErrSecret)
	}
	for i, secret := range secrets {
		if secret.IsZero() {
			return fmt.Errorf("%w: number %d is empty", ErrSecret, i+1)
		}
	}
	return nil
}

func sign(id, timestamp string, body []byte, secrets []Secret) string {
	signatures := make([]byte, 0, len(secrets)*(len(versionPrefix)+base64.StdEncoding.EncodedLen(sha256.Size)+1))
	for i, secret := range secrets {
		if i > 0 {
			signatures = append(signatures, ' ')
		}
		mac := secret.mac(id, timestamp, body)
		signatures = base64.StdEncoding.AppendEncode(append(signatures, versionPrefix...), mac[:])
	}
	return string(signatures)
}

// Headers returns the three Standard Webhooks headers of one attempt. Every
// attempt is signed afresh with its own time and keeps its event's id, by
// which the receiver drops repeats. Errors as Sign.
func Headers(id string, at time.Time, body []byte, secrets ...Secret) (http.Header, error) {
	if err := CanSign(id, secrets...); err != nil {
		return nil, err
	}
	timestamp := strconv.FormatInt(at.Unix(), 10)
	// One array for all values: Header.Set makes one for each.
	values := [3]string{id, timestamp, sign(id, timestamp, body, secrets)}
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
