package endtoend

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
)

// use is one thing that a function did in AWS, as IAM names it.
type use struct {
	Function string
	Action   string // "dynamodb:PutItem"
	Resource string // ARN as the template's stack gives it
	Within   string // the operation around it: "TransactWriteItems", or empty
	Keys     string // what begins the partition: "payment" of "payment#7d0f…"; empty where it is no item's
}

func (u use) String() string {
	text := u.Function + " " + u.Action + " on " + u.Resource
	if u.Within != "" {
		text += " within " + u.Within
	}
	if u.Keys != "" {
		text += " of " + u.Keys
	}
	return text
}

// recorder stands between the functions and the engines and writes down what
// each function does, in the terms of its policy.
type recorder struct {
	arns map[string]string // of tables by name and of queues by URL

	mu   sync.Mutex
	uses map[use]int
	// sabotage makes a request fail as an engine in trouble would.
	sabotage func(function string, body []byte) bool
}

func newRecorder(arns map[string]string) *recorder {
	return &recorder{arns: arns, uses: map[use]int{}}
}

// between returns a server that passes a function's requests on to an engine.
func (r *recorder) between(t *testing.T, function, engine string) string {
	t.Helper()
	target, err := url.Parse(engine)
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{Rewrite: func(p *httputil.ProxyRequest) {
		p.SetURL(target)
		p.Out.Host = p.In.Host // it is part of the signature
	}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		req.Body = io.NopCloser(bytes.NewReader(body))
		r.note(function, req.Header.Get("X-Amz-Target"), body)
		r.mu.Lock()
		sabotaged := r.sabotage != nil && r.sabotage(function, body)
		r.mu.Unlock()
		if sabotaged {
			w.Header().Set("Content-Type", "application/x-amz-json-1.0")
			w.WriteHeader(http.StatusInternalServerError)
			fmt.Fprint(w, `{"__type":"com.amazonaws.dynamodb.v20120810#InternalServerError","message":"sabotaged"}`)
			return
		}
		proxy.ServeHTTP(w, req)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// forget drops what a function did so far.
func (r *recorder) forget(function string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	maps.DeleteFunc(r.uses, func(u use, _ int) bool { return u.Function == function })
}

func (r *recorder) setSabotage(f func(function string, body []byte) bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sabotage = f
}

// operation is what matters here of any request's body.
type operation struct {
	item
	IndexName     string
	QueueURL      string `json:"QueueUrl"`
	Names         []string
	TransactItems []map[string]item
	RequestItems  map[string]struct {
		Keys []map[string]struct{ S string }
	}
}

// item is what one is named by: in a put by itself, in a query by :p.
type item struct {
	TableName                 string
	Key, Item                 map[string]struct{ S string }
	ExpressionAttributeValues map[string]struct{ S string }
}

// keys is what begins the item's partition.
func (i item) keys() string {
	partition := cmp.Or(i.Key["pk"].S, i.Item["pk"].S, i.ExpressionAttributeValues[":p"].S)
	kind, _, _ := strings.Cut(partition, "#")
	return kind
}

// inTransaction are the IAM actions of a transaction's parts.
var inTransaction = map[string]string{
	"Put": "PutItem", "Delete": "DeleteItem", "Update": "UpdateItem", "ConditionCheck": "ConditionCheckItem", "Get": "GetItem",
}

// note turns a request into uses. What it does not know it writes down as it
// came, so that no policy allows it.
func (r *recorder) note(function, target string, body []byte) {
	version, name, _ := strings.Cut(target, ".")
	var o operation
	readable := json.Unmarshal(body, &o) == nil
	r.mu.Lock()
	defer r.mu.Unlock()
	add := func(action, resource, within, keys string) {
		r.uses[use{function, action, resource, within, keys}]++
	}
	switch {
	case !readable:
		add(target, "unreadable", "", "")
	case strings.HasPrefix(version, "DynamoDB_") && o.TransactItems != nil:
		for _, item := range o.TransactItems {
			for part, of := range item {
				add("dynamodb:"+inTransaction[part], r.arn(of.TableName), name, of.keys())
			}
		}
	case strings.HasPrefix(version, "DynamoDB_") && o.RequestItems != nil:
		for tableName, of := range o.RequestItems {
			for _, key := range of.Keys {
				add("dynamodb:"+name, r.arn(tableName), "", item{Key: key}.keys())
			}
		}
	case strings.HasPrefix(version, "DynamoDB_") && o.IndexName != "":
		add("dynamodb:"+name, r.arn(o.TableName)+"/index/"+o.IndexName, "", "")
	case strings.HasPrefix(version, "DynamoDB_"):
		add("dynamodb:"+name, r.arn(o.TableName), "", o.keys())
	case version == "AmazonSQS":
		// A batch needs the permission of its parts.
		add("sqs:"+strings.TrimSuffix(name, "Batch"), r.arn(o.QueueURL), "", "")
	case version == "AmazonSSM":
		for _, parameter := range o.Names {
			add("ssm:"+name, "arn:aws:ssm:"+region+":123456789012:parameter"+parameter, "", "")
		}
	default:
		add(target, "unknown", "", "")
	}
}

func (r *recorder) arn(name string) string {
	if arn, ok := r.arns[name]; ok {
		return arn
	}
	return "not of the stack: " + name
}

// used lists what was done, sorted.
func (r *recorder) used() []use {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []use
	for u := range r.uses {
		all = append(all, u)
	}
	slices.SortFunc(all, func(a, b use) int { return cmp.Compare(a.String(), b.String()) })
	return all
}
