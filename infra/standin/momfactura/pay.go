package momfactura

import (
	"bytes"
	"cmp"
	"encoding/json"
	"math/big"
	"net/http"
	"strings"
	"time"

	"momoproxy/infra/standin/core"
)

// Routes of the provider, as rules and counters name them. Those of a
// submission are named as their method.
const (
	RouteMCX       = "mcx"
	RouteReference = "reference"
	RouteEkwanza   = "ekwanza"
	RouteStatus    = "status"
)

func pays(route string) bool {
	return route == RouteMCX || route == RouteReference || route == RouteEkwanza
}

// order is what a submission asks for.
type order struct {
	PaymentInfo struct {
		Amount      json.Number `json:"amount"`
		PhoneNumber string      `json:"phoneNumber"`
	} `json:"paymentInfo"`
	Products []struct {
		Name     string      `json:"productName"`
		Price    json.Number `json:"productPrice"`
		Quantity json.Number `json:"productQuantity"`
		IVA      json.Number `json:"iva"`
	} `json:"products"`
	Customer struct {
		Name string `json:"name"`
		NIF  string `json:"nif"`
	} `json:"customer"`
	InstantWithdraw bool   `json:"instantWithdraw"`
	SimulateResult  string `json:"simulateResult"`
}

// find maps method and path to a route, and the id in the path.
func (s *Standin) find(r *http.Request) (route string, args []string, answer func(*core.Request) core.Answer) {
	p := strings.Split(strings.TrimPrefix(r.URL.Path, "/"), "/")
	switch {
	case len(p) < 3 || p[0] != "api" || p[1] != "payment":
	case r.Method == http.MethodPost && len(p) == 3 && pays(p[2]):
		return p[2], nil, s.pay
	case r.Method == http.MethodGet && len(p) == 5 && p[3] == RouteStatus && (p[2] == RouteReference || p[2] == RouteEkwanza):
		return RouteStatus, p[4:], s.status
	}
	return core.RouteUnknown, nil, nil
}

// about says what a request is about.
func (s *Standin) about(r *core.Request, c *core.Call) {
	if r.Route == RouteStatus {
		c.Reference = r.Args[0]
		s.Lock()
		defer s.Unlock()
		if p := s.Find(c.Reference); p != nil {
			c.Payer, c.Amount = p.Payer, p.Amount
		}
		return
	}
	if o, ok := read(r.Body); ok {
		c.Payer, c.Amount = o.PaymentInfo.PhoneNumber, string(o.PaymentInfo.Amount)
	}
}

func read(body []byte) (o order, ok bool) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	return o, d.Decode(&o) == nil
}

// pay makes a payment, or says why not.
func (s *Standin) pay(r *core.Request) core.Answer {
	o, ok := read(r.Body)
	if !ok {
		return refusal(400, "INVALID_AMOUNT", "Pedido inválido")
	}
	if a, bad := s.faultIn(o, r.Route, r.Body); bad {
		return a
	}
	sc := s.Choice(r, byCents(s.Catalogue(), string(o.PaymentInfo.Amount)))
	s.Lock()
	defer s.Unlock()
	p := s.Ask(r.Call)
	p.SetScript(sc)
	p.Currency, p.Method = "AOA", r.Route
	if r.Header.Get("x-env-qa") == "true" {
		p.Account = "qa" // no real money
	}
	return s.Try(r, p, func() core.Answer {
		if r.Route == RouteMCX {
			return s.payMCX(o, p, r.At)
		}
		return s.open(p, r.At)
	})
}

// faultIn finds what is wrong with a submission.
func (s *Standin) faultIn(o order, route string, body []byte) (core.Answer, bool) {
	amount, ok := new(big.Rat).SetString(string(o.PaymentInfo.Amount))
	switch {
	case !ok || amount.Sign() <= 0 || !numeric(body):
		return refusal(400, "INVALID_AMOUNT", "Valor inválido"), true
	case !o.InstantWithdraw && !s.dialect.WithdrawOptional:
		return refusal(400, "INSTANT_WITHDRAW_REQUIRED", "instantWithdraw é obrigatório"), true
	case route != RouteReference && !angolan(o.PaymentInfo.PhoneNumber):
		return refusal(400, "MISSING_PHONE", "Número de telefone em falta"), true
	}
	switch { // codes that the provider does not publish
	case len(o.Products) == 0 && s.dialect.ProductsRequired && route != RouteEkwanza:
		return refusal(400, "MISSING_PRODUCTS", "Produtos em falta"), true
	case (o.Customer.Name == "") != (o.Customer.NIF == ""):
		return refusal(400, "INVALID_CUSTOMER", "Nome e NIF em conjunto"), true
	}
	if len(o.Products) > 0 {
		sum := new(big.Rat)
		for _, p := range o.Products {
			price, okPrice := new(big.Rat).SetString(string(p.Price))
			quantity, okQuantity := new(big.Rat).SetString(string(p.Quantity))
			iva, okIVA := new(big.Rat).SetString(cmp.Or(string(p.IVA), "14"))
			if !okPrice || !okQuantity || !okIVA || p.Name == "" || quantity.Sign() <= 0 || !quantity.IsInt() || iva.Sign() < 0 || iva.Cmp(big.NewRat(14, 1)) > 0 {
				return refusal(400, "INVALID_AMOUNT", "Produto inválido"), true
			}
			sum.Add(sum, price.Mul(price, quantity))
		}
		if sum.Cmp(amount) != 0 {
			return refusal(400, "AMOUNT_MISMATCH", "O valor não corresponde aos produtos"), true
		}
	}
	return core.Answer{}, false
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

// angolan: 244 and nine digits.
func angolan(phone string) bool {
	return len(phone) == 12 && strings.HasPrefix(phone, "244") && strings.Trim(phone, "0123456789") == ""
}

// payMCX decides at once. Errors have the SDK's HTTP numbers (402, 403, 504)
// and codes that the provider does not publish.
func (s *Standin) payMCX(o order, p *payment, now time.Time) core.Answer {
	outcome := p.Script().Immediate
	if p.Account == "qa" {
		if simulated := testNumbers[o.PaymentInfo.PhoneNumber]; simulated != "" {
			outcome = simulated
		}
		if o.SimulateResult != "" {
			outcome = o.SimulateResult
		}
	}
	var a core.Answer
	switch outcome {
	case "", success: // paid and invoiced at once, no webhooks
		at := *p.Script()
		at.Steps, at.Callbacks, at.Invoice = []core.Step{{Status: Paid}}, nil, 0
		p.SetScript(&at)
		s.record(p, nil, now)
		p.InvoiceURL, p.InvoiceAt = invoiceURL(p), now
		a = core.JSON(200, map[string]any{"success": true, "transactionId": p.Reference, "invoiceUrl": p.InvoiceURL})
	case insufficient:
		a = refusal(402, "INSUFFICIENT_BALANCE", "Saldo insuficiente")
	case timedOut:
		a = refusal(504, "TIMEOUT", "Tempo esgotado")
	case refused:
		a = refusal(403, "REJECTED", "Pagamento rejeitado")
	default:
		a = refusal(400, "INVALID_NUMBER", "Número inválido")
	}
	a.Delay = s.Times.Approve
	return a
}

// open makes a payment that the payer still has to pay.
func (s *Standin) open(p *payment, now time.Time) core.Answer {
	answer := map[string]any{"success": true}
	if p.Method == RouteReference {
		s.record(p, map[string]string{OperationID: "op-" + s.Hex(8), ReferenceNumber: s.Number("", 9)}, now)
		p.Own.DueDate = now.In(luanda).Add(s.Times.Due).Format(time.DateOnly)
		answer["operationId"], answer["referenceNumber"], answer["entity"], answer["dueDate"] = p.IDs[OperationID], p.IDs[ReferenceNumber], entity, p.Own.DueDate
		if !s.dialect.Bare {
			answer["transactionId"] = p.Reference
		}
	} else {
		s.record(p, map[string]string{Code: s.Number("EKZ", 6), OperationID: "OP" + s.Hex(6)}, now)
		answer["code"], answer["qrCode"] = p.IDs[Code], qrCode
		answer["expirationDate"] = now.Add(s.Times.Expire).UTC().Format(time.RFC3339)
		answer["paymentTimeout"] = int(s.Times.Expire / time.Second)
		if !s.dialect.Bare {
			answer["merchantTransactionId"] = p.Reference
		}
	}
	return core.JSON(200, answer)
}

const (
	entity = "11249"
	// qrCode is a PNG of one dot.
	qrCode = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII="
)

// record gives a payment its ids and starts its life.
func (s *Standin) record(p *payment, ids map[string]string, now time.Time) {
	p.Reference = s.Hex(10)
	if ids == nil {
		ids = map[string]string{}
	}
	ids[UpstreamID] = s.Number("", 9)
	p.IDs = ids
	if sc := p.Script(); sc.Invoice > 0 {
		p.InvoiceURL, p.InvoiceAt = invoiceURL(p), now.Add(sc.Invoice)
	}
	s.Accept(p, now)
}

var luanda = time.FixedZone("WAT", 60*60)

// invoiceURL is made from the payment's id.
func invoiceURL(p *payment) string {
	return "https://invoice-momenu.toquemedia.net/invoices/" + p.Reference + ".pdf"
}
