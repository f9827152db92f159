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

// fakeAWS answers as CloudFormation, STS and Lambda do to what momoctl asks,
// by AWS's own documentation of these calls.
type fakeAWS struct {
	outputs map[string]string

	mu       sync.Mutex
	reserved *int
}

func newAWS(t *testing.T, outputs map[string]string) *fakeAWS {
	t.Helper()
	f := &fakeAWS{outputs: outputs}
	s := httptest.NewServer(f)
	t.Cleanup(s.Close)
	for _, service := range []string{"CLOUDFORMATION", "STS", "LAMBDA"} {
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
	switch action := r.FormValue("Action"); {
	case action == "DescribeStacks" && r.FormValue("StackName") != "shop-stack":
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprintf(w, `<ErrorResponse><Error><Type>Sender</Type><Code>ValidationError</Code><Message>Stack with id %s does not exist</Message></Error></ErrorResponse>`, r.FormValue("StackName"))
	case action == "DescribeStacks":
		fmt.Fprint(w, `<DescribeStacksResponse><DescribeStacksResult><Stacks><member><StackName>shop-stack</StackName><StackStatus>UPDATE_COMPLETE</StackStatus><Outputs>`)
		for key, value := range f.outputs {
			fmt.Fprintf(w, `<member><OutputKey>%s</OutputKey><OutputValue>%s</OutputValue></member>`, key, value)
		}
		fmt.Fprint(w, `</Outputs><Parameters><member><ParameterKey>PublicBaseUrl</ParameterKey><ParameterValue>https://pay.example.com</ParameterValue></member></Parameters></member></Stacks></DescribeStacksResult></DescribeStacksResponse>`)
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
