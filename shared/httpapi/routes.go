package httpapi

import (
	"context"
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

// ownRoutes are those that name no provider.
var ownRoutes = []Route{
	{"POST", "/request-to-pay", "request-to-pay"},
	{"GET", "/status/{referenceId}", "status"},
	{"POST", "/payers/check", "status"},
	{"GET", "/providers", "status"},
	{"GET", "/payments", "payments"},
	{"GET", "/payments/{referenceId}", "payments"},
	{"POST", "/payments/{referenceId}/resend-callback", "payments"},
	{"GET", "/payments/{referenceId}/refunds", "payments"},
	{"GET", "/payments/{referenceId}/refunds/{refundId}", "payments"},
	{"POST", "/payments/{referenceId}/refunds", "refunds"},
	{"GET", "/events", "payments"},
	{"POST", "/events/test", "payments"},
	{"GET", "/health", "health"},
	{"HEAD", "/health", "health"},
	{"GET", "/openapi.json", "health"},
	{"", DefaultRoute, "health"},
}

// callbackRoutes have the paths that providers' callbacks may have: the
// contract's, and those under /webhooks. What an unknown route is answered is
// made of them, because the function that answers it links no provider.
var callbackRoutes = []Route{
	{Method: "POST", Path: "/callback"},
	{Method: "PUT", Path: "/callback"},
	{Method: "POST", Path: "/callback/{referenceId}/{token}"},
	{Method: "PUT", Path: "/callback/{referenceId}/{token}"},
	{Method: "POST", Path: "/webhooks/{provider}"},
	{Method: "POST", Path: "/webhooks/{provider}/{token}"},
}

// Routes are all there are: our own, and the providers' callbacks.
// template.yaml and openapi.yaml are held to them by tests.
func (a *API) Routes() []Route {
	all := slices.Clone(ownRoutes)
	for _, p := range a.Callbacks.Providers {
		for _, key := range p.Callbacks.Routes {
			method, path, _ := strings.Cut(key, " ")
			all = append(all, Route{method, path, p.Callbacks.Function})
		}
	}
	return all
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
		"request-to-pay": a.Collection.RequestToPay(),
		"status":         a.Collection.Questions(),
		"refunds":        a.Refunds.Handler(),
		"payments":       a.SelfService.Handler(),
		"health":         a.Health.Handler(),
	}
	for _, p := range a.Callbacks.Providers {
		functions[p.Callbacks.Function] = a.Callbacks.Handler(p.Name)
	}
	routes := map[string]Handler{}
	for _, r := range a.Routes() {
		routes[r.Key()] = functions[r.Function]
	}
	return routes
}

// byRoute serves several routes by the event's route key.
func (b *Base) byRoute(routes map[string]Handler) Handler {
	unknown := b.UnknownRoute()
	return func(ctx context.Context, r Request) (Response, error) {
		if h, ok := routes[r.RouteKey]; ok {
			return h(ctx, r)
		}
		return unknown(ctx, r)
	}
}

// methodsOf are the methods that the routes of a path take, sorted; none: no
// route has this path.
func methodsOf(requested string) []string {
	var methods []string
	for _, r := range append(callbackRoutes, ownRoutes...) {
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
