// Package engine starts the DynamoDB- and SQS-compatible servers that the
// adapters are tested against. They are used over loopback, keep everything
// in memory and die with the process that started them.
package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
)

// Service is what an engine speaks.
type Service string

const (
	DynamoDB Service = "dynamodb"
	SQS      Service = "sqs"
)

// Services are all services, in the order they are listed.
var Services = []Service{DynamoDB, SQS}

// EndpointVariable is the environment variable that names a running engine of
// the service, as the AWS SDKs know it.
func (s Service) EndpointVariable() string {
	return "AWS_ENDPOINT_URL_" + strings.ToUpper(string(s))
}

// NameVariable is the environment variable that says what runs at the named
// endpoint, for those who started it and know; a suite makes allowances by it.
func (s Service) NameVariable() string {
	return "ENGINE_NAME_" + strings.ToUpper(string(s))
}

// Engine is a server that is ready for requests.
type Engine struct {
	// Name says what answers, for a person: "DynamoDB Local 3.1.0".
	Name string
	// Endpoint is its base URL without a trailing slash.
	Endpoint string
	// Stop ends the server and waits until it is gone. It may be called
	// more than once. For an engine that somebody else started it does
	// nothing.
	Stop func()
}

// ErrNone reports that no engine of a service can run on this machine.
var ErrNone = errors.New("no engine")

// errMissing is returned by a starter whose tools (Java, Python, ...) are not
// there, so that the next one is tried. Any other error is final: an engine
// that should work and does not must be seen, not papered over.
var errMissing = errors.New("not installed")

// starter is one way to get an engine of a service.
type starter struct {
	name  string
	needs []string // commands that must be on PATH
	start func(ctx context.Context) (Engine, error)
}

// starters gives the ways to start an engine, best first.
func starters(s Service) []starter {
	switch s {
	case DynamoDB:
		return dynamoDBStarters
	case SQS:
		return sqsStarters
	}
	return nil
}

// Start returns an engine of the service: the one the service's environment
// variable names, else the first that can be started here. The ctx bounds the
// start only. With no engine at all the error wraps ErrNone.
func Start(ctx context.Context, s Service) (Engine, error) { return StartNamed(ctx, s, "") }

// StartNamed is Start among the engines whose name begins so, such as "moto".
// With a name, the environment is not asked.
func StartNamed(ctx context.Context, s Service, name string) (Engine, error) {
	if url := os.Getenv(s.EndpointVariable()); url != "" && name == "" {
		return Engine{
			Name:     cmp.Or(os.Getenv(s.NameVariable()), "the engine at "+url+" ("+s.EndpointVariable()+")"),
			Endpoint: strings.TrimRight(url, "/"),
			Stop:     func() {},
		}, nil
	}
	var faults []error
	for _, st := range starters(s) {
		if !strings.HasPrefix(st.name, name) {
			continue
		}
		if missing := absent(st.needs); len(missing) > 0 {
			faults = append(faults, fmt.Errorf("%s: %w: %s", st.name, errMissing, strings.Join(missing, ", ")))
			continue
		}
		e, err := st.start(ctx)
		if errors.Is(err, errMissing) {
			faults = append(faults, fmt.Errorf("%s: %w", st.name, err))
			continue
		}
		if err != nil {
			return Engine{}, fmt.Errorf("start %s: %w", st.name, err)
		}
		return e, nil
	}
	return Engine{}, fmt.Errorf("%w for %s: set %s, or install Java 17 and Maven, or Python 3\n%w",
		ErrNone, s, s.EndpointVariable(), errors.Join(faults...))
}

// Candidate is one way to get an engine, for a person to read.
type Candidate struct {
	Service Service
	Name    string
	Note    string // "can run" or what is missing
}

// List names every way to get an engine here, best first for each service.
func List() []Candidate {
	var all []Candidate
	for _, s := range Services {
		if url := os.Getenv(s.EndpointVariable()); url != "" {
			all = append(all, Candidate{s, url, "named by " + s.EndpointVariable()})
		}
		for _, st := range starters(s) {
			note := "can run"
			if missing := absent(st.needs); len(missing) > 0 {
				note = "needs " + strings.Join(missing, ", ")
			}
			all = append(all, Candidate{s, st.name, note})
		}
	}
	return all
}
