package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"momoproxy/shared/httpapi"
)

var errTooLarge = errors.New("body over API Gateway's 10 MB")

// functionTimeout stands in for Lambda's; API Gateway gives up at 30 s.
const functionTimeout = 29 * time.Second

// newGateway serves the template's routes with the functions' handlers. A
// route whose function has no handler here is an error: the template and
// this program must not drift.
func newGateway(w wiring, handlers map[string]map[string]httpapi.Handler) (http.Handler, error) {
	mux := http.NewServeMux()
	for _, rt := range w.Routes {
		h, ok := handlers[rt.Function][rt.Method+" "+rt.Path]
		if !ok {
			return nil, fmt.Errorf("template route %s %s: function %s has no handler for it here", rt.Method, rt.Path, rt.Function)
		}
		names := parameterNames(rt.Path)
		mux.HandleFunc(rt.Method+" "+rt.Path, func(resp http.ResponseWriter, r *http.Request) {
			parameters := map[string]string{}
			for _, name := range names {
				parameters[name] = r.PathValue(name)
			}
			event, err := eventOf(r, rt, parameters)
			if err != nil {
				gatewayProblem(resp, http.StatusRequestEntityTooLarge, "Request Too Long")
				return
			}
			// Lambda goes on when the client hangs up.
			ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), functionTimeout)
			defer cancel()
			answer, err := h(ctx, event)
			if err != nil {
				gatewayProblem(resp, http.StatusInternalServerError, "Internal Server Error")
				return
			}
			write(resp, answer)
		})
	}
	mux.HandleFunc("/", func(resp http.ResponseWriter, _ *http.Request) {
		gatewayProblem(resp, http.StatusNotFound, "Not Found")
	})
	return mux, nil
}

// gatewayProblem answers as API Gateway itself does.
func gatewayProblem(w http.ResponseWriter, status int, message string) {
	w.Header().Set("content-type", "application/json")
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"message":%q}`, message)
}

func parameterNames(path string) []string {
	var names []string
	for part := range strings.SplitSeq(path, "/") {
		if strings.HasPrefix(part, "{") && strings.HasSuffix(part, "}") {
			names = append(names, strings.Trim(part, "{}+"))
		}
	}
	return names
}
