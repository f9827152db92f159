package mtn

import (
	"net/http"
	"strings"

	"momoproxy/infra/standin/core"
)

// Routes of the provider, as rules and counters name them.
const (
	RouteAPIUser       = "apiuser"
	RouteToken         = "token"
	RouteRequestToPay  = "requesttopay"
	RouteStatus        = "status"
	RouteBalance       = "balance"
	RouteAccountHolder = "accountholder"
	RouteUserInfo      = "basicuserinfo"
	RouteNotification  = "deliverynotification"
	RouteTransfer      = "transfer"
	RouteRefund        = "refund"
	RoutePayoutStatus  = "payoutstatus" // of a transfer or a refund
)

// Products, each with its own tokens.
const (
	collection   = "collection"
	disbursement = "disbursement"
)

// find maps method and path to a route. Args of the routes of a product begin
// with its name.
func (s *Standin) find(r *http.Request) (string, []string, func(*core.Request) core.Answer) {
	p := strings.Split(strings.TrimPrefix(r.URL.Path, "/"), "/")
	is := func(pattern string) bool {
		method, path, _ := strings.Cut(pattern, " ")
		want := strings.Split(path, "/")
		if method != r.Method || len(p) != len(want) {
			return false
		}
		for i := range want {
			if want[i] != "*" && want[i] != p[i] && (want[i] != "product" || p[i] != collection && p[i] != disbursement) {
				return false
			}
		}
		return true
	}
	switch {
	case is("POST v1_0/apiuser"):
		return RouteAPIUser, nil, s.createUser
	case is("GET v1_0/apiuser/*"):
		return RouteAPIUser, p[2:], s.getUser
	case is("POST v1_0/apiuser/*/apikey"):
		return RouteAPIUser, p[2:3], s.createKey
	case is("POST product/token/"), is("POST product/token"):
		return RouteToken, p[:1], s.token
	case is("POST collection/v1_0/requesttopay"):
		return RouteRequestToPay, p[:1], s.requestToPay
	case is("GET collection/v1_0/requesttopay/*"):
		return RouteStatus, []string{p[0], p[3]}, s.status
	case is("POST collection/v1_0/requesttopay/*/deliverynotification"):
		return RouteNotification, []string{p[0], p[3]}, s.deliveryNotification
	case is("GET product/v1_0/account/balance"), is("GET product/v1_0/account/balance/*"):
		return RouteBalance, append(p[:1:1], p[4:]...), s.balance
	case is("GET product/v1_0/accountholder/*/*/active"):
		return RouteAccountHolder, []string{p[0], p[3], p[4]}, s.accountHolderActive
	case is("GET product/v1_0/accountholder/*/*/basicuserinfo"):
		return RouteUserInfo, []string{p[0], p[3], p[4]}, s.basicUserInfo
	case is("POST disbursement/v1_0/transfer"):
		return RouteTransfer, p[:1], s.transfer
	case is("POST disbursement/v1_0/refund"), is("POST disbursement/v2_0/refund"):
		return RouteRefund, p[:2], s.refund
	case is("GET disbursement/v1_0/transfer/*"), is("GET disbursement/v1_0/refund/*"):
		return RoutePayoutStatus, []string{p[0], p[3], p[2]}, s.status
	}
	return core.RouteUnknown, nil, nil
}

// about says what a request is about as far as can be told without judging
// it.
func (s *Standin) about(r *core.Request, c *core.Call) {
	switch r.Route {
	case RouteRequestToPay, RouteTransfer, RouteRefund:
		if reference := strings.ToLower(r.Header.Get("X-Reference-Id")); isUUID4(reference) {
			c.Reference = reference
		}
		if ask, fault := readAsk(r.Body); fault == "" {
			c.Payer, c.Amount, c.Original = ask.party(r.Route).PartyID, ask.Amount, strings.ToLower(ask.ReferenceIDToRefund)
		}
	case RouteAccountHolder:
		c.Payer = r.Args[2]
	case RouteStatus, RouteNotification, RoutePayoutStatus:
		c.Reference = strings.ToLower(r.Args[1])
		s.Lock()
		defer s.Unlock()
		if p := s.Find(c.Reference); p != nil {
			c.Payer, c.Amount, c.Original = p.Payer, p.Amount, p.Own.Original
		}
	}
}

// hasNoLength reports a request with neither body nor Content-Length, which
// MTN's front answers 411.
func hasNoLength(r *core.Request) bool {
	return r.ContentLength == 0 && r.Header.Get("Content-Length") == ""
}
