package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"momoproxy/shared/delivery"
	"momoproxy/shared/gateway"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
)

// paymentSummary is a payment as it is listed. The names are those of
// statusBody. It is what is stored: no provider is asked for it.
type paymentSummary struct {
	ReferenceID   string              `json:"referenceId"`
	ExternalID    string              `json:"externalId"`
	Status        payment.Status      `json:"status"`
	Phase         payment.Phase       `json:"phase,omitempty"`
	Amount        json.Number         `json:"amount"`
	AmountDecimal string              `json:"amountDecimal"`
	Currency      string              `json:"currency"`
	Payer         *string             `json:"payer"` // null: it names none
	FinancialTxID *string             `json:"financialTxId"`
	FailureReason *string             `json:"failureReason"`
	FailureCode   payment.FailureCode `json:"failureCode,omitempty"`
	Refunded      string              `json:"refundedAmount,omitempty"`
	Provider      string              `json:"provider"`
	Account       string              `json:"account,omitempty"`
	Method        string              `json:"method,omitempty"`
	CreatedAt     string              `json:"createdAt"`
	UpdatedAt     string              `json:"updatedAt"`
	Metadata      map[string]string   `json:"metadata,omitempty"`
}

func summaryOf(p ledger.Payment) paymentSummary {
	return paymentSummary{
		ReferenceID: p.Reference, ExternalID: p.ExternalID, Status: p.Status, Phase: p.Phase,
		Amount: json.Number(p.Amount.Decimal()), AmountDecimal: p.Amount.Decimal(), Currency: p.Amount.Currency, Payer: orNull(string(p.Payer)),
		FinancialTxID: orNull(p.FinancialTransactionID), FailureReason: orNull(p.Reason), FailureCode: p.FailureCode, Refunded: refundedAmount(p),
		Provider: p.Provider, Account: p.Account, Method: p.Method,
		CreatedAt: payment.Timestamp(p.CreatedAt), UpdatedAt: payment.Timestamp(p.UpdatedAt), Metadata: p.Metadata,
	}
}

// refundedAmount is what all refunds that have not failed come to; empty: none.
func refundedAmount(p ledger.Payment) string {
	if p.Refunds.Reserved == 0 {
		return ""
	}
	return payment.Money{Minor: p.Refunds.Reserved, Currency: p.Amount.Currency}.Decimal()
}

type paymentsBody struct {
	Payments   []paymentSummary `json:"payments"`
	NextCursor *string          `json:"nextCursor"` // null: the list ends here
}

// SelfService handles what an app does with its own payments. No provider is
// asked for it.
type SelfService struct {
	*Apps
	// Doorbell tells the forwarder of what is to be delivered again.
	Doorbell Doorbell
	// Sleep waits for d, or until ctx ends: then it returns ctx's error.
	Sleep func(ctx context.Context, d time.Duration) error
}

// Doorbell tells the forwarder where to look; forwarder.Doorbell is one.
type Doorbell interface {
	Ring(ctx context.Context, deliveries ...delivery.Delivery) error
}

// Handler serves the routes of the payments function by the event's route key.
func (s *SelfService) Handler() Handler {
	return s.byRoute(map[string]Handler{
		"GET /payments":                                  s.guard("GET /payments", s.listPayments),
		"GET /payments/{referenceId}":                    s.guard("GET /payments/{referenceId}", s.paymentTimeline),
		"POST /payments/{referenceId}/resend-callback":   s.guard("POST /payments/{referenceId}/resend-callback", s.resendCallback),
		"GET /payments/{referenceId}/refunds":            s.guard("GET /payments/{referenceId}/refunds", s.refunds),
		"GET /payments/{referenceId}/refunds/{refundId}": s.guard("GET /payments/{referenceId}/refunds/{refundId}", s.refunds),
		"GET /events":                                    s.guard("GET /events", s.listEvents),
		"POST /events/test":                              s.guard("POST /events/test", s.testEvent),
	})
}

func (s *SelfService) listPayments(ctx context.Context, r Request) Response {
	client, refused := s.authenticate(ctx, r)
	if refused != nil {
		return *refused
	}
	q, faults := readListQuery(r)
	if len(faults) > 0 {
		return invalid(faults)
	}
	if q.forwarded != nil {
		q.limit = min(q.limit, defaultPage) // the events of each payment are read
	}
	page, err := s.Ledger.ListPayments(ctx, client.ID, q.filter, ledger.Paging{Limit: q.limit, Cursor: q.cursor})
	if errors.Is(err, ledger.ErrCursor) {
		return invalid([]gateway.Fault{{Field: "cursor", Message: "is not a nextCursor of this list; with another from or to the list begins anew"}})
	}
	if err != nil {
		return s.failed(ctx, "payments.failed", client, err)
	}
	body := paymentsBody{Payments: make([]paymentSummary, 0, len(page.Items)), NextCursor: orNull(page.Next)}
	for _, p := range page.Items {
		ok, err := s.matchesForwarded(ctx, p, q.forwarded)
		if err != nil {
			return s.failed(ctx, "payments.failed", client, err)
		}
		if ok {
			body.Payments = append(body.Payments, summaryOf(p))
		}
	}
	if wantsCSV(r) {
		return csvPage(body)
	}
	return respond(200, body)
}

// matchesForwarded says whether a payment's callbackForwarded is as asked for;
// nil: it was not. It reads the payment's events.
func (s *SelfService) matchesForwarded(ctx context.Context, p ledger.Payment, want *bool) (bool, error) {
	if want == nil {
		return true, nil
	}
	if p.Sequence == 0 {
		return !*want, nil // there is no event
	}
	events, err := s.Ledger.Deliveries(ctx, p.Reference)
	return err == nil && gateway.Forwarded(events) == *want, err
}

// failed answers an error, and logs it if it is ours.
func (a *Apps) failed(ctx context.Context, what string, client ledger.Client, err error) Response {
	resp := fromError(err)
	if resp.StatusCode >= 500 && resp.StatusCode != 501 {
		a.Log.ErrorContext(ctx, what, "client", client.ID, "error", err.Error())
	}
	return resp
}

// defaultPage is how many payments a page has when the app does not say.
const defaultPage = 20

type listQuery struct {
	filter ledger.PaymentFilter
	// forwarded: only payments with this callbackForwarded; nil: any.
	forwarded *bool
	limit     int
	cursor    string
}

// listParameters are the names that a list's query may hold.
var listParameters = fields{"externalId": nil, "status": nil, "from": nil, "to": nil, "callbackForwarded": nil, "limit": nil, "cursor": nil}

// readListQuery reads the query of GET /payments and tells all faults at
// once. A parameter that we do not know is one: a misspelt filter would list
// what was not asked for.
func readListQuery(r Request) (listQuery, []gateway.Fault) {
	q := listQuery{limit: defaultPage}
	values, err := url.ParseQuery(r.RawQueryString)
	if err != nil {
		return q, []gateway.Fault{unreadableQuery}
	}
	faults := readQuery(values, listParameters, []string{"status"}, q.set)
	if f := q.filter; len(faults) == 0 && !f.From.IsZero() && !f.To.IsZero() && !f.From.Before(f.To) {
		faults = append(faults, gateway.Fault{Field: "to", Message: "must be later than from"})
	}
	return q, faults
}

var unreadableQuery = gateway.Fault{Field: "query", Message: "cannot be read: a name or value is not URL-encoded"}

// readQuery gives each known parameter to set, and tells all faults at once.
// Those in several may appear more than once.
func readQuery(values url.Values, known fields, several []string, set func(name string, given []string) (fault string)) (faults []gateway.Fault) {
	for _, name := range slices.Sorted(maps.Keys(values)) {
		fault := ""
		_, ok := known[name]
		switch given := values[name]; {
		case !ok:
			fault = strings.Replace(unknownField(name, "", known), "field", "parameter", 1)
			name = clip(name)
		case len(given) > 1 && !slices.Contains(several, name):
			fault = "appears more than once"
		case !utf8.ValidString(given[0]) || strings.ContainsRune(given[0], 0):
			fault = "must be UTF-8 text"
		default:
			fault = set(name, given)
		}
		if fault != "" {
			faults = append(faults, gateway.Fault{Field: strings.ToValidUTF8(name, "?"), Message: fault})
		}
	}
	return faults
}

func (q *listQuery) set(name string, given []string) (fault string) {
	value := given[0]
	switch name {
	case "externalId":
		if value == "" || len(value) > ledger.MaxExternalID {
			return "must have 1 to " + strconv.Itoa(ledger.MaxExternalID) + " bytes"
		}
		q.filter.ExternalID = value
	case "status":
		for word := range strings.SplitSeq(strings.Join(given, ","), ",") {
			s := payment.Status(word)
			if !slices.Contains(payment.Statuses, s) {
				return "must be one or more, with commas, of " + strings.Join(statusWords(), ", ")
			}
			q.filter.Statuses = append(q.filter.Statuses, s)
		}
	case "from":
		return readTime(value, &q.filter.From)
	case "to":
		return readTime(value, &q.filter.To)
	case "callbackForwarded":
		if value != "true" && value != "false" {
			return "must be true or false"
		}
		q.forwarded = new(value == "true")
	case "limit":
		q.limit, fault = readLimit(value)
		return fault
	case "cursor":
		if value == "" {
			return "is empty; leave it out for the first page"
		}
		q.cursor = value
	}
	return ""
}

// readTime takes a moment, or a day, which begins at midnight UTC.
func readTime(value string, into *time.Time) (fault string) {
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, value); err == nil && t.Year() >= 1970 {
			*into = t.UTC()
			return ""
		}
	}
	return `must be a time such as "2026-11-21T09:30:00Z" (a + is written %2B), or a day such as "2026-11-21"`
}

func statusWords() []string {
	words := make([]string, 0, len(payment.Statuses))
	for _, s := range payment.Statuses {
		words = append(words, string(s))
	}
	return words
}
