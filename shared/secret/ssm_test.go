package secret_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/google/go-cmp/cmp"

	"momoproxy/shared/secret"
)

// store answers every request with one answer, after checking that it is what
// Parameter Store documents.
func store(t *testing.T, status int, answer string) secret.Store {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var request struct {
			Names          []string
			WithDecryption bool
		}
		if err := json.Unmarshal(body, &request); err != nil || !request.WithDecryption || len(request.Names) == 0 {
			t.Errorf("request body %s (%v)", body, err)
		}
		if got := r.Header.Get("X-Amz-Target"); got != "AmazonSSM.GetParameters" {
			t.Errorf("target %q", got)
		}
		if got := r.Header.Get("Content-Type"); got != "application/x-amz-json-1.1" {
			t.Errorf("content type %q", got)
		}
		if got := r.Header.Get("Authorization"); !strings.HasPrefix(got, "AWS4-HMAC-SHA256 ") || !strings.Contains(got, "/eu-west-1/ssm/aws4_request") {
			t.Errorf("not signed for ssm in the region: %q", got)
		}
		w.WriteHeader(status)
		io.WriteString(w, answer)
	}))
	t.Cleanup(server.Close)
	return secret.Store{Endpoint: server.URL, AWS: aws.Config{
		Region: "eu-west-1", HTTPClient: server.Client(),
		Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "key", ""),
	}}
}

func TestFetch(t *testing.T) {
	t.Parallel()
	got, err := store(t, 200, `{"Parameters":[{"Name":"/a","Value":"one"},{"Name":"/b","Value":"two"}],"InvalidParameters":["/c"]}`).
		Fetch(context.Background(), []string{"/a"}, []string{"/b", "/c"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"/a": "one", "/b": "two"}, got); diff != "" {
		t.Errorf("fetched (-want +got):\n%s", diff)
	}
}

func TestFetchFailsLoudlyAndTellsNoSecret(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status  int
		answer  string
		missing bool
	}{
		"invalid parameter": {200, `{"Parameters":[{"Name":"/a","Value":"hush"}],"InvalidParameters":["/b"]}`, true},
		"left out":          {200, `{"Parameters":[{"Name":"/a","Value":"hush"}]}`, true},
		"empty value":       {200, `{"Parameters":[{"Name":"/a","Value":"hush"},{"Name":"/b","Value":""}]}`, true},
		"denied":            {400, `{"__type":"AccessDeniedException","message":"hush"}`, false},
		"not JSON":          {200, `hush`, false},
		"outage":            {503, ``, false},
	} {
		_, err := store(t, c.status, c.answer).Fetch(context.Background(), []string{"/a", "/b"}, nil)
		if err == nil || errors.Is(err, secret.ErrMissing) != c.missing {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil && strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: the error tells what was answered: %v", name, err)
		}
	}
}
