package mtn

import (
	"bytes"
	"encoding/json"
	"io"
	"net"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"momoproxy/infra/standin/core"
)

// party is a payer as on the wire.
type party struct {
	PartyIDType string `json:"partyIdType"`
	PartyID     string `json:"partyId"`
}

// ask is the body of a request to pay, a transfer or a refund.
type ask struct {
	Amount              string `json:"amount"`
	Currency            string `json:"currency"`
	ExternalID          string `json:"externalId"`
	Payer               party  `json:"payer"`
	Payee               party  `json:"payee"`
	PayerMessage        string `json:"payerMessage"`
	PayeeNote           string `json:"payeeNote"`
	ReferenceIDToRefund string `json:"referenceIdToRefund"`
}

// party is the other side of what a route asks for.
func (a ask) party(route string) party {
	if route == RouteRequestToPay {
		return a.Payer
	}
	return a.Payee
}

// readAsk reads a body; fault says what is wrong with it, empty if nothing.
func readAsk(body []byte) (a ask, fault string) {
	d := json.NewDecoder(bytes.NewReader(body))
	if err := d.Decode(&a); err != nil {
		return ask{}, "The body is not the JSON object expected; every value but payer is a string."
	}
	if _, err := d.Token(); err != io.EOF {
		return ask{}, "The body goes on after the JSON object."
	}
	return a, ""
}

// faultOf is what the 400 rules say about an ask, empty if nothing, texts of
// at most 160 characters among it.
func (a ask) faultOf(route string) string {
	side, other := map[string]string{RouteRequestToPay: "payer", RouteTransfer: "payee"}[route], a.party(route)
	switch {
	case a.ExternalID == "":
		return "externalId is missing."
	case side != "" && !slices.Contains([]string{"MSISDN", "EMAIL", "PARTY_CODE"}, other.PartyIDType):
		return side + ".partyIdType must be MSISDN, EMAIL or PARTY_CODE."
	case side != "" && other.PartyID == "":
		return side + ".partyId is missing."
	case route == RouteRefund && a.ReferenceIDToRefund == "":
		return "referenceIdToRefund is missing."
	case a.Currency == "":
		return "currency is missing."
	}
	for _, text := range []struct{ name, s string }{{"payerMessage", a.PayerMessage}, {"payeeNote", a.PayeeNote}} {
		if utf8.RuneCountInString(text.s) > 160 {
			return text.name + " has more than 160 characters."
		}
	}
	return ""
}

// stopped says whether the firewall before the production host refuses the
// request for a character of its texts: parentheses were seen to be refused,
// the apostrophe and the ampersand are, and nothing outside this list has been
// seen to pass.
func (a ask) stopped() bool {
	return strings.ContainsFunc(a.PayerMessage+a.PayeeNote, func(r rune) bool {
		ascii := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		return !ascii && !strings.ContainsRune(" .,_-", r)
	})
}

// normalAmount returns an amount as MTN gives it back ("5.0" as "5"); ok is
// false for what is no positive decimal of at most so many places.
func normalAmount(s string, places int) (normal string, ok bool) {
	whole, part, point := strings.Cut(s, ".")
	if len(s) > 20 || !allDigits(whole) || point && (!allDigits(part) || len(part) > places) {
		return "", false
	}
	whole, part = strings.TrimLeft(whole, "0"), strings.TrimRight(part, "0")
	if whole == "" && part == "" {
		return "", false
	}
	if whole == "" {
		whole = "0"
	}
	if part != "" {
		whole += "." + part
	}
	return whole, true
}

func allDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// isMSISDN takes digits only. National numbers have been seen to pass the
// sandbox, so no country code is asked for.
func isMSISDN(s string) bool { return allDigits(s) && len(s) >= 5 && len(s) <= 15 }

// callbackFault judges an X-Callback-Url against the registered host.
func callbackFault(raw, host, scheme string) (core.Answer, bool) {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.User != nil || (u.Scheme != "http" && u.Scheme != "https") {
		return badRequest("X-Callback-Url is no http or https URL."), true
	}
	if scheme != "" && u.Scheme != scheme {
		return badRequest("X-Callback-Url must be " + scheme + "."), true
	}
	name := strings.ToLower(u.Hostname())
	if name != host || net.ParseIP(name) != nil {
		return refusals["INVALID_CALLBACK_URL_HOST"], true
	}
	return core.Answer{}, false
}

// readNotification reads the body of a delivery notification; empty: it says
// nothing.
func readNotification(body []byte) string {
	var b struct {
		Message string `json:"notificationMessage"`
	}
	_ = json.Unmarshal(body, &b)
	return b.Message
}
