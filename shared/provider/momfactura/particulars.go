package momfactura

import (
	"net/url"
	"strconv"
	"strings"
	"time"

	"momoproxy/shared/payment"
	"momoproxy/shared/provider/wire"
)

// Lengths to which reported text is cut, or beyond which it is left out, in
// bytes. The provider publishes none.
const (
	longestCode        = 100
	longestReason      = 500
	longestInstruction = 200
	longestURL         = 2000
	longestQR          = 16 << 10 // stored with the payment and told to the app
)

// idFields are the names under which an answer or a webhook may carry an id
// of the payment, in the order in which a webhook's should be tried. Which of
// them an answer's transactionId is in a webhook the provider's own pages
// leave open (merchantTransactionId, as integrators take it): all are kept,
// and a webhook is matched by any.
var idFields = []string{
	"merchantTransactionId", "operationId", "transactionId", "code", "operationCode", "referenceNumber", "ekwanzaTransactionId",
}

// idsIn reads every id there is in an answer that is no error; nil if none.
// They come as text or as numbers (ekwanzaTransactionId is an integer at the
// gateway behind it: integrators, not confirmed). code is one in the answer
// that makes an E-kwanza payment, and anything elsewhere.
func idsIn(body wire.Object, withCode bool) map[string]string {
	var ids map[string]string
	for _, name := range idFields {
		if name == "code" && !withCode {
			continue
		}
		id, ok := scalar(body, name)
		if !ok || !wire.Storable(id, payment.MaxID) {
			continue
		}
		if ids == nil {
			ids = map[string]string{}
		}
		ids[name] = id
	}
	return ids
}

// scalar returns a string's or a number's text; nothing else is an id.
func scalar(body wire.Object, name string) (string, bool) {
	raw := strings.TrimSpace(string(body[name]))
	if raw == "" || raw[0] != '"' && raw[0] != '-' && (raw[0] < '0' || raw[0] > '9') {
		return "", false
	}
	return body.Text(name)
}

// instructions keeps those values that can be shown.
func instructions(body wire.Object, names ...string) map[string]string {
	told := map[string]string{}
	for _, name := range names {
		if value, ok := scalar(body, name); ok && wire.Storable(value, longestInstruction) {
			told[name] = value
		}
	}
	return told
}

// referenceInstructions are what is typed at an ATM.
func referenceInstructions(body wire.Object, now time.Time) (map[string]string, time.Time) {
	told := instructions(body, "entity", "referenceNumber", "dueDate")
	return told, endOfDueDate(told["dueDate"], now)
}

// ekwanzaInstructions are what the payer scans or types into the wallet. A QR too large to
// be stored, or that is no image, is left out: the code alone will do.
func ekwanzaInstructions(body wire.Object, now time.Time) (map[string]string, time.Time) {
	told := instructions(body, "code")
	if qr, ok := scalar(body, "qrCode"); ok && wire.Storable(qr, longestQR) && (strings.HasPrefix(qr, "data:image/") || secureURL(qr)) {
		told["qrCode"] = qr
	}
	date, _ := scalar(body, "expirationDate")
	expires := instant(date, time.UTC, now)
	if expires.IsZero() {
		seconds, _ := scalar(body, "paymentTimeout")
		if n, err := strconv.ParseFloat(seconds, 64); err == nil && n > 0 && n <= furthest.Seconds() {
			expires = now.Add(time.Duration(n * float64(time.Second))).UTC().Truncate(time.Millisecond)
		}
	}
	if !expires.IsZero() {
		told["expiresAt"] = payment.Timestamp(expires)
	}
	return told, expires
}

// luanda is Angola's time: UTC+1, without summer time.
var luanda = time.FixedZone("WAT", 60*60)

const (
	// dueSlack is added to the end of the due date: at which hour a
	// reference expires, and how long a bank takes to report what was paid
	// just before, is not confirmed. Too late costs a few status questions;
	// too early would call TIMEOUT what a payer can still pay.
	dueSlack = 6 * time.Hour
	// furthest is how far off an expiry is believed; beyond it, none was
	// named: a payment would never end.
	furthest = 400 * 24 * time.Hour
)

// endOfDueDate reads a due date, which is a day without zone in the skill's
// example ("2024-01-20"); a moment is taken too. Zero: neither.
func endOfDueDate(s string, now time.Time) time.Time {
	if day, err := time.ParseInLocation(time.DateOnly, s, luanda); err == nil {
		return believable(day.AddDate(0, 0, 1).Add(dueSlack), now)
	}
	if at := instant(s, luanda, now); !at.IsZero() {
		return believable(at.Add(dueSlack), now)
	}
	return time.Time{}
}

// instant reads a moment; in is the zone of one without.
func instant(s string, in *time.Location, now time.Time) time.Time {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", time.DateTime} {
		if at, err := time.ParseInLocation(layout, s, in); err == nil {
			return believable(at, now)
		}
	}
	return time.Time{}
}

func believable(at, now time.Time) time.Time {
	if at.Sub(now).Abs() > furthest {
		return time.Time{}
	}
	return at.UTC().Truncate(time.Millisecond)
}

// invoiceIn reads invoiceUrl; empty when it is none that an app should
// open.
func invoiceIn(body wire.Object) string {
	text, ok := body.Text("invoiceUrl")
	if !ok || !secureURL(text) {
		return ""
	}
	return text
}

// secureURL says whether s is an absolute https URL without credentials.
func secureURL(s string) bool {
	if !wire.VisibleASCII(s) || len(s) > longestURL || strings.ContainsAny(s, `"<>\^{|}`+"`") {
		return false
	}
	u, err := url.Parse(s)
	return err == nil && u.Scheme == "https" && u.Hostname() != "" && u.User == nil && u.Opaque == ""
}
