package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"

	"momoproxy/shared/assembly"
	"momoproxy/shared/assembly/providers"
	"momoproxy/shared/config"
)

// stack is a deployed stack, as CloudFormation describes it. It is asked with
// the SDK's usual credentials: environment, profile, SSO, role.
type stack struct {
	name       string
	aws        aws.Config
	status     string
	outputs    map[string]string
	parameters map[string]string
	protected  bool // from being deleted
}

// outputVariables are the stack's outputs that a function has as variables.
var outputVariables = map[string]string{
	"TABLE_NAME": "MainTableName", "AUDIT_TABLE_NAME": "AuditTableName", "QUEUE_URL": "DeliveryQueueUrl",
	"DEAD_LETTER_QUEUE_URL": "DeadLetterQueueUrl", "SEALING_SECRET_ID": "SealingSecretName",
	"PAYER_SECRET_ID": "PayerSecretName", "ACCOUNTS_PATH": "AccountsPath",
}

// parameterVariables are its parameters that one has.
var parameterVariables = map[string]string{"PUBLIC_BASE_URL": "PublicBaseUrl", "CALLBACK_POLICY": "CallbackPolicy", "RETENTION_DAYS": "RetentionDays"}

func openStack(ctx context.Context, o options) (stack, error) {
	s := stack{name: o.stack, outputs: map[string]string{}, parameters: map[string]string{}}
	var load []func(*awsconfig.LoadOptions) error
	if o.profile != "" {
		load = append(load, awsconfig.WithSharedConfigProfile(o.profile))
	}
	if o.region != "" {
		load = append(load, awsconfig.WithRegion(o.region))
	}
	var err error
	if s.aws, err = awsconfig.LoadDefaultConfig(ctx, load...); err != nil {
		return s, err
	}
	if s.aws.HTTPClient == nil { // AWS_CA_BUNDLE is not set
		s.aws.HTTPClient = &http.Client{Timeout: awsPatience}
	}
	if s.aws.Region == "" {
		return s, errors.New("no AWS region: give --region, set AWS_REGION, or name one in the profile")
	}
	var found struct {
		Stacks []struct {
			StackStatus                 string
			EnableTerminationProtection bool
			Outputs                     []struct{ OutputKey, OutputValue string }       `xml:"Outputs>member"`
			Parameters                  []struct{ ParameterKey, ParameterValue string } `xml:"Parameters>member"`
		} `xml:"DescribeStacksResult>Stacks>member"`
	}
	if err := s.query(ctx, "cloudformation", url.Values{"Action": {"DescribeStacks"}, "Version": {"2010-05-15"}, "StackName": {o.stack}}, &found); err != nil {
		return s, fmt.Errorf("stack %s in %s: %w", o.stack, s.aws.Region, err)
	}
	if len(found.Stacks) != 1 {
		return s, fmt.Errorf("stack %s in %s: CloudFormation names %d stacks", o.stack, s.aws.Region, len(found.Stacks))
	}
	one := found.Stacks[0]
	s.status, s.protected = one.StackStatus, one.EnableTerminationProtection
	for _, out := range one.Outputs {
		s.outputs[out.OutputKey] = out.OutputValue
	}
	for _, p := range one.Parameters {
		s.parameters[p.ParameterKey] = p.ParameterValue
	}
	for _, output := range outputVariables {
		if s.outputs[output] == "" {
			return s, fmt.Errorf("stack %s in %s has no output %s: it is no stack of MoMo Proxy, or was deployed by an older version", o.stack, s.aws.Region, output)
		}
	}
	return s, nil
}

// caller is the ARN of the owner of the credentials.
func (s stack) caller(ctx context.Context) (string, error) {
	var found struct {
		ARN string `xml:"GetCallerIdentityResult>Arn"`
	}
	err := s.query(ctx, "sts", url.Values{"Action": {"GetCallerIdentity"}, "Version": {"2011-06-15"}}, &found)
	if err == nil && found.ARN == "" {
		err = errors.New("STS names nobody")
	}
	return found.ARN, err
}

// parts builds what the stack's functions are built of; with provider also
// their accounts.
func (s stack) parts(ctx context.Context, provider bool) (assembly.Parts, error) {
	needs := config.Storage | config.Sealing | config.PayerKey | config.Queue
	if provider {
		needs |= config.Provider
	}
	return assembly.Deployed(ctx, s.aws, func(name string) string {
		if output, ok := outputVariables[name]; ok {
			return s.outputs[output]
		}
		if parameter, ok := parameterVariables[name]; ok {
			return s.parameters[parameter]
		}
		if strings.HasPrefix(name, "AWS_ENDPOINT_URL_") {
			return os.Getenv(name)
		}
		return ""
	}, needs, providers.All()...)
}

// function is the name that the template gives a function.
func (s stack) function(name string) string { return s.name + "-" + name }

// query makes a call of one of AWS's older services, which answer in XML.
func (s stack) query(ctx context.Context, service string, form url.Values, into any) error {
	body, err := s.call(ctx, service, http.MethodPost, "/", "application/x-www-form-urlencoded", []byte(form.Encode()))
	if err != nil {
		return err
	}
	return xml.Unmarshal(body, into)
}

// rest makes a call of Lambda.
func (s stack) rest(ctx context.Context, method, path string, request, into any) error {
	var content []byte
	if request != nil {
		content, _ = json.Marshal(request) // always marshals
	}
	body, err := s.call(ctx, "lambda", method, path, "application/json", content)
	if err != nil || into == nil {
		return err
	}
	return json.Unmarshal(body, into)
}

// awsError is what AWS says against a call.
type awsError struct {
	status        int
	Code, Message string
}

func (e *awsError) Error() string {
	return fmt.Sprintf("AWS answers %d %s: %s", e.status, cmp.Or(e.Code, "without a code"), cmp.Or(e.Message, "nothing more"))
}

// answers bound what is read, and how long it may take.
const (
	maxAWSAnswer = 4 << 20
	awsPatience  = 20 * time.Second
)

// call makes one signed call. AWS_ENDPOINT_URL_<SERVICE> names another address.
func (s stack) call(ctx context.Context, service, method, path, contentType string, content []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, awsPatience)
	defer cancel()
	suffix := "amazonaws.com"
	if strings.HasPrefix(s.aws.Region, "cn-") {
		suffix += ".cn"
	}
	endpoint := cmp.Or(os.Getenv("AWS_ENDPOINT_URL_"+strings.ToUpper(service)), "https://"+service+"."+s.aws.Region+"."+suffix)
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimRight(endpoint, "/")+path, bytes.NewReader(content))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", contentType)
	credentials, err := s.aws.Credentials.Retrieve(ctx)
	if err != nil {
		return nil, err
	}
	hash := sha256.Sum256(content)
	if err := v4.NewSigner().SignHTTP(ctx, credentials, req, hex.EncodeToString(hash[:]), service, s.aws.Region, time.Now()); err != nil {
		return nil, err
	}
	res, err := s.aws.HTTPClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxAWSAnswer))
	if err != nil {
		return nil, err
	}
	if res.StatusCode/100 == 2 {
		return body, nil
	}
	refusal := awsError{status: res.StatusCode, Code: res.Header.Get("X-Amzn-ErrorType")}
	var said struct {
		Code    string `xml:"Error>Code"`
		Message string `xml:"Error>Message"`
	}
	if xml.Unmarshal(body, &said) == nil {
		refusal.Code, refusal.Message = said.Code, said.Message
	} else {
		_ = json.Unmarshal(body, &refusal) // what cannot be read stays out
	}
	return nil, &refusal
}
