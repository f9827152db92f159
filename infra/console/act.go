package console

import (
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"momoproxy/infra/operator"
)

// maxBody bounds what a page sends.
const maxBody = 64 << 10

// ask is what an action says. Which fields count is the action's business.
type ask struct {
	operator.Settlement
	Account  string `json:"account"`
	Percent  *int   `json:"percent"` // of the new payments
	App      string `json:"app"`
	Endpoint string `json:"endpoint"`
	On       bool   `json:"on"`
	Provider string `json:"provider"`
	Seconds  int64  `json:"seconds"`
	Event    string `json:"event"`
	Body     string `json:"body"`
}

// readOnly is the answer to an action that the console was not started for.
const readOnly = refusal("This console is read-only. Start momoctl console with --allow-actions to change things.")

// act carries out what a page asks for. The guard has seen its token.
func (c *Console) act(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var in ask
	if err == nil && len(body) > 0 {
		err = json.Unmarshal(body, &in)
	}
	if err != nil {
		writeJSON(w, http.StatusBadRequest, fault{"The request could not be read: " + err.Error()})
		return
	}
	v, err := c.do(r, strings.Split(r.PathValue("action"), "/"), in)
	if err != nil {
		c.failed(w, r, err)
		return
	}
	if v == nil {
		v = struct{}{}
	}
	writeJSON(w, http.StatusOK, v)
}

func (c *Console) do(r *http.Request, path []string, in ask) (any, error) {
	ctx := r.Context()
	// Looking at a number changes nothing but the audit log.
	if len(path) == 3 && path[0] == "payments" && path[2] == "reveal" {
		return c.reveal(ctx, path[1])
	}
	if !c.Actions {
		return nil, readOnly
	}
	switch {
	case len(path) == 3 && path[0] == "payments" && path[2] == "check":
		return c.check(ctx, path[1])
	case len(path) == 3 && path[0] == "payments" && path[2] == "settle":
		return nil, c.settle(ctx, path[1], in.Settlement)
	case len(path) == 5 && path[0] == "payments" && path[2] == "deliveries" && path[4] == "resend":
		sequence, err := strconv.Atoi(path[3])
		if err != nil {
			return nil, notFound
		}
		return nil, c.resend(ctx, path[1], sequence)
	case len(path) == 1 && path[0] == "endpoint":
		return nil, c.setEndpoint(ctx, in.App, in.Endpoint, in.On)
	case len(path) == 2 && path[0] == "accounts" && path[1] == "check":
		return c.checkAccounts(ctx)
	case len(path) == 1 && path[0] == "account":
		return nil, c.setShare(ctx, in.Account, in.Percent)
	case len(path) == 1 && path[0] == "app":
		return nil, c.setApp(ctx, in.App, in.On)
	case path[0] == "local" && c.Local != nil:
		return c.doLocally(r, path[1:], in)
	}
	return nil, notFound
}

// answer is what the API answered to a payment that was started here.
type answer struct {
	Code int    `json:"code"`
	Body string `json:"body"`
}

func (c *Console) doLocally(r *http.Request, path []string, in ask) (any, error) {
	ctx := r.Context()
	switch {
	case len(path) == 1 && path[0] == "pay":
		code, body, err := c.Local.Pay(ctx, []byte(in.Body))
		return answer{code, string(body)}, err
	case len(path) == 1 && path[0] == "provider":
		return nil, c.Local.SetProviderDown(in.Provider, in.On)
	case len(path) == 1 && path[0] == "app":
		return nil, c.Local.SetAppDown(in.On)
	case len(path) == 1 && path[0] == "clock":
		if in.Seconds < 1 || in.Seconds > 30*24*3600 {
			return nil, refusal("The clock goes forward by one second to 30 days.")
		}
		return nil, c.Local.Forward(time.Duration(in.Seconds) * time.Second)
	case len(path) == 1 && path[0] == "trigger":
		return c.Local.Trigger(ctx, in.Event)
	case len(path) == 3 && path[0] == "payments":
		p, err := c.records.payment(ctx, path[1])
		if err != nil {
			return nil, err
		}
		return nil, c.Local.Control(ctx, p, path[2])
	}
	return nil, notFound
}
