package momfactura

import (
	"strings"
	"time"

	"momoproxy/infra/standin/core"
)

// status answers a status question.
func (s *Standin) status(r *core.Request) core.Answer {
	id, reference := r.Args[0], strings.HasPrefix(r.URL.Path, "/api/payment/reference/")
	s.Lock()
	defer s.Unlock()
	p := s.Find(id)
	if p == nil || p.Method == RouteMCX || reference && p.IDs[OperationID] != id || !reference && p.IDs[Code] != id {
		return refuse(404)
	}
	f := s.Poll(p)
	if s.Before(f) {
		return s.Spoil(f, r, core.Answer{})
	}
	body := s.view(p, reference, r.At)
	bend(r.Rule.Fault, body)
	return s.Spoil(f, r, core.JSON(200, body))
}

var messages = map[string]string{
	Pending: "Aguardando pagamento", Paid: "Pagamento confirmado", Cancelled: "Pagamento cancelado", Expired: "Pagamento expirado",
	Failed: "Pagamento falhou", Rejected: "Pagamento rejeitado", Errored: "Erro no pagamento",
}

// view is a status answer, in the dialect's words and nesting.
func (s *Standin) view(p *payment, reference bool, now time.Time) map[string]any {
	seen := now.Add(-p.Script().Lag)
	m := p.State(seen)
	word := m.Status
	if s.dialect.SDK {
		switch word {
		case Pending:
			word = "open"
		case Expired:
			word = Cancelled
		}
	}
	body := map[string]any{"success": true}
	if reference != s.dialect.SwapNesting {
		body["payment"] = map[string]any{"status": word, "message": messages[m.Status]}
	} else {
		body["status"] = word
	}
	if !reference {
		body["operationCode"] = p.IDs[OperationID]
	}
	if invoice := p.Invoice(seen); m.Status == Paid && invoice != "" {
		body["invoiceUrl"] = invoice
	}
	return body
}
