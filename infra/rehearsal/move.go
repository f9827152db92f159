package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"momoproxy/infra/loopback"
)

// move is the rehearsal of the move to another region and account. The
// emulator runs no function, so infra/local works on the stack's tables, first
// at the old place and then at the new one: its payments and events are real.
type move struct {
	r        *rehearsal
	data     string // keys and stand-ins of infra/local
	endpoint string
	app      *httptest.Server // of an app that is down until up is set
	up       atomic.Bool
	taken    atomic.Int64 // events that the app has taken
	local    *loopback.Process
	api, mtn string // addresses of infra/local and of its stand-in for MTN
}

const (
	oldRegion = "eu-central-1"
	newRegion = "af-south-1"
	// The tables of infra/local have fixed names. They stand for the stack's.
	mainTable, auditTable = "momo-proxy-local", "momo-proxy-local-audit"
)

// newMove gives the operator two profiles: the new one's account is another.
func newMove(r *rehearsal, dir, endpoint string) (*move, error) {
	m := &move{r: r, data: filepath.Join(dir, "data"), endpoint: endpoint}
	keys, err := r.output("aws sts assume-role --role-arn arn:aws:iam::210987654321:role/operator --role-session-name move "+
		"--output text --query 'Credentials.[AccessKeyId,SecretAccessKey,SessionToken]'", io.Discard)
	if err != nil {
		return nil, err
	}
	secrets := strings.Fields(keys)
	if len(secrets) != 3 {
		return nil, fmt.Errorf("the emulator gives no role: %s", keys)
	}
	profiles := fmt.Sprintf(`[profile old]
region = %s
aws_access_key_id = rehearsal
aws_secret_access_key = rehearsal
[profile new]
region = %s
aws_access_key_id = %s
aws_secret_access_key = %s
aws_session_token = %s
`, oldRegion, newRegion, secrets[0], secrets[1], secrets[2])
	if err := os.WriteFile(filepath.Join(dir, "profiles"), []byte(profiles), 0o600); err != nil {
		return nil, err
	}
	var kept []string
	for _, variable := range r.environment {
		name, _, _ := strings.Cut(variable, "=")
		switch name {
		case "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_CONFIG_FILE":
		default:
			kept = append(kept, variable)
		}
	}
	r.environment = append(kept, "AWS_CONFIG_FILE="+filepath.Join(dir, "profiles"), "AWS_PROFILE=old")
	m.app = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if !m.up.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		m.taken.Add(1)
	}))
	return m, nil
}

func (m *move) close() {
	m.stop()
	m.app.Close()
}

// start runs infra/local on the tables of a place.
func (m *move) start(profile string) error {
	cmd := exec.CommandContext(m.r.ctx, filepath.Join(m.r.dir, "build", "local"), "-aws", "-data", m.data, "-listen", "127.0.0.1:0", "-console", "off")
	for _, name := range []string{"region", "aws_access_key_id", "aws_secret_access_key", "aws_session_token"} {
		value, err := m.r.output("aws configure get "+name+" --profile "+profile+" || true", io.Discard)
		if err != nil {
			return err
		}
		cmd.Env = append(cmd.Env, strings.ToUpper(strings.Replace(name, "region", "aws_region", 1))+"="+value)
	}
	for _, variable := range m.r.environment {
		if !strings.HasPrefix(variable, "AWS_") || strings.HasPrefix(variable, "AWS_ENDPOINT_URL_") {
			cmd.Env = append(cmd.Env, variable)
		}
	}
	var err error
	m.local, err = loopback.Run(cmd, time.Minute, func(line string) string {
		if at, ours := strings.CutPrefix(line, "MoMo Proxy on "); ours {
			m.api = at
		}
		if words := strings.Fields(line); len(words) == 4 && words[0] == "provider" && words[1] == "mtn" {
			return words[3]
		}
		return ""
	})
	if err == nil {
		m.mtn = m.local.Said
	}
	return err
}

func (m *move) stop() {
	if m.local != nil {
		_ = m.local.End(os.Interrupt, 30*time.Second)
		m.local = nil
	}
}

// call asks the API, or the stand-in, and reads the answer into into.
func (m *move) call(method, url, body string, into any) error {
	req, err := http.NewRequestWithContext(m.r.ctx, method, url, bytes.NewReader([]byte(body)))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Proxy-Api-Key", "APP_CHANGE_THIS")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	said, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if res.StatusCode/100 != 2 {
		return fmt.Errorf("%s %s: %s: %s", method, url, res.Status, said)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(said, into)
}

// pay starts a payment and returns its reference. The emulator is slow, and a
// cold start behind it may last longer than a request waits: 503 is tried again.
func (m *move) pay(order, payer, callback string) (reference string, err error) {
	var answer struct{ ReferenceID string }
	for range 20 {
		if err = m.payOnce(order, payer, callback, &answer); err == nil || !strings.Contains(err.Error(), "503") || m.r.ctx.Err() != nil {
			break
		}
		time.Sleep(time.Second)
	}
	return answer.ReferenceID, err
}

func (m *move) payOnce(order, payer, callback string, answer any) error {
	return m.call(http.MethodPost, m.api+"/request-to-pay", `{"amount":"150.00","externalId":"`+order+`","callbackUrl":"`+callback+
		`","payer":{"partyIdType":"MSISDN","partyId":"`+payer+`"}}`, answer)
}

// ends waits for a payment's success.
func (m *move) ends(reference string) error {
	var p struct{ Status string }
	for range 300 {
		if err := m.call(http.MethodGet, m.api+"/payments/"+reference, "", &p); err != nil {
			return err
		}
		if p.Status == "SUCCESSFUL" {
			return nil
		}
		select {
		case <-m.r.ctx.Done():
			return m.r.ctx.Err()
		case <-time.After(200 * time.Millisecond):
		}
	}
	return errors.New(reference + " is " + p.Status)
}
