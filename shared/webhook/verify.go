package webhook

import (
	"crypto/hmac"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Tolerance is the usual difference allowed between a message's time and the
// receiver's clock, in both directions; the Standard Webhooks libraries use it.
const Tolerance = 5 * time.Minute

const (
	maxTimestampLength = 12   // digits; enough for thirty thousand years
	maxSignatureLength = 2048 // bytes; some forty signatures
)

// Why a message does not verify. Only ErrTooOld and ErrTooNew say something
// about an authentic message.
var (
	ErrMissingHeader = errors.New("signature header missing")
	ErrHeader        = errors.New("signature header malformed")
	ErrNoMatch       = errors.New("no signature matches")
	ErrTooOld        = errors.New("signed too long ago")
	ErrTooNew        = errors.New("signed in the future")
)

// Verify checks a Standard Webhooks message and returns its webhook-id. It
// reads body as raw bytes and nothing of it is parsed, so call it before any
// decoding. header must be canonical (as net/http makes it).
//
// The message verifies when one of its v1 signatures was made by one of the
// secrets and its time is within tolerance of now, either way. Other
// signature versions are ignored. Without secrets nothing verifies. Time is
// judged after authenticity: ErrTooOld and ErrTooNew mean a genuine message,
// replayed, late, or a wrong clock. The id is empty when err is not nil.
func Verify(header http.Header, body []byte, now time.Time, tolerance time.Duration, secrets ...Secret) (id string, err error) {
	id, err = single(header, HeaderID, MaxIDLength)
	if err != nil {
		return "", err
	}
	if !validID(id) {
		return "", fmt.Errorf("%w: %s", ErrHeader, HeaderID)
	}
	timestamp, err := single(header, HeaderTimestamp, maxTimestampLength)
	if err != nil {
		return "", err
	}
	at, ok := parseTimestamp(timestamp)
	if !ok {
		return "", fmt.Errorf("%w: %s", ErrHeader, HeaderTimestamp)
	}
	signature, err := single(header, HeaderSignature, maxSignatureLength)
	if err != nil {
		return "", err
	}
	claims := parseSignatures(signature)
	if !anyMatches(claims, id, timestamp, body, secrets) {
		return "", ErrNoMatch
	}
	if now.Sub(at) > tolerance {
		return "", ErrTooOld
	}
	if at.Sub(now) > tolerance {
		return "", ErrTooNew
	}
	return id, nil
}

// single returns a header that must be there once. A repeated header is
// refused rather than guessed at: proxies disagree on which one counts.
func single(header http.Header, name string, limit int) (string, error) {
	values := header.Values(name)
	switch {
	case len(values) == 0, len(values) == 1 && values[0] == "":
		return "", fmt.Errorf("%w: %s", ErrMissingHeader, name)
	case len(values) > 1:
		return "", fmt.Errorf("%w: %s given more than once", ErrHeader, name)
	case len(values[0]) > limit:
		return "", fmt.Errorf("%w: %s longer than %d bytes", ErrHeader, name, limit)
	}
	return values[0], nil
}

// parseTimestamp takes unix seconds in their one canonical spelling, so that
// the text that was signed is the text that arrived.
func parseTimestamp(text string) (time.Time, bool) {
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil || seconds < 0 || strconv.FormatInt(seconds, 10) != text {
		return time.Time{}, false
	}
	return time.Unix(seconds, 0), true
}

// parseSignatures returns the MACs of the v1 signatures in a header.
func parseSignatures(header string) [][]byte {
	var macs [][]byte
	for field := range strings.SplitSeq(header, " ") {
		encoded, ok := strings.CutPrefix(field, versionPrefix)
		if !ok {
			continue
		}
		if mac, err := base64.StdEncoding.Strict().DecodeString(encoded); err == nil {
			macs = append(macs, mac)
		}
	}
	return macs
}

func anyMatches(claims [][]byte, id, timestamp string, body []byte, secrets []Secret) bool {
	if len(claims) == 0 {
		return false
	}
	match := false
	for _, secret := range secrets {
		if secret.IsZero() {
			continue
		}
		expected := secret.mac(id, timestamp, body)
		for _, claim := range claims {
			if hmac.Equal(claim, expected[:]) {
				match = true
			}
		}
	}
	return match
}
