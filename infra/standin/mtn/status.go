package mtn

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"momoproxy/infra/standin/core"
)

// statusBody is a status answer. Fields that are known to change their JSON
// type are any.
type statusBody struct {
	FinancialTransactionID any    `json:"financialTransactionId,omitempty"`
	ExternalID             string `json:"externalId"`
	Amount                 any    `json:"amount"`
	Currency               string `json:"currency"`
	Payer                  *party `json:"payer,omitempty"`
	Payee                  *party `json:"payee,omitempty"`
	PayerMessage           string `json:"payerMessage,omitempty"`
	PayeeNote              string `json:"payeeNote,omitempty"`
	Status                 string `json:"status"`
	Reason                 any    `json:"reason,omitempty"`
}

func (b *statusBody) party() *party {
	if b.Payer != nil {
		return b.Payer
	}
	return b.Payee
}

// status is GET /collection/v1_0/requesttopay/{referenceId}, and the same of
// transfers and refunds.
func (s *Standin) status(r *core.Request) core.Answer {
	u, no, ok := s.authorized(r)
	if !ok {
		return no
	}
	if !isUUID4(r.Args[1]) {
		return badRequest("The reference id must be a UUID version 4.")
	}
	route := RouteRequestToPay
	if r.Route == RoutePayoutStatus {
		route = r.Args[2]
	}
	s.Lock()
	defer s.Unlock()
	p := s.Find(strings.ToLower(r.Args[1]))
	if p == nil {
		return refuse(404)
	}
	f := s.Poll(p)
	if p.Account != u.id || p.Method != route || !s.live(p, r) || r.At.Before(p.Created.Add(p.Script().Hidden)) {
		return refuse(404)
	}
	if s.Before(f) {
		return s.Spoil(f, r, core.Answer{})
	}
	b := view(p, p.State(r.At.Add(-p.Script().Lag)))
	b.PayerMessage = p.Own.PayerMessage
	bend(f, &b)
	bend(r.Rule.Fault, &b)
	return s.Spoil(f, r, core.JSON(200, b))
}

// view puts a state into the words of status answers and callbacks.
func view(p *payment, m core.State) statusBody {
	b := statusBody{ExternalID: p.Order, Amount: p.Amount, Currency: p.Currency, PayeeNote: p.Own.PayeeNote, Status: m.Status}
	if other := (&party{p.Own.PartyType, p.Payer}); p.Method == RouteRequestToPay {
		b.Payer = other
	} else {
		b.Payee = other
	}
	switch m.Status {
	case successful:
		b.FinancialTransactionID = p.IDs[transactionID]
	case failed:
		b.Reason = m.Reason
	}
	return b
}

// inHundredths reads a normalised amount. It may wrap beyond 18 digits: the
// balance is for people to look at.
func inHundredths(amount string) (n int64) {
	whole, part, _ := strings.Cut(amount, ".")
	for _, c := range whole + (part + "00")[:2] {
		n = n*10 + int64(c-'0')
	}
	return n
}

func decimal(hundredths int64) string {
	return fmt.Sprintf("%d.%02d", hundredths/100, hundredths%100)
}

// holders are the numbers whose account answers otherwise than active
// (MTN's testing page).
var holders = map[string]core.Answer{
	"46733123450": refusals["RESOURCE_NOT_FOUND"],
	"46733123451": raw(200, typeJSON, `{"result":false}`),
	"46733123452": refusals["NOT_ALLOWED"],
	"46733123453": refusals["NOT_ALLOWED_TARGET_ENVIRONMENT"],
	"46733123454": refusals["INTERNAL_PROCESSING_ERROR"],
	"46733123455": refusals["SERVICE_UNAVAILABLE"],
}

// holder judges a question about an account holder.
func (s *Standin) holder(r *core.Request) (no core.Answer, ok bool) {
	if _, no, ok := s.authorized(r); !ok {
		return no, false
	}
	// MTN's pages write the type in small letters, its clients in capitals.
	switch strings.ToLower(r.Args[1]) {
	case "msisdn", "email", "party_code":
		return core.Answer{}, true
	}
	return badRequest("The account holder type must be msisdn, email or party_code."), false
}

// accountHolderActive is GET /{product}/v1_0/accountholder/{type}/{id}/active.
func (s *Standin) accountHolderActive(r *core.Request) core.Answer {
	if no, ok := s.holder(r); !ok {
		return no
	}
	if a, ok := holders[r.Args[2]]; ok {
		return a
	}
	return raw(200, typeJSON, `{"result":true}`)
}

// basicUserInfo is GET /{product}/v1_0/accountholder/{type}/{id}/basicuserinfo.
// Everybody has the same name.
func (s *Standin) basicUserInfo(r *core.Request) core.Answer {
	if no, ok := s.holder(r); !ok {
		return no
	}
	if a, ok := holders[r.Args[2]]; ok && a.Code != 200 {
		return a
	}
	return core.JSON(200, struct {
		GivenName  string `json:"given_name"`
		FamilyName string `json:"family_name"`
		Birthdate  string `json:"birthdate"`
		Locale     string `json:"locale"`
		Gender     string `json:"gender"`
		Status     string `json:"status"`
	}{"Sandbox", "User", "1998-02-02", "sv_SE", "MALE", "ACTIVE"})
}

// notificationWindow is how long after its end a payment may be notified of.
// MTN documents that there is one, not how long.
const notificationWindow = 24 * time.Hour

// deliveryNotification is POST
// /collection/v1_0/requesttopay/{referenceId}/deliverynotification.
func (s *Standin) deliveryNotification(r *core.Request) core.Answer {
	if hasNoLength(r) {
		return lengthRequired
	}
	u, no, ok := s.authorized(r)
	if !ok {
		return no
	}
	message := readNotification(r.Body)
	if message == "" {
		message = r.Header.Get("notificationMessage")
	}
	if n := len([]rune(message)); n == 0 || n > 160 {
		return badRequest("notificationMessage must have 1 to 160 characters.")
	}
	s.Lock()
	defer s.Unlock()
	p := s.Find(strings.ToLower(r.Args[1]))
	if p == nil || p.Account != u.id || p.Method != RouteRequestToPay || !s.live(p, r) {
		return refuse(404)
	}
	switch st := p.State(r.At); {
	case st.Status != successful:
		return refusal(409, "TRANSACTION_NOT_COMPLETED", "The transaction is not successful.")
	case r.At.Sub(st.At) > notificationWindow:
		return refusal(410, "DELIVERY_NOTIFICATION_EXPIRED", "The time for a delivery notification is over.")
	}
	return core.Answer{Code: http.StatusOK}
}
