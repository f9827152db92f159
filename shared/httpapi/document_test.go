package httpapi_test

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"os"
	"testing"

	"go.yaml.in/yaml/v3"

	"momoproxy/infra/cloud"
	"momoproxy/infra/testbed"
)

//go:embed openapi.yaml
var openapiYAML []byte

// What is served is openapi.yaml.
func TestDocument(t *testing.T) {
	var doc map[string]any
	if err := yaml.Unmarshal(openapiYAML, &doc); err != nil {
		t.Fatal(err)
	}
	var want bytes.Buffer
	enc := json.NewEncoder(&want)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ") // for whoever reads a difference
	if err := enc.Encode(doc); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile("openapi.json", want.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		resp := is(t, w.Call(t.Context(), cloud.Request("GET /openapi.json")), 200, "")
		if resp.Body != want.String() {
			t.Error("the document is not openapi.yaml; go generate ./shared/httpapi writes it anew")
		}
	})
}
