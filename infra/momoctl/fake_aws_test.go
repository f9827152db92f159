package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// fakeAWS answers as CloudFormation, STS, SNS and Lambda do to what momoctl asks,
// by AWS's own documentation of these calls.
type fakeAWS struct {
	outputs    map[string]string
	parameters map[string]string
	protected  bool
	subscribed []string // to each topic
	subnets    string   // of the reconciler, in JSON
	address    string   // that it answers, in JSON

	mu       sync.Mutex
	reserved *int
}

func newAWS(t *testing.T, outputs map[string]string) *fakeAWS {
	t.Helper()
	f := &fakeAWS{outputs: outputs, parameters: map[string]string{"PublicBaseUrl": "https://pay.example.com"}}
	s := httptest.NewServer(f)
	t.Cleanup(s.Close)
	for _, service := range []string{"CLOUDFORMATION", "STS", "LAMBDA", "SNS"} {
		t.Setenv("AWS_ENDPOINT_URL_"+service, s.URL)
	}
	return f
}

// share is the function's reserved concurrency.
func (f *fakeAWS) share() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.reserved == nil {
		return "none"
	}
	return fmt.Sprint(*f.reserved)
}

func (f *fakeAWS) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 Credential=local/") {
		http.Error(w, "not signed", http.StatusForbidden)
		return
	}
	if strings.HasSuffix(r.URL.Path, "/functions/shop-stack-request-to-pay/concurrency") {
		f.concurrency(w, r)
		return
	}
	switch {
	case strings.HasSuffix(r.URL.Path, "/functions/shop-stack-reconciler/configuration"):
		fmt.Fprintf(w, `{"VpcConfig":{"SubnetIds":[%s]}}`, f.subnets)
		return
	case strings.HasSuffix(r.URL.Path, "/functions/shop-stack-reconciler/invocations"):
		fmt.Fprint(w, f.address)
		return
	}
	switch action := r.FormValue("Action"); {
	case action == "DescribeStacks" && r.FormValue("StackName") != "shop-stack":
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprintf(w, `<ErrorResponse><Error><Type>Sender</Type><Code>ValidationError</Code><Message>Stack with id %s does not exist</Message></Error></ErrorResponse>`, r.FormValue("StackName"))
	case action == "DescribeStacks":
		fmt.Fprintf(w, `<DescribeStacksResponse><DescribeStacksResult><Stacks><member><StackName>shop-stack</StackName><StackStatus>UPDATE_COMPLETE</StackStatus><EnableTerminationProtection>%t</EnableTerminationProtection><Parameters>`, f.protected)
		for key, value := range f.parameters {
			fmt.Fprintf(w, `<member><ParameterKey>%s</ParameterKey><ParameterValue>%s</ParameterValue></member>`, key, value)
		}
		fmt.Fprint(w, `</Parameters><Outputs>`)
		for key, value := range f.outputs {
			fmt.Fprintf(w, `<member><OutputKey>%s</OutputKey><OutputValue>%s</OutputValue></member>`, key, value)
		}
		fmt.Fprint(w, `</Outputs></member></Stacks></DescribeStacksResult></DescribeStacksResponse>`)
	case action == "ListSubscriptionsByTopic":
		fmt.Fprint(w, `<ListSubscriptionsByTopicResponse><ListSubscriptionsByTopicResult><Subscriptions>`)
		for _, arn := range f.subscribed {
			fmt.Fprintf(w, `<member><Protocol>email</Protocol><SubscriptionArn>%s</SubscriptionArn></member>`, arn)
		}
		fmt.Fprint(w, `</Subscriptions></ListSubscriptionsByTopicResult></ListSubscriptionsByTopicResponse>`)
	case action == "GetCallerIdentity":
		fmt.Fprint(w, `<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/thandi</Arn></GetCallerIdentityResult></GetCallerIdentityResponse>`)
	default:
		http.Error(w, `{"Message":"not known here"}`, http.StatusNotFound)
	}
}

func (f *fakeAWS) concurrency(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodPut:
		var in struct{ ReservedConcurrentExecutions int }
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		f.reserved = &in.ReservedConcurrentExecutions
	case http.MethodDelete:
		f.reserved = nil
		w.WriteHeader(http.StatusNoContent)
		return
	}
	answer := map[string]int{}
	if f.reserved != nil {
		answer["ReservedConcurrentExecutions"] = *f.reserved
	}
	_ = json.NewEncoder(w).Encode(answer)
}
