package httpapi_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sort"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"momoproxy/infra/testbed"
	"momoproxy/shared/httpapi"
	"momoproxy/shared/payment"
)

// contract holds every answer of these tests against openapi.yaml, and at the
// end openapi.yaml against the answers.
type contract struct {
	doc map[string]any

	mu       sync.Mutex
	compiler *jsonschema.Compiler
	schemas  map[string]*jsonschema.Schema // by pointer into the document
	produced map[string]bool               // "route status code", "route status header", fields and enum values
}

var openapi = readContract(openapiYAML)

func readContract(source []byte) *contract {
	var doc map[string]any
	if err := yaml.Unmarshal(source, &doc); err != nil {
		panic(err)
	}
	tighten(doc)
	text, err := json.Marshal(doc) // numbers in JSON's own form, as the schemas' reader wants
	if err != nil {
		panic(err)
	}
	parsed, err := jsonschema.UnmarshalJSON(strings.NewReader(string(text)))
	if err != nil {
		panic(err)
	}
	c := &contract{doc: parsed.(map[string]any), compiler: jsonschema.NewCompiler(), schemas: map[string]*jsonschema.Schema{}, produced: map[string]bool{}}
	c.compiler.DefaultDraft(jsonschema.Draft2020)
	c.compiler.AssertFormat()
	if err := c.compiler.AddResource("openapi.json", parsed); err != nil {
		panic(err)
	}
	return c
}

// tighten makes the document say what this release says, no more: apps must
// live with new fields and words of later ones, and these tests must not.
func tighten(value any) {
	switch v := value.(type) {
	case map[string]any:
		if words, ok := v["x-known-values"]; ok {
			v["enum"] = words
		}
		if _, ok := v["properties"]; ok && v["additionalProperties"] == nil {
			v["additionalProperties"] = false
		}
		for _, inner := range v {
			tighten(inner)
		}
	case []any:
		for _, inner := range v {
			tighten(inner)
		}
	}
}

// at follows a JSON pointer, through every $ref on its way, and returns the
// value with the pointer to where it really stands.
func (c *contract) at(pointer string) (any, string) {
	value, where := any(c.doc), ""
	for _, part := range strings.Split(strings.TrimPrefix(pointer, "/"), "/") {
		m, ok := value.(map[string]any)
		if !ok {
			return nil, ""
		}
		if value, ok = m[strings.NewReplacer("~1", "/", "~0", "~").Replace(part)]; !ok {
			return nil, ""
		}
		where += "/" + part
		if m, ok := value.(map[string]any); ok {
			if ref, ok := m["$ref"].(string); ok {
				value, where = c.at(strings.TrimPrefix(ref, "#"))
			}
		}
	}
	return value, where
}

func escape(part string) string { return strings.NewReplacer("~", "~0", "/", "~1").Replace(part) }

// responsePointer is where a route's answer with a status is described.
func responsePointer(route string, status any) string {
	return fmt.Sprintf("%s/%v", responsesPointer(route), status)
}

// responsesPointer is where all of a route's answers are described.
func responsesPointer(route string) string {
	if route == httpapi.DefaultRoute {
		return "/x-unknown-route/responses"
	}
	method, path, _ := strings.Cut(route, " ")
	return fmt.Sprintf("/paths/%s/%s/responses", escape(path), strings.ToLower(method))
}

// validate checks a value against the schema at a pointer.
func (c *contract) validate(pointer string, value any) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	schema, ok := c.schemas[pointer]
	if !ok {
		var err error
		if schema, err = c.compiler.Compile("openapi.json#" + pointer); err != nil {
			return err
		}
		c.schemas[pointer] = schema
	}
	return schema.Validate(value)
}

func (c *contract) note(what ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.produced[strings.TrimSuffix(fmt.Sprintln(what...), "\n")] = true
}

// unlisted headers are those of HTTP itself.
var unlisted = []string{"content-type", "cache-control"}

// check judges one answer of a handler.
func (c *contract) check(t testing.TB, r httpapi.Request, resp httpapi.Response) {
	t.Helper()
	_, where := c.at(responsePointer(r.RouteKey, resp.StatusCode))
	if where == "" {
		t.Errorf("%s: %d is not in openapi.yaml: %s", r.RouteKey, resp.StatusCode, resp.Body)
		return
	}
	if media := resp.Headers["content-type"]; strings.HasPrefix(media, "text/csv") {
		c.checkHeaders(t, r.RouteKey, resp, where)
		if _, schema := c.at(where + "/content/text~1csv/schema"); schema == "" {
			t.Errorf("%s: %d is CSV", r.RouteKey, resp.StatusCode)
		}
		return
	}
	if resp.Headers["content-type"] != "application/json" || resp.Headers["cache-control"] != "no-store" {
		t.Errorf("%s: %d has headers %v", r.RouteKey, resp.StatusCode, resp.Headers)
	}
	if resp.Headers["x-request-id"] != r.RequestContext.RequestID {
		t.Errorf("%s: %d has the request id %q, not %q", r.RouteKey, resp.StatusCode, resp.Headers["x-request-id"], r.RequestContext.RequestID)
	}
	c.checkHeaders(t, r.RouteKey, resp, where)
	_, schema := c.at(where + "/content/application~1json/schema")
	if schema == "" || r.RequestContext.HTTP.Method == "HEAD" {
		if resp.Body != "" {
			t.Errorf("%s: %d has a body: %s", r.RouteKey, resp.StatusCode, resp.Body)
		}
		c.note("answer", r.RouteKey, resp.StatusCode, "")
		return
	}
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(resp.Body))
	if err != nil {
		t.Errorf("%s: %d is no JSON: %v", r.RouteKey, resp.StatusCode, err)
		return
	}
	if err := c.validate(schema, value); err != nil {
		t.Errorf("%s: %d is not as openapi.yaml says: %v\n%s", r.RouteKey, resp.StatusCode, err, resp.Body)
	}
	c.checkCode(t, r.RouteKey, where, value)
	c.note("answer", r.RouteKey, resp.StatusCode, codeOf(value))
	c.noteFields(c.schemaName(schema), value)
}

// checkCode holds an answer's code, and the fields that come with it, against
// the response's x-error-codes.
func (c *contract) checkCode(t testing.TB, route, where string, value any) {
	t.Helper()
	codes, _ := c.at(where + "/x-error-codes")
	known, _ := codes.(map[string]any)
	code := codeOf(value)
	if code == "" && known == nil {
		return
	}
	fields, ok := known[code].([]any)
	if !ok {
		t.Errorf("%s: the answer has the code %q, openapi.yaml knows %v there", route, code, known)
	}
	for _, field := range fields {
		if _, ok := value.(map[string]any)[field.(string)]; !ok {
			t.Errorf("%s: the answer %s has no %s", route, code, field)
		}
	}
}

func (c *contract) checkHeaders(t testing.TB, route string, resp httpapi.Response, where string) {
	t.Helper()
	described := c.headers(where)
	for name, value := range resp.Headers {
		if slices.Contains(unlisted, name) {
			continue
		}
		pointer, ok := described[name]
		if !ok {
			t.Errorf("%s: %d has header %s, which openapi.yaml does not describe", route, resp.StatusCode, name)
			continue
		}
		if err := c.validate(pointer, value); err != nil {
			t.Errorf("%s: %d: header %s is not as openapi.yaml says: %v", route, resp.StatusCode, name, err)
		}
		c.note("header", route, resp.StatusCode, name)
	}
}

// headers are a response's described headers in lower case, with the
// pointers to their schemas.
func (c *contract) headers(where string) map[string]string {
	found := map[string]string{}
	described, _ := c.at(where + "/headers")
	m, _ := described.(map[string]any)
	for name := range m {
		_, found[strings.ToLower(name)] = c.at(where + "/headers/" + escape(name) + "/schema")
	}
	return found
}

func codeOf(value any) string {
	m, _ := value.(map[string]any)
	code, _ := m["code"].(string)
	return code
}

// schemaName is the component a schema is.
func (c *contract) schemaName(pointer string) string {
	if name, ok := strings.CutPrefix(pointer, "/components/schemas/"); ok {
		return name
	}
	return pointer
}

// noteFields remembers which fields of a component have been seen, and with
// which words where the component lists them.
func (c *contract) noteFields(component string, value any) {
	m, _ := value.(map[string]any)
	for name, v := range m {
		c.note("field", component, name)
		if word, ok := v.(string); ok {
			c.note("word", component, name, word)
		}
	}
}

// checkEvent judges a callback as an app received it.
func (c *contract) checkEvent(t testing.TB, r testbed.Received) {
	t.Helper()
	const operation = "/paths/~1request-to-pay/post/callbacks/paymentEvent/{$request.body#~1callbackUrl}/post"
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(r.Body))
	if err != nil {
		t.Errorf("callback is no JSON: %v", err)
		return
	}
	_, schema := c.at(operation + "/requestBody/content/application~1json/schema")
	name := "PaymentEvent"
	if r.Content.Event == string(payment.EventTest) {
		name = "TestEvent"
		_, schema = c.at("/paths/~1events~1test/post/callbacks/testEvent/{$response.body#~1callbackUrl}/post/requestBody/content/application~1json/schema")
	}
	if err := c.validate(schema, value); err != nil {
		t.Errorf("callback is not as openapi.yaml says: %v\n%s", err, r.Body)
	}
	c.noteFields(name, value)
	parameters, _ := c.at(operation + "/parameters")
	for i, p := range parameters.([]any) {
		m := p.(map[string]any)
		name := m["name"].(string)
		text := r.Header.Get(name)
		if text == "" {
			if m["required"] == true {
				t.Errorf("callback without header %s", name)
			}
			continue
		}
		s := c.schemaOf(m["schema"])
		if s == nil {
			t.Fatalf("parameter %d has no schema", i)
		}
		if err := s.Validate(text); err != nil {
			t.Errorf("callback header %s: %v", name, err)
		}
	}
}

// schemaOf compiles a schema without references that stands inside an array,
// where no pointer of ours leads.
func (c *contract) schemaOf(schema any) *jsonschema.Schema {
	c.mu.Lock()
	defer c.mu.Unlock()
	text, err := json.Marshal(schema)
	if err != nil {
		return nil
	}
	name := "inline-" + string(text)
	if s, ok := c.schemas[name]; ok {
		return s
	}
	compiler := jsonschema.NewCompiler()
	if compiler.AddResource("inline.json", schema) != nil {
		return nil
	}
	s, err := compiler.Compile("inline.json")
	if err != nil {
		return nil
	}
	c.schemas[name] = s
	return s
}

// unseen lists what openapi.yaml describes and no test has produced.
func (c *contract) unseen() []string {
	var missing []string
	want := func(what ...any) {
		if key := strings.TrimSuffix(fmt.Sprintln(what...), "\n"); !c.produced[key] {
			missing = append(missing, key)
		}
	}
	components := map[string]bool{"PaymentEvent": true}
	for _, route := range append(c.routes(), httpapi.DefaultRoute) {
		responses, _ := c.at(responsesPointer(route))
		for status := range responses.(map[string]any) {
			_, where := c.at(responsePointer(route, status))
			_, schema := c.at(where + "/content/application~1json/schema")
			if strings.HasPrefix(schema, "/components/") {
				components[c.schemaName(schema)] = true
			}
			for _, code := range c.codes(where) {
				want("answer", route, status, code)
			}
			for header := range c.headers(where) {
				want("header", route, status, header)
			}
		}
	}
	for component := range components {
		c.wantFields(component, want)
	}
	sort.Strings(missing)
	return missing
}

// open are words that an answer could hold and that no test can cause,
// with the reason.
var open = map[string]string{
	"ONGOING": "the contract's word; MTN is never shown as ONGOING",
}

func (c *contract) wantFields(component string, want func(...any)) {
	properties, _ := c.at("/components/schemas/" + component + "/properties")
	for name := range properties.(map[string]any) {
		want("field", component, name)
		property, _ := c.at("/components/schemas/" + component + "/properties/" + name)
		words, _ := property.(map[string]any)["enum"].([]any)
		for _, word := range words {
			// The 202's status is PENDING but for one kind of replay, and
			// its phase is one of those a request can end in.
			text, ok := word.(string)
			if ok && open[text] == "" && component != "StartedPayment" && (component != "Error" || name != "status") {
				want("word", component, name, text)
			}
		}
	}
}

// codes are the error codes a response can have; one empty code where it has
// none.
func (c *contract) codes(where string) []string {
	value, _ := c.at(where + "/x-error-codes")
	if known, _ := value.(map[string]any); known != nil {
		return slices.Collect(maps.Keys(known))
	}
	return []string{""}
}

// routes are the described operations as route keys, sorted.
func (c *contract) routes() []string {
	var all []string
	paths, _ := c.at("/paths")
	for path, item := range paths.(map[string]any) {
		for method := range item.(map[string]any) {
			if slices.Contains([]string{"get", "put", "post", "delete", "patch", "head", "options"}, method) {
				all = append(all, strings.ToUpper(method)+" "+path)
			}
		}
	}
	sort.Strings(all)
	return all
}
