package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"
)

// cloud is the emulator with what it lacks of CloudFormation in front of it:
// SAM's transform, and change sets whose stack has outputs. A change set is kept
// here, and executing it creates or updates the stack. python is SAM's, which
// has the transform.
type cloud struct {
	emulator         *url.URL
	pass             *httputil.ReverseProxy
	python, expander string

	mu      sync.Mutex
	changes map[string]url.Values        // by place and change set: the call that makes its stack
	values  map[string]map[string]string // by place and stack: its parameters
	made    map[string]bool              // by place and stack: those that there are
}

func newCloud(endpoint, python, expander string) (*cloud, error) {
	target, err := url.Parse(endpoint)
	if err != nil || target.Host == "" {
		return nil, fmt.Errorf("no emulator at %q: run this under `go run ./infra/engines -only moto --`", endpoint)
	}
	pass := httputil.NewSingleHostReverseProxy(target)
	pass.ErrorLog = log.New(io.Discard, "", 0) // whoever asked has the error
	return &cloud{
		emulator: target, pass: pass, python: python, expander: expander,
		changes: map[string]url.Values{}, values: map[string]map[string]string{}, made: map[string]bool{},
	}, nil
}

func (c *cloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		c.pass.ServeHTTP(w, r)
		return
	}
	body, err := io.ReadAll(r.Body)
	var form url.Values
	if err == nil {
		form, err = url.ParseQuery(string(body))
	}
	at := placeOf(r)
	c.mu.Lock()
	defer c.mu.Unlock()
	answer := ""
	if err == nil {
		switch form.Get("Action") {
		case "CreateChangeSet":
			answer, err = c.create(at, form)
		case "DescribeChangeSet":
			answer = "<Status>CREATE_COMPLETE</Status><ExecutionStatus>AVAILABLE</ExecutionStatus><Changes/>"
		case "ExecuteChangeSet":
			call, ok := c.changes[at.String()+id(form)]
			if !ok {
				err = errors.New("no such change set")
				break
			}
			err = c.execute(r, call)
			c.made[at.String()+call.Get("StackName")] = err == nil
		default:
			if name := form.Get("StackName"); form.Get("Action") == "DescribeStackEvents" && c.values[at.String()+name] != nil && !c.made[at.String()+name] {
				answer = "<StackEvents><member><StackId>" + name + "</StackId><EventId>0</EventId><StackName>" + name + "</StackName><Timestamp>" +
					time.Now().UTC().Format(time.RFC3339) + "</Timestamp><ResourceStatus>REVIEW_IN_PROGRESS</ResourceStatus></member></StackEvents>"
				break
			}
			r.Body = io.NopCloser(bytes.NewReader(body))
			c.pass.ServeHTTP(w, r)
			return
		}
	}
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprintf(w, "<ErrorResponse><Error><Code>ValidationError</Code><Message><![CDATA[%s]]></Message></Error></ErrorResponse>", err)
		return
	}
	action := form.Get("Action")
	fmt.Fprintf(w, `<%sResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><%[1]sResult>%s</%[1]sResult></%[1]sResponse>`, action, answer)
}

// place is a region of an account, which its access key stands for.
type place struct{ key, region string }

func (p place) String() string { return p.key + "/" + p.region + "/" }

// placeOf is where a signed request goes.
func placeOf(r *http.Request) place {
	_, scope, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=")
	parts := strings.Split(scope, "/")
	if len(parts) < 4 {
		return place{}
	}
	return place{parts[0], parts[2]}
}

// id is the change set's: it is named by its ARN, which ends in stack and name.
func id(form url.Values) string {
	name := form.Get("ChangeSetName")
	if _, after, ok := strings.Cut(name, ":changeSet/"); ok {
		return after
	}
	return name + "/" + form.Get("StackName")
}

// create keeps a change set with its template expanded.
func (c *cloud) create(where place, form url.Values) (answer string, err error) {
	stack := form.Get("StackName")
	text := []byte(form.Get("TemplateBody"))
	if at := form.Get("TemplateURL"); at != "" {
		if text, err = c.uploaded(where, at); err != nil {
			return "", err
		}
	}
	values := maps.Clone(c.values[where.String()+stack])
	if values == nil {
		values = map[string]string{}
	}
	for i := 1; form.Has(fmt.Sprintf("Parameters.member.%d.ParameterKey", i)); i++ {
		prefix := fmt.Sprintf("Parameters.member.%d.", i)
		if form.Has(prefix + "ParameterValue") {
			values[form.Get(prefix+"ParameterKey")] = form.Get(prefix + "ParameterValue")
		}
	}
	given, err := json.Marshal(values)
	if err != nil {
		return "", err
	}
	cmd := exec.Command(c.python, c.expander, string(given))
	cmd.Stdin, cmd.Env = bytes.NewReader(text), append(os.Environ(), "AWS_DEFAULT_REGION="+where.region)
	out, err := cmd.Output()
	var failed *exec.ExitError
	if errors.As(err, &failed) {
		return "", fmt.Errorf("transform: %s", failed.Stderr)
	}
	if err != nil {
		return "", err
	}
	call := url.Values{"Action": {"CreateStack"}, "Version": {"2010-05-15"}, "StackName": {stack}, "TemplateBody": {string(out)}}
	if form.Get("ChangeSetType") == "UPDATE" {
		call.Set("Action", "UpdateStack")
	}
	for name, value := range form {
		if strings.HasPrefix(name, "Tags.") || strings.HasPrefix(name, "Capabilities.") {
			call[name] = value
		}
	}
	n := 0
	for name, value := range values {
		n++
		call.Set(fmt.Sprintf("Parameters.member.%d.ParameterKey", n), name)
		call.Set(fmt.Sprintf("Parameters.member.%d.ParameterValue", n), value)
	}
	c.values[where.String()+stack] = values
	key := form.Get("ChangeSetName") + "/" + stack
	c.changes[where.String()+key] = call
	return "<Id>arn:aws:cloudformation:" + where.region + ":123456789012:changeSet/" + key + "</Id><StackId>" + stack + "</StackId>", nil
}

// execute makes the call at the emulator.
func (c *cloud) execute(r *http.Request, call url.Values) error {
	body := call.Encode()
	req, err := http.NewRequestWithContext(r.Context(), http.MethodPost, c.emulator.String(), strings.NewReader(body))
	if err != nil {
		return err
	}
	req.Header = r.Header.Clone()
	req.Header.Set("Content-Length", strconv.Itoa(len(body)))
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	said, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", res.Status, said)
	}
	return err
}

func (c *cloud) uploaded(where place, at string) ([]byte, error) {
	u, err := url.Parse(at)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequest(http.MethodGet, c.emulator.JoinPath(u.Path).String(), nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "AWS "+where.key+":none") // the bucket is private, and nobody looks closer
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("template %s: %s", at, res.Status)
	}
	return text, err
}
