package momentpay

import (
	"crypto/subtle"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"time"

	"momoproxy/infra/sandbox/line"
)

// Routes, as rules and counters name them.
const (
	RouteCreate   = "create"   // POST /collect/payment_request
	RouteRetrieve = "retrieve" // GET /collect/payment_request/{id}
	RouteUpdate   = "update"   // PATCH /collect/payment_request/{id}
	RoutePayment  = "payment"  // GET /collect/payments/{id}
	RouteWebhook  = "webhook"  // from MomentPay to us
	routeUnknown  = "unknown"
)

var routes = []string{RouteCreate, RouteRetrieve, RouteUpdate, RoutePayment, RouteWebhook}

// maxBody bounds what is read of a request.
const maxBody = 64 << 10

// incoming is one request, read whole.
type incoming struct {
	*http.Request
	route string
	id    string // what the path names
	body  []byte
	at    time.Time
	fault Fault    // what its rule says
	made  *request // what it made or changed
}

// serve answers one request. It is the whole of the sandbox but for what the
// connection does with the answer.
func (s *Sandbox) serve(hr *http.Request) line.Answer {
	if strings.HasPrefix(hr.URL.Path, controlPrefix) {
		return s.control(hr)
	}
	in := &incoming{Request: hr, at: s.opts.Now()}
	var answer func(*incoming) line.Answer
	in.route, in.id, answer = s.find(hr)
	s.mu.Lock()
	s.counts[in.route]++
	s.mu.Unlock()
	body, err := io.ReadAll(io.LimitReader(hr.Body, maxBody+1))
	switch {
	case err != nil:
		return s.refusal(400, "invalid_request", "The body could not be read.")
	case len(body) > maxBody:
		return s.refusal(413, "request_too_large", "The body is too large.")
	}
	in.body = body
	call := s.callOf(in)
	rule := s.take(call)
	in.fault = rule.Fault
	if in.fault == "" && in.route == RouteCreate {
		in.fault = s.scripted(in)
	}
	f := faults[in.fault]
	delay := time.Duration(rule.DelayMS) * time.Millisecond
	if in.route == RouteCreate {
		s.mu.Lock()
		s.asked[call.Reference]++
		s.mu.Unlock()
	}
	var a line.Answer
	switch {
	case f.before:
		a = f.answer(s, in, line.Answer{})
	case !s.authorised(hr):
		a = s.refusal(401, "unauthorized", "The API key is missing or wrong.")
	case answer == nil:
		a = s.refusal(404, "not_found", "There is no such resource.")
	default:
		a = answer(in)
		if f.answer != nil {
			a = f.answer(s, in, a)
		}
	}
	a.Delay = max(a.Delay, delay)
	return a
}

// find maps method and path to a route.
func (s *Sandbox) find(r *http.Request) (route, id string, answer func(*incoming) line.Answer) {
	path, ok := strings.CutPrefix(r.URL.Path, "/collect/")
	if !ok {
		return routeUnknown, "", nil
	}
	kind, id, named := strings.Cut(path, "/")
	switch call := r.Method + " " + kind; {
	case call == "POST payment_request" && !named:
		return RouteCreate, "", s.create
	case call == "GET payment_request" && id != "":
		return RouteRetrieve, id, s.retrieve
	case call == "PATCH payment_request" && id != "":
		return RouteUpdate, id, s.update
	case call == "GET payments" && id != "":
		return RoutePayment, id, s.payment
	}
	return routeUnknown, "", nil
}

// callOf says what a request is about, as far as can be told without judging
// it.
func (s *Sandbox) callOf(in *incoming) Call {
	c := Call{Route: in.route}
	if in.route == RouteCreate {
		var ask ask
		_ = json.Unmarshal(in.body, &ask)
		c.Reference = ask.ExternalReference
		c.Amount, _ = ask.Amount.Int64()
		return c
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.byID(in.id); r != nil {
		c.Reference, c.Amount = r.reference, r.amount
	}
	return c
}

// byID finds a request by its own id or its payment's. Call with s.mu held.
func (s *Sandbox) byID(id string) *request {
	if r := s.requests[id]; r != nil {
		return r
	}
	for _, r := range s.order {
		if r.paymentID == id {
			return r
		}
	}
	return nil
}

func (s *Sandbox) authorised(r *http.Request) bool {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	return ok && s.opts.SecretKey != "" && subtle.ConstantTimeCompare([]byte(token), []byte(s.opts.SecretKey)) == 1
}

// refusal is an error answer. MomentPay publishes no shape for one.
func (s *Sandbox) refusal(code int, name, message string) line.Answer {
	type inner struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	}
	if s.opts.FlatErrors {
		return jsonOf(code, inner{name, message})
	}
	return jsonOf(code, map[string]inner{"error": {name, message}})
}

func jsonOf(code int, v any) line.Answer {
	b, err := json.Marshal(v)
	if err != nil {
		panic("sandbox: " + err.Error())
	}
	return line.Answer{Code: code, Header: http.Header{"Content-Type": {"application/json"}}, Body: b}
}

func page(code int, text string) line.Answer {
	return line.Answer{Code: code, Header: http.Header{"Content-Type": {"text/html; charset=utf-8"}}, Body: []byte("<html><body>" + text + "</body></html>")}
}
