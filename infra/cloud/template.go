// Package cloud is what AWS does around a function: it turns HTTP requests and
// queue messages into events, answers for Parameter Store, and reads from
// template.yaml which route, queue or schedule belongs to which function.
package cloud

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Route is one HttpApi event of the template.
type Route struct {
	Method   string // empty: every method
	Path     string // with {parameters}, or Default
	Function string // folder under functions/
}

// Default is API Gateway's key for the route that takes what no other does.
const Default = "$default"

// Key is the route as API Gateway writes it: "GET /status/{referenceId}".
func (r Route) Key() string { return strings.TrimPrefix(r.Method+" "+r.Path, " ") }

// Wiring is what the template says triggers which function.
type Wiring struct {
	Routes    []Route  // by path, then method
	Scheduled []string // functions on a schedule
	Consumers []string // functions fed by the delivery queue
}

// Read takes the events out of a template. Intrinsic functions (!Ref, !Sub)
// are YAML tags that it has no need to resolve. An event of a type that has
// no stand-in here is an error, as is a template without routes.
func Read(template []byte) (Wiring, error) {
	var content struct {
		Resources map[string]struct {
			Type       string `yaml:"Type"`
			Properties struct {
				CodeURI yaml.Node `yaml:"CodeUri"`
				Events  map[string]struct {
					Type       string `yaml:"Type"`
					Properties struct {
						Method yaml.Node `yaml:"Method"`
						Path   yaml.Node `yaml:"Path"`
					} `yaml:"Properties"`
				} `yaml:"Events"`
			} `yaml:"Properties"`
		} `yaml:"Resources"`
	}
	if err := yaml.Unmarshal(template, &content); err != nil {
		return Wiring{}, fmt.Errorf("read template: %w", err)
	}
	var w Wiring
	for _, resource := range content.Resources {
		if resource.Type != "AWS::Serverless::Function" {
			continue
		}
		function := path.Base(strings.TrimSuffix(resource.Properties.CodeURI.Value, "/"))
		for _, event := range resource.Properties.Events {
			switch event.Type {
			case "HttpApi":
				route := Route{Method: strings.ToUpper(event.Properties.Method.Value), Path: event.Properties.Path.Value, Function: function}
				if route.Method == "" && route.Path == "" {
					route.Path = Default
				}
				w.Routes = append(w.Routes, route)
			case "Schedule", "ScheduleV2":
				w.Scheduled = append(w.Scheduled, function)
			case "SQS":
				w.Consumers = append(w.Consumers, function)
			default:
				return Wiring{}, fmt.Errorf("template: event type %s of %s has no stand-in on one machine", event.Type, function)
			}
		}
	}
	if len(w.Routes) == 0 {
		return Wiring{}, errors.New("template: no routes")
	}
	slices.SortFunc(w.Routes, func(a, b Route) int { return strings.Compare(a.Path+" "+a.Method, b.Path+" "+b.Method) })
	slices.Sort(w.Scheduled)
	slices.Sort(w.Consumers)
	return w, nil
}
