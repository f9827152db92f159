package momfactura

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"momoproxy/infra/standin/core"
)

// webhook is the body of an event, in the documents' order.
type webhook struct {
	Event                 string `json:"event,omitempty"`
	MerchantTransactionID string `json:"merchantTransactionId"`
	EkwanzaTransactionID  any    `json:"ekwanzaTransactionId"`
	OperationStatus       any    `json:"operationStatus"`
	OperationData         any    `json:"operationData"`
	InvoiceURL            string `json:"invoiceUrl,omitempty"`
}

// settle gives a payment that was paid by hand its invoice.
func (s *Standin) settle(p *payment, to core.State) ([]core.State, error) {
	p.InvoiceURL = ""
	if to.Status == Paid {
		p.InvoiceURL, p.InvoiceAt = invoiceURL(p), to.At.Add(s.Times.Invoice)
	}
	return []core.State{to}, nil
}

// announce are the webhooks of an ending set by hand.
func (s *Standin) announce(_ *payment, to core.State) []core.Notice {
	t := s.Times
	t.Approve = 0
	return ends(t, to.Status).Callbacks
}

// compose writes a webhook. It is sent once, to one address.
func (s *Standin) compose(p *payment, n core.Notice, at time.Time) core.Letter {
	if n.Status == "" {
		n.Status = p.State(at).Status
	}
	if n.Kind == "" && n.Status == Paid {
		n.Kind = EventConfirmed
	}
	word := n.Status
	if w := operation[word]; w != "" {
		word = w
	}
	l := core.Letter{Kind: n.Kind, Status: n.Status, Header: http.Header{"Content-Type": {"application/json"}}, Body: n.Body}
	if n.Body != nil {
		return l
	}
	// operationData as the gateway behind the provider calls back with:
	// published by third parties only.
	amount, _ := strconv.ParseFloat(p.Amount, 64)
	kind := "REF"
	if p.Method == RouteEkwanza {
		kind = "GPO"
	}
	w := webhook{
		MerchantTransactionID: p.Reference, EkwanzaTransactionID: p.IDs[UpstreamID], OperationStatus: word,
		OperationData: map[string]any{"amount": amount, "merchantIdentifier": "momenu", "referenceType": kind},
	}
	if n.Kind != EventNone {
		w.Event = n.Kind
	}
	if n.Kind == EventInvoice {
		w.InvoiceURL = invoiceURL(p)
	}
	if s.dialect.Numbers {
		w.EkwanzaTransactionID, w.OperationStatus = json.Number(p.IDs[UpstreamID]), json.Number(word)
	}
	l.Body, _ = json.Marshal(w) // plain values: cannot fail
	return l
}
