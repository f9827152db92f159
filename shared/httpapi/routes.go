package httpapi

import (
	"path"
	"slices"
	"strings"
)

// Route is one route of the API.
type Route struct {
	Method   string // empty: every method
	Path     string // with {parameters}, or DefaultRoute
	Function string // folder under functions/
}

// DefaultRoute is API Gateway's key for what no other route takes.
const DefaultRoute = "$default"

// Routes are all there are. template.yaml and openapi.yaml are held to them
// by tests, and what an unknown route is answered is made of them.
var Routes = []Route{
	{"POST", "/request-to-pay", "request-to-pay"},
	{"GET", "/status/{referenceId}", "status"},
	{"GET", "/payments", "payments"},
	{"GET", "/payments/{referenceId}", "payments"},
	{"POST", "/payments/{referenceId}/resend-callback", "payments"},
	{"POST", "/callback", "mtn-callback"},
	{"PUT", "/callback", "mtn-callback"},
	{"POST", "/callback/{referenceId}/{token}", "mtn-callback"},
	{"PUT", "/callback/{referenceId}/{token}", "mtn-callback"},
	{"POST", "/webhooks/mom-factura/{token}", "mom-factura-webhook"},
	{"POST", "/webhooks/momentpay", "momentpay-webhook"},
	{"GET", "/health", "health"},
	{"HEAD", "/health", "health"},
	{"", DefaultRoute, "health"},
}

// Key is the route as API Gateway writes it: "GET /status/{referenceId}".
func (r Route) Key() string {
	if r.Method == "" {
		return r.Path
	}
	return r.Method + " " + r.Path
}

// Handlers are the handlers of Routes by the routes' keys, for a program that
// serves them all.
func (a *API) Handlers() map[string]Handler {
	functions := map[string]Handler{
		"request-to-pay":      a.RequestToPay(),
		"status":              a.Status(),
		"payments":            a.Payments(),
		"mtn-callback":        a.MTNCallback(),
		"mom-factura-webhook": a.MomFacturaWebhook(),
		"momentpay-webhook":   a.MomentPayWebhook(),
		"health":              a.HealthAndUnknownRoutes(),
	}
	routes := map[string]Handler{}
	for _, r := range Routes {
		routes[r.Key()] = functions[r.Function]
	}
	return routes
}

// methodsOf are the methods that the routes of a path take, sorted; none: no
// route has this path.
func methodsOf(requested string) []string {
	var methods []string
	for _, r := range Routes {
		if r.Method != "" && matches(r.Path, requested) {
			methods = append(methods, r.Method)
		}
	}
	slices.Sort(methods)
	return methods
}

// matches says whether a path fits a route's pattern, as API Gateway does it:
// segment by segment, a parameter taking any that is not empty.
func matches(pattern, requested string) bool {
	want, got := strings.Split(pattern, "/"), strings.Split(requested, "/")
	return slices.EqualFunc(want, got, func(segment, value string) bool {
		if strings.HasPrefix(segment, "{") {
			return value != ""
		}
		return segment == value
	})
}

// meant is the path that a route may have been meant with: without a trailing
// slash, without doubled ones. Empty: there is none.
func meant(requested string) string {
	if clean := path.Clean("/" + requested); clean != requested && methodsOf(clean) != nil {
		return clean
	}
	return ""
}
