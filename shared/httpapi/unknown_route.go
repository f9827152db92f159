package httpapi

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// UnknownRoute answers what no route takes: 405 with Allow where the path has
// routes of other methods, else 404. A browser's OPTIONS is such a method too:
// the API is for servers, which hold the key, and allows no other origin.
func (b *Base) UnknownRoute() Handler {
	return b.guard(DefaultRoute, func(_ context.Context, r Request) Response {
		method, requested := r.RequestContext.HTTP.Method, r.RawPath
		if methods := methodsOf(requested); methods != nil && !slices.Contains(methods, method) {
			allow := strings.Join(methods, ", ")
			resp := problem(405, "method_not_allowed", fmt.Sprintf("This route takes %s, not %s.", allow, shown(method)))
			resp.Headers["allow"] = allow
			return resp
		}
		if path := meant(requested); path != "" {
			return problem(404, "route_not_found", fmt.Sprintf("There is no route %s %s. Send the request to %s, without the trailing or doubled slash.", shown(method), shown(requested), shown(path)))
		}
		return problem(404, "route_not_found", fmt.Sprintf("There is no route %s %s. GET /openapi.json describes all there are.", shown(method), shown(requested)))
	})
}

// shown is what a stranger sent, in an answer: as text, and no longer than a
// path of ours.
func shown(text string) string {
	const longest = 200
	if r := []rune(strings.ToValidUTF8(text, "")); len(r) > longest {
		return string(r[:longest]) + "…"
	} else {
		return string(r)
	}
}
