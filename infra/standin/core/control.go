package core

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
)

// controlPrefix is where the control API lives. It is for people and tests on
// the same machine: it answers loopback peers only, and no browser page.
const controlPrefix = "/_standin/"

// control answers the control API. infra/standin/README.md lists its calls.
func (s *Standin[T]) control(r *http.Request) Answer {
	if !fromThisMachine(r) {
		return controlError(403, "the control API answers this machine only")
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, MaxBody+1))
	if err != nil || len(body) > MaxBody {
		return controlError(413, "the body is too long or could not be read")
	}
	path := strings.Split(strings.TrimPrefix(r.URL.Path, controlPrefix), "/")
	call, id := r.Method+" "+path[0], ""
	if len(path) > 1 && path[0] == "payments" {
		id = path[1]
		call = strings.Join(append([]string{r.Method, "payment"}, path[2:]...), " ")
	} else if len(path) > 1 {
		call = "" // no call has more
	}
	switch call {
	case "GET payments":
		return JSON(200, s.Ledger())
	case "GET charges":
		return JSON(200, s.Charges())
	case "GET payouts":
		return JSON(200, s.Payouts())
	case "GET counters":
		return JSON(200, s.Counters())
	case "GET scripts":
		return JSON(200, s.Scripts())
	case "GET faults":
		return JSON(200, s.Faults())
	case "GET rules":
		return JSON(200, s.Rules())
	case "POST rules":
		var rule Rule
		return act(201, body, &rule, func() (any, error) { return rule, s.AddRule(rule) })
	case "DELETE rules":
		s.ClearRules()
		return Answer{Code: 204}
	case "POST reset":
		s.Reset()
		return Answer{Code: 204}
	case "GET payment":
		return act(200, nil, nil, func() (any, error) { return s.known(id) })
	case "POST payment outcome":
		var o struct {
			Outcome  string `json:"outcome"`
			Reason   string `json:"reason"`
			Callback *bool  `json:"callback"` // default true
		}
		return act(200, body, &o, func() (any, error) {
			if o.Outcome == "" {
				return nil, errors.New("outcome is missing")
			}
			if err := s.SetOutcome(id, o.Outcome, o.Reason, o.Callback == nil || *o.Callback); err != nil {
				return nil, err
			}
			return s.known(id)
		})
	case "POST payment callback":
		var n Notice
		return act(200, body, &n, func() (any, error) { return s.SendCallback(id, n) })
	case "POST payment forget":
		return act(200, nil, nil, func() (any, error) {
			if err := s.Forget(id); err != nil {
				return nil, err
			}
			return s.known(id)
		})
	}
	if s.provider.Control != nil {
		if a, ok := s.provider.Control(call); ok {
			return a
		}
	}
	return controlError(404, "no such call; see infra/standin/README.md")
}

func (s *Standin[T]) known(id string) (Entry, error) {
	e, ok := s.Payment(id)
	if !ok {
		return e, ErrUnknown
	}
	return e, nil
}

// act reads a control body, an empty one meaning all defaults, and acts.
func act(code int, body []byte, into any, do func() (any, error)) Answer {
	if len(body) > 0 {
		d := json.NewDecoder(bytes.NewReader(body))
		d.DisallowUnknownFields()
		if err := d.Decode(into); err != nil {
			return controlError(400, err.Error())
		}
	}
	v, err := do()
	switch {
	case errors.Is(err, ErrUnknown):
		return controlError(404, err.Error())
	case errors.Is(err, ErrStale), errors.Is(err, ErrNoURL):
		return controlError(409, err.Error())
	case err != nil:
		return controlError(422, err.Error())
	}
	return JSON(code, v)
}

func controlError(code int, message string) Answer {
	return JSON(code, map[string]string{"error": message})
}
