// Package console is the web console: pages for people who would rather look
// than read. infra/local serves it on this machine, and momoctl console over
// a deployed stack with the operator's own credentials. It is one Go handler
// and a few embedded files; nothing is built and nothing foreign is loaded.
package console

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"momoproxy/shared/gateway"
	"momoproxy/shared/ledger"
	"momoproxy/shared/queue"
)

// Options say what the console looks at and what it may do.
type Options struct {
	Ledger *ledger.Ledger // on behalf of the operator
	Queue  queue.Queue
	// Settle ends payments by the operator's word. Ask can also ask the
	// providers; nil: it cannot, and AskFault says why.
	Settle   *gateway.Gateway
	Ask      *gateway.Gateway
	AskFault string
	// Providers are the names of those to show, the default first.
	Providers []string
	// Operator is whose word stands in the audit log.
	Operator string
	// Place names what is looked at: "LOCAL, no real money" or a table's name.
	Place string
	// Live: the payments charge real customers.
	Live bool
	// Actions: the operator may change things.
	Actions bool
	// Key has to be in the address that the console is opened by; empty: no
	// key is asked for, which is for play money alone.
	Key string
	// GatewayURL is the API's address, for commands to copy.
	GatewayURL string
	// Local plays the payer, the providers and the app; nil: they are real.
	Local Local
	Log   *slog.Logger
	Now   func() time.Time
	// Every is how often a page that is looked at is read anew.
	Every time.Duration
}

// Console is the handler. Make it with New.
type Console struct {
	Options
	records *records
	recent  *recent
	open    counted // payments of each account
	token   string  // guards every action
	session string  // of the cookie; empty: none is needed
	mux     *http.ServeMux
	streams chan struct{} // slots
}

//go:embed page
var embedded embed.FS

// maxStreams bounds the pages that are kept up to date at once.
const maxStreams = 32

// New makes a console.
func New(o Options) *Console {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Every == 0 {
		o.Every = time.Second
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	r := &records{ledger: o.Ledger, queue: o.Queue, now: o.Now}
	c := &Console{
		Options: o, records: r, recent: newRecent(r), token: newToken(), mux: http.NewServeMux(),
		streams: make(chan struct{}, maxStreams),
	}
	if o.Key != "" {
		c.session = newToken()
	}
	page, err := fs.Sub(embedded, "page")
	if err != nil {
		panic(err) // it is embedded
	}
	c.mux.HandleFunc("GET /{$}", c.index)
	c.mux.Handle("GET /page/", http.StripPrefix("/page", http.FileServerFS(page)))
	c.mux.HandleFunc("GET /api/stream", c.stream)
	c.mux.HandleFunc("GET /api/{view...}", c.once)
	c.mux.HandleFunc("POST /api/{action...}", c.act)
	return c
}

// ServeHTTP implements http.Handler. It answers only what this machine's own
// browser asks for.
func (c *Console) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	setPolicy(w.Header())
	if why := c.guard(w, r); why != "" {
		if why != answered {
			http.Error(w, why, http.StatusForbidden)
		}
		return
	}
	c.mux.ServeHTTP(w, r)
}

// index serves the page with the token for its actions in it.
func (c *Console) index(w http.ResponseWriter, r *http.Request) {
	page, err := embedded.ReadFile("page/index.html")
	if err != nil {
		panic(err) // it is embedded
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	fmt.Fprint(w, strings.Replace(string(page), "{{token}}", c.token, 1))
}

// once answers a view as JSON.
func (c *Console) once(w http.ResponseWriter, r *http.Request) {
	v, err := c.view(r.Context(), r.PathValue("view"), r.URL.Query().Get)
	if err != nil {
		c.failed(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, v)
}

// view makes the view that a path names.
func (c *Console) view(ctx context.Context, path string, param func(string) string) (any, error) {
	name, rest, _ := strings.Cut(path, "/")
	switch name {
	case "about":
		return c.about(), nil
	case "overview":
		return c.overview(ctx)
	case "payments":
		if rest != "" {
			return c.paymentPage(ctx, strings.ToLower(rest))
		}
		return c.paymentList(ctx, param)
	case "deliveries":
		return c.deliveryList(ctx, param)
	case "endpoints":
		return c.endpointList(ctx)
	case "accounts":
		return c.accountList(ctx, false)
	case "apps":
		return c.appList(ctx)
	case "search":
		return c.search(ctx, param("q"))
	case "local":
		if c.Local != nil {
			return c.localState(), nil
		}
	}
	return nil, notFound
}

// localState is the stand-ins' state with the providers' own spellings.
func (c *Console) localState() LocalState {
	s := c.Local.State()
	for _, name := range c.Providers {
		if standin, down := c.Local.Standin(name); standin {
			s.Providers = append(s.Providers, ProviderSwitch{name, providerName(name), down})
		}
	}
	return s
}

// about is what the page needs to know of the console itself.
func (c *Console) about() any {
	return struct {
		Place    string   `json:"place"`
		Live     bool     `json:"live"`
		Actions  bool     `json:"actions"`
		CanAsk   bool     `json:"canAsk"`
		AskFault string   `json:"askFault,omitempty"`
		Local    bool     `json:"local"`
		Statuses []string `json:"statuses"`
		Gateway  string   `json:"gateway"`
	}{c.Place, c.Live, c.Actions, c.Ask != nil, c.AskFault, c.Local != nil, statusWords, c.GatewayURL}
}

// failed answers with what a person can act on, and logs what is ours.
func (c *Console) failed(w http.ResponseWriter, r *http.Request, err error) {
	var no refusal
	switch {
	case errors.Is(err, notFound):
		writeJSON(w, http.StatusNotFound, fault{err.Error()})
	case errors.As(err, &no):
		writeJSON(w, http.StatusConflict, fault{no.Error()})
	case r.Context().Err() != nil: // nobody waits for it
	default:
		c.Log.ErrorContext(r.Context(), "console.failed", "path", r.URL.Path, "error", err.Error())
		writeJSON(w, http.StatusInternalServerError, fault{"The records could not be read or written: " + err.Error()})
	}
}

type fault struct {
	Error string `json:"error"`
}

func writeJSON(w http.ResponseWriter, code int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(v) // the browser may have gone
}
