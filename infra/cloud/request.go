package cloud

import (
	"strings"

	"github.com/aws/aws-lambda-go/events"
)

// Request is the event of a request without body and query. key is its route;
// values fill the path's parameters in their order.
func Request(key string, values ...string) events.APIGatewayV2HTTPRequest {
	method, path, _ := strings.Cut(key, " ")
	parameters := map[string]string{}
	for part := range strings.SplitSeq(path, "/") {
		if name, ok := strings.CutPrefix(part, "{"); ok && len(values) > 0 {
			parameters[strings.TrimSuffix(name, "}")] = values[0]
			path = strings.Replace(path, part, values[0], 1)
			values = values[1:]
		}
	}
	return events.APIGatewayV2HTTPRequest{
		Version: "2.0", RouteKey: key, RawPath: path, Headers: map[string]string{}, PathParameters: parameters,
		RequestContext: events.APIGatewayV2HTTPRequestContext{
			RouteKey: key, RequestID: "test",
			HTTP: events.APIGatewayV2HTTPRequestContextHTTPDescription{Method: method, Path: path},
		},
	}
}
