package httpapi

import (
	"context"
	_ "embed"
)

// openapiJSON is openapi.yaml as JSON, so that no function links a reader of
// YAML. `go generate ./shared/httpapi` writes it, and a test compares the two.
//
//go:generate go test -run ^TestDocument$ -update .
//go:embed openapi.json
var openapiJSON string

// document handles GET /openapi.json. It needs no key: a client generator has
// none, and the text is published with the source.
func (h *Health) document() Handler {
	return h.guard("GET /openapi.json", func(context.Context, Request) Response {
		resp := respond(200, nil)
		resp.Body = openapiJSON
		return resp
	})
}
