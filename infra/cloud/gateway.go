package cloud

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"
)

// Timeout is how long a function may take to answer: API Gateway gives up at
// 30 s.
const Timeout = 29 * time.Second

// Invoke runs the function of a route on one event.
type Invoke func(context.Context, Route, events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error)

// Gateway serves the routes as API Gateway does: a path is matched as it was
// sent, segment by segment; everything else goes to the default route, or
// without one is its own 404. Every answer has the id that the event has.
func Gateway(routes []Route, invoke Invoke) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := requestID()
		w.Header().Set("apigw-requestid", id)
		route, parameters, ok := match(routes, r.Method, r.URL.Path)
		if !ok {
			problem(w, http.StatusNotFound, "Not Found")
			return
		}
		event, err := Event(r, route, parameters, id)
		if errors.Is(err, ErrTooLarge) {
			problem(w, http.StatusRequestEntityTooLarge, "Request Entity Too Large")
			return
		}
		if err != nil {
			problem(w, http.StatusBadRequest, "Bad Request")
			return
		}
		// Lambda goes on when the client hangs up.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), Timeout)
		defer cancel()
		answer, err := invoke(ctx, route, event)
		if err != nil {
			problem(w, http.StatusInternalServerError, "Internal Server Error")
			return
		}
		write(w, answer)
	})
}

// match finds the route; a literal segment goes before a parameter, and the
// default route comes last.
func match(routes []Route, method, path string) (Route, map[string]string, bool) {
	var best Route
	var parameters map[string]string
	found := false
	for _, route := range routes {
		if route.Path == Default && !found {
			best, found = route, true
			continue
		}
		if route.Method != method {
			continue
		}
		values, ok := matchPath(route.Path, path)
		if ok && (!found || best.Path == Default || len(values) < len(parameters)) {
			best, parameters, found = route, values, true
		}
	}
	return best, parameters, found
}

func matchPath(pattern, path string) (map[string]string, bool) {
	want, got := strings.Split(pattern, "/"), strings.Split(path, "/")
	if len(want) != len(got) {
		return nil, false
	}
	var parameters map[string]string
	for i, segment := range want {
		name, isParameter := strings.CutPrefix(segment, "{")
		switch {
		case !isParameter && segment != got[i], isParameter && got[i] == "":
			return nil, false
		case isParameter:
			if parameters == nil {
				parameters = map[string]string{}
			}
			parameters[strings.TrimSuffix(name, "}")] = got[i]
		}
	}
	return parameters, true
}

// problem answers as API Gateway itself does.
func problem(w http.ResponseWriter, status int, message string) {
	w.Header().Set("content-type", "application/json")
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"message":%q}`, message)
}
