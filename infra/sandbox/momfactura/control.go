package momfactura

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"

	"momoproxy/infra/sandbox/line"
)

// controlPrefix is where the control API lives. It is for people and tests on
// the same machine: it answers loopback peers only, and no browser page.
const controlPrefix = "/_sandbox/"

// control answers the control API. infra/sandbox/README.md lists its calls.
func (s *Sandbox) control(r *http.Request) line.Answer {
	if !line.FromThisMachine(r) {
		return controlError(403, "the control API answers this machine only")
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil || len(body) > maxBody {
		return controlError(413, "the body is too long or could not be read")
	}
	path := strings.Split(strings.TrimPrefix(r.URL.Path, controlPrefix), "/")
	if path[0] == "payments" && len(path) > 1 {
		return s.controlPayment(r.Method, path[1:], body)
	}
	switch r.Method + " " + strings.Join(path, "/") {
	case "GET payments":
		return jsonOf(200, s.Ledger())
	case "GET counters":
		return jsonOf(200, s.Counters())
	case "GET scripts":
		return jsonOf(200, Scripts())
	case "GET faults":
		return jsonOf(200, Faults())
	case "GET rules":
		return jsonOf(200, s.Rules())
	case "POST rules":
		var rule Rule
		if no, bad := readControl(body, &rule); bad {
			return no
		}
		if err := s.AddRule(rule); err != nil {
			return controlError(422, err.Error())
		}
		return jsonOf(201, rule)
	case "DELETE rules":
		s.ClearRules()
		return line.Answer{Code: 204}
	case "POST reset":
		s.Reset()
		return line.Answer{Code: 204}
	}
	return noSuchCall()
}

// controlPayment answers what concerns one payment.
func (s *Sandbox) controlPayment(method string, path []string, body []byte) line.Answer {
	id, call := path[0], method
	if len(path) > 1 {
		call += " " + strings.Join(path[1:], "/")
	}
	switch call {
	case "GET":
		e, ok := s.Payment(id)
		if !ok {
			return controlError(404, ErrUnknown.Error())
		}
		return jsonOf(200, e)
	case "POST outcome":
		var o struct {
			Status  string `json:"status"`
			Webhook *bool  `json:"webhook"` // default true
		}
		if no, bad := readControl(body, &o); bad {
			return no
		}
		if o.Status == "" {
			return controlError(422, "status is missing")
		}
		if err := s.SetOutcome(id, o.Status, o.Webhook == nil || *o.Webhook); err != nil {
			return controlFailure(err)
		}
		e, _ := s.Payment(id)
		return jsonOf(200, e)
	case "POST webhook":
		var w Webhook
		if no, bad := readControl(body, &w); bad {
			return no
		}
		sent, err := s.SendWebhook(id, w)
		if err != nil {
			return controlFailure(err)
		}
		return jsonOf(200, sent)
	}
	return noSuchCall()
}

// readControl reads a control body; an empty one means all defaults.
func readControl(body []byte, into any) (line.Answer, bool) {
	if len(body) == 0 {
		return line.Answer{}, false
	}
	d := json.NewDecoder(strings.NewReader(string(body)))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return controlError(400, err.Error()), true
	}
	return line.Answer{}, false
}

func controlFailure(err error) line.Answer {
	code := 409
	if errors.Is(err, ErrUnknown) {
		code = 404
	}
	return controlError(code, err.Error())
}

func noSuchCall() line.Answer {
	return controlError(404, "no such call; see infra/sandbox/README.md")
}

func controlError(code int, message string) line.Answer {
	return jsonOf(code, struct {
		Error string `json:"error"`
	}{message})
}
