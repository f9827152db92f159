package momfactura

import (
	"net/http"
	"strings"
	"time"

	"momoproxy/infra/sandbox/line"
)

// status answers a status question. bend changes the answer, if not nil.
func (s *Sandbox) status(r *http.Request, id string, now time.Time, bend func(map[string]any)) line.Answer {
	reference := strings.HasPrefix(r.URL.Path, "/api/payment/reference/")
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.byID[id]
	if p == nil || reference && p.OperationID != id || !reference && p.Code != id || p.Method == RouteMCX {
		return refusal(404, "PAYMENT_NOT_FOUND", "Pagamento não encontrado")
	}
	if n := p.script.statusTimes; p.script.status != "" && (n == 0 || p.Statuses <= n) {
		if f := faults[p.script.status]; f.before {
			return f.answer(line.Answer{}, r)
		}
	}
	told := s.told(p, reference, now)
	if bend != nil {
		bend(told)
	}
	a := jsonOf(200, told)
	if n := p.script.statusTimes; p.script.status != "" && (n == 0 || p.Statuses <= n) {
		a = faults[p.script.status].answer(a, r)
	}
	return a
}

var messages = map[string]string{
	Pending: "Aguardando pagamento", Paid: "Pagamento confirmado", Cancelled: "Pagamento cancelado", Expired: "Pagamento expirado",
	Failed: "Pagamento falhou", Rejected: "Pagamento rejeitado", Errored: "Erro no pagamento",
}

// told is a status answer, in the dialect's words and nesting.
func (s *Sandbox) told(p *payment, reference bool, now time.Time) map[string]any {
	seen := now.Add(-p.script.lag)
	m := p.state(seen)
	word := m.status
	if s.opts.Dialect.SDK {
		switch word {
		case Pending:
			word = "open"
		case Expired:
			word = Cancelled
		}
	}
	told := map[string]any{"success": true}
	if reference != s.opts.Dialect.SwapNesting {
		told["payment"] = map[string]any{"status": word, "message": messages[m.status]}
	} else {
		told["status"] = word
	}
	if !reference {
		told["operationCode"] = p.OperationID
	}
	if invoice := p.invoiced(seen); m.status == Paid && invoice != "" {
		told["invoiceUrl"] = invoice
	}
	return told
}
