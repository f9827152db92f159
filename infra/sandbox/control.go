package sandbox

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

// control answers the control API. README.md lists its calls.
func (s *Sandbox) control(r *http.Request) reply {
	if !line.FromThisMachine(r) {
		return controlError(403, "the control API answers this machine only")
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil || len(body) > maxBody {
		return controlError(413, "the body is too long or could not be read")
	}
	path := strings.Split(strings.TrimPrefix(r.URL.Path, controlPrefix), "/")
	switch {
	case len(path) == 1:
		return s.controlWhole(r.Method+" "+path[0], body)
	case path[0] == "payments" && len(path) == 2 && r.Method == http.MethodGet:
		if e, ok := s.Payment(path[1]); ok {
			return jsonOf(200, e)
		}
		return controlError(404, ErrUnknown.Error())
	case path[0] == "payments" && len(path) == 3 && r.Method == http.MethodPost:
		return s.controlPayment(path[1], path[2], body)
	}
	return controlError(404, "no such call; see infra/sandbox/README.md")
}

// controlWhole answers what concerns the whole world.
func (s *Sandbox) controlWhole(call string, body []byte) reply {
	switch call {
	case "GET payments":
		return jsonOf(200, s.Ledger())
	case "GET counters":
		return jsonOf(200, s.Counters())
	case "GET payers":
		return jsonOf(200, s.Payers())
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
		return reply{code: 204}
	case "POST reset":
		s.Reset()
		return reply{code: 204}
	case "POST expire-tokens":
		s.ExpireTokens()
		return reply{code: 204}
	}
	return controlError(404, "no such call; see infra/sandbox/README.md")
}

// controlPayment answers what concerns one payment.
func (s *Sandbox) controlPayment(reference, call string, body []byte) reply {
	switch call {
	case "outcome":
		var o struct {
			Status   string `json:"status"`
			Reason   string `json:"reason"`
			Callback *bool  `json:"callback"` // default true
		}
		if no, bad := readControl(body, &o); bad {
			return no
		}
		if o.Status == "" {
			return controlError(422, "status is missing")
		}
		if err := s.SetOutcome(reference, o.Status, o.Reason, o.Callback == nil || *o.Callback); err != nil {
			return controlFailure(err)
		}
	case "callback":
		var x Extra
		if no, bad := readControl(body, &x); bad {
			return no
		}
		sent, err := s.SendCallback(reference, x)
		if err != nil {
			return controlFailure(err)
		}
		return jsonOf(200, sent)
	case "forget":
		if err := s.Forget(reference); err != nil {
			return controlFailure(err)
		}
	default:
		return controlError(404, "no such call; see infra/sandbox/README.md")
	}
	e, _ := s.Payment(reference)
	return jsonOf(200, e)
}

// readControl reads a control body; an empty one means all defaults.
func readControl(body []byte, into any) (reply, bool) {
	if len(body) == 0 {
		return reply{}, false
	}
	d := json.NewDecoder(strings.NewReader(string(body)))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return controlError(400, err.Error()), true
	}
	return reply{}, false
}

func controlFailure(err error) reply {
	code := 409
	if errors.Is(err, ErrUnknown) {
		code = 404
	}
	return controlError(code, err.Error())
}

func controlError(code int, message string) reply {
	return jsonOf(code, struct {
		Error string `json:"error"`
	}{message})
}
