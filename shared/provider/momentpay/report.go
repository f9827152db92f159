package momentpay

import (
	"errors"
	"net/url"
	"strconv"
	"strings"
	"time"

	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
	"momoproxy/shared/provider/wire"
)

// Codes that this adapter itself puts in Evidence.Code.
const (
	// CodeCredentials: MomentPay answered 401.
	CodeCredentials = provider.CodeCredentials
	// CodeWrongReference: an answer about another payment than ours.
	CodeWrongReference = "WRONG_REFERENCE"
	// CodeIncomplete: paid, without saying how much, in which currency or
	// which payment of ours.
	CodeIncomplete = "PAID_INCOMPLETE"
)

// Lengths to which reported text is cut.
const (
	longestCode   = 100
	longestReason = 500
	longestLink   = 500
)

// safeID is what an id may look like to be kept and put in a path. MomentPay's
// begin with pr_, p_ or pay_, chk_; their length is nowhere fixed.
func safeID(id string) bool {
	for _, c := range []byte(id) {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '_' && c != '-' {
			return false
		}
	}
	return id != "" && len(id) <= payment.MaxID
}

var errNoID = errors.New("no id that could be one")

// report is a payment request as MomentPay describes it, in an answer or in a
// webhook.
type report struct {
	id        string
	reference string // external_reference
	status    string
	evidence  payment.Evidence // without Source and At
}

// complete says whether it can be held against the payment at all. MomentPay
// always names these (docs), and a success that does not proves nothing.
func (t report) complete() bool {
	return t.evidence.Amount != "" && t.evidence.Currency != "" && t.reference != ""
}

// readRequest reads a payment request. The error is of its form.
func readRequest(body wire.Object) (report, error) {
	var t report
	if t.id, _ = body.Text("id"); !safeID(t.id) {
		return report{}, errNoID
	}
	t.reference, _ = body.Text("external_reference")
	t.status, _ = body.Text("status")
	ev := &t.evidence
	ev.Reference = t.reference
	ev.Verdict, ev.Code = payment.SaysNothing, wire.Clean(t.status, longestCode)
	if t.status != "" {
		ev.Verdict = decisions.Word(t.status)
	}
	ev.IDs = map[string]string{"id": t.id}
	paymentID, _ := body.Text("payment_id")
	if safeID(paymentID) {
		ev.IDs["payment_id"] = paymentID
	}
	if ev.Verdict == payment.SaysSuccessful {
		ev.FinancialTransactionID = ev.IDs["payment_id"]
	}
	ev.Amount, ev.Currency = readMoney(body)
	if text, _ := body.Text("expires_at"); text != "" {
		if at, err := time.Parse(time.RFC3339, text); err == nil {
			ev.ExpiresAt = at.UTC()
		}
	}
	if err := readLink(body, ev); err != nil {
		return report{}, err
	}
	// A push names the payer's number too. It is not compared: whether it
	// comes back as it was sent, or masked, is not confirmed, and the prompt
	// went to nobody else.
	return t, readFailure(body, ev)
}

// readMoney returns the amount in major units and the currency, each empty
// where it is missing. An amount that is no whole number of minor units is
// none: what it means could only be guessed.
func readMoney(body wire.Object) (amount, currency string) {
	currency, _ = body.Text("currency")
	currency = wire.Clean(currency, longestCode)
	text, _ := body.Text("amount")
	minor, err := strconv.ParseInt(text, 10, 64)
	if _, known := payment.Exponent(currency); !known || err != nil || minor < 0 || len(text) > payment.MaxAmountDigits || strconv.FormatInt(minor, 10) != text {
		return "", currency
	}
	return payment.Money{Minor: minor, Currency: currency}.Decimal(), currency
}

// readLink reads the link object: link_url in the docs' and the contract's
// examples, url in their schemas.
func readLink(body wire.Object, ev *payment.Evidence) error {
	link, ok, err := body.Child("link")
	if err != nil || !ok {
		return err
	}
	if id, _ := link.Text("checkout_session_id"); safeID(id) {
		ev.IDs["checkout_session_id"] = id
	}
	for _, name := range []string{"link_url", "url"} {
		if address, _ := link.Text(name); fit(address) {
			ev.Instructions = map[string]string{"link": address}
			return nil
		}
	}
	return nil
}

// fit says whether a link can be shown to a payer: https to a host, without
// credentials.
func fit(link string) bool {
	if len(link) > longestLink || !wire.VisibleASCII(link) {
		return false
	}
	u, err := url.Parse(link)
	return err == nil && u.Scheme == "https" && u.Hostname() != "" && u.User == nil
}

// readFailure reads why a request failed. The docs have last_payment_error on
// the payment; that a request carries it too is not confirmed.
func readFailure(body wire.Object, ev *payment.Evidence) error {
	why, ok, err := body.Child("last_payment_error")
	if err != nil || !ok || ev.Verdict != payment.SaysFailed {
		return err
	}
	if code, _ := why.Text("error_code"); code != "" {
		ev.Code = wire.Clean(code, longestCode)
	}
	message, _ := why.Text("message")
	declined, _ := why.Text("decline_code")
	ev.Reason = wire.Clean(strings.TrimSpace(declined+" "+message), longestReason)
	return nil
}

// longestLife bounds how late an expiry is believed: it keeps a payment open.
const longestLife = 30 * 24 * time.Hour

// about completes a report with what is known of the payment: the expiry
// that was asked for stands in for one that is missing or absurd, and goes
// with the link to the payer.
func (t report) about(pay payment.Payment) payment.Evidence {
	ev := t.evidence
	if ev.ExpiresAt.Before(pay.CreatedAt) || ev.ExpiresAt.Sub(pay.CreatedAt) > longestLife {
		ev.ExpiresAt = expiry(pay)
	}
	instructions := map[string]string{"expiresAt": payment.Timestamp(ev.ExpiresAt)}
	if link := ev.Instructions["link"]; link != "" && pay.Method != MethodPush {
		instructions["link"] = link
	}
	ev.Instructions = instructions
	return ev
}
