package main

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// route is one HttpApi event of the template.
type route struct {
	Method   string
	Path     string // with {parameters}
	Function string // folder under functions/
}

// wiring is what the template says triggers which function.
type wiring struct {
	Routes    []route
	Scheduled []string // functions on a schedule
	Consumers []string // functions fed by the delivery queue
}

// readTemplate takes the events out of the template. Intrinsic functions
// (!Ref, !Sub) are YAML tags that it has no need to resolve.
func readTemplate(source []byte) (wiring, error) {
	var template struct {
		Resources map[string]struct {
			Type       string `yaml:"Type"`
			Properties struct {
				CodeUri yaml.Node `yaml:"CodeUri"`
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
	if err := yaml.Unmarshal(source, &template); err != nil {
		return wiring{}, fmt.Errorf("read template: %w", err)
	}
	var w wiring
	for _, resource := range template.Resources {
		if resource.Type != "AWS::Serverless::Function" {
			continue
		}
		function := path.Base(strings.TrimSuffix(resource.Properties.CodeUri.Value, "/"))
		for _, event := range resource.Properties.Events {
			switch event.Type {
			case "HttpApi":
				w.Routes = append(w.Routes, route{
					Method: strings.ToUpper(event.Properties.Method.Value),
					Path:   event.Properties.Path.Value, Function: function,
				})
			case "Schedule", "ScheduleV2":
				w.Scheduled = append(w.Scheduled, function)
			case "SQS":
				w.Consumers = append(w.Consumers, function)
			default:
				return wiring{}, fmt.Errorf("template: event type %s of %s is not known to the local system", event.Type, function)
			}
		}
	}
	if len(w.Routes) == 0 {
		return wiring{}, errors.New("template: no routes")
	}
	slices.SortFunc(w.Routes, func(a, b route) int { return strings.Compare(a.Path+a.Method, b.Path+b.Method) })
	return w, nil
}
