package momentpay

import (
	"bytes"
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
		return problem(403, "the control API answers this machine only")
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil || len(body) > maxBody {
		return problem(413, "the body is too long or could not be read")
	}
	path := strings.Split(strings.TrimPrefix(r.URL.Path, controlPrefix), "/")
	call := r.Method + " " + path[0]
	if len(path) == 3 {
		call += "/*/" + path[2]
	} else if len(path) == 2 {
		call += "/*"
	}
	switch call {
	case "GET payments":
		return jsonOf(200, s.Ledger())
	case "GET payments/*":
		return s.entryOf(path[1])
	case "POST payments/*/outcome":
		var o struct {
			Status  string `json:"status"`
			Reason  string `json:"reason"`
			Webhook *bool  `json:"webhook"` // default true
		}
		return s.steer(body, &o, func() (any, error) {
			err := s.SetOutcome(path[1], o.Status, o.Reason, o.Webhook == nil || *o.Webhook)
			e, _ := s.Payment(path[1])
			return e, err
		})
	case "POST payments/*/webhook":
		var x Extra
		return s.steer(body, &x, func() (any, error) { return s.SendWebhook(path[1], x) })
	case "GET counters":
		return jsonOf(200, s.Counters())
	case "GET plans":
		return jsonOf(200, Plans())
	case "GET faults":
		return jsonOf(200, Faults())
	case "GET rules":
		return jsonOf(200, s.Rules())
	case "POST rules":
		var rule Rule
		return s.steer(body, &rule, func() (any, error) { return rule, s.AddRule(rule) })
	case "DELETE rules":
		s.ClearRules()
		return line.Answer{Code: 204}
	case "POST reset":
		s.Reset()
		return line.Answer{Code: 204}
	}
	return problem(404, "no such call; see infra/sandbox/README.md")
}

func (s *Sandbox) entryOf(reference string) line.Answer {
	e, ok := s.Payment(reference)
	if !ok {
		return problem(404, ErrUnknown.Error())
	}
	return jsonOf(200, e)
}

// steer reads a control body, an empty one meaning all defaults, and acts.
func (s *Sandbox) steer(body []byte, into any, act func() (any, error)) line.Answer {
	if len(body) > 0 {
		d := json.NewDecoder(bytes.NewReader(body))
		d.DisallowUnknownFields()
		if err := d.Decode(into); err != nil {
			return problem(400, err.Error())
		}
	}
	v, err := act()
	switch {
	case errors.Is(err, ErrUnknown):
		return problem(404, err.Error())
	case errors.Is(err, ErrStale):
		return problem(409, err.Error())
	case err != nil:
		return problem(422, err.Error())
	}
	return jsonOf(200, v)
}

func problem(code int, message string) line.Answer {
	return jsonOf(code, map[string]string{"error": message})
}
