package cloud

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/events"
)

// MaxBody is API Gateway's own limit for an HTTP API, in bytes.
const MaxBody = 10 << 20

// ErrTooLarge: the body is over MaxBody.
var ErrTooLarge = errors.New("body over API Gateway's 10 MB")

// Event makes the event that API Gateway (HTTP API, payload 2.0) would make
// of a request: header names in lower case, repeats joined with commas,
// cookies apart, and a body that is not text in base64. id is the request's.
func Event(r *http.Request, route Route, parameters map[string]string, id string) (events.APIGatewayV2HTTPRequest, error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, MaxBody+1))
	if err != nil {
		return events.APIGatewayV2HTTPRequest{}, err
	}
	if len(body) > MaxBody {
		return events.APIGatewayV2HTTPRequest{}, ErrTooLarge
	}
	headers := map[string]string{"host": r.Host}
	for name, values := range r.Header {
		if name != "Cookie" {
			headers[strings.ToLower(name)] = strings.Join(values, ",")
		}
	}
	var cookies []string
	for _, line := range r.Header.Values("Cookie") {
		cookies = append(cookies, strings.Split(line, "; ")...)
	}
	var query map[string]string
	for name, values := range r.URL.Query() {
		if query == nil {
			query = map[string]string{}
		}
		query[name] = strings.Join(values, ",")
	}
	peer, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		peer = r.RemoteAddr
	}
	now := time.Now().UTC()
	event := events.APIGatewayV2HTTPRequest{
		Version:               "2.0",
		RouteKey:              route.Key(),
		RawPath:               r.URL.Path,
		RawQueryString:        r.URL.RawQuery,
		Cookies:               cookies,
		Headers:               headers,
		QueryStringParameters: query,
		PathParameters:        parameters,
		RequestContext: events.APIGatewayV2HTTPRequestContext{
			RouteKey: route.Key(), Stage: "$default", RequestID: id,
			Time: now.Format("02/Jan/2006:15:04:05 -0700"), TimeEpoch: now.UnixMilli(),
			HTTP: events.APIGatewayV2HTTPRequestContextHTTPDescription{
				Method: r.Method, Path: r.URL.Path, Protocol: r.Proto, SourceIP: peer, UserAgent: r.UserAgent(),
			},
		},
		Body: string(body),
	}
	if !utf8.Valid(body) {
		event.Body, event.IsBase64Encoded = base64.StdEncoding.EncodeToString(body), true
	}
	return event, nil
}

// requestID makes an id that no other request has.
func requestID() string { return rand.Text() }

// write sends a function's answer as API Gateway would.
func write(w http.ResponseWriter, resp events.APIGatewayV2HTTPResponse) {
	for name, value := range resp.Headers {
		w.Header().Set(name, value)
	}
	body := []byte(resp.Body)
	if resp.IsBase64Encoded {
		var err error
		if body, err = base64.StdEncoding.DecodeString(resp.Body); err != nil {
			problem(w, http.StatusInternalServerError, "Internal Server Error")
			return
		}
	}
	w.WriteHeader(resp.StatusCode)
	_, _ = w.Write(body) // the client may have gone; it knows
}
