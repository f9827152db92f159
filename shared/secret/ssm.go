// Package secret fetches secrets at a function's start. They are kept in SSM
// Parameter Store as SecureStrings and never stand in plain environment
// variables, where every console user reads them. One signed POST does it;
// the service's own SDK module would add to every function's size for that.
package secret

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"net/http"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// ErrMissing: Parameter Store has no parameter of that name, or the function
// may not read it.
var ErrMissing = errors.New("secret not found")

// maxTries bounds the calls of one Fetch.
const maxTries = 4

// maxAnswer bounds what is read: ten parameters of 8 KB at the most.
const maxAnswer = 128 << 10

// Store reads SecureString parameters.
type Store struct {
	// Endpoint is the service's URL; empty: that of the region.
	Endpoint string
	AWS      aws.Config // region, credentials and HTTP client
}

// Fetch returns the values of at most ten parameters by name, decrypted. The
// error names parameters, never values; a needed one that is missing wraps
// ErrMissing.
func (s Store) Fetch(ctx context.Context, needed, optional []string) (map[string]string, error) {
	names := slices.Concat(needed, optional)
	request, err := json.Marshal(map[string]any{"Names": names, "WithDecryption": true})
	if err != nil {
		return nil, fmt.Errorf("fetch secrets: %w", err)
	}
	answer, err := s.post(ctx, "AmazonSSM.GetParameters", request)
	for try := 1; err != nil && try < maxTries && ctx.Err() == nil; try++ {
		// A burst of cold starts meets Parameter Store's throttle.
		pause := time.Duration(float64(try) * (0.5 + mathrand.Float64()) * float64(200*time.Millisecond))
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
		answer, err = s.post(ctx, "AmazonSSM.GetParameters", request)
	}
	if err != nil {
		return nil, fmt.Errorf("fetch secrets %v: %w", names, err)
	}
	var got struct {
		Parameters []struct{ Name, Value string }
	}
	if err := json.Unmarshal(answer, &got); err != nil {
		return nil, errors.New("fetch secrets: unreadable answer") // the cause may quote a value
	}
	values := map[string]string{}
	for _, p := range got.Parameters {
		values[p.Name] = p.Value
	}
	if missing := slices.DeleteFunc(slices.Clone(needed), func(name string) bool { return values[name] != "" }); len(missing) > 0 {
		return nil, fmt.Errorf("%w: %v", ErrMissing, missing)
	}
	return values, nil
}

// post makes one signed call in the AWS JSON 1.1 protocol.
func (s Store) post(ctx context.Context, target string, body []byte) ([]byte, error) {
	endpoint := s.Endpoint
	if endpoint == "" {
		endpoint = "https://ssm." + s.AWS.Region + ".amazonaws.com/"
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/x-amz-json-1.1")
	req.Header.Set("X-Amz-Target", target)
	credentials, err := s.AWS.Credentials.Retrieve(ctx)
	if err != nil {
		return nil, err
	}
	hash := sha256.Sum256(body)
	if err := v4.NewSigner().SignHTTP(ctx, credentials, req, hex.EncodeToString(hash[:]), "ssm", s.AWS.Region, time.Now()); err != nil {
		return nil, err
	}
	resp, err := s.AWS.HTTPClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		var fault struct {
			Type string `json:"__type"`
		}
		_ = json.Unmarshal(answer, &fault) // the status says enough
		return nil, fmt.Errorf("status %d %s", resp.StatusCode, fault.Type)
	}
	return answer, nil
}
