package mtn

import (
	"cmp"
	"mime"
	"net/http"
	"strings"

	"momoproxy/infra/standin/core"
)

// requestToPay is POST /collection/v1_0/requesttopay.
func (s *Standin) requestToPay(r *core.Request) core.Answer {
	if a, fault := readAsk(r.Body); fault == "" && a.stopped() && !hasNoLength(r) {
		return requestRejected // the firewall stands before whatever else looks at a request
	}
	u, a, no, ok := s.asked(r)
	if !ok {
		return no
	}
	return s.make(r, u, a, s.Catalogue().For(a.Payer.PartyID))
}

// asked judges what asks for a payment, a transfer or a refund.
func (s *Standin) asked(r *core.Request) (u *user, a ask, no core.Answer, ok bool) {
	refused := func(no core.Answer) (*user, ask, core.Answer, bool) { return nil, ask{}, no, false }
	if hasNoLength(r) {
		return refused(lengthRequired)
	}
	if u, no, ok = s.authorized(r); !ok {
		return refused(no)
	}
	if !isUUID4(r.Header.Get("X-Reference-Id")) {
		return refused(badRequest("X-Reference-Id must be a UUID version 4."))
	}
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != typeJSON {
		return refused(gatewayError(415, "Content-Type must be application/json."))
	}
	if present(r.Header, "X-Callback-Url") {
		if no, bad := callbackFault(r.Header.Get("X-Callback-Url"), u.host, s.opts.CallbackScheme); bad {
			return refused(no)
		}
	}
	a, fault := readAsk(r.Body)
	if fault == "" {
		fault = a.faultOf(r.Route)
	}
	if fault != "" {
		return refused(badRequest(fault))
	}
	if a.Currency != u.currency {
		return refused(refusals["INVALID_CURRENCY"])
	}
	places := 2
	if wholeUnits[u.currency] {
		places = 0
	}
	if a.Amount, ok = normalAmount(a.Amount, places); !ok {
		return refused(badRequest("amount must be a decimal string in major units, greater than zero."))
	}
	if p := a.party(r.Route); p.PartyIDType == "MSISDN" && !isMSISDN(p.PartyID) {
		return refused(refusals[map[string]string{RouteRequestToPay: "PAYER_NOT_FOUND", RouteTransfer: "PAYEE_NOT_FOUND"}[r.Route]])
	}
	return u, a, core.Answer{}, true
}

// make makes a payment, a transfer or a refund of what was asked for.
func (s *Standin) make(r *core.Request, u *user, a ask, asked *core.Script) core.Answer {
	s.Lock()
	defer s.Unlock()
	p := s.Ask(r.Call)
	if s.live(p, r) {
		p.Duplicates++
		return refusals["RESOURCE_ALREADY_EXIST"]
	}
	if !p.Chosen() {
		sc := s.Choice(r, asked)
		if r.Route == RouteRefund && r.Args[1] == "v2_0" { // its callback is a PUT
			put := *sc
			put.Callbacks = nil
			for _, n := range sc.Callbacks {
				n.Method = http.MethodPut
				put.Callbacks = append(put.Callbacks, n)
			}
			sc = &put
		}
		p.SetScript(sc)
	}
	party := a.party(r.Route)
	p.Method, p.Account, p.Currency, p.Order, p.Amount, p.Payer = r.Route, u.id, u.currency, a.ExternalID, a.Amount, cmp.Or(party.PartyID, r.Payer)
	p.CallbackURL = r.Header.Get("X-Callback-Url")
	p.Own = own{cmp.Or(party.PartyIDType, "MSISDN"), a.PayerMessage, a.PayeeNote, r.Original}
	return s.Try(r, p, func() core.Answer {
		p.IDs = map[string]string{transactionID: "6" + s.Letters("0123456789", 8)} // the form of the ids seen
		s.Accept(p, r.At)
		return core.Answer{Code: 202}
	})
}

const transactionID = "financialTransactionId"

// live reports whether the reference is taken.
func (s *Standin) live(p *payment, r *core.Request) bool {
	if p.Accepted > 0 && s.opts.Remember > 0 && r.At.Sub(p.Created) >= s.opts.Remember {
		p.Forgotten = true
	}
	return p.Accepted > 0 && !p.Forgotten
}

// present reports a header that is there, whatever it says.
func present(h http.Header, name string) bool { return len(h.Values(name)) > 0 }

// Payer is the number that asks for a script, the Eswatini one where there
// are two; empty for an unknown name. The ordinary success has 26876123456.
func Payer(script string) string {
	if script == ScriptSuccess {
		return "26876123456"
	}
	if sc := index(DefaultTimes(), false).Named(script); sc != nil && len(sc.For) > 0 {
		return sc.For[0]
	}
	return ""
}

// isUUID4 takes the canonical form in either case.
func isUUID4(s string) bool {
	if len(s) != 36 || s[14] != '4' || !strings.ContainsRune("89abAB", rune(s[19])) {
		return false
	}
	for i := range len(s) {
		c := s[i]
		switch {
		case i == 8 || i == 13 || i == 18 || i == 23:
			if c != '-' {
				return false
			}
		case c >= '0' && c <= '9', c >= 'a' && c <= 'f', c >= 'A' && c <= 'F':
		default:
			return false
		}
	}
	return true
}
