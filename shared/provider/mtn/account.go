package mtn

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
	"momoproxy/shared/provider/wire"
)

var _ provider.PayerChecker = (*Provider)(nil)

// PayerActive implements provider.PayerChecker: one GET. A 401 leaves it
// unknown.
func (p *Provider) PayerActive(ctx context.Context, payer payment.MSISDN) (provider.Activity, string) {
	s := session{p: p}
	r, _, err := s.ask(ctx, wire.Call{Method: http.MethodGet, Path: accountHolderPath(payer)})
	if err != nil && r.Code == 0 {
		code, _, _ := notAsked(err)
		return provider.ActivityUnknown, "not asked " + code
	}
	active := readActive(r)
	if active != provider.ActivityUnknown {
		return active, ""
	}
	code, _ := errorBody(r)
	if len(code) > longestCode || strings.Trim(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_") != "" {
		code = "" // not one of MTN's: it could hold the number
	}
	return active, strings.Join(strings.Fields("HTTP_"+strconv.Itoa(r.Code)+" "+code+" "+r.Class), " ")
}

// accountHolderPath is where MTN says whether a number has an active wallet
// (portal; the type in small letters).
func accountHolderPath(payer payment.MSISDN) string {
	return "/collection/v1_0/accountholder/msisdn/" + url.PathEscape(string(payer)) + "/active"
}

// readActive reads {"result":true|false} (portal), or the bare word that older
// clients saw. Everything else is unknown, "not found" among it: MTN documents
// no such answer for a number without a wallet.
func readActive(r wire.Reply) provider.Activity {
	if r.Code != http.StatusOK || r.Class != "" {
		return provider.ActivityUnknown
	}
	word := bytes.TrimSpace(r.Body)
	if body, err := wire.ReadObject(r.Body); err == nil {
		word = bytes.TrimSpace(body["result"])
	}
	switch string(word) {
	case "true":
		return provider.Active
	case "false":
		return provider.Inactive
	}
	return provider.ActivityUnknown
}
