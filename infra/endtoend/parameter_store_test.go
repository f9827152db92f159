package endtoend

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"momoproxy/infra/cloud"
)

// parameterStore answers SSM's GetParameters with SecureString values. No
// engine that the tests start speaks it, so it is strict where an engine
// would be: the request must be signed, exactly as the service would compute
// it, and must ask for the values in the clear.
type parameterStore struct {
	values      cloud.Parameters
	credentials aws.Credentials
	recorder    *recorder

	mu     sync.Mutex
	faults []string
}

// handler serves one function.
func (s *parameterStore) handler(function string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			err = s.check(r, body)
		}
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		if err != nil {
			s.mu.Lock()
			s.faults = append(s.faults, function+": "+err.Error())
			s.mu.Unlock()
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, `{"__type":"InvalidSignatureException"}`)
			return
		}
		s.recorder.note(function, r.Header.Get("X-Amz-Target"), body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		s.values.ServeHTTP(w, r)
	})
}

// check judges a request's form and signs it anew to compare.
func (s *parameterStore) check(r *http.Request, body []byte) error {
	var request struct {
		Names          []string
		WithDecryption bool
	}
	switch err := json.Unmarshal(body, &request); {
	case r.Method != http.MethodPost || r.URL.Path != "/":
		return fmt.Errorf("%s %s", r.Method, r.URL.Path)
	case r.Header.Get("X-Amz-Target") != cloud.GetParameters:
		return fmt.Errorf("X-Amz-Target %q", r.Header.Get("X-Amz-Target"))
	case r.Header.Get("Content-Type") != "application/x-amz-json-1.1":
		return fmt.Errorf("Content-Type %q", r.Header.Get("Content-Type"))
	case err != nil || !request.WithDecryption || len(request.Names) == 0 || len(request.Names) > 10:
		return fmt.Errorf("body %q", body)
	case r.Header.Get("X-Amz-Security-Token") != s.credentials.SessionToken:
		return fmt.Errorf("without the session's token")
	}
	given := r.Header.Get("Authorization")
	at, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
	if err != nil || time.Since(at).Abs() > 5*time.Minute {
		return fmt.Errorf("X-Amz-Date %q", r.Header.Get("X-Amz-Date"))
	}
	_, list, _ := strings.Cut(given, "SignedHeaders=")
	list, _, _ = strings.Cut(list, ",")
	signed := strings.Split(list, ";")
	for _, must := range []string{"host", "x-amz-date", "x-amz-security-token", "x-amz-target"} {
		if !slices.Contains(signed, must) {
			return fmt.Errorf("%s is not signed: %s", must, given)
		}
	}
	again, err := http.NewRequestWithContext(r.Context(), r.Method, "http://"+r.Host+"/", bytes.NewReader(body))
	if err != nil {
		return err
	}
	for _, name := range signed {
		if name != "host" && name != "content-length" {
			again.Header.Set(name, r.Header.Get(name))
		}
	}
	hash := sha256.Sum256(body)
	if err := v4.NewSigner().SignHTTP(r.Context(), s.credentials, again, hex.EncodeToString(hash[:]), "ssm", region, at); err != nil {
		return err
	}
	if again.Header.Get("Authorization") != given {
		return fmt.Errorf("signature is not the one of this request: %s", given)
	}
	return nil
}

func (s *parameterStore) verify(t *testing.T) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, fault := range s.faults {
		t.Errorf("Parameter Store request of %s", fault)
	}
}
