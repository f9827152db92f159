package momfactura

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"strings"
	"time"

	"momoproxy/infra/sandbox/line"
)

// Routes of the provider, as rules and counters name them. Those of a
// submission are named as their method.
const (
	RouteMCX       = "mcx"
	RouteReference = "reference"
	RouteEkwanza   = "ekwanza"
	RouteStatus    = "status"
	RouteWebhook   = "webhook" // from the provider to us
	routeUnknown   = "unknown"
)

var routes = []string{RouteMCX, RouteReference, RouteEkwanza, RouteStatus, RouteWebhook}

// maxBody bounds what is read of a request.
const maxBody = 64 << 10

// order is what a submission asks for.
type order struct {
	PaymentInfo struct {
		Amount      json.Number `json:"amount"`
		PhoneNumber string      `json:"phoneNumber"`
	} `json:"paymentInfo"`
	Products []struct {
		Price    json.Number `json:"productPrice"`
		Quantity json.Number `json:"productQuantity"`
	} `json:"products"`
	InstantWithdraw bool   `json:"instantWithdraw"`
	SimulateResult  string `json:"simulateResult"`
}

// serve answers one request. It is the whole of the stand-in but for what
// the connection does with the answer.
func (s *Sandbox) serve(r *http.Request) line.Answer {
	if strings.HasPrefix(r.URL.Path, controlPrefix) {
		return s.control(r)
	}
	now := s.opts.Now()
	route, id := find(r)
	beyond := s.count(route, now)
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	switch {
	case err != nil || len(body) > maxBody:
		return page(413, "Request Entity Too Large")
	case route == routeUnknown || route == RouteEkwanza && s.opts.Dialect.NoEkwanza:
		return page(404, "Cannot "+r.Method+" "+r.URL.Path)
	case beyond != "" && s.opts.EnforceLimits:
		return refusal(429, beyond, "Limite de pedidos excedido")
	case r.Header.Get("x-api-key") == "":
		return refusal(401, "MISSING_API_KEY", "API key em falta")
	case r.Header.Get("x-api-key") != s.opts.APIKey:
		return refusal(401, "INVALID_API_KEY", "API key inválida")
	}
	var o order
	if route != RouteStatus {
		d := json.NewDecoder(bytes.NewReader(body))
		d.UseNumber()
		if err := d.Decode(&o); err != nil {
			return refusal(400, "INVALID_AMOUNT", "Pedido inválido")
		}
	}
	call := Call{Route: route, ID: id, Payer: o.PaymentInfo.PhoneNumber, Amount: string(o.PaymentInfo.Amount)}
	if route == RouteStatus && s.polled(id, now) && s.opts.EnforceLimits {
		return refusal(429, "RATE_LIMIT_EXCEEDED", "Consulta demasiado frequente")
	}
	rule := s.take(call)
	f := faults[rule.Fault]
	a := line.Answer{}
	if !f.before {
		if route == RouteStatus {
			a = s.status(r, id, now, f.bend)
		} else {
			a = s.pay(r, body, o, call, now)
		}
	}
	if f.answer != nil {
		a = f.answer(a, r)
	}
	a.Delay = max(a.Delay, time.Duration(rule.DelayMS)*time.Millisecond)
	return a
}

// find maps method and path to a route, and the id in the path.
func find(r *http.Request) (route, id string) {
	p := strings.Split(strings.TrimPrefix(r.URL.Path, "/"), "/")
	switch {
	case len(p) < 3 || p[0] != "api" || p[1] != "payment":
	case r.Method == http.MethodPost && len(p) == 3 && (p[2] == RouteMCX || p[2] == RouteReference || p[2] == RouteEkwanza):
		return p[2], ""
	case r.Method == http.MethodGet && len(p) == 5 && p[3] == RouteStatus && (p[2] == RouteReference || p[2] == RouteEkwanza):
		return RouteStatus, p[4]
	}
	return routeUnknown, ""
}

// pay makes a payment, or says why not.
func (s *Sandbox) pay(r *http.Request, body []byte, o order, call Call, now time.Time) line.Answer {
	if a, bad := s.faultIn(o, call.Route, body); bad {
		return a
	}
	name := ""
	if s.opts.Choose != nil {
		name = s.opts.Choose(call)
	}
	sc := s.scriptFor(name, string(o.PaymentInfo.Amount))
	qa := r.Header.Get("x-env-qa") == "true"
	f := faults[sc.submit]
	if f.before {
		return f.answer(line.Answer{}, r)
	}
	var a line.Answer
	if call.Route == RouteMCX {
		a = s.payMCX(o, sc, qa, now)
	} else {
		a = s.open(o, sc, call.Route, qa, now)
	}
	if f.answer != nil {
		delay := a.Delay
		a = f.answer(a, r)
		a.Delay = delay
	}
	return a
}

// faultIn finds what is wrong with a submission.
func (s *Sandbox) faultIn(o order, route string, body []byte) (line.Answer, bool) {
	amount, ok := new(big.Rat).SetString(string(o.PaymentInfo.Amount))
	switch {
	case !ok || amount.Sign() <= 0 || !numeric(body):
		return refusal(400, "INVALID_AMOUNT", "Valor inválido"), true
	case !o.InstantWithdraw && !s.opts.Dialect.WithdrawOptional:
		return refusal(400, "INSTANT_WITHDRAW_REQUIRED", "instantWithdraw é obrigatório"), true
	case route != RouteReference && !angolan(o.PaymentInfo.PhoneNumber):
		return refusal(400, "MISSING_PHONE", "Número de telefone em falta"), true
	}
	if len(o.Products) > 0 {
		sum := new(big.Rat)
		for _, p := range o.Products {
			price, okPrice := new(big.Rat).SetString(string(p.Price))
			quantity, okQuantity := new(big.Rat).SetString(string(p.Quantity))
			if !okPrice || !okQuantity {
				return refusal(400, "INVALID_AMOUNT", "Produto inválido"), true
			}
			sum.Add(sum, price.Mul(price, quantity))
		}
		if sum.Cmp(amount) != 0 {
			return refusal(400, "AMOUNT_MISMATCH", "O valor não corresponde aos produtos"), true
		}
	}
	return line.Answer{}, false
}

// numeric: amounts are JSON numbers; json.Number takes text as well.
func numeric(body []byte) bool {
	var o struct {
		PaymentInfo struct {
			Amount json.RawMessage `json:"amount"`
		} `json:"paymentInfo"`
	}
	return json.Unmarshal(body, &o) == nil && !bytes.HasPrefix(bytes.TrimSpace(o.PaymentInfo.Amount), []byte(`"`))
}

// angolan: 244XXXXXXXXX.
func angolan(phone string) bool {
	return len(phone) == 12 && strings.HasPrefix(phone, "244") && strings.Trim(phone, "0123456789") == ""
}

// payMCX decides at once. Errors have the SDK's HTTP numbers (402, 403, 504)
// and codes that the provider does not publish.
func (s *Sandbox) payMCX(o order, sc script, qa bool, now time.Time) line.Answer {
	outcome := sc.mcx
	if qa {
		if simulated := testNumbers[o.PaymentInfo.PhoneNumber]; simulated != "" {
			outcome = simulated
		}
		if o.SimulateResult != "" {
			outcome = o.SimulateResult
		}
	}
	var a line.Answer
	switch outcome {
	case "", success:
		p := s.record(o, sc, RouteMCX, qa, now)
		a = jsonOf(200, map[string]any{"success": true, "transactionId": p.TransactionID, "invoiceUrl": p.invoice})
	case insufficient:
		a = refusal(402, "INSUFFICIENT_BALANCE", "Saldo insuficiente")
	case timedOut:
		a = refusal(504, "TIMEOUT", "Tempo esgotado")
	case refused:
		a = refusal(403, "REJECTED", "Pagamento rejeitado")
	default:
		a = refusal(400, "INVALID_NUMBER", "Número inválido")
	}
	a.Delay = s.opts.Times.Approve
	return a
}

// open makes a payment that the payer still has to pay.
func (s *Sandbox) open(o order, sc script, method string, qa bool, now time.Time) line.Answer {
	p := s.record(o, sc, method, qa, now)
	told := map[string]any{"success": true}
	if method == RouteReference {
		told["operationId"], told["referenceNumber"], told["entity"], told["dueDate"] = p.OperationID, p.ReferenceNumber, entity, p.DueDate
		if !s.opts.Dialect.Bare {
			told["transactionId"] = p.TransactionID
		}
	} else {
		told["code"], told["qrCode"] = p.Code, qrCode
		told["expirationDate"] = now.Add(s.opts.Times.Expire).UTC().Format(time.RFC3339)
		told["paymentTimeout"] = int(s.opts.Times.Expire / time.Second)
		if !s.opts.Dialect.Bare {
			told["merchantTransactionId"] = p.TransactionID
		}
	}
	return jsonOf(200, told)
}

const (
	entity = "11249"
	// qrCode is a PNG of one dot.
	qrCode = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII="
)

// record writes a payment into the books and schedules what follows.
func (s *Sandbox) record(o order, sc script, method string, qa bool, now time.Time) *payment {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := &payment{script: sc, steps: []moment{{now, Pending}}, Entry: Entry{
		Method: method, Amount: string(o.PaymentInfo.Amount), Payer: o.PaymentInfo.PhoneNumber, QA: qa, Script: sc.name, Created: now,
		TransactionID: s.hex(10), UpstreamID: s.number("", 9),
	}}
	for _, st := range sc.steps {
		p.steps = append(p.steps, moment{now.Add(st.after), st.status})
	}
	if sc.invoice > 0 {
		p.invoice, p.invoiceAt = s.invoiceURL(p), now.Add(sc.invoice)
	}
	switch method {
	case RouteMCX: // paid and invoiced at once, no webhooks
		p.steps, p.invoice, p.invoiceAt = []moment{{now, Paid}}, s.invoiceURL(p), now
	case RouteReference:
		p.OperationID, p.ReferenceNumber = "op-"+s.hex(8), s.number("", 9)
		p.DueDate = now.In(luanda).Add(s.opts.Times.Due).Format(time.DateOnly)
	case RouteEkwanza:
		p.Code, p.OperationID = s.number("EKZ", 6), "OP"+s.hex(6)
	}
	for _, id := range p.ids() {
		s.byID[id] = p
	}
	s.payments = append(s.payments, p)
	if method != RouteMCX {
		s.plan(p, sc, now)
	}
	s.keep(p)
	return p
}

var luanda = time.FixedZone("WAT", 60*60)

// invoiceURL is made from the payment's id.
func (s *Sandbox) invoiceURL(p *payment) string {
	return "https://invoice-momenu.toquemedia.net/invoices/" + p.TransactionID + ".pdf"
}

// number draws an id of so many digits that is not taken. Call with s.mu
// held.
func (s *Sandbox) number(prefix string, digits int) string {
	for {
		id := prefix + string(rune('1'+s.rng.IntN(9)))
		for range digits - 1 {
			id += string(rune('0' + s.rng.IntN(10)))
		}
		if s.byID[id] == nil {
			return id
		}
	}
}

// hex draws an id of n bytes. Call with s.mu held.
func (s *Sandbox) hex(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(s.rng.Uint32())
	}
	return fmt.Sprintf("%x", b)
}
